/* Digest responses. Must never: leave an HA1 behind. Next: credentials of a call, verify_digest.c.
 */
#include "services/common/sip/response.h"

#include "common/text.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

bool algorithm_read(const char *name, algorithm_t *out)
{
    static const char session[] = "-sess";
    for (digest_t hash = 0; hash < DIGEST_ALGORITHMS; hash++) {
        const char *word = digest_name(hash);
        size_t length = strlen(word);
        if (strncasecmp(name, word, length) != 0)
            continue;
        const char *rest = name + length;
        if (*rest == '\0' || strcasecmp(rest, session) == 0) {
            *out = (algorithm_t){.hash = hash, .session = *rest != '\0'};
            return true;
        }
    }
    return false;
}

/* H of the parts with colons between them, as text. */
static status_t hash(digest_t algorithm, const char *const *parts, size_t count,
                     char out[RESPONSE_TEXT_SIZE])
{
    digest_part_t all[6];
    uint8_t made[HA1_SIZE_MAX];
    for (size_t i = 0; i < count; i++)
        all[i] = (digest_part_t){parts[i], strlen(parts[i])};
    status_t status = digest_parts(algorithm, all, count, made);
    if (status == STATUS_OK)
        text_hex(out, made, digest_size(algorithm));
    sodium_memzero(made, sizeof(made));
    return status;
}

status_t response_compute(const response_facts_t *facts, const char *ha1,
                          char out[RESPONSE_TEXT_SIZE])
{
    digest_t algorithm = facts->algorithm.hash;
    char of_session[RESPONSE_TEXT_SIZE], ha2[RESPONSE_TEXT_SIZE];
    status_t status = STATUS_OK;
    if (facts->algorithm.session) {
        const char *const parts[] = {ha1, facts->nonce, facts->cnonce};
        status = hash(algorithm, parts, ARRAY_LEN(parts), of_session);
        ha1 = of_session;
    }
    if (status == STATUS_OK) {
        const char *const parts[] = {facts->method, facts->uri};
        status = hash(algorithm, parts, ARRAY_LEN(parts), ha2);
    }
    if (status == STATUS_OK && facts->qop == NULL) {
        const char *const parts[] = {ha1, facts->nonce, ha2};
        status = hash(algorithm, parts, ARRAY_LEN(parts), out);
    } else if (status == STATUS_OK) {
        const char *const parts[] = {ha1, facts->nonce, facts->nc, facts->cnonce, facts->qop, ha2};
        status = hash(algorithm, parts, ARRAY_LEN(parts), out);
    }
    sodium_memzero(of_session, sizeof(of_session));
    return status;
}

status_t response_matches(const response_facts_t *facts, const char *ha1, const char *given,
                          bool *out_right)
{
    char right[RESPONSE_TEXT_SIZE];
    status_t status = response_compute(facts, ha1, right);
    if (status != STATUS_OK)
        return status;
    size_t length = 2 * digest_size(facts->algorithm.hash);
    *out_right = strlen(given) == length && sodium_memcmp(right, given, length) == 0;
    sodium_memzero(right, sizeof(right)); /* it would be the answer to this challenge */
    return STATUS_OK;
}
