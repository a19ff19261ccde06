/* A resource with a field of every type and flag, for the tests of what the field tables drive. */
#ifndef LK_TESTS_SUPPORT_SAMPLE_SCHEMA_H
#define LK_TESTS_SUPPORT_SAMPLE_SCHEMA_H

#include "proto/field.h"

typedef struct {
    presence_t fields;
    char realm[TEXT_SIZE(8)];
    int64_t level;
} sample_inner_t;

enum { INNER_REALM, INNER_LEVEL };

typedef struct {
    presence_t fields;
    int64_t at;
    sample_inner_t inner;
    records_t items; /* of sample_inner_t */
    int kind;
    int64_t made;
    char name[TEXT_SIZE(4)];
    char note[TEXT_SIZE(8)];
    bool on;
    int64_t size;
    char token[17];
    char unseen[9];
} sample_t;

enum {
    SAMPLE_AT,
    SAMPLE_INNER,
    SAMPLE_ITEMS,
    SAMPLE_KIND,
    SAMPLE_MADE,
    SAMPLE_NAME,
    SAMPLE_NOTE,
    SAMPLE_ON,
    SAMPLE_SIZE,
    SAMPLE_TOKEN,
    SAMPLE_UNSEEN,
};

/* Its rule: a kind "b" needs an even size. */
extern const schema_t sample_schema, sample_inner_schema;

#endif
