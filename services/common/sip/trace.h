/* The rules that a decision looked at, in order, for a person who asks why (/explain). Filled only
 * where somebody does: all functions take NULL and then do nothing. */
#ifndef LK_SERVICES_COMMON_SIP_TRACE_H
#define LK_SERVICES_COMMON_SIP_TRACE_H

#include "common/compiler.h"
#include "proto/sip.h"

enum { TRACE_RULES_MAX = 96 };

typedef struct {
    size_t count;
    explained_rule_t rules[TRACE_RULES_MAX];
} sip_trace_t;

/* A rule and what it found. No secret belongs into the detail. Beyond TRACE_RULES_MAX: dropped,
 * but for the last, which the latest one takes. */
void trace_rule(sip_trace_t *trace, const char *rule, bool passed, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The latest rule decided. */
void trace_decided(sip_trace_t *trace);

#endif
