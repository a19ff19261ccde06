/* msgpack for tests, written as JSON with single quotes: {'name': 'x', 'port': 5}. */
#ifndef LK_TESTS_SUPPORT_PACKED_H
#define LK_TESTS_SUPPORT_PACKED_H

#include <msgpack.h>

typedef struct {
    msgpack_sbuffer bytes;
    msgpack_packer packer;
    msgpack_unpacked decoded;
} packed_t;

/* Empty, to be filled through &packed.packer. packed_free in any case. */
void packed_init(packed_t *packed);
void packed_free(packed_t *packed);
/* Decodes what has been packed; aborts if that isn't one object. Valid until packed_free. */
const msgpack_object *packed_decode(packed_t *packed);

/* Packs the value without any schema; aborts if it is no JSON. */
const msgpack_object *packed_json(packed_t *packed, const char *single_quoted);
/* Takes bytes as they are, from hexadecimal digits; blanks are ignored. */
void packed_hex(packed_t *packed, const char *hex);

/* The object as compact JSON with single quotes, members as they stand. Static; valid until the
 * next call. Bytes (bin) read as a string of hexadecimal digits. */
const char *packed_text(const msgpack_object *object);
/* The same of what has been packed. */
const char *packed_shown(packed_t *packed);
/* Its bytes as lower-case hexadecimal digits. Static. */
const char *packed_digits(const packed_t *packed);

#endif
