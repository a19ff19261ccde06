#include "proto/record.h"

#include "common/clock.h"
#include "proto/packed.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Where the walk is: what it fills, and how faults are named. */
typedef struct {
    record_mode_t mode;
    fault_place_t place;
    faults_t *faults;
    char prefix[64]; /* pointer of the object that is being read: "" or "/settings" */
} walk_t;

static void add_fault(walk_t *walk, const field_t *row, fault_code_t code, const char *message)
{
    char where[96];
    const char *slash = walk->place == FAULT_IN_BODY ? "/" : "";
    if (text_format(where, sizeof(where), "%s%s%s", walk->prefix, slash, row->name) != STATUS_OK)
        text_cut(where, sizeof(where), row->name);
    faults_add(walk->faults, code, walk->place, where, "%s", message);
}

static void add_range_fault(walk_t *walk, const field_t *row, bool low)
{
    char message[96];
    if (text_format(message, sizeof(message), "must be %s %" PRId64, low ? "at least" : "at most",
                    low ? row->min : row->max) == STATUS_OK)
        add_fault(walk, row, FAULT_RANGE, message);
}

static void add_length_fault(walk_t *walk, const field_t *row, int64_t length)
{
    char message[96];
    bool low = length < row->min;
    bool by_bytes = (row->flags & FIELD_BYTES) != 0 || (!low && length <= row->max);
    int64_t limit = low ? row->min : by_bytes ? (int64_t)row->size - 1 : row->max;
    if (length == 0 && row->min == 1)
        add_fault(walk, row, FAULT_RANGE, "must not be empty");
    else if (text_format(message, sizeof(message), "is too %s (%s is %" PRId64 " %s)",
                         low ? "short" : "long", low ? "minimum" : "maximum", limit,
                         by_bytes ? "bytes" : "characters") == STATUS_OK)
        add_fault(walk, row, FAULT_RANGE, message);
}

/* A client that sends back what it was shown must not set the secret to asterisks: in a change the
 * mask stands for what is there. */
static bool has_only_asterisks(const char *bytes, size_t size)
{
    size_t asterisks = 0;
    while (asterisks < size && bytes[asterisks] == '*')
        asterisks++;
    return size > 0 && asterisks == size;
}

static bool read_text(walk_t *walk, const field_t *row, const msgpack_object *value, char *member)
{
    if (value->type != MSGPACK_OBJECT_STR) {
        add_fault(walk, row, FAULT_TYPE, "must be a string");
        return false;
    }
    size_t size = value->via.str.size;
    const char *bytes = size > 0 ? value->via.str.ptr : ""; /* msgpack-c has NULL there */
    long code_points = text_utf8_length(bytes, size);
    if (code_points < 0 || text_has_nul(bytes, size)) {
        add_fault(walk, row, FAULT_FORMAT, "must be UTF-8 without NUL");
        return false;
    }
    if ((row->flags & FIELD_SECRET) != 0 && has_only_asterisks(bytes, size)) {
        bool stands = walk->mode == RECORD_PART && size == sizeof(FIELD_MASK) - 1;
        if (!stands)
            add_fault(walk, row, FAULT_FORMAT,
                      "is the mask that answers show; send the secret itself, or leave it out");
        return false;
    }
    bool by_bytes = (row->flags & FIELD_BYTES) != 0;
    int64_t length = by_bytes ? (int64_t)size : code_points;
    if (length < row->min || length > row->max || size >= row->size) {
        add_length_fault(walk, row, length);
        return false;
    }
    const char *wrong = row->check == NULL ? NULL : row->check(bytes, size);
    if (wrong != NULL) {
        add_fault(walk, row, FAULT_FORMAT, wrong);
        return false;
    }
    memcpy(member, bytes, size);
    member[size] = '\0';
    return true;
}

static bool read_number(walk_t *walk, const field_t *row, const msgpack_object *value,
                        int64_t *member)
{
    bool positive = value->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    if (!positive && value->type != MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        add_fault(walk, row, FAULT_TYPE, "must be an integer");
        return false;
    }
    bool huge = positive && value->via.u64 > INT64_MAX;
    int64_t number = huge ? INT64_MAX : value->via.i64;
    if (huge || number < row->min || number > row->max) {
        add_range_fault(walk, row, number < row->min);
        return false;
    }
    *member = number;
    return true;
}

static bool read_time(walk_t *walk, const field_t *row, const msgpack_object *value,
                      int64_t *member)
{
    bool positive = value->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    bool number = positive || value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
    if (!number || (positive && value->via.u64 > INT64_MAX) || value->via.i64 < CLOCK_FIRST_MS ||
        value->via.i64 > CLOCK_LAST_MS) {
        bool text = value->type == MSGPACK_OBJECT_STR;
        add_fault(walk, row, text || number ? FAULT_FORMAT : FAULT_TYPE,
                  "must be an RFC 3339 time such as 2026-01-31T12:00:00Z");
        return false;
    }
    *member = value->via.i64;
    return true;
}

static bool read_choice(walk_t *walk, const field_t *row, const msgpack_object *value, int *member)
{
    if (value->type != MSGPACK_OBJECT_STR) {
        add_fault(walk, row, FAULT_TYPE, "must be a string");
        return false;
    }
    int index = field_word_index(row, value->via.str.ptr, value->via.str.size);
    if (index >= 0) {
        *member = index;
        return true;
    }
    char message[160] = "must be one of";
    for (int i = 0; row->words[i] != NULL; i++) {
        size_t used = strlen(message);
        if (text_format(message + used, sizeof(message) - used, "%s %s", i == 0 ? ":" : ",",
                        row->words[i]) != STATUS_OK)
            break;
    }
    add_fault(walk, row, FAULT_CHOICE, message);
    return false;
}

static const char too_much[] = "is too large (maximum is 4 KiB)";

static void read_map(walk_t *walk, const schema_t *schema, const msgpack_object *map, void *record);

static bool read_object(walk_t *walk, const field_t *row, const msgpack_object *value, void *member)
{
    if (value->type != MSGPACK_OBJECT_MAP) {
        add_fault(walk, row, FAULT_TYPE, "must be an object");
        return false;
    }
    walk_t inner = *walk;
    if (text_format(inner.prefix, sizeof(inner.prefix), "%s/%s", walk->prefix, row->name) !=
        STATUS_OK)
        inner.prefix[0] = '\0';
    read_map(&inner, row->schema, value, member);
    return true;
}

static bool read_packed(walk_t *walk, const field_t *row, const msgpack_object *value,
                        packed_t *member)
{
    fault_code_t code;
    const char *flaw = packed_flaw(row, value, &code);
    if (flaw == NULL && packed_set(value, member) == STATUS_OK)
        return true;
    add_fault(walk, row, flaw == NULL ? FAULT_RANGE : code, flaw == NULL ? too_much : flaw);
    return false;
}

static bool read_value(walk_t *walk, const field_t *row, const msgpack_object *value, char *member)
{
    void *at = member;
    switch (row->type) {
    case FIELD_TEXT:
        return read_text(walk, row, value, member);
    case FIELD_NUMBER:
        return read_number(walk, row, value, at);
    case FIELD_SWITCH:
        if (value->type != MSGPACK_OBJECT_BOOLEAN) {
            add_fault(walk, row, FAULT_TYPE, "must be true or false");
            return false;
        }
        *(bool *)at = value->via.boolean;
        return true;
    case FIELD_CHOICE:
        return read_choice(walk, row, value, at);
    case FIELD_TIME:
        return read_time(walk, row, value, at);
    case FIELD_OBJECT:
        return read_object(walk, row, value, at);
    case FIELD_PACKED:
        return read_packed(walk, row, value, at);
    case FIELD_DATE:
    case FIELD_LIST:
        return false; /* read-only by schema_flaw */
    }
    return false;
}

static void read_field(walk_t *walk, const field_t *row, unsigned index,
                       const msgpack_object *value, char *record)
{
    presence_t *fields = (presence_t *)(void *)record;
    if ((row->flags & FIELD_READ_ONLY) != 0 ||
        (walk->mode == RECORD_PART && (row->flags & FIELD_FIXED) != 0))
        return;
    if (value->type == MSGPACK_OBJECT_NIL) {
        if ((row->flags & FIELD_NULLABLE) != 0)
            field_give_null(fields, index);
        else
            add_fault(walk, row, FAULT_TYPE, "must not be null");
        return;
    }
    if (read_value(walk, row, value, record + row->offset))
        field_give(fields, index);
}

static bool give_default(const field_t *row, char *member)
{
    void *at = member;
    if (row->dflt_text != NULL) {
        size_t length = strlen(row->dflt_text);
        if (row->type == FIELD_CHOICE)
            *(int *)at = field_word_index(row, row->dflt_text, length);
        else
            memcpy(member, row->dflt_text, length + 1);
        return true;
    }
    if ((row->flags & FIELD_DEFAULT) == 0)
        return false;
    if (row->type == FIELD_SWITCH)
        *(bool *)at = row->dflt_number != 0;
    else
        *(int64_t *)at = row->dflt_number;
    return true;
}

/* Fields that were not sent: a fault where required, the default where there is one. `seen` tells a
 * faulty field from one that is not there. */
static void complete(walk_t *walk, const schema_t *schema, uint64_t seen, char *record)
{
    presence_t *fields = (presence_t *)(void *)record;
    for (unsigned i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        if ((seen >> i & 1U) != 0 || (row->flags & FIELD_READ_ONLY) != 0)
            continue;
        if ((row->flags & FIELD_REQUIRED) != 0)
            add_fault(walk, row, FAULT_REQUIRED, "is required");
        else if (give_default(row, record + row->offset))
            field_give(fields, i);
    }
}

/* What no row names. The object as a whole is at fault, since its members are no rule of ours. */
static void read_rest(walk_t *walk, const schema_t *schema, const msgpack_object *map, char *record)
{
    assert(schema->count > 0);
    unsigned last = (unsigned)schema->count - 1;
    const field_t *row = &schema->rows[last];
    void *member = record + row->offset;
    packed_t *rest = member;
    fault_code_t code = FAULT_RANGE;
    const char *flaw = too_much;
    if (packed_set_rest(schema, map, rest) == STATUS_OK) {
        flaw = packed_rest_flaw(schema, map, &code);
        if (flaw == NULL && (walk->mode == RECORD_WHOLE || packed_count(rest) > 0))
            field_give((presence_t *)(void *)record, last);
    }
    if (flaw != NULL)
        faults_add(walk->faults, code, walk->place, walk->prefix, "%s", flaw);
}

static void read_map(walk_t *walk, const schema_t *schema, const msgpack_object *map, void *record)
{
    static const msgpack_object empty = {.type = MSGPACK_OBJECT_MAP};
    uint64_t seen = 0;
    size_t hint = 0;
    if (map->type != MSGPACK_OBJECT_MAP) /* no body at all */
        map = &empty;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type != MSGPACK_OBJECT_STR)
            continue;
        const field_t *row =
            schema_find(schema, pair->key.via.str.ptr, pair->key.via.str.size, &hint);
        if (row == NULL)
            continue;
        unsigned index = (unsigned)(row - schema->rows);
        if ((seen >> index & 1U) != 0) /* a second key of one name: only a forged message has it */
            continue;
        seen |= (uint64_t)1 << index;
        read_field(walk, row, index, &pair->val, record);
    }
    if (walk->mode == RECORD_WHOLE)
        complete(walk, schema, seen, record);
    if (schema->is_open)
        read_rest(walk, schema, map, record);
}

static bool is_at_fault(const faults_t *faults, size_t count, const char *where)
{
    for (size_t i = 0; i < count; i++) {
        const char *known = faults->items[i].where;
        size_t length = strlen(where);
        if (strncmp(known, where, length) == 0 && (known[length] == '\0' || known[length] == '/'))
            return true;
    }
    return false;
}

/* A field that is at fault by itself is none for a rule, and gets no second fault from it. */
static void apply_rule(const schema_t *schema, record_mode_t mode, const void *record,
                       faults_t *faults)
{
    size_t before = faults->count;
    schema->rule(record, mode, faults);
    size_t kept = before;
    for (size_t i = before; i < faults->count; i++)
        if (!is_at_fault(faults, before, faults->items[i].where))
            faults->items[kept++] = faults->items[i];
    faults->count = kept;
}

status_t record_read(const schema_t *schema, const msgpack_object *map, record_mode_t mode,
                     fault_place_t place, void *record, faults_t *faults)
{
    if (faults->count == FAULTS_MAX) /* a further one could not be told from none */
        return STATUS_INVALID;
    size_t before = faults->count;
    walk_t walk = {.mode = mode, .place = place, .faults = faults};
    if (map->type != MSGPACK_OBJECT_MAP && map->type != MSGPACK_OBJECT_NIL) {
        faults_add(faults, FAULT_TYPE, place, "", "must be an object");
        return STATUS_INVALID;
    }
    read_map(&walk, schema, map, record);
    if (schema->rule != NULL)
        apply_rule(schema, mode, record, faults);
    return faults->count == before ? STATUS_OK : STATUS_INVALID;
}

static void write_text(msgpack_packer *out, const char *text)
{
    size_t length = strlen(text);
    msgpack_pack_str(out, length);
    msgpack_pack_str_body(out, text, length);
}

static void write_value(const field_t *row, const char *member, msgpack_packer *out)
{
    const void *at = member;
    if ((row->flags & FIELD_SECRET) != 0) {
        write_text(out, FIELD_MASK);
        return;
    }
    switch (row->type) {
    case FIELD_TEXT:
        write_text(out, member);
        return;
    case FIELD_NUMBER:
    case FIELD_TIME:
    case FIELD_DATE:
        msgpack_pack_int64(out, *(const int64_t *)at);
        return;
    case FIELD_SWITCH:
        if (*(const bool *)at)
            msgpack_pack_true(out);
        else
            msgpack_pack_false(out);
        return;
    case FIELD_CHOICE:
        write_text(out, row->words[*(const int *)at]);
        return;
    case FIELD_OBJECT:
        record_write(row->schema, at, out);
        return;
    case FIELD_LIST: {
        const records_t *list = at;
        msgpack_pack_array(out, list->count);
        for (size_t i = 0; i < list->count; i++)
            record_write(row->schema, (const char *)list->items + i * row->schema->record_size,
                         out);
        return;
    }
    case FIELD_PACKED:
        packed_write(at, out);
        return;
    }
}

/* How many members are to be written, and which rows have them. */
static size_t count_written(const schema_t *schema, const char *record, uint64_t *out_rows)
{
    const presence_t *fields = (const presence_t *)(const void *)record;
    size_t count = 0;
    *out_rows = 0;
    for (unsigned i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        if (!field_given(fields, i) || (row->flags & FIELD_WRITE_ONLY) != 0)
            continue;
        *out_rows |= (uint64_t)1 << i;
        bool is_rest = schema->is_open && i == schema->count - 1;
        count += is_rest ? packed_count((const void *)(record + row->offset)) : 1;
    }
    return count;
}

void record_write(const schema_t *schema, const void *record, msgpack_packer *out)
{
    const presence_t *fields = record;
    uint64_t written = 0;
    msgpack_pack_map(out, count_written(schema, record, &written));
    for (unsigned i = 0; i < schema->count; i++) {
        if ((written >> i & 1U) == 0)
            continue;
        const field_t *row = &schema->rows[i];
        const char *member = (const char *)record + row->offset;
        if (schema->is_open && i == schema->count - 1) {
            packed_write_members((const void *)member, out);
            continue;
        }
        write_text(out, row->name);
        if (field_null(fields, i))
            msgpack_pack_nil(out);
        else
            write_value(row, member, out);
    }
}

void record_give_text(const schema_t *schema, void *record, unsigned row, const char *text)
{
    assert(row < schema->count && schema->rows[row].type == FIELD_TEXT);
    const field_t *field = &schema->rows[row];
    status_t status = text_copy((char *)record + field->offset, field->size, text, strlen(text));
    assert(status == STATUS_OK);
    (void)status;
    field_give(record, row);
}
