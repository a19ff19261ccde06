#include "services/fqdn-auth/finding.h"

#include "common/address.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

void finding_begin(finding_t *finding, bool srv)
{
    memset(finding, 0, sizeof(*finding));
    finding->ttl = UINT32_MAX;
    if (srv)
        return;
    finding->service_answered[0] = true;
    finding->host_count = finding->link_count = 1;
}

bool finding_link(finding_t *finding, int service, const char *target, size_t *out_host)
{
    size_t host = 0;
    while (host < finding->host_count && strcmp(finding->hosts[host].name, target) != 0)
        host++;
    bool is_new = host == finding->host_count;
    if (finding->link_count == FINDING_LINKS_MAX || host == FINDING_HOSTS_MAX) {
        finding->cut = true;
        return false;
    }
    finding->links[finding->link_count].service = service;
    finding->links[finding->link_count++].host = host;
    if (!is_new)
        return false;
    text_cut(finding->hosts[host].name, DNS_NAME_SIZE, target);
    finding->host_count++;
    *out_host = host;
    return true;
}

void finding_host_answer(finding_t *finding, size_t index, host_family_t family,
                         const dns_answer_t *answer)
{
    host_t *host = &finding->hosts[index];
    host->answered[family] = true;
    for (size_t i = 0; i < answer->count; i++)
        memcpy(host->addresses[host->count++], answer->items[i].address, 16);
    if (answer->count > 0 && answer->ttl < finding->ttl)
        finding->ttl = answer->ttl;
}

static ipnet_t net_of(const uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    ipnet_t net = {.prefix = 128, .ipv4 = memcmp(address, mapped, sizeof(mapped)) == 0};
    memcpy(net.first, address, sizeof(net.first));
    return net;
}

static bool may_count(const uint8_t address[16], bool allow_private)
{
    ipnet_t net = net_of(address);
    return !ipnet_covers_no_source(&net) && (allow_private || address_flaw(&net) == NULL);
}

static int compare(const void *a, const void *b)
{
    const known_t *left = a, *right = b;
    if (left->service != right->service)
        return left->service < right->service ? -1 : 1;
    int order = strcmp(left->target, right->target);
    return order != 0 ? order : memcmp(left->address, right->address, sizeof(left->address));
}

static void add(knowledge_t *out, int service, const char *target, const uint8_t address[16])
{
    if (out->count == FINDING_ROWS_MAX)
        return; /* what is over is left out: that many are nobody's equipment */
    known_t *row = &out->items[out->count++];
    row->service = service;
    text_cut(row->target, sizeof(row->target), target);
    memcpy(row->address, address, sizeof(row->address));
}

static const host_t *host_of(const finding_t *finding, const known_t *row)
{
    for (size_t i = 0; i < finding->link_count; i++) {
        const host_t *host = &finding->hosts[finding->links[i].host];
        if (finding->links[i].service == row->service && strcmp(host->name, row->target) == 0)
            return host;
    }
    return NULL;
}

/* Whether the question that it came from was not answered this time. */
static bool stays(const finding_t *finding, const known_t *row)
{
    const host_t *host = host_of(finding, row);
    if (host == NULL)
        return !finding->service_answered[row->service];
    ipnet_t net = net_of(row->address);
    return !host->answered[net.ipv4 ? HOST_IPV4 : HOST_IPV6];
}

static void drop_repeated(knowledge_t *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (kept == 0 || compare(&out->items[kept - 1], &out->items[i]) != 0)
            out->items[kept++] = out->items[i];
    out->count = kept;
}

size_t finding_apply(const finding_t *finding, const knowledge_t *before, bool allow_private,
                     knowledge_t *out)
{
    size_t refused = 0;
    out->count = 0;
    for (size_t i = 0; i < finding->link_count; i++) {
        const host_t *host = &finding->hosts[finding->links[i].host];
        for (size_t k = 0; k < host->count; k++)
            if (may_count(host->addresses[k], allow_private))
                add(out, finding->links[i].service, host->name, host->addresses[k]);
            else
                refused++;
    }
    for (size_t i = 0; i < before->count; i++) {
        const known_t *row = &before->items[i];
        if (stays(finding, row) && may_count(row->address, allow_private))
            add(out, row->service, row->target, row->address);
    }
    qsort(out->items, out->count, sizeof(out->items[0]), compare);
    drop_repeated(out);
    return refused;
}

bool knowledge_same(const knowledge_t *a, const knowledge_t *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (compare(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}
