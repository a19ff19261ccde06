/* Hashing passwords (Argon2id, RFC 9106, by libsodium's crypto_pwhash_str). Slow on purpose:
 * slow pool only, and never inside a transaction. */
#ifndef LK_SERVICES_COMMON_PASSWORD_H
#define LK_SERVICES_COMMON_PASSWORD_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { PASSWORD_HASH_SIZE = 128 }; /* crypto_pwhash_STRBYTES: text and NUL */

/* Cost of one hash. */
typedef struct {
    unsigned long long passes;
    size_t memory_bytes;
} password_cost_t;

/* Reads LK_PWHASH: "interactive", "moderate", or "PASSES:MEBIBYTES" such as "2:64"; never below 2
 * passes and 19 MiB (OWASP's minimum): STATUS_INVALID. */
status_t password_cost_parse(const char *text, password_cost_t *out, err_t *err) MUST_CHECK;

/* STATUS_SYSTEM if the memory can't be had. */
status_t password_hash(const password_cost_t *cost, const char *password, size_t length,
                       char out[PASSWORD_HASH_SIZE], err_t *err) MUST_CHECK;

/* Whether the password is the hashed one. */
bool password_matches(const char *hash, const char *password, size_t length);

/* Something to compare a password with where there is no hash, at that cost: nothing matches it. */
void password_stand_in(const password_cost_t *cost, char out[PASSWORD_HASH_SIZE]);

/* Whether the hash was made at another cost and should be made again. */
bool password_is_outdated(const password_cost_t *cost, const char *hash);

#endif
