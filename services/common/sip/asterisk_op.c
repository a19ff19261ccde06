/* POST /asterisk/{table}/{call}: res_config_curl's questions.
 *
 * An endpoint of a user is named as the user, has an auth, and is known by that name alone; one of
 * a source is named as its subject and known by address alone, since it needs no password. A user
 * of policy all is in no table: Asterisk does not tell where a call comes from.
 *
 * Must never: give a row that admits more than the method does (a range whose port counts), or
 * write anything. Next: asterisk_row.c. */
#include "common/text.h"
#include "services/common/sip/admit.h"
#include "services/common/sip/asterisk_row.h"
#include "services/common/sip/ha1.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#include <sodium.h>
#include <string.h>

typedef struct {
    call_t *call;
    store_t *reader;
    asterisk_table_t table;
    const asterisk_conditions_t *conditions;
    document_t *out;
    bool one; /* the first row is enough */
} asking_t;

/* Ends a walk that has what it wants. */
static const status_t enough = STATUS_CLOSED;

static void add_row(asking_t *asking, const asterisk_row_t *row)
{
    if (asterisk_row_meets(row, asking->conditions))
        asterisk_row_add(row, asking->out);
}

static status_t go_on(const asking_t *asking)
{
    return asking->one && asking->out->length > 0 ? enough : STATUS_OK;
}

/* ---- Users ---- */

typedef struct {
    ha1_text_t of[DIGEST_ALGORITHMS];
    char all[256]; /* "MD5:...,SHA-256:..." */
} secrets_t;

static void wipe_secrets(secrets_t *secrets)
{
    sodium_memzero(secrets, sizeof(*secrets));
}

/* MD5, which both old and new releases take; and all of them together, which new ones take. */
static status_t open_secrets(const asking_t *asking, const sip_user_t *user, secrets_t *out,
                             reason_t *out_reason, err_t *err)
{
    const char *realm = asking->call->keeper->realms->names[0];
    for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
        status_t status = ha1_open(asking->call, asking->reader, user, user->generation, realm,
                                   (digest_t)i, &out->of[i], out_reason, err);
        if (status != STATUS_OK)
            return status;
    }
    if (text_format(out->all, sizeof(out->all), "%s:%s,%s:%s,%s:%s", digest_name(DIGEST_MD5),
                    out->of[DIGEST_MD5].hex, digest_name(DIGEST_SHA_256),
                    out->of[DIGEST_SHA_256].hex, digest_name(DIGEST_SHA_512_256),
                    out->of[DIGEST_SHA_512_256].hex) == STATUS_OK)
        return STATUS_OK;
    return err_set(err, STATUS_TOO_LARGE, "ps_auths", "has no room for a user's HA1 values");
}

static status_t add_auth(asking_t *asking, const sip_user_t *user, reason_t *out_reason, err_t *err)
{
    AUTO(wipe_secrets) secrets_t secrets = {0};
    asterisk_row_t row = {0};
    status_t status = open_secrets(asking, user, &secrets, out_reason, err);
    if (status != STATUS_OK)
        return status;
    asterisk_row_set(&row, "id", user->username);
    asterisk_row_set(&row, "auth_type", "md5");
    asterisk_row_set(&row, "username", user->username);
    asterisk_row_set(&row, "realm", asking->call->keeper->realms->names[0]);
    asterisk_row_set(&row, "md5_cred", secrets.of[DIGEST_MD5].hex);
    asterisk_row_set(&row, "password_digest", secrets.all);
    add_row(asking, &row);
    return STATUS_OK;
}

static void add_endpoint(asking_t *asking, const char *id, const char *user, const char *subject)
{
    asterisk_row_t row = {0};
    asterisk_row_set(&row, "id", id);
    if (user != NULL) {
        asterisk_row_set(&row, "auth", user);
        asterisk_row_set(&row, "aors", user);
    }
    asterisk_row_set(&row, "identify_by", user != NULL ? "username,auth_username" : "ip");
    asterisk_row_set(&row, "context", asking->call->keeper->sip->family->name);
    asterisk_row_set(&row, "accountcode", subject);
    asterisk_row_set(&row, "allow", "!all,ulaw,alaw");
    add_row(asking, &row);
}

static void add_aor(asking_t *asking, const sip_user_t *user)
{
    asterisk_row_t row = {0};
    asterisk_row_set(&row, "id", user->username);
    asterisk_row_set(&row, "max_contacts", "1");
    asterisk_row_set(&row, "remove_existing", "yes");
    add_row(asking, &row);
}

/* STATUS_UNKNOWN: there is no row, for that reason. */
static status_t add_user(asking_t *asking, const sip_user_t *user, reason_t *out_reason, err_t *err)
{
    *out_reason = REASON_POLICY_NEEDS_BOTH;
    if (user->needs_source)
        return STATUS_UNKNOWN;
    switch (asking->table) {
    case PS_AUTHS:
        return add_auth(asking, user, out_reason, err);
    case PS_ENDPOINTS:
        add_endpoint(asking, user->username, user->username, user->subject);
        return STATUS_OK;
    case PS_AORS:
        add_aor(asking, user);
        return STATUS_OK;
    case PS_ENDPOINT_ID_IPS:
        return STATUS_OK;
    }
    return STATUS_OK;
}

static status_t each_user(void *context, const sip_user_t *user, err_t *err)
{
    asking_t *asking = context;
    reason_t reason = REASON_NONE;
    status_t status = add_user(asking, user, &reason, err);
    return status == STATUS_OK || status == STATUS_UNKNOWN ? go_on(asking) : status;
}

/* ---- Sources ---- */

static status_t each_range(void *context, const sip_range_t *range, err_t *err)
{
    asking_t *asking = context;
    asterisk_row_t row = {0};
    char cidr[IPNET_TEXT_SIZE];
    (void)err;
    if (range->port != 0)
        return STATUS_OK;
    if (asking->table == PS_ENDPOINTS) {
        add_endpoint(asking, range->subject, NULL, range->subject);
        return go_on(asking);
    }
    document_cidr(&range->range, cidr);
    asterisk_row_set(&row, "id", cidr);
    asterisk_row_set(&row, "endpoint", range->subject);
    asterisk_row_set(&row, "match", cidr);
    add_row(asking, &row);
    return go_on(asking);
}

static status_t walk(asking_t *asking, err_t *err)
{
    const sip_family_t *family = asking->call->keeper->sip->family;
    bool users = asking->table != PS_ENDPOINT_ID_IPS;
    bool sources = asking->table == PS_ENDPOINTS || asking->table == PS_ENDPOINT_ID_IPS;
    status_t status = STATUS_OK;
    if (users)
        status = family->each_user(asking->call, asking->reader, each_user, asking, err);
    if (status == STATUS_OK && sources)
        status = family->each_range(asking->call, asking->reader, each_range, asking, err);
    return status == enough ? STATUS_OK : status;
}

/* ---- Calls ---- */

static void answer(asking_t *asking, status_t status, const err_t *err)
{
    if (status != STATUS_OK)
        call_fail(asking->call, err);
    else
        document_answer(asking->call, MEDIA_TEXT, asking->out);
}

static void answer_walk(asking_t *asking)
{
    err_t err = {0};
    if (!call_defer(asking->call))
        answer(asking, walk(asking, &err), &err);
}

/* One row by its id: that of a user, or else, for who has an address of his own, a source's. */
static void answer_id(asking_t *asking, const char *id)
{
    call_t *call = asking->call;
    const sip_about_t about = {.username = id};
    sip_user_t user = {0};
    reason_t reason = REASON_UNKNOWN_USER;
    err_t err = {0};
    status_t status = admit_user(call, asking->reader, id, NULL, &user, &reason, &err);
    if (status == STATUS_OK && reason == REASON_NONE)
        status = add_user(asking, &user, &reason, &err);
    if (status == STATUS_OK && reason == REASON_UNKNOWN_USER && asking->table == PS_ENDPOINTS &&
        uuid_well_formed(id, strlen(id))) {
        answer_walk(asking);
        return;
    }
    if (status == STATUS_UNKNOWN ||
        (status == STATUS_OK && reason != REASON_NONE && asking->out->length == 0))
        sip_deny(call, &about, reason);
    else
        answer(asking, status, &err);
}

static void ask(asking_t *asking)
{
    const char *id = asterisk_conditions_exact(asking->conditions, "id");
    if (asking->one && id != NULL && asking->table != PS_ENDPOINT_ID_IPS)
        answer_id(asking, id);
    else
        answer_walk(asking);
}

bool sip_asterisk_is_slow(const call_t *call)
{
    const asterisk_path_t *path = call->path;
    return path->call == ASTERISK_MULTI;
}

void sip_asterisk(call_t *call, store_t *reader)
{
    const asterisk_path_t *path = call->path;
    const asterisk_t *body = call->body;
    AUTO(document_end) document_t out = {0};
    asterisk_conditions_t conditions;
    asking_t asking = {.call = call,
                       .reader = reader,
                       .table = (asterisk_table_t)path->table,
                       .conditions = &conditions,
                       .out = &out,
                       .one = path->call == ASTERISK_SINGLE};
    switch ((asterisk_call_t)path->call) {
    case ASTERISK_SINGLE:
    case ASTERISK_MULTI:
        if (asterisk_conditions_read(&body->rest, &conditions))
            ask(&asking);
        else
            call_refuse(call, OUTCOME_UNKNOWN, NULL);
        return;
    case ASTERISK_REQUIRE: /* the table has what it needs */
    case ASTERISK_UPDATE:  /* rows that were changed */
    case ASTERISK_STORE:
    case ASTERISK_DESTROY:
        call_document(call, MEDIA_TEXT, "0", 1);
        return;
    }
}
