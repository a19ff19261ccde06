#include "services/trunk-auth/method_change.h"

#include "proto/trunk_auth.h"
#include "services/common/page.h"
#include "services/trunk-auth/claim.h"
#include "services/trunk-auth/find.h"

#include <string.h>

bool method_change_is_slow(const call_t *call)
{
    const method_t *body = call->body;
    return field_set(&body->fields, METHOD_PASSWORD);
}

/* A field belongs to one type, and a method can't do without the one of its own. */
static verdict_t check_fields(const method_t *stored, const method_t *body)
{
    verdict_t verdict = {0};
    const presence_t *fields = &body->fields;
    bool is_ip = stored->type == METHOD_IP_TYPE;
    if (field_given(fields, is_ip ? METHOD_PASSWORD : METHOD_IP))
        verdict_fault(&verdict, OUTCOME_INVALID, FAULT_RULE, is_ip ? "/password" : "/ip",
                      is_ip ? "is not a field of an ip method"
                            : "is not a field of a sipuser method");
    if (field_null(fields, is_ip ? METHOD_IP : METHOD_PASSWORD))
        verdict_fault(&verdict, OUTCOME_INVALID, FAULT_TYPE, is_ip ? "/ip" : "/password",
                      is_ip ? "must not be null in an ip method"
                            : "must not be null in a sipuser method");
    return verdict;
}

void method_change_prepare(call_t *call, store_t *reader)
{
    const method_t *body = call->body;
    err_t err = {0};
    verdict_t verdict = {0};
    char trunk_uuid[UUID_SIZE];
    stored_method_t method;
    status_t status = find_method(call, reader, trunk_uuid, &method, &verdict, &err);
    bool found = status == STATUS_OK && verdict.outcome == OUTCOME_OK;
    if (found)
        verdict = check_fields(&method.shown, body);
    credentials_prepare(call, status, &verdict, &err, found ? method.shown.uuid : "",
                        found ? method.shown.username : "", body->password);
}

static void apply(method_t *method, const method_t *body)
{
    const presence_t *given = &body->fields;
    presence_t *fields = &method->fields;
    if (field_set(given, METHOD_LABEL))
        record_give_text(&method_schema, method, METHOD_LABEL, body->label);
    else if (field_null(given, METHOD_LABEL))
        field_give_null(fields, METHOD_LABEL);
    if (field_set(given, METHOD_IP))
        record_give_text(&method_schema, method, METHOD_IP, body->ip);
    if (field_set(given, METHOD_ENABLED))
        method->enabled = body->enabled;
    if (field_set(given, METHOD_EXPIRES_AT)) {
        method->expires_at = body->expires_at;
        field_give(fields, METHOD_EXPIRES_AT);
    } else if (field_null(given, METHOD_EXPIRES_AT)) {
        field_give_null(fields, METHOD_EXPIRES_AT);
    }
}

/* A new address must be allowed and free; so must an old one whose claim comes back to life. */
static status_t check_claim(const call_t *call, store_t *store, const char *trunk_uuid,
                            const method_t *before, const method_t *after, verdict_t *out,
                            err_t *err)
{
    bool moved = strcmp(before->ip, after->ip) != 0;
    bool revived = method_store_expired(before, call->now_utc_ms);
    if (moved) {
        status_t status = claim_check_width(call, after, out, err);
        if (status != STATUS_OK || out->outcome != OUTCOME_OK)
            return status;
    }
    if (method_store_expired(after, call->now_utc_ms) || (!moved && !revived))
        return STATUS_OK;
    return claim_check_free(call, store, trunk_uuid, after, moved ? "/ip" : "/expires_at", out,
                            err);
}

/* Everything that can stand against the change, and the method as it would be. */
static status_t check_change(const call_t *call, store_t *store, stored_method_t *out_method,
                             verdict_t *out, err_t *err)
{
    const method_t *body = call->body;
    char trunk_uuid[UUID_SIZE];
    status_t status = find_method(call, store, trunk_uuid, out_method, out, err);
    if (status != STATUS_OK || out->outcome != OUTCOME_OK)
        return status;
    *out = check_fields(&out_method->shown, body);
    if (out->outcome != OUTCOME_OK)
        return STATUS_OK;
    method_t before = out_method->shown;
    apply(&out_method->shown, body);
    if (before.type != METHOD_IP_TYPE)
        return STATUS_OK;
    status = claim_canonicalise(&out_method->shown, err);
    if (status != STATUS_OK)
        return status;
    return check_claim(call, store, trunk_uuid, &before, &out_method->shown, out, err);
}

void method_change(call_t *call, store_t *writer)
{
    const method_t *body = call->body;
    err_t err = {0};
    verdict_t verdict = {0};
    stored_method_t method;
    status_t status = check_change(call, writer, &method, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (body->fields.given == 0) {
        call_answer(call, &method.shown);
        return;
    }
    method.shown.updated_on = page_touch(call->now_utc_ms, method.shown.updated_on);
    status = method_store_change(writer, &method.shown, &err);
    if (status == STATUS_OK && field_set(&body->fields, METHOD_PASSWORD)) {
        if (!prepared_passes(call))
            return;
        status = method_store_set_password(writer, credentials_prepared(call), &err);
    }
    if (status == STATUS_OK)
        call_answer(call, &method.shown);
    else
        call_fail(call, &err);
}

bool method_rotate_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

static status_t check_rotation(const call_t *call, store_t *store, stored_method_t *out_method,
                               verdict_t *out, err_t *err)
{
    char trunk_uuid[UUID_SIZE];
    status_t status = find_method(call, store, trunk_uuid, out_method, out, err);
    if (status == STATUS_OK && out->outcome == OUTCOME_OK &&
        out_method->shown.type != METHOD_SIPUSER_TYPE)
        *out = (verdict_t){.outcome = OUTCOME_INVALID,
                           .message = "Only a sipuser method has a password to rotate."};
    return status;
}

void method_rotate_prepare(call_t *call, store_t *reader)
{
    const rotation_t *body = call->body;
    err_t err = {0};
    verdict_t verdict = {0};
    stored_method_t method = {.generation = 0};
    status_t status = check_rotation(call, reader, &method, &verdict, &err);
    credentials_prepare(call, status, &verdict, &err, method.shown.uuid, method.shown.username,
                        body->password);
}

void method_rotate(call_t *call, store_t *writer)
{
    const rotation_t *body = call->body;
    err_t err = {0};
    verdict_t verdict = {0};
    stored_method_t method;
    status_t status = check_rotation(call, writer, &method, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (!prepared_passes(call))
        return;
    const credentials_t *credentials = credentials_prepared(call);
    method.shown.updated_on = page_touch(call->now_utc_ms, method.shown.updated_on);
    status = method_store_change(writer, &method.shown, &err);
    if (status == STATUS_OK)
        status = body->grace_seconds == 0
                     ? method_store_set_password(writer, credentials, &err)
                     : method_store_rotate(writer, credentials, method.generation,
                                           call->now_utc_ms + body->grace_seconds * 1000, &err);
    if (status == STATUS_OK)
        call_answer(call, &method.shown);
    else
        call_fail(call, &err);
}
