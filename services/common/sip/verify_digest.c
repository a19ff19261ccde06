/* Scheme digest: what its fields must be, whether the response is right, whether it is the first of
 * its kind. Must never: remember anything of a response that is not right. Next: response.h,
 * nonce.h, memory.h. */
#include "services/common/sip/ha1.h"
#include "services/common/sip/nonce.h"
#include "services/common/sip/response.h"
#include "services/common/sip/verify.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    NC_DIGITS = 8,
    SKEW_MS = 5000,
    AGAIN_MS = 60 * 1000, /* after which no gateway sends a request again */
    FACT_SIZE = UUID_SIZE + 3 * (SIP_NONCE_MAX + 1) + REQUEST_ID_SIZE,
};

/* ---- algorithm and fields ---- */

/* How the response was made. */
static bool read_facts(const inquiry_t *inquiry, response_facts_t *out)
{
    const char *algorithm = verify_value(inquiry, SIP_CALL_ALGORITHM);
    *out = (response_facts_t){
        .method = verify_value(inquiry, SIP_CALL_METHOD),
        .uri = verify_value(inquiry, SIP_CALL_URI),
        .nonce = verify_value(inquiry, SIP_CALL_NONCE),
        .qop = verify_value(inquiry, SIP_CALL_QOP),
        .nc = verify_value(inquiry, SIP_CALL_NC),
        .cnonce = verify_value(inquiry, SIP_CALL_CNONCE),
    };
    return algorithm_read(algorithm == NULL ? "MD5" : algorithm, &out->algorithm);
}

status_t verify_digest_algorithm(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    response_facts_t facts;
    const char *flaw = NULL;
    if (!read_facts(inquiry, &facts))
        flaw = "The algorithm is unknown.";
    else if (facts.qop != NULL && strcasecmp(facts.qop, "auth-int") == 0)
        flaw = "qop auth-int is not served: the body is not seen here.";
    else if (facts.qop != NULL && strcasecmp(facts.qop, "auth") != 0)
        flaw = "The qop is unknown.";
    else if (inquiry->call->keeper->seal == NULL)
        flaw = "Passwords are not kept for digests here.";
    if (flaw != NULL)
        return verify_denies(inquiry, "algorithm", REASON_ALGORITHM_NOT_AVAILABLE, flaw);
    verify_passes(inquiry, "algorithm", digest_name(facts.algorithm.hash));
    return STATUS_OK;
}

static bool begins_with_count(const char *text)
{
    size_t digits = 0;
    while (isxdigit((unsigned char)text[digits]))
        digits++;
    return digits == NC_DIGITS;
}

static bool is_count(const char *nc)
{
    return begins_with_count(nc) && nc[NC_DIGITS] == '\0';
}

/* Colons part what is hashed: with "NONCE:NC:CNONCE:auth" as a new nonce, and without qop, a
 * response that was captured would be right again. No server's own nonce looks like that. */
static bool holds_count(const char *nonce)
{
    for (const char *at = strchr(nonce, ':'); at != NULL; at = strchr(at + 1, ':'))
        if (begins_with_count(at + 1) && (at[1 + NC_DIGITS] == ':' || at[1 + NC_DIGITS] == '\0'))
            return true;
    return false;
}

/* "-sess" hashes HA1:NONCE:CNONCE first. With HA2 for a cnonce, or what else follows a nonce, that
 * is a response without "-sess", which whoever has captured one can hash on from. */
static bool hides_response(const response_facts_t *facts)
{
    size_t length = strlen(facts->cnonce);
    return strchr(facts->nonce, ':') != NULL || strchr(facts->cnonce, ':') != NULL ||
           (length == 2 * digest_size(facts->algorithm.hash) &&
            strspn(facts->cnonce, "0123456789abcdef") == length);
}

static bool is_method(const char *method)
{
    for (; *method != '\0'; method++)
        if (!isalnum((unsigned char)*method) && strchr("-.!%*_+`'~", *method) == NULL)
            return false;
    return true;
}

static const char *fields_flaw(const response_facts_t *facts)
{
    if (facts->nonce == NULL)
        return "The nonce is missing.";
    if (holds_count(facts->nonce))
        return "The nonce holds what may be an nc.";
    if (facts->uri == NULL)
        return "The uri is missing.";
    if (facts->method == NULL || !is_method(facts->method))
        return "The method is missing, or is none.";
    if (facts->cnonce == NULL && (facts->qop != NULL || facts->algorithm.session))
        return "The cnonce is missing.";
    if (facts->algorithm.session && hides_response(facts))
        return "With -sess, nonce and cnonce hold no colon, and the cnonce is no hash.";
    if (facts->qop != NULL && (facts->nc == NULL || !is_count(facts->nc)))
        return "The nc is missing, or is not of 8 hexadecimal digits.";
    return NULL;
}

status_t verify_digest_fields(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    response_facts_t facts;
    const char *realm = verify_value(inquiry, SIP_CALL_REALM);
    (void)read_facts(inquiry, &facts); /* a rule before has seen to the algorithm */
    const char *flaw = realm == NULL ? "The realm is missing." : fields_flaw(&facts);
    if (flaw != NULL)
        return verify_denies(inquiry, "fields", REASON_PASSWORD_NEEDED, flaw);
    verify_passes(inquiry, "fields", facts.qop == NULL ? "without qop" : "with qop auth");
    if (!ha1_serves_realm(inquiry->call->keeper, realm))
        return verify_denies(inquiry, "realm", REASON_REALM_NOT_SERVED,
                             "This realm is not served.");
    verify_passes(inquiry, "realm", realm);
    return STATUS_OK;
}

/* ---- password ---- */

/* One of a user's two passwords, or neither. */
typedef struct {
    int64_t generation; /* 0: there is none */
    bool right;
    reason_t missing; /* REASON_NONE: it has an HA1 */
} candidate_t;

/* Does the same whatever there is: a look into the store, an opening, a response. */
static status_t try(const inquiry_t *inquiry, const response_facts_t *facts, candidate_t *candidate,
                    err_t *err)
{
    AUTO(ha1_wipe) ha1_text_t ha1;
    digest_t hash = facts->algorithm.hash;
    const sip_call_t *asked = &inquiry->asked;
    status_t status = STATUS_UNKNOWN;
    bool right = false;
    if (candidate->generation != 0)
        status = ha1_open(inquiry->call, inquiry->reader, &inquiry->user, candidate->generation,
                          asked->realm, hash, &ha1, &candidate->missing, err);
    bool found = status == STATUS_OK;
    if (found)
        candidate->missing = REASON_NONE;
    else if (status == STATUS_UNKNOWN)
        status = ha1_stand_in(inquiry->call, inquiry->reader, asked->realm, hash, &ha1, err);
    if (status != STATUS_OK)
        return status;
    if (response_matches(facts, ha1.hex, asked->response, &right) != STATUS_OK)
        return err_set(err, STATUS_SYSTEM, digest_name(hash), "is refused by libcrypto");
    candidate->right = found && right;
    return STATUS_OK;
}

static status_t judge(inquiry_t *inquiry, bool known, const candidate_t *now,
                      const candidate_t *before)
{
    if (!known)
        return verify_disproves(inquiry, "user", REASON_UNKNOWN_USER, "nobody has this name");
    if (now->right || before->right) {
        verify_proves(inquiry, now->right ? "right" : "right: the one before, in its grace");
        return STATUS_OK;
    }
    if (now->missing != REASON_NONE && before->missing != REASON_NONE)
        return verify_disproves(inquiry, "password", now->missing, reason_message(now->missing));
    return verify_disproves(inquiry, "password", REASON_WRONG_PASSWORD, "the response is not its");
}

status_t verify_digest_password(inquiry_t *inquiry, err_t *err)
{
    response_facts_t facts;
    bool known = false;
    (void)read_facts(inquiry, &facts);
    status_t status = verify_find_user(inquiry, &known, err);
    const sip_user_t *user = &inquiry->user;
    candidate_t now = {.generation = known ? user->generation : 0, .missing = REASON_NO_METHOD};
    candidate_t before = {.generation = known ? user->previous_generation : 0,
                          .missing = REASON_NO_METHOD};
    if (status == STATUS_OK)
        status = try(inquiry, &facts, &now, err);
    if (status == STATUS_OK)
        status = try(inquiry, &facts, &before, err);
    return status == STATUS_OK ? judge(inquiry, known, &now, &before) : status;
}

/* ---- once only ---- */

/* When the nonce's life began. False: it has none. */
static bool nonce_began(inquiry_t *inquiry, int64_t *out_utc_ms)
{
    const call_t *call = inquiry->call;
    sip_memory_t *memory = call->keeper->sip->memory;
    const char *nonce = inquiry->asked.nonce;
    switch (nonce_read(call->keeper->seal, call->keeper->service, nonce, out_utc_ms)) {
    case NONCE_OURS:
        return true;
    case NONCE_FORGED:
        return false;
    case NONCE_FOREIGN:
        break;
    }
    if (inquiry->dry) {
        (void)sip_nonce_seen(memory, nonce, strlen(nonce), call->now_utc_ms, out_utc_ms);
        return true;
    }
    return sip_nonce_first_seen(memory, nonce, strlen(nonce), call->now_utc_ms, out_utc_ms) !=
           REPLAY_FULL;
}

status_t verify_digest_nonce(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    int64_t now = inquiry->call->now_utc_ms, began = 0;
    int64_t life = inquiry->call->keeper->sip->settings->nonce_s * 1000;
    if (!nonce_began(inquiry, &began) || began > now + SKEW_MS || now - began >= life)
        return verify_denies(inquiry, "nonce", REASON_STALE_NONCE, NULL);
    inquiry->nonce_until_utc_ms = began + life;
    verify_passes(inquiry, "nonce", "is fresh");
    return STATUS_OK;
}

static size_t add(char *fact, size_t used, const char *part)
{
    size_t size = strlen(part) + 1; /* with its NUL, which no part has inside */
    memcpy(fact + used, part, size);
    return used + size;
}

/* What a response can't be used twice by; another user's can't be spoiled by it. */
static size_t make_fact(const inquiry_t *inquiry, char fact[FACT_SIZE])
{
    const sip_call_t *asked = &inquiry->asked;
    size_t used = add(fact, 0, inquiry->user.auth_id);
    used = add(fact, used, asked->nonce);
    if (verify_value(inquiry, SIP_CALL_QOP) == NULL)
        return add(fact, used, asked->response);
    used = add(fact, used, asked->nc);
    return add(fact, used, asked->cnonce);
}

/* Fresh once. A worker may be lost between that and its answer; the request is then sent again, and
 * is the one that had used the response. */
static replay_t use(const inquiry_t *inquiry, char fact[FACT_SIZE], size_t length)
{
    const call_t *call = inquiry->call;
    sip_memory_t *memory = call->keeper->sip->memory;
    int64_t now = call->now_utc_ms, until = inquiry->nonce_until_utc_ms;
    replay_t found = sip_replay_remember(memory, fact, length, now, until);
    size_t with_request = add(fact, length, call->request.request_id);
    if (found == REPLAY_FRESH)
        (void)sip_replay_remember(memory, fact, with_request, now,
                                  until < now + AGAIN_MS ? until : now + AGAIN_MS);
    else if (found == REPLAY_REPEATED && call->again &&
             sip_replay_holds(memory, fact, with_request, now))
        found = REPLAY_FRESH;
    return found;
}

status_t verify_digest_replay(inquiry_t *inquiry, err_t *err)
{
    (void)err;
    char fact[FACT_SIZE];
    const call_t *call = inquiry->call;
    size_t length = make_fact(inquiry, fact);
    replay_t found = REPLAY_FRESH;
    if (!inquiry->dry)
        found = use(inquiry, fact, length);
    else if (sip_replay_holds(call->keeper->sip->memory, fact, length, call->now_utc_ms))
        found = REPLAY_REPEATED;
    switch (found) {
    case REPLAY_FRESH:
        verify_passes(inquiry, "replay", "not used before");
        return STATUS_OK;
    case REPLAY_REPEATED:
        return verify_denies(inquiry, "replay", REASON_REPLAYED, NULL);
    case REPLAY_FULL:
        break;
    }
    return verify_denies(inquiry, "replay", REASON_REPLAYED,
                         "There is no room to remember this response.");
}
