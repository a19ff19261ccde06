/* A list of networks, as people write it into a setting. */
#ifndef LK_COMMON_IPNETS_H
#define LK_COMMON_IPNETS_H

#include "common/ipnet.h"

enum { IPNETS_MAX = 64 };

typedef struct {
    size_t count;
    ipnet_t items[IPNETS_MAX];
} ipnets_t;

/* Reads one, without the blanks around it. STATUS_INVALID. */
status_t ipnets_parse_one(const char *text, size_t length, ipnet_t *out) MUST_CHECK;

/* Reads addresses and CIDR ranges between commas; empty for none. setting: its name in errors.
 * STATUS_INVALID, STATUS_TOO_LARGE. */
status_t ipnets_parse(const char *text, const char *setting, ipnets_t *out, err_t *err) MUST_CHECK;

/* Whether one of them contains it. */
bool ipnets_contain(const ipnets_t *list, const ipnet_t *net);

#endif
