#include "services/trunk-auth/credentials.h"

#include "common/text.h"

#include <sodium.h>
#include <string.h>

int64_t credentials_generation(void)
{
    uint64_t random;
    randombytes_buf(&random, sizeof(random));
    return (int64_t)(random >> 1);
}

static status_t seal_one(const keeper_t *keeper, const char *realm, digest_t algorithm,
                         const char *username, const char *password, credentials_t *out, err_t *err)
{
    uint8_t ha1[HA1_SIZE_MAX];
    status_t status = digest_ha1(algorithm, username, realm, password, strlen(password), ha1);
    if (status != STATUS_OK)
        return err_set(err, status, digest_name(algorithm), "libcrypto refuses this algorithm");
    seal_place_t place = {
        .service = keeper->service,
        .row_id = out->method_uuid,
        .realm = realm,
        .algorithm = digest_name(algorithm),
        .generation = out->generation,
    };
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

status_t credentials_make(const keeper_t *keeper, const char *method_uuid, const char *username,
                          const char *password, credentials_t *out, err_t *err)
{
    out->digest_count = 0;
    out->generation = credentials_generation();
    text_cut(out->method_uuid, sizeof(out->method_uuid), method_uuid);
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
