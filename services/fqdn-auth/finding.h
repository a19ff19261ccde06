/* What a look-up of an FQDN found, and what is to be known of the FQDN afterwards.
 *
 * Each question to DNS stands for itself: one that was answered replaces what was known by it, one
 * that failed leaves that as it was. An answer that there is no such name is an answer (RFC 8767
 * section 4 has it so, too). */
#ifndef LK_SERVICES_FQDN_AUTH_FINDING_H
#define LK_SERVICES_FQDN_AUTH_FINDING_H

#include "services/fqdn-auth/dns_message.h"

#include <stdbool.h>

enum {
    FINDING_SERVICES = 3,   /* SRV: _sip._udp, _sip._tcp, _sips._tcp (RFC 3263 section 4.1) */
    FINDING_HOSTS_MAX = 16, /* targets that are looked up */
    FINDING_LINKS_MAX = 48,
    FINDING_ROWS_MAX = 256, /* addresses of one FQDN, counted once for each way to them */
};

/* A row of what is known. */
typedef struct {
    int service; /* 0: the FQDN's own; else from 1, which SRV record led to target */
    char target[DNS_NAME_SIZE];
    uint8_t address[16];
} known_t;

typedef struct {
    size_t count;
    known_t items[FINDING_ROWS_MAX];
} knowledge_t;

typedef enum { HOST_IPV4, HOST_IPV6, HOST_FAMILIES } host_family_t;

typedef struct {
    char name[DNS_NAME_SIZE]; /* "": the FQDN itself */
    bool answered[HOST_FAMILIES];
    size_t count;
    uint8_t addresses[HOST_FAMILIES * DNS_RECORDS_MAX][16];
} host_t;

typedef struct {
    bool service_answered[FINDING_SERVICES + 1]; /* [0]: not asked for by SRV */
    size_t link_count;
    struct {
        int service;
        size_t host;
    } links[FINDING_LINKS_MAX];
    size_t host_count;
    host_t hosts[FINDING_HOSTS_MAX];
    bool failed;  /* any question */
    bool cut;     /* there were more than is room for */
    uint32_t ttl; /* the least; UINT32_MAX: nothing was found */
} finding_t;

/* For the name itself, or for SRV. */
void finding_begin(finding_t *finding, bool srv);

/* Notes that a service's SRV leads to a target; returns whether it is a new host, then at
 * *out_host. */
bool finding_link(finding_t *finding, int service, const char *target, size_t *out_host);

/* An answer to the question for a host's addresses. */
void finding_host_answer(finding_t *finding, size_t host, host_family_t family,
                         const dns_answer_t *answer);

/* What is known afterwards, without what may not be (allow_private false: addresses that are not
 * public; and never what can't be a source). Returns how many addresses were refused for that. In
 * an order that does not depend on that of the answers. */
size_t finding_apply(const finding_t *finding, const knowledge_t *before, bool allow_private,
                     knowledge_t *out);

/* Sorted both. */
bool knowledge_same(const knowledge_t *a, const knowledge_t *b);

#endif
