/* msgpack <-> struct, by schema: the walk that validates.
 *
 * Both sides walk the same table: the gateway to refuse bad input before it travels, the worker
 * because the gateway is not its trust boundary. Read-only, fixed and secret are enforced here and
 * nowhere else. */
#ifndef LK_PROTO_RECORD_H
#define LK_PROTO_RECORD_H

#include "proto/field.h"

#include <msgpack.h>

/* Reads a msgpack map into a record, which must be schema->record_size zeroed bytes. Unknown keys,
 * read-only fields, and (RECORD_PART) fixed fields are ignored. Every fault is added, with its
 * place and JSON pointer; then the schema's rule is run over the fields that are good. nil counts
 * as an empty map. STATUS_INVALID if there is a fault, or was no room for one; the record is then
 * of no use. */
status_t record_read(const schema_t *schema, const msgpack_object *map, record_mode_t mode,
                     fault_place_t place, void *record, faults_t *faults) MUST_CHECK;

/* Appends the record's given fields as a map, in the table's order: null where null, secrets as
 * "********", no write-only field. */
void record_write(const schema_t *schema, const void *record, msgpack_packer *out);

/* Copies text into a text member and marks it as given; text that does not fit, or NULL, is our own
 * bug. For handlers that fill an answer. */
void record_give_text(const schema_t *schema, void *record, unsigned row, const char *text);

#endif
