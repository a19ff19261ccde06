/* One table per resource: a row says all there is to say about a field.
 *
 * A resource is a plain C struct (a "record") and a static const array of rows. The row macros make
 * the compiler compare the row with the struct's member. Out of a table come validation, defaults,
 * JSON <-> msgpack (transcode.h), msgpack <-> struct (record.h), presence for PATCH, masking of
 * secrets, and the OpenAPI document. There is no second list to keep in step.
 *
 *   typedef struct {
 *       presence_t fields;                    first, always
 *       char name[TEXT_SIZE(128)];
 *       int transport;                        index into the choices
 *       int64_t port;
 *   } trunk_t;
 *
 *   enum { TRUNK_NAME, TRUNK_TRANSPORT, TRUNK_PORT };
 *   static const field_t trunk_rows[] = {
 *       [TRUNK_NAME] = FIELD_TEXT_ROW(trunk_t, name, 1, 128, .doc = "..."),
 *       [TRUNK_TRANSPORT] = FIELD_CHOICE_ROW(trunk_t, transport, transports, .doc = "..."),
 *       [TRUNK_PORT] = FIELD_NUMBER_ROW(trunk_t, port, 1, 65535, .doc = "..."),
 *   };
 *   const schema_t trunk_schema = SCHEMA("trunk", trunk_t, trunk_rows, .rule = trunk_rule);
 */
#ifndef LK_PROTO_FIELD_H
#define LK_PROTO_FIELD_H

#include "common/compiler.h"
#include "common/text.h"
#include "proto/faults.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIELDS_MAX = 64 }; /* one bit each in presence_t */

/* Which fields of a record hold something, bit i for row i. Bits of `null` are also in `given`. */
typedef struct {
    uint64_t given;
    uint64_t null;
} presence_t;

static inline bool field_given(const presence_t *fields, unsigned row)
{
    return (fields->given >> row & 1U) != 0;
}

static inline bool field_null(const presence_t *fields, unsigned row)
{
    return (fields->null >> row & 1U) != 0;
}

/* Given, and not null. */
static inline bool field_set(const presence_t *fields, unsigned row)
{
    return ((fields->given & ~fields->null) >> row & 1U) != 0;
}

static inline void field_give(presence_t *fields, unsigned row)
{
    fields->given |= (uint64_t)1 << row;
    fields->null &= ~((uint64_t)1 << row);
}

static inline void field_give_null(presence_t *fields, unsigned row)
{
    fields->given |= (uint64_t)1 << row;
    fields->null |= (uint64_t)1 << row;
}

/* Given where there is something, else null. */
static inline void field_give_if(presence_t *fields, unsigned row, bool there)
{
    if (there)
        field_give(fields, row);
    else
        field_give_null(fields, row);
}

/* What a value is. Struct member, value in JSON, value in msgpack: */
typedef enum {
    FIELD_TEXT,   /* char[],    string,                str */
    FIELD_NUMBER, /* int64_t,   integer,               int */
    FIELD_SWITCH, /* bool,      true or false,         bool */
    FIELD_CHOICE, /* int,       one of a set of words, str; the member is the word's index */
    FIELD_TIME,   /* int64_t,   RFC 3339 date-time,    int: UTC milliseconds */
    FIELD_DATE, /* int64_t,   RFC 3339 full-date,    int: UTC milliseconds; read-only fields only */
    FIELD_OBJECT, /* a record,  object,                map */
    FIELD_LIST,   /* records_t, array of objects,      array; read-only fields only */
    FIELD_PACKED, /* packed_t,  see shape_t,           the same */
} field_type_t;

/* What a FIELD_PACKED holds. A row's min and max count its elements; `check` is of each text. */
typedef enum {
    SHAPE_TEXTS,    /* array of strings, such as tags */
    SHAPE_TEXT_MAP, /* object of strings */
    SHAPE_OPEN,     /* any object, kept as it came: what is no rule of ours */
} shape_t;

enum {
    FIELD_REQUIRED = 1 << 0,   /* must be given on create and replace */
    FIELD_READ_ONLY = 1 << 1,  /* ignored in requests */
    FIELD_FIXED = 1 << 2,      /* given on create; ignored on change */
    FIELD_SECRET = 1 << 3,     /* answered as "********" when set, else null; never logged.
                                  The mask is no value: in a change it stands for what is there */
    FIELD_NULLABLE = 1 << 4,   /* null is a value */
    FIELD_BYTES = 1 << 5,      /* min and max of a text count bytes, not code points */
    FIELD_DEFAULT = 1 << 6,    /* a number, switch or time has a default: dflt_number */
    FIELD_WRITE_ONLY = 1 << 7, /* never answered */
    FIELD_SPARSE = 1 << 8,     /* left out of some answers */
};

/* What a secret that is set reads as. */
#define FIELD_MASK "********"

/* A list of records of one schema, such as the methods of a trunk. The record that holds it owns
 * items (mem_free). */
typedef struct {
    void *items;
    size_t count;
} records_t;

enum { PACKED_SIZE = 4096, PACKED_TEXT_MAX = 256 };

/* A value that is kept as it travels: one msgpack object, checked against its row's shape. */
typedef struct {
    uint32_t length;
    char bytes[PACKED_SIZE - sizeof(uint32_t)];
} packed_t;

/* A named check of a text: NULL if it is good, else what is wrong, to stand after the field's name
 * ("must be a host name"). Bytes are valid UTF-8 and within the length limits. */
typedef const char *(*field_check_fn)(const char *bytes, size_t length);

typedef struct schema schema_t;

typedef struct field {
    const char *name;
    field_type_t type;
    unsigned flags;
    size_t offset;            /* of the member */
    size_t size;              /* of a text member, with the NUL; of an object's record */
    int64_t min, max;         /* length of a text, value of a number */
    const char *dflt_text;    /* default of a text or choice; NULL: none */
    int64_t dflt_number;      /* with FIELD_DEFAULT */
    const char *const *words; /* of a choice, NULL at the end */
    shape_t shape;            /* of a packed value */
    field_check_fn check;     /* of a text; may be NULL */
    const schema_t *schema;   /* of an object's or a list's records */
    const char *doc;          /* one sentence, for people */
    const char *example;      /* a JSON value, for the OpenAPI document and its tests */
} field_t;

typedef enum {
    RECORD_WHOLE, /* create, replace: required fields must be there, defaults apply */
    RECORD_PART,  /* change: only what is given; fixed fields are ignored */
} record_mode_t;

/* A rule over several fields. A field that is bad by itself is not given. */
typedef void (*schema_rule_fn)(const void *record, record_mode_t mode, faults_t *faults);

struct schema {
    const char *name; /* in the OpenAPI document */
    const field_t *rows;
    size_t count;
    size_t record_size;
    schema_rule_fn rule; /* may be NULL */
    /* The last row is a SHAPE_OPEN that stands for all members which no other row names. */
    bool is_open;
};

#define FIELD_IS_(record, member_, type_)                                                          \
    COMPILE_CHECK(_Generic(((record *)0)->member_, type_ : 1, default : 0),                        \
                  #record "." #member_ " is not " #type_)

/* ROW_AS: for names that are no C identifiers, such as "page[number]", or stand elsewhere. */

/* A text of min_ to max_ code points (FIELD_BYTES: bytes). */
#define FIELD_TEXT_ROW_AS(name_, record, member_, min_, max_, ...)                                 \
    {                                                                                              \
        .name = (name_), .type = FIELD_TEXT, .min = (min_), .max = (max_),                         \
        .size = sizeof(((record *)0)->member_),                                                    \
        .offset = offsetof(record, member_) +                                                      \
                  COMPILE_CHECK(_Generic(&((record *)0)->member_[0], char * : 1, default : 0),     \
                                #record "." #member_ " is not a char array") +                     \
                  COMPILE_CHECK(sizeof(((record *)0)->member_) > (size_t)(max_),                   \
                                #record "." #member_ " is too small"),                             \
        __VA_ARGS__                                                                                \
    }
#define FIELD_NUMBER_ROW_AS(name_, record, member_, min_, max_, ...)                               \
    {                                                                                              \
        .name = (name_), .type = FIELD_NUMBER, .min = (min_), .max = (max_),                       \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, int64_t), __VA_ARGS__     \
    }
#define FIELD_SWITCH_ROW_AS(name_, record, member_, ...)                                           \
    {                                                                                              \
        .name = (name_), .type = FIELD_SWITCH,                                                     \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, bool), __VA_ARGS__        \
    }
#define FIELD_CHOICE_ROW_AS(name_, record, member_, words_, ...)                                   \
    {                                                                                              \
        .name = (name_), .type = FIELD_CHOICE, .words = (words_),                                  \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, int), __VA_ARGS__         \
    }
#define FIELD_TIME_ROW_AS(name_, record, member_, ...)                                             \
    {                                                                                              \
        .name = (name_), .type = FIELD_TIME,                                                       \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, int64_t), __VA_ARGS__     \
    }

/* The same, named as their members. */
#define FIELD_TEXT_ROW(record, member_, min_, max_, ...)                                           \
    FIELD_TEXT_ROW_AS(#member_, record, member_, min_, max_, __VA_ARGS__)
#define FIELD_NUMBER_ROW(record, member_, min_, max_, ...)                                         \
    FIELD_NUMBER_ROW_AS(#member_, record, member_, min_, max_, __VA_ARGS__)
#define FIELD_SWITCH_ROW(record, member_, ...)                                                     \
    FIELD_SWITCH_ROW_AS(#member_, record, member_, __VA_ARGS__)
#define FIELD_CHOICE_ROW(record, member_, words_, ...)                                             \
    FIELD_CHOICE_ROW_AS(#member_, record, member_, words_, __VA_ARGS__)
#define FIELD_TIME_ROW(record, member_, ...)                                                       \
    FIELD_TIME_ROW_AS(#member_, record, member_, __VA_ARGS__)
#define FIELD_DATE_ROW(record, member_, ...)                                                       \
    {                                                                                              \
        .name = #member_, .type = FIELD_DATE,                                                      \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, int64_t), __VA_ARGS__     \
    }
#define FIELD_LIST_ROW(record, member_, schema_, ...)                                              \
    {                                                                                              \
        .name = #member_, .type = FIELD_LIST, .schema = (schema_),                                 \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, records_t), __VA_ARGS__   \
    }
/* A packed value of min_ to max_ elements. */
#define FIELD_PACKED_ROW(record, member_, shape_, min_, max_, ...)                                 \
    {                                                                                              \
        .name = #member_, .type = FIELD_PACKED, .shape = (shape_), .min = (min_), .max = (max_),   \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, packed_t), __VA_ARGS__    \
    }
/* member_type: the sub-record's type. schema_flaw compares it with the sub-schema's record_size. */
#define FIELD_OBJECT_ROW(record, member_, member_type, schema_, ...)                               \
    {                                                                                              \
        .name = #member_, .type = FIELD_OBJECT, .schema = (schema_), .size = sizeof(member_type),  \
        .offset = offsetof(record, member_) + FIELD_IS_(record, member_, member_type), __VA_ARGS__ \
    }

#define SCHEMA(name_, record, rows_, ...)                                                          \
    {                                                                                              \
        .name = (name_), .rows = (rows_), .count = ARRAY_LEN(rows_),                               \
        .record_size =                                                                             \
            sizeof(record) +                                                                       \
            COMPILE_CHECK(offsetof(record, fields) == 0, #record ".fields is not first") +         \
            COMPILE_CHECK(_Generic(((record *)0)->fields, presence_t : 1, default : 0),            \
                          #record ".fields is not a presence_t") +                                 \
            COMPILE_CHECK(ARRAY_LEN(rows_) <= FIELDS_MAX, "too many fields"),                      \
        __VA_ARGS__                                                                                \
    }

/* The row of that name (length bytes), searched from *hint on and around, or NULL. *hint is moved
 * behind it, so that fields in table order are found at once. */
const field_t *schema_find(const schema_t *schema, const char *name, size_t length, size_t *hint);

/* Index of the word, or -1. */
int field_word_index(const field_t *row, const char *word, size_t length);

/* What the compiler can't see: names are unique, defaults are good values, no field is at once
 * required, defaulted or read-only, lists and dates are read-only, sub-schemas are there and fit.
 * NULL, or what is wrong. For a unit test over the registry. Static storage. */
const char *schema_flaw(const schema_t *schema);

#endif
