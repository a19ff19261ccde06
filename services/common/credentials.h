/* What is stored of a password: its slow hash, and the sealed HA1 values that SIP digest needs.
 *
 * Must never: keep the password, or run inside a transaction (it takes a tenth of a second). */
#ifndef LK_SERVICES_COMMON_CREDENTIALS_H
#define LK_SERVICES_COMMON_CREDENTIALS_H

#include "common/text.h"
#include "common/uuid.h"
#include "services/common/prepared.h"

enum { SEALED_HA1_MAX = HA1_SIZE_MAX + SEAL_OVERHEAD };

typedef struct {
    const char *realm; /* borrowed from the keeper */
    digest_t algorithm;
    uint8_t sealed[SEALED_HA1_MAX];
    size_t sealed_length;
} sealed_digest_t;

typedef struct {
    char row_id[UUID_SIZE];       /* whose they are: sealed values open nowhere else */
    char username[TEXT_SIZE(64)]; /* the HA1 values hold it */
    /* Names this password among those of its row. Random, since it is needed (it is sealed in)
     * before the transaction that could count. */
    int64_t generation;
    char hash[PASSWORD_HASH_SIZE];
    bool lost;           /* sealed with a key that has gone meanwhile: not to be stored */
    size_t digest_count; /* 0 with LK_DIGEST=off */
    sealed_digest_t digests[REALMS_MAX * DIGEST_ALGORITHMS];
} credentials_t;

/* A generation that no other password of the row has. */
int64_t credentials_generation(void);

/* Slow: hashes with the keeper's cost; HA1 values for each of its realms and each algorithm.
 * STATUS_SYSTEM: no memory for the hash, or libcrypto refuses; out is then wiped. */
status_t credentials_make(const keeper_t *keeper, const char *row_id, const char *username,
                          const char *password, credentials_t *out, err_t *err) MUST_CHECK;

void credentials_wipe(credentials_t *credentials);

/* ---- Of a slow write: made before its transaction ---- */

/* Ends a `prepare` as prepared_keep does, and hashes the password unless the verdict says that it
 * would be in vain. password NULL: only the verdict is kept. */
void credentials_prepare(call_t *call, status_t status, const verdict_t *verdict, const err_t *err,
                         const char *row_id, const char *username, const char *password);

/* For `write`, after prepared_passes: what was made, sealed with the key that is the newest by now;
 * NULL if nothing was. */
const credentials_t *credentials_prepared(const call_t *call);

/* ---- In the store ---- */

/* A service's statements on its table of sealed digests. */
typedef struct {
    size_t add;  /* INSERT: $1 row id, $2 generation, $3 realm, $4 algorithm, $5 sealed */
    size_t drop; /* DELETE of all generations of row id $1 but $2 */
} digest_sql_t;

status_t credentials_add_digests(store_t *store, const digest_sql_t *sql,
                                 const credentials_t *credentials, err_t *err) MUST_CHECK;
/* And drops the row's others, but for kept_generation (the credentials' own: none). */
status_t credentials_replace_digests(store_t *store, const digest_sql_t *sql,
                                     const credentials_t *credentials, int64_t kept_generation,
                                     err_t *err) MUST_CHECK;

#endif
