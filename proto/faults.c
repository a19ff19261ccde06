#include "proto/faults.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

const char *fault_code_name(fault_code_t code)
{
    static const char *const names[] = {
        [FAULT_REQUIRED] = "required", [FAULT_TYPE] = "type",     [FAULT_RANGE] = "range",
        [FAULT_CHOICE] = "choice",     [FAULT_FORMAT] = "format", [FAULT_TAKEN] = "taken",
        [FAULT_RULE] = "rule",
    };
    return names[code];
}

const char *fault_place_name(fault_place_t place)
{
    static const char *const names[] = {
        [FAULT_IN_BODY] = "body", [FAULT_IN_QUERY] = "query", [FAULT_IN_PATH] = "path"};
    return names[place];
}

void faults_add(faults_t *faults, fault_code_t code, fault_place_t place, const char *where,
                const char *format, ...)
{
    if (faults->count == FAULTS_MAX)
        return;
    fault_t *fault = &faults->items[faults->count++];
    fault->code = code;
    fault->place = place;
    text_cut(fault->where, sizeof(fault->where), where);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->message, sizeof(fault->message), format, args);
    va_end(args);
}
