/* Packed values: texts, maps of texts, open objects, kept as the msgpack they travel as.
 *
 * What a service stores of them is these bytes, in a column of their own. Foreign bytes, a database
 * row's too, pass packed_load. */
#ifndef LK_PROTO_PACKED_H
#define LK_PROTO_PACKED_H

#include "proto/field.h"

#include <msgpack.h>

/* A whole page of records with such values must fit a message: scan.h's SCAN_ELEMENTS_MAX. */
enum { PACKED_DEPTH_MAX = 8, PACKED_VALUES_MAX = 256 };

/* What is wrong with a value for its row (FIELD_PACKED), to stand after the field's name, with the
 * kind of fault; NULL if it is good. Static. */
const char *packed_flaw(const field_t *row, const msgpack_object *value, fault_code_t *out_code);

/* Packs a value that has no flaw. STATUS_TOO_LARGE: it does not fit. */
status_t packed_set(const msgpack_object *value, packed_t *out) MUST_CHECK;

/* Packs an array of strings that fit: our own. */
void packed_set_texts(const char *const *texts, size_t count, packed_t *out);

/* Packs those members of a map that no other row of an open schema names; none is an empty map. */
status_t packed_set_rest(const schema_t *schema, const msgpack_object *map, packed_t *out)
    MUST_CHECK;
/* What is wrong with them, as packed_flaw. */
const char *packed_rest_flaw(const schema_t *schema, const msgpack_object *map,
                             fault_code_t *out_code);

/* Takes bytes that were packed before. STATUS_CORRUPT: they are no value of that row. */
status_t packed_load(const field_t *row, const void *bytes, size_t length, packed_t *out)
    MUST_CHECK;

/* Elements of an array, members of a map. */
size_t packed_count(const packed_t *packed);

/* Appends the value. */
void packed_write(const packed_t *packed, msgpack_packer *out);
/* Appends the members of a map without its head. */
void packed_write_members(const packed_t *packed, msgpack_packer *out);

/* The members of both maps; those of `change` take the place of base's, null too.
 * STATUS_TOO_LARGE: they do not fit, or are too many. */
status_t packed_merge(const packed_t *base, const packed_t *change, packed_t *out) MUST_CHECK;

#endif
