/* What is stored of a password: its slow hash, and the sealed HA1 values that SIP digest needs.
 *
 * Must never: keep the password, or run inside a transaction (it takes a tenth of a second). */
#ifndef LK_SERVICES_TRUNK_AUTH_CREDENTIALS_H
#define LK_SERVICES_TRUNK_AUTH_CREDENTIALS_H

#include "common/uuid.h"
#include "services/common/call.h"

enum { SEALED_HA1_MAX = HA1_SIZE_MAX + SEAL_OVERHEAD };

typedef struct {
    const char *realm; /* borrowed from the keeper */
    digest_t algorithm;
    uint8_t sealed[SEALED_HA1_MAX];
    size_t sealed_length;
} sealed_digest_t;

typedef struct {
    char method_uuid[UUID_SIZE]; /* whose they are: sealed values open nowhere else */
    /* Names this password among those of its method. Random, since it is needed (it is sealed in)
     * before the transaction that could count. */
    int64_t generation;
    char hash[PASSWORD_HASH_SIZE];
    size_t digest_count; /* 0 with LK_DIGEST=off */
    sealed_digest_t digests[REALMS_MAX * DIGEST_ALGORITHMS];
} credentials_t;

/* A generation that no other password of the method has. */
int64_t credentials_generation(void);

/* Slow: hashes with the keeper's cost; HA1 values for each of its realms and each algorithm.
 * STATUS_SYSTEM: no memory for the hash, or libcrypto refuses; out is then wiped. */
status_t credentials_make(const keeper_t *keeper, const char *method_uuid, const char *username,
                          const char *password, credentials_t *out, err_t *err) MUST_CHECK;

void credentials_wipe(credentials_t *credentials);

#endif
