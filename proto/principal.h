/* Who asks: what the gateway found out about a request's API key, and what the workers rely on. */
#ifndef LK_PROTO_PRINCIPAL_H
#define LK_PROTO_PRINCIPAL_H

#include "common/status.h"
#include "common/uuid.h"

#include <stdbool.h>

/* What a key may do. */
typedef enum {
    SCOPE_ADMIN,  /* everything */
    SCOPE_READ,   /* GET of resources */
    SCOPE_SIP,    /* call authorization only */
    SCOPE_NOBODY, /* no key's: of who shows none, for OPERATION_OPEN alone (service.h) */
} scope_t;

/* Nobody: SCOPE_NOBODY, the rest "" and false. */
typedef struct {
    char organization_id[UUID_SIZE];
    char key_id[UUID_SIZE];
    scope_t scope;
    bool is_operator; /* sees all organizations */
} principal_t;

/* "admin", "read", "sip", "nobody". Static. */
const char *scope_name(scope_t scope);
/* What a key may have: STATUS_INVALID for "nobody", and for anything else. */
status_t scope_parse(const char *text, scope_t *out) MUST_CHECK;

#endif
