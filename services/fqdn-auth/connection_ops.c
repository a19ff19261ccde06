#include "services/fqdn-auth/connection_ops.h"

#include "proto/merge.h"
#include "services/fqdn-auth/auth_change.h"
#include "services/fqdn-auth/find.h"
#include "services/fqdn-auth/loaded.h"
#include "services/fqdn-auth/spelling.h"

#include <sodium.h>

static void answer_v1(call_t *call, store_t *store, const loaded_t *loaded)
{
    err_t err = {0};
    AUTO(loaded_free_v1) connection_v1_t shown = {.active = false};
    if (loaded_show_v1(store, loaded, true, true, &shown, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_answer(call, &shown);
}

/* The connection that the path names, with its authentication. */
static status_t load(const call_t *call, store_t *store, loaded_t *out_loaded, verdict_t *out,
                     err_t *err)
{
    status_t status = find_path_connection(call, store, &out_loaded->connection, out, err);
    if (status == STATUS_OK && out->outcome == OUTCOME_OK)
        status = loaded_auth(store, out_loaded, err);
    return status;
}

/* The token in it is a secret. */
static void wipe(fqdn_auth_t *auth)
{
    sodium_memzero(auth, sizeof(*auth));
}

/* What a request gives: of the connection, and of its authentication unless auth is NULL. */
typedef struct {
    const connection_v2_t *connection;
    const fqdn_auth_t *auth;
    auth_mode_t mode;
} given_t;

/* The connection as it would be, and what comes of its authentication; every fault of both. */
static status_t plan(const call_t *call, store_t *store, const given_t *given, loaded_t *loaded,
                     auth_plan_t *out_plan, verdict_t *out, err_t *err)
{
    stored_connection_t *connection = &loaded->connection;
    status_t status = spelling_apply(given->connection, connection, out, err);
    if (status != STATUS_OK || given->auth == NULL)
        return status;
    auth_change_t change = {given->mode, given->auth, &auth_places_outbound};
    status = auth_plan(call, store, connection->shown.id, &change, out_plan, out, err);
    if (out_plan->changes)
        connection->has_auth = true;
    return status;
}

static status_t apply(const call_t *call, store_t *writer, auth_plan_t *planned, loaded_t *loaded,
                      verdict_t *out, err_t *err)
{
    if (!planned->changes)
        return STATUS_OK;
    status_t status = auth_apply(call, writer, planned, &auth_places_outbound, NULL, out, err);
    loaded->auth = planned->after;
    return status;
}

/* Adds the connection that is given. */
static status_t create(const call_t *call, store_t *writer, const given_t *given,
                       loaded_t *out_loaded, verdict_t *out, err_t *err)
{
    stored_connection_t *connection = &out_loaded->connection;
    auth_plan_t planned = {.changes = false};
    spelling_begin(connection);
    text_cut(connection->organization_id, sizeof(connection->organization_id),
             call->request.principal.organization_id);
    status_t status = plan(call, writer, given, out_loaded, &planned, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK)
        return status;
    status = connection_store_add(writer, connection, call->now_utc_ms, err);
    if (status == STATUS_OK)
        status = apply(call, writer, &planned, out_loaded, out, err);
    return status;
}

void connection_v1_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    connection_v2_t body;
    spelling_of_v1(call->body, &body);
    given_t given = {.connection = &body};
    status_t status = create(call, writer, &given, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        answer_v1(call, writer, &loaded);
}

void connection_v2_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    AUTO(wipe) fqdn_auth_t auth;
    (void)spelling_auth_of_v2(call->body, &auth);
    given_t given = {call->body, &auth, AUTH_SET};
    status_t status = create(call, writer, &given, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        call_answer(call, loaded_show_v2(&loaded));
}

void connection_v1_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    status_t status = load(call, reader, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        answer_v1(call, reader, &loaded);
}

void connection_v2_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    status_t status = load(call, reader, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        call_answer(call, loaded_show_v2(&loaded));
}

static status_t change(const call_t *call, store_t *writer, const given_t *given,
                       loaded_t *out_loaded, verdict_t *out, err_t *err)
{
    stored_connection_t *connection = &out_loaded->connection;
    auth_plan_t planned = {.changes = false};
    status_t status = load(call, writer, out_loaded, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK)
        return status;
    const connection_v2_t before = connection->shown;
    status = plan(call, writer, given, out_loaded, &planned, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK ||
        (!planned.changes && merge_same(&connection_v2_schema, &before, &connection->shown)))
        return status;
    status = apply(call, writer, &planned, out_loaded, out, err);
    if (status == STATUS_OK && out->outcome == OUTCOME_OK)
        status = connection_store_change(writer, connection, call->now_utc_ms, err);
    return status;
}

void connection_v1_change(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    connection_v2_t body;
    spelling_of_v1(call->body, &body);
    given_t given = {.connection = &body};
    status_t status = change(call, writer, &given, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        answer_v1(call, writer, &loaded);
}

void connection_v2_change(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    AUTO(wipe) fqdn_auth_t auth;
    bool any = spelling_auth_of_v2(call->body, &auth);
    given_t given = {call->body, any ? &auth : NULL, AUTH_MAKE};
    status_t status = change(call, writer, &given, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        call_answer(call, loaded_show_v2(&loaded));
}

void connection_v1_delete(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    AUTO(loaded_free_v1) connection_v1_t shown = {.active = false};
    status_t status = load(call, writer, &loaded, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    status = loaded_show_v1(writer, &loaded, true, true, &shown, &err);
    if (status == STATUS_OK)
        status = connection_store_delete(writer, &loaded.connection, &err);
    if (status == STATUS_OK)
        call_answer(call, &shown);
    else
        call_fail(call, &err);
}

void connection_v2_delete(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    status_t status = load(call, writer, &loaded, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (connection_store_delete(writer, &loaded.connection, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_answer(call, loaded_show_v2(&loaded));
}
