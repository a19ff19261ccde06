#include "services/common/password.h"

#include "common/clock.h"
#include "common/text.h"
#include "services/common/worker_metrics.h"

#include <sodium.h>
#include <string.h>

enum { LEAST_PASSES = 2, LEAST_MEBIBYTES = 19, MOST_PASSES = 64, MOST_MEBIBYTES = 4096 };

static const size_t mebibyte = (size_t)1024 * 1024;

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "the size of libsodium's hash text");

static status_t parse_numbers(const char *text, password_cost_t *out)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        return STATUS_INVALID;
    uint64_t passes = 0;
    uint64_t mebibytes = 0;
    if (text_number(text, (size_t)(colon - text), MOST_PASSES, &passes) != STATUS_OK ||
        text_number(colon + 1, strlen(colon + 1), MOST_MEBIBYTES, &mebibytes) != STATUS_OK ||
        passes < LEAST_PASSES || mebibytes < LEAST_MEBIBYTES)
        return STATUS_INVALID;
    out->passes = passes;
    out->memory_bytes = (size_t)mebibytes * mebibyte;
    return STATUS_OK;
}

status_t password_cost_parse(const char *text, password_cost_t *out, err_t *err)
{
    if (strcmp(text, "interactive") == 0) {
        *out = (password_cost_t){crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                 crypto_pwhash_MEMLIMIT_INTERACTIVE};
        return STATUS_OK;
    }
    if (strcmp(text, "moderate") == 0) {
        *out = (password_cost_t){crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE};
        return STATUS_OK;
    }
    if (parse_numbers(text, out) != STATUS_OK)
        return err_set(err, STATUS_INVALID, "LK_PWHASH",
                       "is none of interactive, moderate or PASSES:MEBIBYTES (%d:%d to %d:%d)",
                       LEAST_PASSES, LEAST_MEBIBYTES, MOST_PASSES, MOST_MEBIBYTES);
    return STATUS_OK;
}

status_t password_hash(const password_cost_t *cost, const char *password, size_t length,
                       char out[PASSWORD_HASH_SIZE], err_t *err)
{
    char hash[PASSWORD_HASH_SIZE];
    int64_t begun_us = clock_us();
    if (sodium_init() < 0 ||
        crypto_pwhash_str(hash, password, length, cost->passes, cost->memory_bytes) != 0)
        return err_set(err, STATUS_SYSTEM, "password hash", "%zu bytes of memory are not to be had",
                       cost->memory_bytes);
    metric_observe(&worker_metric_hash_time, 0, clock_us() - begun_us);
    memcpy(out, hash, sizeof(hash));
    return STATUS_OK;
}

bool password_matches(const char *hash, const char *password, size_t length)
{
    int64_t begun_us = clock_us();
    bool matches = sodium_init() >= 0 && crypto_pwhash_str_verify(hash, password, length) == 0;
    metric_observe(&worker_metric_hash_time, 0, clock_us() - begun_us);
    return matches;
}

bool password_is_outdated(const password_cost_t *cost, const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, cost->passes, cost->memory_bytes) != 0;
}

void password_stand_in(const password_cost_t *cost, char out[PASSWORD_HASH_SIZE])
{
    /* As crypto_pwhash_str writes it: a salt of 16 bytes, a hash of 32, all zero. */
    status_t status = text_format(out, PASSWORD_HASH_SIZE,
                                  "$argon2id$v=19$m=%zu,t=%llu,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                  cost->memory_bytes / 1024, cost->passes);
    (void)status; /* it fits */
}
