/* Must never: let an address pass without its method, or tell a principal of what is not its own.
 * Next: sip_claims.c, services/common/sip. */
#include "services/fqdn-auth/sip_family.h"

#include "common/text.h"
#include "services/common/sip/digest_rows.h"
#include "services/fqdn-auth/sip_claims.h"
#include "services/fqdn-auth/sql.h"

#include <string.h>

enum { USERS_AT_ONCE = 500 };

/* Its columns: SIP_USER_COLUMNS of sql.c. */
static status_t read_user(const call_t *call, query_t *row, sip_user_t *out, err_t *err)
{
    memset(out, 0, sizeof(*out));
    status_t status = query_copy_text(row, 0, out->subject, sizeof(out->subject), err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 0, out->auth_id, sizeof(out->auth_id), err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 1, out->organization_id, sizeof(out->organization_id), err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 2, out->username, sizeof(out->username), err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 7, out->password_hash, sizeof(out->password_hash), err);
    if (status != STATUS_OK)
        return status;
    out->until_utc_ms = INT64_MAX;
    out->generation = query_column_number(row, 6);
    out->standing = REASON_NONE;
    if (query_column_number(row, 3) == 0)
        out->standing = REASON_DISABLED;
    else if (strcmp(query_column_text(row, 4, NULL), "credential-authentication") != 0)
        out->standing = REASON_NO_METHOD;
    else if (query_column_number(row, 5) == 0 && call->keeper->seal != NULL)
        out->standing = REASON_PASSWORD_NEEDED; /* renamed since it was set */
    return STATUS_OK;
}

static status_t find_user(const call_t *call, store_t *reader, const char *username,
                          sip_user_t *out, err_t *err)
{
    char key[SIP_USER_MAX + 1];
    if (strlen(username) >= sizeof(key))
        return STATUS_UNKNOWN;
    text_fold(key, username, strlen(username) + 1);
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_USER);
    query_text(query, 1, key);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    sip_user_t found;
    status = read_user(call, query, &found, err);
    if (status == STATUS_OK && strcmp(found.username, username) != 0)
        status = STATUS_UNKNOWN; /* a digest hashes bytes */
    if (status == STATUS_OK)
        *out = found;
    return status;
}

static status_t find_digest(store_t *reader, const sip_user_t *user, int64_t generation,
                            const char *realm, const char *algorithm, uint8_t *out,
                            size_t *out_length, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_DIGEST);
    return digest_rows_find(query, user, generation, realm, algorithm, out, out_length, err);
}

static status_t has_realm(store_t *reader, const sip_user_t *user, int64_t generation,
                          const char *realm, bool *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_HAS_REALM);
    return digest_rows_any(query, user, generation, realm, out, err);
}

static status_t may_come_from(const call_t *call, store_t *reader, const sip_source_t *source,
                              sip_user_t *user, bool *out, err_t *err)
{
    (void)call;
    return sip_claims_comes_from(reader, user->subject, &source->address, out, err);
}

/* Each needs its method beside the address. */
static status_t each_range(const call_t *call, store_t *reader, sip_each_range_fn each,
                           void *context, err_t *err)
{
    (void)call;
    (void)reader;
    (void)each;
    (void)context;
    (void)err;
    return STATUS_OK;
}

typedef struct {
    const char *owner;            /* NULL: anybody's */
    char after[SIP_USER_MAX + 1]; /* the folded name of the last one */
    sip_each_user_fn each;
    void *context;
    size_t found;
} walk_t;

static status_t each_of_some(const call_t *call, store_t *reader, walk_t *walk, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(reader, SQL_SIP_USERS);
    query_text(query, 1, walk->after);
    query_text(query, 2, walk->owner);
    query_number(query, 3, USERS_AT_ONCE);
    bool row = false;
    walk->found = 0;
    status_t status = query_step(query, &row, err);
    sip_user_t user = {0};
    while (status == STATUS_OK && row) {
        walk->found++;
        status = read_user(call, query, &user, err);
        if (status == STATUS_OK && user.standing == REASON_NONE)
            status = walk->each(walk->context, &user, err);
        if (status == STATUS_OK)
            status = query_step(query, &row, err);
    }
    if (status == STATUS_OK && walk->found > 0) {
        query_end(&query); /* it has borrowed `after` */
        text_fold(walk->after, user.username, strlen(user.username) + 1);
    }
    return status;
}

static status_t each_user(const call_t *call, store_t *reader, sip_each_user_fn each, void *context,
                          err_t *err)
{
    const principal_t *principal = &call->request.principal;
    walk_t walk = {.owner = principal->is_operator ? NULL : principal->organization_id,
                   .each = each,
                   .context = context};
    status_t status = STATUS_OK;
    do
        status = each_of_some(call, reader, &walk, err);
    while (status == STATUS_OK && walk.found == USERS_AT_ONCE);
    return status;
}

const sip_family_t connection_family = {
    .name = "connections",
    .group = 2,
    .find_user = find_user,
    .find_digest = find_digest,
    .has_realm = has_realm,
    .find_claims = sip_claims_find,
    .may_come_from = may_come_from,
    .each_range = each_range,
    .each_user = each_user,
    .note_use = NULL, /* a connection keeps no time of its last use */
};
