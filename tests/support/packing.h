/* msgpack for tests, written as JSON with single quotes: {'name': 'x', 'port': 5}. */
#ifndef LK_TESTS_SUPPORT_PACKING_H
#define LK_TESTS_SUPPORT_PACKING_H

#include <msgpack.h>

typedef struct {
    msgpack_sbuffer bytes;
    msgpack_packer packer;
    msgpack_unpacked decoded;
} packing_t;

/* Empty, to be filled through &packed.packer. packing_free in any case. */
void packing_init(packing_t *packed);
void packing_free(packing_t *packed);
/* Decodes what has been packed; aborts if that isn't one object. Valid until packing_free. */
const msgpack_object *packing_decode(packing_t *packed);

/* Packs the value without any schema; aborts if it is no JSON. */
const msgpack_object *packing_json(packing_t *packed, const char *single_quoted);
/* Takes bytes as they are, from hexadecimal digits; blanks are ignored. */
void packing_hex(packing_t *packed, const char *hex);

/* The object as compact JSON with single quotes, members as they stand. Static; valid until the
 * next call. Bytes (bin) read as a string of hexadecimal digits. */
const char *packing_text(const msgpack_object *object);
/* The same of what has been packed. */
const char *packing_shown(packing_t *packed);
/* Its bytes as lower-case hexadecimal digits. Static. */
const char *packing_digits(const packing_t *packed);

#endif
