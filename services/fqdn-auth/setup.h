/* What fqdn-auth has beyond every worker: how DNS is asked. */
#ifndef LK_SERVICES_FQDN_AUTH_SETUP_H
#define LK_SERVICES_FQDN_AUTH_SETUP_H

#include "common/config.h"

typedef struct {
    char dns_servers[512];
    bool dns_private;
    int64_t dns_timeout_ms;
    int64_t dns_ttl_min_s;
} setup_t;

enum { SETUP_ROWS = 4 };
extern const setting_t setup_rows[SETUP_ROWS];

/* STATUS_INVALID: LK_DNS_SERVERS. */
status_t setup_check(const void *setup, err_t *err) MUST_CHECK;

#endif
