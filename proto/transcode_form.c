/* Query strings and forms: "name=value" between '&', percent-encoded. Must never: take a part of
 * what was said for all of it; a form asks whether a call may be made. */
#include "proto/transcode_internal.h"

#include "common/mem.h"

#include <sodium.h>
#include <string.h>

/* REST_MAX: of a form, what an open schema does not name. */
enum { PARAMETER_SIZE = 2048, PARAMETER_NAME_SIZE = 96, REST_MAX = 64 };

static void write_parameter(const field_t *row, const char *text, msgpack_packer *out)
{
    size_t length = strlen(text);
    bool negative = text[0] == '-';
    uint64_t number = 0;
    transcode_put_text(out, row->name, strlen(row->name));
    status_t status = text_number(text + negative, length - negative, INT64_MAX, &number);
    if (row->type == FIELD_NUMBER && status == STATUS_OK)
        msgpack_pack_int64(out, negative ? -(int64_t)number : (int64_t)number);
    else if (row->type == FIELD_NUMBER && status == STATUS_TOO_LARGE && negative)
        msgpack_pack_int64(out, INT64_MIN); /* so that it is its range that fails */
    else if (row->type == FIELD_NUMBER && status == STATUS_TOO_LARGE)
        msgpack_pack_uint64(out, UINT64_MAX);
    else if (row->type == FIELD_SWITCH && strcmp(text, "true") == 0)
        msgpack_pack_true(out);
    else if (row->type == FIELD_SWITCH && strcmp(text, "false") == 0)
        msgpack_pack_false(out);
    else if (row->type == FIELD_TIME)
        transcode_put_time(out, text, length);
    else
        transcode_put_text(out, text, length);
}

/* Packs into a buffer of its own, since a map's count stands before it. */
typedef struct {
    const schema_t *schema;
    faults_t *faults;
    fault_place_t place;
    msgpack_sbuffer pairs;
    msgpack_packer packer;
    size_t count;
    uint64_t seen;
    struct {
        const char *at;
        size_t length;
    } given[FIELDS_MAX]; /* the undecoded value of each row that was seen */
    struct {
        size_t at, length;
    } rest[REST_MAX]; /* names of an open schema's rest, in pairs */
    size_t rest_count;
} parameters_t;

/* One "name=value", undecoded. */
typedef struct {
    const char *name, *value;
    size_t name_length, value_length;
} pair_t;

static void add_fault(parameters_t *all, const char *name, const char *message)
{
    char where[PARAMETER_NAME_SIZE + 1] = "/";
    text_cut(where + 1, sizeof(where) - 1, name);
    faults_add(all->faults, FAULT_FORMAT, all->place,
               all->place == FAULT_IN_BODY ? where : where + 1, "%s", message);
}

/* A server may repeat in a form what it has said; what is not the same leaves open which is meant.
 */
static bool is_repeated(parameters_t *all, const field_t *row, const pair_t *pair)
{
    size_t index = (size_t)(row - all->schema->rows);
    uint64_t bit = (uint64_t)1 << index;
    bool seen = (all->seen & bit) != 0;
    bool same = seen && all->given[index].length == pair->value_length &&
                memcmp(all->given[index].at, pair->value, pair->value_length) == 0;
    if (seen && !(same && all->place == FAULT_IN_BODY))
        add_fault(all, row->name, "is there twice");
    all->seen |= bit;
    all->given[index].at = pair->value;
    all->given[index].length = pair->value_length;
    return seen;
}

static bool is_in_rest(const parameters_t *all, const char *name, size_t length)
{
    for (size_t i = 0; i < all->rest_count; i++)
        if (all->rest[i].length == length &&
            memcmp(all->pairs.data + all->rest[i].at, name, length) == 0)
            return true;
    return false;
}

static bool read_value(parameters_t *all, const char *name, const pair_t *pair, char *out,
                       size_t size)
{
    if (text_percent_decode(out, size, pair->value, pair->value_length, true) == STATUS_OK)
        return true;
    add_fault(all, name, "must be percent-encoded UTF-8");
    return false;
}

/* Of a form with an open schema. */
static void read_rest(parameters_t *all, const char *name, const pair_t *pair)
{
    char decoded[PARAMETER_SIZE];
    size_t length = strlen(name);
    if (is_in_rest(all, name, length)) {
        add_fault(all, name, "is there twice");
        return;
    }
    if (all->rest_count == REST_MAX) {
        add_fault(all, name, "is one too many");
        return;
    }
    if (!read_value(all, name, pair, decoded, sizeof(decoded)))
        return;
    transcode_put_text(&all->packer, name, length);
    all->rest[all->rest_count].at = all->pairs.size - length;
    all->rest[all->rest_count++].length = length;
    transcode_put_text(&all->packer, decoded, strlen(decoded));
    all->count++;
}

/* Of a row that takes more than the stack should: a document, in a form. */
static void read_large(parameters_t *all, const field_t *row, const pair_t *pair)
{
    AUTO(mem_release) char *decoded = mem_zalloc(pair->value_length + 1);
    if (read_value(all, row->name, pair, decoded, pair->value_length + 1)) {
        write_parameter(row, decoded, &all->packer);
        all->count++;
    }
    sodium_memzero(decoded, pair->value_length);
}

static void read_parameter(parameters_t *all, const pair_t *pair)
{
    char name[PARAMETER_NAME_SIZE], decoded[PARAMETER_SIZE];
    bool takes_rest = all->schema->is_open && all->place == FAULT_IN_BODY;
    if (text_percent_decode(name, sizeof(name), pair->name, pair->name_length, true) != STATUS_OK) {
        if (takes_rest) /* what it asks for may not be left out */
            add_fault(all, "", "must have names of percent-encoded UTF-8");
        return;
    }
    size_t hint = 0;
    const field_t *row = schema_find(all->schema, name, strlen(name), &hint);
    if (row == NULL && takes_rest)
        read_rest(all, name, pair);
    if (row == NULL || !transcode_takes(row) || is_repeated(all, row, pair))
        return;
    if (row->size > PARAMETER_SIZE) {
        read_large(all, row, pair);
        return;
    }
    if (!read_value(all, row->name, pair, decoded, sizeof(decoded)))
        return;
    write_parameter(row, decoded, &all->packer);
    all->count++;
}

static void read_parameters(parameters_t *all, const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length;
    while (at < end) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        if (next == NULL)
            next = end;
        const char *equals = memchr(at, '=', (size_t)(next - at));
        pair_t pair = {.name = at, .value = equals == NULL ? next : equals + 1};
        pair.name_length = (size_t)((equals == NULL ? next : equals) - at);
        pair.value_length = (size_t)(next - pair.value);
        if (next > at)
            read_parameter(all, &pair);
        at = next + 1;
    }
}

static void transcode_parameters(const schema_t *schema, fault_place_t place, const char *bytes,
                                 size_t length, msgpack_packer *out, faults_t *faults)
{
    if (schema == NULL) {
        msgpack_pack_nil(out);
        return;
    }
    parameters_t all;
    all.schema = schema;
    all.faults = faults;
    all.place = place;
    all.count = all.rest_count = 0;
    all.seen = 0;
    msgpack_sbuffer_init(&all.pairs);
    msgpack_packer_init(&all.packer, &all.pairs, msgpack_sbuffer_write);
    read_parameters(&all, bytes, length);
    msgpack_pack_map(out, all.count);
    if (all.pairs.size > 0) {
        (void)out->callback(out->data, all.pairs.data, all.pairs.size);
        sodium_memzero(all.pairs.data, all.pairs.size);
    }
    msgpack_sbuffer_destroy(&all.pairs);
}

void transcode_query(const schema_t *schema, const char *query, msgpack_packer *out,
                     faults_t *faults)
{
    const char *bytes = query == NULL ? "" : query;
    transcode_parameters(schema, FAULT_IN_QUERY, bytes, strlen(bytes), out, faults);
}

void transcode_form(const schema_t *schema, const char *bytes, size_t length, msgpack_packer *out,
                    faults_t *faults)
{
    transcode_parameters(schema, FAULT_IN_BODY, bytes, length, out, faults);
}
