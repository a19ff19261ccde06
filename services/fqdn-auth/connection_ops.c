#include "services/fqdn-auth/connection_ops.h"

#include "proto/merge.h"
#include "services/fqdn-auth/auth_change.h"
#include "services/fqdn-auth/find.h"
#include "services/fqdn-auth/loaded.h"
#include "services/fqdn-auth/spelling.h"

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

/* Makes what is given of the authentication so, and remembers how it is then. */
static status_t change_auth(const call_t *call, store_t *writer, const fqdn_auth_t *given,
                            loaded_t *loaded, verdict_t *out, err_t *err)
{
    auth_plan_t plan;
    auth_change_t change = {.mode = AUTH_MAKE, .given = given, .places = &auth_places_outbound};
    status_t status =
        auth_plan(call, writer, loaded->connection.shown.id, &change, &plan, out, err);
    if (status == STATUS_OK && out->outcome == OUTCOME_OK)
        status = auth_apply(call, writer, &plan, change.places, NULL, out, err);
    loaded->auth = plan.after;
    return status;
}

/* Adds the connection that is given; given_auth: what it is authenticated by, NULL: nothing. */
static status_t create(const call_t *call, store_t *writer, const connection_v2_t *given,
                       const fqdn_auth_t *given_auth, loaded_t *out_loaded, verdict_t *out,
                       err_t *err)
{
    stored_connection_t *connection = &out_loaded->connection;
    spelling_begin(connection);
    text_cut(connection->organization_id, sizeof(connection->organization_id),
             call->request.principal.organization_id);
    connection->has_auth = given_auth != NULL;
    status_t status = spelling_apply(given, connection, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK)
        return status;
    status = connection_store_add(writer, connection, call->now_utc_ms, err);
    if (status == STATUS_OK && given_auth != NULL)
        status = change_auth(call, writer, given_auth, out_loaded, out, err);
    return status;
}

void connection_v1_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    connection_v2_t given;
    spelling_of_v1(call->body, &given);
    status_t status = create(call, writer, &given, NULL, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        answer_v1(call, writer, &loaded);
}

void connection_v2_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    fqdn_auth_t auth;
    (void)spelling_auth_of_v2(call->body, &auth);
    status_t status = create(call, writer, call->body, &auth, &loaded, &verdict, &err);
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

/* What is given of the connection, and of its authentication unless given_auth is NULL. */
static status_t change(const call_t *call, store_t *writer, const connection_v2_t *given,
                       const fqdn_auth_t *given_auth, loaded_t *out_loaded, verdict_t *out,
                       err_t *err)
{
    stored_connection_t *connection = &out_loaded->connection;
    status_t status = load(call, writer, out_loaded, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK ||
        !merge_changes(&connection_v2_schema, given))
        return status;
    status = spelling_apply(given, connection, out, err);
    if (status == STATUS_OK && out->outcome == OUTCOME_OK && given_auth != NULL) {
        connection->has_auth = true;
        status = change_auth(call, writer, given_auth, out_loaded, out, err);
    }
    if (status == STATUS_OK && out->outcome == OUTCOME_OK)
        status = connection_store_change(writer, connection, call->now_utc_ms, err);
    return status;
}

void connection_v1_change(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    connection_v2_t given;
    spelling_of_v1(call->body, &given);
    status_t status = change(call, writer, &given, NULL, &loaded, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        answer_v1(call, writer, &loaded);
}

void connection_v2_change(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    loaded_t loaded;
    fqdn_auth_t auth;
    bool any = spelling_auth_of_v2(call->body, &auth);
    status_t status = change(call, writer, call->body, any ? &auth : NULL, &loaded, &verdict, &err);
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
