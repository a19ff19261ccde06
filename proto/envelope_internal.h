/* What envelope.c (reading) and envelope_write.c share. For nobody else. */
#ifndef LK_PROTO_ENVELOPE_INTERNAL_H
#define LK_PROTO_ENVELOPE_INTERNAL_H

#include "proto/envelope.h"

enum {
    REQUEST_ELEMENTS = 11,
    PRINCIPAL_ELEMENTS = 4,
    REPLY_ELEMENTS = 13,
    REPLY_ELEMENTS_BEFORE = 12, /* without headers: as the reply logs of older versions keep it */
    FAULT_ELEMENTS = 4,
    PAGE_ELEMENTS = 3,
    FRESH_ELEMENTS = 3,
    HEADER_ELEMENTS = 2,
};

#endif
