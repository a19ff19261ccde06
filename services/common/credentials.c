#include "services/common/credentials.h"

#include "common/text.h"

#include <sodium.h>
#include <string.h>

int64_t credentials_generation(void)
{
    uint64_t random;
    randombytes_buf(&random, sizeof(random));
    return (int64_t)(random >> 1);
}

static seal_place_t place_of(const keeper_t *keeper, const credentials_t *credentials,
                             const char *realm, digest_t algorithm)
{
    return (seal_place_t){.service = keeper->service,
                          .row_id = credentials->row_id,
                          .realm = realm,
                          .algorithm = digest_name(algorithm),
                          .generation = credentials->generation};
}

static status_t seal_one(const keeper_t *keeper, const char *realm, digest_t algorithm,
                         const char *username, const char *password, credentials_t *out, err_t *err)
{
    uint8_t ha1[HA1_SIZE_MAX];
    status_t status = digest_ha1(algorithm, username, realm, password, strlen(password), ha1);
    if (status != STATUS_OK)
        return err_set(err, status, digest_name(algorithm), "libcrypto refuses this algorithm");
    seal_place_t place = place_of(keeper, out, realm, algorithm);
    sealed_digest_t *sealed = &out->digests[out->digest_count++];
    sealed->realm = realm;
    sealed->algorithm = algorithm;
    sealed->sealed_length = digest_size(algorithm) + SEAL_OVERHEAD;
    seal_close_value(keeper->seal, &place, ha1, digest_size(algorithm), sealed->sealed);
    sodium_memzero(ha1, sizeof(ha1));
    return STATUS_OK;
}

static status_t seal_all(const keeper_t *keeper, const char *username, const char *password,
                         credentials_t *out, err_t *err)
{
    if (keeper->seal == NULL)
        return STATUS_OK;
    for (size_t realm = 0; realm < keeper->realms->count; realm++)
        for (unsigned algorithm = 0; algorithm < DIGEST_ALGORITHMS; algorithm++) {
            status_t status = seal_one(keeper, keeper->realms->names[realm], (digest_t)algorithm,
                                       username, password, out, err);
            if (status != STATUS_OK)
                return status;
        }
    return STATUS_OK;
}

status_t credentials_make(const keeper_t *keeper, const char *row_id, const char *username,
                          const char *password, credentials_t *out, err_t *err)
{
    out->digest_count = 0;
    out->generation = credentials_generation();
    text_cut(out->row_id, sizeof(out->row_id), row_id);
    text_cut(out->username, sizeof(out->username), username);
    status_t status =
        password_hash(&keeper->password_cost, password, strlen(password), out->hash, err);
    if (status == STATUS_OK)
        status = seal_all(keeper, username, password, out, err);
    if (status != STATUS_OK)
        credentials_wipe(out);
    return status;
}

void credentials_wipe(credentials_t *credentials)
{
    sodium_memzero(credentials, sizeof(*credentials));
}

typedef struct {
    prepared_t head;
    bool made;
    credentials_t credentials;
} prepared_credentials_t;

void credentials_prepare(call_t *call, status_t status, const verdict_t *verdict, const err_t *err,
                         const char *row_id, const char *username, const char *password)
{
    prepared_credentials_t *prepared =
        prepared_keep(call, status, verdict, err, sizeof(*prepared), NULL);
    if (prepared == NULL || verdict->outcome != OUTCOME_OK || password == NULL)
        return;
    err_t failure = {0};
    if (credentials_make(call->keeper, row_id, username, password, &prepared->credentials,
                         &failure) != STATUS_OK)
        call_fail(call, &failure);
    else
        prepared->made = true;
}

/* The seal may have had another key in front when they were made: what is written after it is told
 * that this process has the new one must not need the old. */
static status_t seal_again(const keeper_t *keeper, credentials_t *credentials)
{
    uint8_t ha1[HA1_SIZE_MAX];
    status_t status = STATUS_OK;
    for (size_t i = 0; i < credentials->digest_count && status == STATUS_OK; i++) {
        sealed_digest_t *digest = &credentials->digests[i];
        if (seal_key_id(digest->sealed) == seal_front(keeper->seal))
            continue;
        seal_place_t place = place_of(keeper, credentials, digest->realm, digest->algorithm);
        status = seal_open_value(keeper->seal, &place, digest->sealed, digest->sealed_length, ha1);
        if (status == STATUS_OK)
            seal_close_value(keeper->seal, &place, ha1, digest->sealed_length - SEAL_OVERHEAD,
                             digest->sealed);
    }
    sodium_memzero(ha1, sizeof(ha1));
    return status;
}

const credentials_t *credentials_prepared(const call_t *call)
{
    prepared_credentials_t *prepared = call->state;
    if (prepared == NULL || !prepared->made)
        return NULL;
    prepared->credentials.lost = seal_again(call->keeper, &prepared->credentials) != STATUS_OK;
    return &prepared->credentials;
}

status_t credentials_add_digests(store_t *store, const digest_sql_t *sql,
                                 const credentials_t *credentials, err_t *err)
{
    if (credentials->lost)
        return err_set(err, STATUS_BUSY, "seal", "the key that sealed this password has gone");
    for (size_t i = 0; i < credentials->digest_count; i++) {
        const sealed_digest_t *digest = &credentials->digests[i];
        AUTO(query_end) query_t *query = store_query(store, sql->add);
        query_text(query, 1, credentials->row_id);
        query_number(query, 2, credentials->generation);
        query_text(query, 3, digest->realm);
        query_text(query, 4, digest_name(digest->algorithm));
        query_blob(query, 5, digest->sealed, digest->sealed_length);
        status_t status = query_run(query, NULL, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

status_t credentials_replace_digests(store_t *store, const digest_sql_t *sql,
                                     const credentials_t *credentials, int64_t kept_generation,
                                     err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, sql->drop);
    query_text(query, 1, credentials->row_id);
    query_number(query, 2, kept_generation);
    status_t status = query_run(query, NULL, err);
    return status == STATUS_OK ? credentials_add_digests(store, sql, credentials, err) : status;
}
