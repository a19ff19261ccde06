/* SIP digest secrets: HA1 = H(username ":" realm ":" password) (RFC 7616 section 3.4.2, RFC 8760),
 * by OpenSSL's libcrypto. */
#ifndef LK_SERVICES_COMMON_DIGEST_H
#define LK_SERVICES_COMMON_DIGEST_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { DIGEST_MD5, DIGEST_SHA_256, DIGEST_SHA_512_256, DIGEST_ALGORITHMS } digest_t;

enum { HA1_SIZE_MAX = 32, REALMS_MAX = 16, REALM_SIZE = 129 };

/* "MD5", "SHA-256", "SHA-512-256": the names of RFC 7616. Static. */
const char *digest_name(digest_t algorithm);
/* Bytes of its output: 16, 32, 32. */
size_t digest_size(digest_t algorithm);

/* The realms that are served; the first is the default. */
typedef struct {
    size_t count;
    char names[REALMS_MAX][REALM_SIZE];
} realms_t;

/* Reads LK_SIP_REALMS: names between commas, blanks around them dropped; no '"', '\', ':' or
 * controls; none twice. */
status_t realms_parse(const char *text, realms_t *out, err_t *err) MUST_CHECK;

/* Bytes that are hashed. */
typedef struct {
    const char *bytes;
    size_t length;
} digest_part_t;

/* Hashes the parts with a colon between each two; out holds digest_size bytes. STATUS_SYSTEM if
 * libcrypto refuses the algorithm (MD5 in FIPS mode). */
status_t digest_parts(digest_t algorithm, const digest_part_t *parts, size_t count,
                      uint8_t out[HA1_SIZE_MAX]) MUST_CHECK;

/* Computes HA1 over the exact bytes; out holds digest_size bytes. As digest_parts. */
status_t digest_ha1(digest_t algorithm, const char *username, const char *realm,
                    const char *password, size_t password_length, uint8_t out[HA1_SIZE_MAX])
    MUST_CHECK;

#endif
