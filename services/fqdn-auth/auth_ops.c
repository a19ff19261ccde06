#include "services/fqdn-auth/auth_ops.h"

#include "services/fqdn-auth/auth_change.h"
#include "services/fqdn-auth/find.h"

#include <string.h>

void auth_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    stored_connection_t connection;
    fqdn_auth_t auth;
    status_t status = find_path_connection(call, reader, &connection, &verdict, &err);
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK) {
        status = auth_store_get(reader, connection.shown.id, &auth, &err);
        status = verdict_on_found(call, status, connection.organization_id, &verdict);
    }
    if (verdict_passes(call, status, &verdict, &err))
        call_answer(call, &auth);
}

bool auth_is_slow(const call_t *call)
{
    const fqdn_auth_t *body = call->body;
    return field_set(&body->fields, FQDN_AUTH_PASSWORD);
}

static auth_change_t change_of(const call_t *call, auth_mode_t mode)
{
    return (auth_change_t){.mode = mode, .given = call->body, .places = &auth_places_own};
}

static status_t plan(const call_t *call, store_t *store, const auth_change_t *change,
                     stored_connection_t *out_connection, auth_plan_t *out_plan, verdict_t *out,
                     err_t *err)
{
    status_t status = find_path_connection(call, store, out_connection, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK)
        return status;
    return auth_plan(call, store, out_connection->shown.id, change, out_plan, out, err);
}

static void prepare(call_t *call, store_t *reader, auth_mode_t mode)
{
    const fqdn_auth_t *body = call->body;
    auth_change_t change = change_of(call, mode);
    err_t err = {0};
    verdict_t verdict = {0};
    stored_connection_t connection;
    auth_plan_t planned = {.replaces = false};
    status_t status = plan(call, reader, &change, &connection, &planned, &verdict, &err);
    bool passes = status == STATUS_OK && verdict.outcome == OUTCOME_OK;
    credentials_prepare(call, status, &verdict, &err, passes ? connection.shown.id : "",
                        passes ? planned.after.user_name : "", body->password);
}

/* What the success of v1 says; v2 has no place for it. */
static const char *words_for(const call_t *call, const fqdn_auth_t *auth)
{
    if (!auth->outbound_usable)
        return "Saved. The connection is unusable on outbound profiles until user_name and "
               "password are set.";
    if (!auth->digest_ready && call->keeper->seal != NULL)
        return "Saved. The password is needed again: without it SIP digest does not work.";
    return "Saved.";
}

static void answer(call_t *call, const fqdn_auth_t *auth)
{
    call_say(call, words_for(call, auth));
    call_answer(call, auth);
}

/* The credentials for a plan: *out is NULL where it needs none. False: the call is answered. */
static bool take_credentials(call_t *call, const auth_plan_t *planned, const credentials_t **out)
{
    *out = NULL;
    if (!auth_is_slow(call))
        return true;
    if (!prepared_passes(call))
        return false;
    const credentials_t *credentials = credentials_prepared(call);
    if (strcmp(credentials->username, planned->after.user_name) != 0) {
        call_refuse(call, OUTCOME_UNAVAILABLE,
                    "The user name was changed at the same time. Try again.");
        return false;
    }
    *out = credentials;
    return true;
}

static void write(call_t *call, store_t *writer, auth_mode_t mode)
{
    auth_change_t change = change_of(call, mode);
    err_t err = {0};
    verdict_t verdict = {0};
    stored_connection_t connection;
    auth_plan_t planned = {.replaces = false};
    const credentials_t *credentials = NULL;
    status_t status = plan(call, writer, &change, &connection, &planned, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (!planned.changes) {
        answer(call, &planned.after);
        return;
    }
    if (!take_credentials(call, &planned, &credentials))
        return;
    status = auth_apply(call, writer, &planned, change.places, credentials, &verdict, &err);
    connection.has_auth = true;
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK)
        status = connection_store_change(writer, &connection, call->now_utc_ms, &err);
    if (verdict_passes(call, status, &verdict, &err))
        answer(call, &planned.after);
}

void auth_set_prepare(call_t *call, store_t *reader)
{
    prepare(call, reader, AUTH_SET);
}

void auth_set(call_t *call, store_t *writer)
{
    write(call, writer, AUTH_SET);
}

void auth_change_prepare(call_t *call, store_t *reader)
{
    prepare(call, reader, AUTH_CHANGE);
}

void auth_change(call_t *call, store_t *writer)
{
    write(call, writer, AUTH_CHANGE);
}

void auth_remove(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    stored_connection_t connection;
    status_t status = find_path_connection(call, writer, &connection, &verdict, &err);
    if (status == STATUS_OK && verdict.outcome == OUTCOME_OK && !connection.has_auth)
        verdict.outcome = OUTCOME_UNKNOWN;
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    connection.has_auth = false;
    status = auth_store_drop(writer, connection.shown.id, &err);
    if (status == STATUS_OK)
        status = connection_store_change(writer, &connection, call->now_utc_ms, &err);
    if (status != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    call_say(call, "Removed.");
    call_answer(call, NULL);
}
