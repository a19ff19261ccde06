#include "services/common/sip/freeswitch_acl.h"

#include "services/common/sip/sip.h"

static status_t add_node(void *context, const sip_range_t *range, err_t *err)
{
    document_t *out = context;
    char text[IPNET_TEXT_SIZE];
    (void)err;
    document_add(out, "<node type=\"allow\" cidr=\"");
    document_add(out, document_cidr(&range->range, text));
    if (range->port != 0) {
        document_add(out, "\" port=\"");
        document_add_number(out, range->port);
    }
    document_add(out, "\"/>");
    return STATUS_OK;
}

status_t freeswitch_acl_add(const call_t *call, store_t *reader, document_t *out, err_t *err)
{
    const sip_family_t *family = call->keeper->sip->family;
    document_add(out, "<configuration name=\"acl.conf\"><network-lists><list name=\"");
    document_add_xml(out, family->name);
    document_add(out, "\" default=\"deny\">");
    status_t status = family->each_range(call, reader, add_node, out, err);
    document_add(out, "</list></network-lists></configuration>");
    return status;
}
