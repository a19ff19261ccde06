#include "services/common/sip/trace.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { DETAIL_BYTES = 160 }; /* the row's characters, whatever they are */

void trace_rule(sip_trace_t *trace, const char *rule, bool passed, const char *format, ...)
{
    if (trace == NULL)
        return;
    if (trace->count < TRACE_RULES_MAX)
        trace->count++;
    explained_rule_t *row = &trace->rules[trace->count - 1];
    *row = (explained_rule_t){.passed = passed};
    text_cut(row->rule, sizeof(row->rule), rule);
    char detail[DETAIL_BYTES + 1];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(detail, sizeof(detail), format, values);
    va_end(values);
    text_cut(row->detail, sizeof(row->detail), detail);
    field_give(&row->fields, EXPLAINED_DETAIL);
}

void trace_decided(sip_trace_t *trace)
{
    if (trace != NULL && trace->count > 0)
        trace->rules[trace->count - 1].decided = true;
}
