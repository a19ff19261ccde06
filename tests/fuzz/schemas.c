#include "tests/fuzz/schemas.h"

#include "common/mem.h"
#include "proto/envelope.h"
#include "proto/registry.h"
#include "tests/support/sample_schema.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMAS_MAX = 64 };

typedef struct {
    const schema_t *items[SCHEMAS_MAX];
    size_t count;
} schemas_t;

static void add(schemas_t *schemas, const schema_t *schema)
{
    if (schema == NULL)
        return;
    for (size_t i = 0; i < schemas->count; i++)
        if (schemas->items[i] == schema)
            return;
    if (schemas->count == SCHEMAS_MAX)
        abort();
    schemas->items[schemas->count++] = schema;
}

fuzz_pick_t fuzz_pick(uint8_t byte)
{
    static schemas_t schemas;
    if (schemas.count == 0) {
        add(&schemas, &sample_schema);
        for (size_t s = 0; s < registry_count; s++) {
            for (size_t o = 0; o < registry[s]->operation_count; o++) {
                const operation_t *operation = &registry[s]->operations[o];
                add(&schemas, operation->body);
                add(&schemas, operation->query);
                add(&schemas, operation->path_schema);
                add(&schemas, operation->result);
            }
        }
    }
    return (fuzz_pick_t){
        .schema = schemas.items[(byte >> 2) % schemas.count],
        .mode = (byte & 1U) != 0 ? RECORD_PART : RECORD_WHOLE,
        .place = (byte & 2U) != 0 ? FAULT_IN_QUERY : FAULT_IN_BODY,
    };
}

static void must(int holds)
{
    if (!holds)
        abort();
}

/* A fault is shown to people and to JSON: it must be sound text, and must name a place. */
static void check_faults(const faults_t *faults)
{
    must(faults->count > 0 && faults->count <= FAULTS_MAX);
    for (size_t i = 0; i < faults->count; i++) {
        const fault_t *fault = &faults->items[i];
        must(fault->message[0] != '\0');
        must(text_utf8_length(fault->message, strlen(fault->message)) >= 0);
        must(text_utf8_length(fault->where, strlen(fault->where)) >= 0);
    }
}

static int hides_something(const schema_t *schema, const void *record)
{
    for (unsigned i = 0; i < schema->count; i++)
        if (field_set(record, i) &&
            (schema->rows[i].flags & (FIELD_SECRET | FIELD_WRITE_ONLY)) != 0)
            return 1;
    return 0;
}

void fuzz_record_round_trip(const fuzz_pick_t *pick, const msgpack_object *map)
{
    faults_t faults = {.count = 0};
    const schema_t *schema = pick->schema;
    char *record = mem_zalloc(schema->record_size);
    char *back = mem_zalloc(schema->record_size);
    if (record_read(schema, map, pick->mode, pick->place, record, &faults) != STATUS_OK) {
        check_faults(&faults);
    } else {
        msgpack_sbuffer bytes;
        msgpack_packer packer;
        msgpack_unpacked decoded;
        msgpack_sbuffer_init(&bytes);
        msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
        must(faults.count == 0);
        record_write(schema, record, &packer);
        must(envelope_decode(bytes.data, bytes.size, &decoded) == STATUS_OK);
        if (!hides_something(schema, record)) {
            must(record_read(schema, &decoded.data, pick->mode, pick->place, back, &faults) ==
                 STATUS_OK);
            must(memcmp(record, back, schema->record_size) == 0);
        }
        msgpack_unpacked_destroy(&decoded);
        msgpack_sbuffer_destroy(&bytes);
    }
    mem_free(record);
    mem_free(back);
}
