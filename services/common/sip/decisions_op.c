/* GET /decisions. */
#include "common/mem.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#include <string.h>

/* As the ring has addresses. */
static void canonical(const char *text, char out[IPNET_TEXT_SIZE])
{
    ipnet_t address;
    out[0] = '\0';
    if (ipnet_parse(text, strlen(text), &address) == STATUS_OK)
        ipnet_format(&address, out);
}

static bool is_meant(const call_t *call, const decisions_query_t *query, const char *source,
                     const decision_t *denial)
{
    if (!call_may_see(call, denial->organization_id))
        return false;
    if (field_set(&query->fields, DECISIONS_QUERY_REASON) && denial->reason != query->reason)
        return false;
    if (field_set(&query->fields, DECISIONS_QUERY_SINCE) && denial->at < query->since)
        return false;
    if (field_set(&query->fields, DECISIONS_QUERY_USERNAME) &&
        strcmp(denial->username, query->username) != 0)
        return false;
    return !field_set(&query->fields, DECISIONS_QUERY_SOURCE_IP) ||
           strcmp(denial->source_ip, source) == 0;
}

static void free_denials(decision_t **denials)
{
    mem_free(*denials);
}

bool sip_decisions_is_slow(const call_t *call)
{
    (void)call;
    return true;
}

void sip_decisions(call_t *call, store_t *reader)
{
    (void)reader;
    char source[IPNET_TEXT_SIZE];
    const decisions_query_t *query = call->query;
    canonical(query->source_ip, source);
    AUTO(free_denials) decision_t *denials = mem_array(SIP_RING, sizeof(*denials));
    size_t count = sip_ring_read(call->keeper->sip->memory, denials, SIP_RING);
    call_list_begin(call);
    for (size_t i = 0; i < count; i++)
        if (is_meant(call, query, source, &denials[i]))
            call_list_add(call, &denials[i]);
    call_list_end(call, -1);
}
