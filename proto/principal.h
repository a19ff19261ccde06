/* Who asks: what the gateway found out about a request's API key, and what the workers rely on. */
#ifndef LK_PROTO_PRINCIPAL_H
#define LK_PROTO_PRINCIPAL_H

#include "common/status.h"
#include "common/uuid.h"

#include <stdbool.h>

/* What a key may do. */
typedef enum {
    SCOPE_ADMIN, /* everything */
    SCOPE_READ,  /* GET of resources */
    SCOPE_SIP,   /* call authorization only */
} scope_t;

typedef struct {
    char organization_id[UUID_SIZE];
    char key_id[UUID_SIZE];
    scope_t scope;
    bool is_operator; /* sees all organizations */
} principal_t;

/* "admin", "read", "sip". Static. */
const char *scope_name(scope_t scope);
/* STATUS_INVALID for anything else. */
status_t scope_parse(const char *text, scope_t *out) MUST_CHECK;

#endif
