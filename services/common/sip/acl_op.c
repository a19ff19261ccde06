/* GET /acl: all source addresses that suffice alone, as a list that a server loads. Whole or not at
 * all: a list that is cut would deny those who are behind the cut. Next: freeswitch_acl.h. */
#include "services/common/sip/freeswitch_acl.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

typedef struct {
    const call_t *call;
    document_t text;
} acl_t;

static void end(acl_t *acl)
{
    document_end(&acl->text);
}

static void add_member(document_t *out, const char *before, const char *value)
{
    document_add(out, before);
    document_add(out, value);
}

/* Nothing here needs escaping: addresses, UUIDs, numbers. */
static status_t add_json(void *context, const sip_range_t *range, err_t *err)
{
    acl_t *acl = context;
    document_t *out = &acl->text;
    char cidr[IPNET_TEXT_SIZE];
    (void)err;
    add_member(out, out->length > 1 ? ",\n{\"cidr\":\"" : "\n{\"cidr\":\"",
               document_cidr(&range->range, cidr));
    add_member(out, "\",\"subject\":\"", range->subject);
    if (acl->call->request.principal.is_operator)
        add_member(out, "\",\"organization_id\":\"", range->organization_id);
    document_add(out, "\"");
    if (range->port != 0) {
        document_add(out, ",\"port\":");
        document_add_number(out, range->port);
    }
    document_add(out, "}");
    return STATUS_OK;
}

/* permissions' address file: group, address, mask, port, tag. The tag is the subject. */
static status_t add_line(void *context, const sip_range_t *range, err_t *err)
{
    acl_t *acl = context;
    document_t *out = &acl->text;
    char address[IPNET_TEXT_SIZE];
    ipnet_t first = range->range;
    (void)err;
    unsigned mask = ipnet_prefix(&first);
    first.prefix = 128;
    ipnet_format(&first, address);
    document_add_number(out, acl->call->keeper->sip->family->group);
    add_member(out, " ", address);
    document_add(out, " ");
    document_add_number(out, mask);
    document_add(out, " ");
    document_add_number(out, range->port);
    add_member(out, " ", range->subject);
    document_add(out, "\n");
    return STATUS_OK;
}

static status_t list(acl_t *acl, store_t *reader, acl_format_t format, media_t *out_media,
                     err_t *err)
{
    const sip_family_t *family = acl->call->keeper->sip->family;
    status_t status = STATUS_SYSTEM;
    switch (format) {
    case ACL_JSON:
        *out_media = MEDIA_JSON_TEXT;
        document_add(&acl->text, "[");
        status = family->each_range(acl->call, reader, add_json, acl, err);
        document_add(&acl->text, "]\n");
        break;
    case ACL_KAMAILIO:
        *out_media = MEDIA_TEXT;
        status = family->each_range(acl->call, reader, add_line, acl, err);
        break;
    case ACL_FREESWITCH:
        *out_media = MEDIA_XML;
        status = freeswitch_acl_add(acl->call, reader, &acl->text, err);
        document_add(&acl->text, "\n");
        break;
    }
    return status;
}

bool sip_acl_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

void sip_acl(call_t *call, store_t *reader)
{
    const acl_query_t *query = call->query;
    AUTO(end) acl_t acl = {.call = call};
    media_t media = MEDIA_TEXT;
    err_t err;
    status_t status = list(&acl, reader, (acl_format_t)query->format, &media, &err);
    if (status == STATUS_OK)
        document_answer(call, media, &acl.text);
    else
        call_fail(call, &err);
}
