/* Every schema there is, for targets whose first byte picks one. */
#ifndef LK_TESTS_FUZZ_SCHEMAS_H
#define LK_TESTS_FUZZ_SCHEMAS_H

#include "proto/field.h"
#include "proto/record.h"

/* What one input is about: bits 0 and 1 of the byte pick mode and place, the others the schema. */
typedef struct {
    const schema_t *schema;
    record_mode_t mode;
    fault_place_t place;
} fuzz_pick_t;

fuzz_pick_t fuzz_pick(uint8_t byte);

/* Reads the map as a record; if that is good, writes it, reads it back and aborts unless both are
 * the same to the last byte. Records that show a secret's mask instead of it are not compared. */
void fuzz_record_round_trip(const fuzz_pick_t *pick, const msgpack_object *map);

#endif
