/* Answers of DNS, as they come over the wire (RFC 1035 section 4, RFC 3596, RFC 2782): foreign
 * bytes. Whose question they answer is checked here: c-ares has matched id, question and server.
 *
 * Must never: believe a record of another name than the one asked for, or than its CNAMEs lead to.
 */
#ifndef LK_SERVICES_FQDN_AUTH_DNS_MESSAGE_H
#define LK_SERVICES_FQDN_AUTH_DNS_MESSAGE_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum {
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_AAAA = 28,
    DNS_SRV = 33,
} dns_type_t;

enum {
    DNS_NAME_SIZE = 256,
    DNS_RECORDS_MAX = 32,  /* that an answer may have of what was asked for */
    DNS_ANSWERS_MAX = 256, /* and of all sorts */
    DNS_CHAIN_MAX = 8,     /* CNAMEs in a row */
    DNS_MESSAGE_MAX = 65535,
};

typedef union {
    uint8_t address[16];        /* of A and AAAA; IPv4 mapped */
    char target[DNS_NAME_SIZE]; /* of SRV, in lower case; the root's are left out: RFC 2782 */
} dns_item_t;

typedef struct {
    size_t count; /* 0: there is no such name, or nothing of that type (RFC 2308 section 2) */
    uint32_t ttl; /* seconds: the least of the records' and their CNAMEs' */
    dns_item_t items[DNS_RECORDS_MAX];
} dns_answer_t;

/* STATUS_INVALID: it is malformed, answers something else, is no last word (a referral, an error),
 * leads in a circle, or holds more than the bounds above. out is then of no use. */
status_t dns_message_read(const uint8_t *message, size_t length, const char *name, dns_type_t type,
                          dns_answer_t *out) MUST_CHECK;

#endif
