#include "services/fqdn-auth/auth_change.h"

#include "proto/merge.h"
#include "proto/record.h"

#include <sodium.h>
#include <string.h>

const auth_places_t auth_places_own = {
    .user_name = "/user_name",
    .password = "/password",
    .tech_prefix = "/tech_prefix",
    .token = "/ip_authentication_token",
};

const auth_places_t auth_places_outbound = {
    .user_name = "/user_name",
    .password = "/password",
    .tech_prefix = "/outbound/tech_prefix",
    .token = "/outbound/ip_authentication_token",
};

/* An authentication with all defaults: those of choices are their first words. */
static void begin(fqdn_auth_t *auth, const char *connection_id)
{
    static const unsigned unset[] = {
        FQDN_AUTH_FAILOVER_URL, FQDN_AUTH_TOKEN,     FQDN_AUTH_P_CHARGE_INFO, FQDN_AUTH_PASSWORD,
        FQDN_AUTH_TECH_PREFIX,  FQDN_AUTH_USER_NAME, FQDN_AUTH_WEBHOOK_URL,
    };
    memset(auth, 0, sizeof(*auth));
    for (unsigned row = 0; row < fqdn_auth_schema.count; row++)
        field_give(&auth->fields, row);
    for (size_t i = 0; i < ARRAY_LEN(unset); i++)
        field_give_null(&auth->fields, unset[i]);
    record_give_text(&fqdn_auth_schema, auth, FQDN_AUTH_CONNECTION_ID, connection_id);
    record_give_text(&fqdn_auth_schema, auth, FQDN_AUTH_ID, connection_id);
    record_give_text(&fqdn_auth_schema, auth, FQDN_AUTH_RECORD_TYPE, "fqdn_authentication");
}

static status_t apply(fqdn_auth_t *auth, const fqdn_auth_t *given, err_t *err)
{
    status_t status = merge_record(&fqdn_auth_schema, auth, given);
    sodium_memzero(auth->password, sizeof(auth->password));
    sodium_memzero(auth->ip_authentication_token, sizeof(auth->ip_authentication_token));
    auth->outbound_usable = field_set(&auth->fields, FQDN_AUTH_USER_NAME);
    return status == STATUS_OK ? status : err_set(err, status, "authentication", "can't be merged");
}

/* Digest values hold the exact user name, so another one makes them useless. */
static bool digest_ready(const call_t *call, const fqdn_auth_t *before, const auth_change_t *change)
{
    const fqdn_auth_t *given = change->given;
    if (field_set(&given->fields, FQDN_AUTH_PASSWORD))
        return call->keeper->seal != NULL;
    bool renamed = field_set(&given->fields, FQDN_AUTH_USER_NAME) &&
                   strcmp(given->user_name, before->user_name) != 0;
    return before->digest_ready && !renamed;
}

static void check_pair(const fqdn_auth_t *after, const auth_places_t *places, verdict_t *out)
{
    bool has_name = field_set(&after->fields, FQDN_AUTH_USER_NAME);
    bool has_password = field_set(&after->fields, FQDN_AUTH_PASSWORD);
    if (has_name && !has_password)
        verdict_fault(out, OUTCOME_INVALID, FAULT_REQUIRED, places->password,
                      FQDN_AUTH_PASSWORD_FAULT);
    if (has_password && !has_name)
        verdict_fault(out, OUTCOME_INVALID, FAULT_REQUIRED, places->user_name,
                      FQDN_AUTH_USER_NAME_FAULT);
}

static void plan_token(const call_t *call, const auth_change_t *change, auth_plan_t *plan,
                       verdict_t *out)
{
    plan->has_token = field_set(&change->given->fields, FQDN_AUTH_TOKEN);
    if (!plan->has_token)
        return;
    plan->has_token = call->keeper->seal != NULL;
    if (!plan->has_token)
        verdict_fault(out, OUTCOME_INVALID, FAULT_RULE, change->places->token,
                      "can't be kept: this server has no key to seal it with (LK_DIGEST=off)");
    else
        token_make(call->keeper, plan->after.connection_id, change->given->ip_authentication_token,
                   &plan->token);
}

static void refuse_taken(const auth_taken_t *taken, const auth_places_t *places, verdict_t *out)
{
    const struct {
        bool taken;
        const char *where;
    } rows[] = {{taken->user_name, places->user_name},
                {taken->tech_prefix, places->tech_prefix},
                {taken->token, places->token}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].taken)
            verdict_fault(out, OUTCOME_CONFLICT, FAULT_TAKEN, rows[i].where,
                          "has already been taken");
}

/* What the authentication is before the change: what is there, or one that nothing is set in. */
static void begin_plan(const auth_change_t *change, const char *connection_id, bool is_there,
                       auth_plan_t *plan)
{
    plan->replaces = !is_there || change->mode == AUTH_SET;
    if (plan->replaces)
        begin(&plan->after, connection_id);
}

/* after: as it was, becomes what it would be. */
static status_t make_after(const call_t *call, const auth_change_t *change, auth_plan_t *plan,
                           err_t *err)
{
    fqdn_auth_t *after = &plan->after;
    fqdn_auth_t before = *after; /* no secrets */
    const presence_t *given = &change->given->fields;
    after->digest_ready = digest_ready(call, after, change);
    status_t status = apply(after, change->given, err);
    plan->changes = change->mode == AUTH_SET || field_set(given, FQDN_AUTH_PASSWORD) ||
                    field_set(given, FQDN_AUTH_TOKEN) ||
                    !merge_same(&fqdn_auth_schema, &before, after);
    return status;
}

status_t auth_plan(const call_t *call, store_t *store, const char *connection_id,
                   const auth_change_t *change, auth_plan_t *out_plan, verdict_t *out, err_t *err)
{
    fqdn_auth_t *after = &out_plan->after;
    status_t status = auth_store_get(store, connection_id, after, err);
    if (status != STATUS_OK && status != STATUS_UNKNOWN)
        return status;
    bool is_there = status == STATUS_OK;
    if (!is_there && change->mode == AUTH_CHANGE) {
        *out = (verdict_t){.outcome = OUTCOME_UNKNOWN};
        return STATUS_OK;
    }
    begin_plan(change, connection_id, is_there, out_plan);
    status = make_after(call, change, out_plan, err);
    if (status != STATUS_OK)
        return status;
    check_pair(after, change->places, out);
    plan_token(call, change, out_plan, out);
    auth_taken_t taken;
    status =
        auth_store_taken(store, after, out_plan->has_token ? &out_plan->token : NULL, &taken, err);
    if (status == STATUS_OK)
        refuse_taken(&taken, change->places, out);
    return status;
}

static status_t store_plan(store_t *store, const auth_plan_t *plan, const auth_row_t *row,
                           err_t *err)
{
    if (!plan->changes)
        return STATUS_OK;
    if (!plan->replaces)
        return auth_store_change(store, row, err);
    status_t status = auth_store_drop(store, plan->after.connection_id, err);
    return status == STATUS_OK ? auth_store_add(store, row, err) : status;
}

status_t auth_apply(const call_t *call, store_t *store, auth_plan_t *plan,
                    const auth_places_t *places, const credentials_t *credentials, verdict_t *out,
                    err_t *err)
{
    err_t failure = {0};
    auth_row_t row = {
        .shown = &plan->after,
        .credentials = credentials,
        .token = plan->has_token ? &plan->token : NULL,
        .now_utc_ms = call->now_utc_ms,
    };
    *out = (verdict_t){.outcome = OUTCOME_OK};
    status_t status = store_plan(store, plan, &row, &failure);
    if (status == STATUS_CONFLICT) {
        auth_taken_t taken = {
            .user_name = strstr(failure.where, "user_name_key") != NULL,
            .tech_prefix = strstr(failure.where, "tech_prefix") != NULL,
            .token = strstr(failure.where, "token_hash") != NULL,
        };
        refuse_taken(&taken, places, out);
    }
    if (status != STATUS_OK && out->outcome == OUTCOME_OK)
        return err_set(err, status, failure.where, "%s", failure.text);
    return STATUS_OK;
}
