#include "services/fqdn-auth/spelling.h"

#include "proto/packed.h"

#include <string.h>

/* A text of one record for a field of another: set, null or not given there as here. */
static void carry_text(const schema_t *from_schema, const void *from, unsigned from_row,
                       const schema_t *to_schema, void *to, unsigned to_row)
{
    if (field_set(from, from_row))
        record_give_text(to_schema, to, to_row,
                         (const char *)from + from_schema->rows[from_row].offset);
    else if (field_null(from, from_row))
        field_give_null(to, to_row);
}

void spelling_of_v1(const connection_v1_t *body, connection_v2_t *out)
{
    memset(out, 0, sizeof(*out));
    carry_text(&connection_v1_schema, body, CONNECTION_V1_NAME, &connection_v2_schema, out,
               CONNECTION_V2_NAME);
    if (field_set(&body->fields, CONNECTION_V1_ACTIVE)) {
        out->active = body->active;
        field_give(&out->fields, CONNECTION_V2_ACTIVE);
    }
}

bool spelling_auth_of_v2(const connection_v2_t *body, fqdn_auth_t *out)
{
    memset(out, 0, sizeof(*out));
    carry_text(&connection_v2_schema, body, CONNECTION_V2_WEBHOOK_URL, &fqdn_auth_schema, out,
               FQDN_AUTH_WEBHOOK_URL);
    carry_text(&connection_v2_schema, body, CONNECTION_V2_FAILOVER_URL, &fqdn_auth_schema, out,
               FQDN_AUTH_FAILOVER_URL);
    if (field_set(&body->fields, CONNECTION_V2_OUTBOUND)) {
        const outbound_t *outbound = &body->outbound;
        carry_text(&outbound_schema, outbound, OUTBOUND_TOKEN, &fqdn_auth_schema, out,
                   FQDN_AUTH_TOKEN);
        carry_text(&outbound_schema, outbound, OUTBOUND_TECH_PREFIX, &fqdn_auth_schema, out,
                   FQDN_AUTH_TECH_PREFIX);
        if (field_set(&outbound->fields, OUTBOUND_METHOD)) {
            out->fqdn_outbound_authentication = outbound->ip_authentication_method;
            field_give(&out->fields, FQDN_AUTH_OUTBOUND);
        }
    }
    return out->fields.given != 0;
}

void spelling_begin(stored_connection_t *out)
{
    static const packed_t no_members = {.length = 1, .bytes = {(char)0x80}};
    connection_v2_t *shown = &out->shown;
    *out = (stored_connection_t){.has_auth = false};
    uuid_new(shown->id);
    packed_set_texts(NULL, 0, &shown->tags);
    shown->inbound = shown->outbound.rest = no_members;
    static const unsigned given[] = {CONNECTION_V2_ACTIVE,  CONNECTION_V2_ID,
                                     CONNECTION_V2_INBOUND, CONNECTION_V2_OUTBOUND,
                                     CONNECTION_V2_TAGS,    CONNECTION_V2_TRANSPORT};
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        field_give(&shown->fields, given[i]);
    field_give(&shown->outbound.fields, OUTBOUND_REST);
    record_give_text(&connection_v2_schema, shown, CONNECTION_V2_RECORD_TYPE, "fqdn_connection");
}

static status_t merge(packed_t *base, const packed_t *change, const char *where, verdict_t *out,
                      err_t *err)
{
    status_t status = packed_merge(base, change, base);
    if (status == STATUS_TOO_LARGE)
        verdict_fault(out, OUTCOME_INVALID, FAULT_RANGE, where,
                      "grows too large (maximum is 4 KiB)");
    else if (status != STATUS_OK)
        return err_set(err, status, where, "can't be merged");
    return STATUS_OK;
}

status_t spelling_apply(const connection_v2_t *given, stored_connection_t *connection,
                        verdict_t *out, err_t *err)
{
    const presence_t *fields = &given->fields;
    connection_v2_t *shown = &connection->shown;
    status_t status = STATUS_OK;
    carry_text(&connection_v2_schema, given, CONNECTION_V2_NAME, &connection_v2_schema, shown,
               CONNECTION_V2_NAME);
    if (field_set(fields, CONNECTION_V2_ACTIVE))
        shown->active = given->active;
    if (field_set(fields, CONNECTION_V2_TRANSPORT))
        shown->transport_protocol = given->transport_protocol;
    if (field_set(fields, CONNECTION_V2_TAGS))
        shown->tags = given->tags;
    if (field_set(fields, CONNECTION_V2_INBOUND))
        status = merge(&shown->inbound, &given->inbound, "/inbound", out, err);
    if (status == STATUS_OK && field_set(fields, CONNECTION_V2_OUTBOUND) &&
        field_set(&given->outbound.fields, OUTBOUND_REST))
        status = merge(&shown->outbound.rest, &given->outbound.rest, "/outbound", out, err);
    return status;
}

void spelling_show_v1(const stored_connection_t *connection, const fqdn_auth_t *auth,
                      connection_v1_t *out)
{
    const connection_v2_t *shown = &connection->shown;
    memset(out, 0, sizeof(*out));
    carry_text(&connection_v2_schema, shown, CONNECTION_V2_NAME, &connection_v1_schema, out,
               CONNECTION_V1_NAME);
    carry_text(&connection_v2_schema, shown, CONNECTION_V2_ID, &connection_v1_schema, out,
               CONNECTION_V1_ID);
    out->active = shown->active;
    out->created_at = shown->created_at;
    out->updated_at = shown->updated_at;
    out->outbound_usable = auth != NULL && auth->outbound_usable;
    static const unsigned given[] = {CONNECTION_V1_ACTIVE, CONNECTION_V1_CREATED_AT,
                                     CONNECTION_V1_UPDATED_AT, CONNECTION_V1_OUTBOUND_USABLE};
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        field_give(&out->fields, given[i]);
    if (auth != NULL)
        field_give(&out->fields, CONNECTION_V1_AUTH_TYPE);
    else
        field_give_null(&out->fields, CONNECTION_V1_AUTH_TYPE);
}

void spelling_show_v2(stored_connection_t *connection, const fqdn_auth_t *auth)
{
    static const fqdn_auth_t none; /* nothing is set in it */
    const fqdn_auth_t *shown_auth = auth == NULL ? &none : auth;
    connection_v2_t *shown = &connection->shown;
    outbound_t *outbound = &shown->outbound;
    static const struct {
        unsigned from, to;
    } texts[] = {{FQDN_AUTH_USER_NAME, CONNECTION_V2_USER_NAME},
                 {FQDN_AUTH_WEBHOOK_URL, CONNECTION_V2_WEBHOOK_URL},
                 {FQDN_AUTH_FAILOVER_URL, CONNECTION_V2_FAILOVER_URL}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        field_give_null(&shown->fields, texts[i].to);
        carry_text(&fqdn_auth_schema, shown_auth, texts[i].from, &connection_v2_schema, shown,
                   texts[i].to);
    }
    const presence_t *fields = &shown_auth->fields;
    field_give_if(&shown->fields, CONNECTION_V2_PASSWORD, field_set(fields, FQDN_AUTH_PASSWORD));
    field_give_if(&outbound->fields, OUTBOUND_TOKEN, field_set(fields, FQDN_AUTH_TOKEN));
    field_give_null(&outbound->fields, OUTBOUND_TECH_PREFIX);
    carry_text(&fqdn_auth_schema, shown_auth, FQDN_AUTH_TECH_PREFIX, &outbound_schema, outbound,
               OUTBOUND_TECH_PREFIX);
    outbound->ip_authentication_method = shown_auth->fqdn_outbound_authentication;
    field_give(&outbound->fields, OUTBOUND_METHOD);
}
