/* What call authorization asks of a service: its stored facts, and nothing of requests.
 *
 * trunk-auth and fqdn-auth each have one family (worker_spec_t.sip); what is decided on the facts
 * is the same for both and stands beside this file. All look-ups run in the caller's read
 * transaction; none may ask anything but the store and what the process holds in memory. */
#ifndef LK_SERVICES_COMMON_SIP_FAMILY_H
#define LK_SERVICES_COMMON_SIP_FAMILY_H

#include "proto/sip.h"
#include "services/common/call.h"

/* Who has a user name. */
typedef struct {
    char subject[UUID_SIZE]; /* trunk or connection */
    char auth_id[UUID_SIZE]; /* method; of a connection, the connection again */
    char organization_id[UUID_SIZE];
    char username[SIP_USER_MAX + 1];
    reason_t standing; /* REASON_NONE, or why it authorizes nothing: disabled, expired, no_method */
    bool needs_source; /* policy all: the digest alone does not suffice */
    int64_t until_utc_ms; /* from then on the facts are others (it expires, a grace ends);
                             INT64_MAX: never */
    int64_t generation;
    int64_t previous_generation; /* 0: there is no password before that still counts */
    char password_hash[PASSWORD_HASH_SIZE];
    char previous_hash[PASSWORD_HASH_SIZE]; /* "" without previous_generation */
} sip_user_t;

/* A call's source, and what else a source's method may look at. NULL: not given. */
typedef struct {
    ipnet_t address; /* one */
    int64_t port;    /* 0: not given */
    const char *called;
    const char *token;
    const char *p_charge_info;
} sip_source_t;

/* Who claims a source address. */
typedef struct {
    char subject[UUID_SIZE];
    char auth_id[UUID_SIZE];
    char organization_id[UUID_SIZE];
    reason_t standing; /* REASON_NONE, or why it does not authorize this call: disabled, expired,
                          policy_needs_both, tech_prefix_mismatch, token_mismatch, ... */
    int64_t until_utc_ms;
} sip_claim_t;

enum { SIP_CLAIMS_MAX = 64 };

typedef struct {
    size_t count;
    bool more; /* than there is room for: to be denied as ambiguous */
    sip_claim_t items[SIP_CLAIMS_MAX];
} sip_claims_t;

/* A row of a list: a range that suffices alone. */
typedef struct {
    ipnet_t range;
    char subject[UUID_SIZE];
    char auth_id[UUID_SIZE];
    char organization_id[UUID_SIZE];
    int64_t port; /* 0: any */
} sip_range_t;

/* STATUS_OK to go on; anything else ends the walk, which then returns it. */
typedef status_t (*sip_each_range_fn)(void *context, const sip_range_t *range, err_t *err);
typedef status_t (*sip_each_user_fn)(void *context, const sip_user_t *user, err_t *err);

struct sip_family {
    const char *name; /* "trunks": in paths, and part of what is counted and remembered */
    int64_t group;    /* source_t.group */

    /* STATUS_UNKNOWN: nobody has exactly these bytes as user name. err is not set then. Whose it is
     * is not looked at: that is the caller's (call_may_see). */
    status_t (*find_user)(const call_t *call, store_t *reader, const char *username,
                          sip_user_t *out, err_t *err);

    /* Sealed HA1 (seal.h; seal_place_t: row_id is auth_id). STATUS_UNKNOWN: none for that. out
     * holds SEALED_HA1_MAX bytes. */
    status_t (*find_digest)(store_t *reader, const sip_user_t *user, int64_t generation,
                            const char *realm, const char *algorithm, uint8_t *out,
                            size_t *out_length, err_t *err);
    /* Whether the realm has one of that generation, of any algorithm: tells realm_not_served from
     * algorithm_not_available. */
    status_t (*has_realm)(store_t *reader, const sip_user_t *user, int64_t generation,
                          const char *realm, bool *out, err_t *err);

    /* All that claim the address and that the principal may see, live or not; nobody's: count 0. */
    status_t (*find_claims)(const call_t *call, store_t *reader, const sip_source_t *source,
                            sip_claims_t *out, err_t *err);
    /* Whether the user's subject has a live claim on the address, whatever its policy (policy all).
     * If so, user->until_utc_ms is brought down to the claim's end. */
    status_t (*may_come_from)(const call_t *call, store_t *reader, const sip_source_t *source,
                              sip_user_t *user, bool *out, err_t *err);

    /* Lists, of what the principal may see and what is live: ranges that suffice alone, in order of
     * the address; users, in order of the name. */
    status_t (*each_range)(const call_t *call, store_t *reader, sip_each_range_fn each,
                           void *context, err_t *err);
    status_t (*each_user)(const call_t *call, store_t *reader, sip_each_user_fn each, void *context,
                          err_t *err);

    /* In a write transaction: the method was used at that time, unless a later one stands there.
     * NULL: none keeps that. */
    status_t (*note_use)(store_t *writer, const char *auth_id, int64_t utc_ms, err_t *err);
};

#endif
