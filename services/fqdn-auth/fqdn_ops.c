#include "services/fqdn-auth/fqdn_ops.h"

#include "proto/merge.h"
#include "services/fqdn-auth/find.h"
#include "services/fqdn-auth/loaded.h"

#include <string.h>

void fqdn_read(call_t *call, store_t *reader)
{
    err_t err = {0};
    verdict_t verdict = {0};
    stored_fqdn_t fqdn;
    status_t status = find_path_fqdn(call, reader, &fqdn, &verdict, &err);
    if (verdict_passes(call, status, &verdict, &err))
        call_answer(call, &fqdn.shown);
}

/* DNS tells the port of an srv record; that of an a record is 5060 unless given. What is left of
 * an a record that becomes an srv record goes without saying. */
static void apply_port(const fqdn_t *given, fqdn_t *fqdn, verdict_t *out)
{
    bool is_srv = fqdn->dns_record_type == DNS_RECORD_SRV;
    bool port_given = field_set(&given->fields, FQDN_PORT);
    if (is_srv && port_given)
        verdict_fault(out, OUTCOME_INVALID, FAULT_RULE, "/port", FQDN_SRV_PORT_FAULT);
    if (is_srv) {
        field_give_null(&fqdn->fields, FQDN_PORT);
        return;
    }
    if (port_given)
        fqdn->port = given->port;
    else if (field_null(&given->fields, FQDN_PORT) || !field_set(&fqdn->fields, FQDN_PORT))
        fqdn->port = FQDN_PORT_DEFAULT;
    field_give(&fqdn->fields, FQDN_PORT);
}

/* Hangs it on the connection that is given, which must have room unless it is there already. */
static status_t apply_connection(const call_t *call, store_t *store, const fqdn_t *given,
                                 stored_fqdn_t *fqdn, verdict_t *out, err_t *err)
{
    stored_connection_t connection;
    status_t status = find_connection(call, store, given->connection_id, &connection, out, err);
    if (status != STATUS_OK)
        return status;
    if (out->outcome != OUTCOME_OK) {
        *out = (verdict_t){.outcome = OUTCOME_OK};
        verdict_fault(out, OUTCOME_INVALID, FAULT_RULE, "/connection_id", "is no connection");
        return STATUS_OK;
    }
    if (strcmp(fqdn->shown.connection_id, connection.shown.id) == 0)
        return STATUS_OK;
    record_give_text(&fqdn_schema, &fqdn->shown, FQDN_CONNECTION_ID, connection.shown.id);
    text_cut(fqdn->organization_id, sizeof(fqdn->organization_id), connection.organization_id);
    int64_t had = 0;
    status = fqdn_store_count(store, connection.shown.id, &had, err);
    if (status == STATUS_OK && had >= FQDNS_MAX)
        verdict_fault(out, OUTCOME_INVALID, FAULT_RULE, "/connection_id",
                      "has as many FQDNs as a connection may have");
    return status;
}

static status_t apply(const call_t *call, store_t *store, stored_fqdn_t *fqdn, verdict_t *out,
                      err_t *err)
{
    fqdn_t given = *(const fqdn_t *)call->body;
    *out = (verdict_t){.outcome = OUTCOME_OK};
    status_t status = STATUS_OK;
    if (field_set(&given.fields, FQDN_CONNECTION_ID))
        status = apply_connection(call, store, &given, fqdn, out, err);
    if (status != STATUS_OK)
        return status;
    text_fold(given.fqdn, given.fqdn, strlen(given.fqdn));
    if (field_set(&given.fields, FQDN_FQDN))
        record_give_text(&fqdn_schema, &fqdn->shown, FQDN_FQDN, given.fqdn);
    if (field_set(&given.fields, FQDN_DNS_RECORD_TYPE))
        fqdn->shown.dns_record_type = given.dns_record_type;
    field_give(&fqdn->shown.fields, FQDN_DNS_RECORD_TYPE);
    apply_port(&given, &fqdn->shown, out);
    return STATUS_OK;
}

static void finish(call_t *call, status_t status, const stored_fqdn_t *fqdn, const err_t *err)
{
    verdict_t verdict = {0};
    if (status == STATUS_CONFLICT && strstr(err->where, "fqdn.fqdn") != NULL) {
        verdict_fault(&verdict, OUTCOME_CONFLICT, FAULT_TAKEN, "/fqdn", "has already been taken");
        status = STATUS_OK;
    }
    if (verdict_passes(call, status, &verdict, err))
        call_answer(call, &fqdn->shown);
}

void fqdn_create(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    stored_fqdn_t fqdn = {.organization_id = ""};
    char id[UUID_SIZE];
    uuid_new(id);
    record_give_text(&fqdn_schema, &fqdn.shown, FQDN_ID, id);
    record_give_text(&fqdn_schema, &fqdn.shown, FQDN_RECORD_TYPE, "fqdn");
    status_t status = apply(call, writer, &fqdn, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    status = fqdn_store_add(writer, &fqdn, call->now_utc_ms, &err);
    finish(call, status, &fqdn, &err);
}

void fqdn_change(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    stored_fqdn_t fqdn;
    char owner[UUID_SIZE];
    status_t status = find_path_fqdn(call, writer, &fqdn, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    const fqdn_t before = fqdn.shown;
    text_cut(owner, sizeof(owner), fqdn.organization_id);
    status = apply(call, writer, &fqdn, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (merge_same(&fqdn_schema, &before, &fqdn.shown)) {
        call_answer(call, &fqdn.shown);
        return;
    }
    status = fqdn_store_change(writer, &fqdn, owner, call->now_utc_ms, &err);
    finish(call, status, &fqdn, &err);
}

void fqdn_delete(call_t *call, store_t *writer)
{
    err_t err = {0};
    verdict_t verdict = {0};
    stored_fqdn_t fqdn;
    status_t status = find_path_fqdn(call, writer, &fqdn, &verdict, &err);
    if (!verdict_passes(call, status, &verdict, &err))
        return;
    if (fqdn_store_delete(writer, &fqdn, &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_answer(call, &fqdn.shown);
}
