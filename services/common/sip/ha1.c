#include "services/common/sip/ha1.h"

#include "common/text.h"
#include "services/common/credentials.h"
#include "services/common/sip/sip.h"

#include <sodium.h>
#include <string.h>

void ha1_wipe(ha1_text_t *ha1)
{
    sodium_memzero(ha1, sizeof(*ha1));
}

bool ha1_serves_realm(const keeper_t *keeper, const char *realm)
{
    for (size_t i = 0; i < keeper->realms->count; i++)
        if (strcmp(keeper->realms->names[i], realm) == 0)
            return true;
    return false;
}

static status_t why_not(const call_t *call, store_t *reader, const sip_user_t *user,
                        int64_t generation, const char *realm, reason_t *out_reason, err_t *err)
{
    bool has_realm = false;
    status_t status =
        call->keeper->sip->family->has_realm(reader, user, generation, realm, &has_realm, err);
    if (status != STATUS_OK)
        return status;
    *out_reason = has_realm ? REASON_ALGORITHM_NOT_AVAILABLE : REASON_REALM_NOT_SERVED;
    return STATUS_UNKNOWN;
}

static status_t open_sealed(const keeper_t *keeper, const seal_place_t *place, digest_t algorithm,
                            const uint8_t *sealed, size_t length, ha1_text_t *out, err_t *err)
{
    uint8_t value[HA1_SIZE_MAX];
    size_t size = digest_size(algorithm);
    if (length != size + SEAL_OVERHEAD)
        return err_set(err, STATUS_CORRUPT, "HA1", "is of another length than its algorithm has");
    status_t status = seal_open_value(keeper->seal, place, sealed, length, value);
    if (status == STATUS_OK)
        text_hex(out->hex, value, size);
    else
        (void)err_set(err, status, "HA1", "of method %s does not open with the seal's keys",
                      place->row_id);
    sodium_memzero(value, sizeof(value));
    return status == STATUS_UNKNOWN ? STATUS_CORRUPT : status;
}

status_t ha1_open(const call_t *call, store_t *reader, const sip_user_t *user, int64_t generation,
                  const char *realm, digest_t algorithm, ha1_text_t *out, reason_t *out_reason,
                  err_t *err)
{
    const keeper_t *keeper = call->keeper;
    uint8_t sealed[SEALED_HA1_MAX];
    size_t length = 0;
    ha1_wipe(out);
    if (!ha1_serves_realm(keeper, realm)) {
        *out_reason = REASON_REALM_NOT_SERVED;
        return STATUS_UNKNOWN;
    }
    if (keeper->seal == NULL) {
        *out_reason = REASON_ALGORITHM_NOT_AVAILABLE;
        return STATUS_UNKNOWN;
    }
    status_t status = keeper->sip->family->find_digest(
        reader, user, generation, realm, digest_name(algorithm), sealed, &length, err);
    if (status == STATUS_UNKNOWN)
        return why_not(call, reader, user, generation, realm, out_reason, err);
    if (status != STATUS_OK)
        return status;
    const seal_place_t place = {.service = keeper->service,
                                .row_id = user->auth_id,
                                .realm = realm,
                                .algorithm = digest_name(algorithm),
                                .generation = generation};
    return open_sealed(keeper, &place, algorithm, sealed, length, out, err);
}

status_t ha1_stand_in(const call_t *call, store_t *reader, const char *realm, digest_t algorithm,
                      ha1_text_t *out, err_t *err)
{
    static const sip_user_t nobody = {.auth_id = "00000000-0000-0000-0000-000000000000"};
    const keeper_t *keeper = call->keeper;
    const char *name = digest_name(algorithm);
    uint8_t sealed[SEALED_HA1_MAX] = {0}, value[HA1_SIZE_MAX] = {0};
    uint32_t ids[SEAL_KEYS_MAX];
    size_t length = 0;
    status_t status =
        keeper->sip->family->find_digest(reader, &nobody, 0, realm, name, sealed, &length, err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    (void)seal_key_ids(keeper->seal, ids);
    for (size_t i = 0; i < SEAL_KEY_ID_SIZE; i++) /* with a key that is there */
        sealed[i] = (uint8_t)(ids[0] >> (8 * (SEAL_KEY_ID_SIZE - 1 - i)));
    const seal_place_t place = {.service = keeper->service,
                                .row_id = nobody.auth_id,
                                .realm = realm,
                                .algorithm = name,
                                .generation = 0};
    status = seal_open_value(keeper->seal, &place, sealed, digest_size(algorithm) + SEAL_OVERHEAD,
                             value);
    (void)status; /* nothing opens */
    text_hex(out->hex, value, digest_size(algorithm));
    return STATUS_OK;
}
