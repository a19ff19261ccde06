/* What a service offers: one row an operation. From a row come the route, the check of scope and
 * input, the worker's dispatch, the rendering, and the OpenAPI document.
 *
 * Operations carry names on the wire and their index in the table inside a process. */
#ifndef LK_PROTO_SERVICE_H
#define LK_PROTO_SERVICE_H

#include "proto/dialect.h"
#include "proto/envelope.h"
#include "proto/field.h"

enum {
    OPERATION_WRITES = 1 << 0, /* changes something: admin scope, carries an idempotency key */
    OPERATION_PART = 1 << 1, /* the body changes what is given and leaves the rest (RECORD_PART) */
    OPERATION_LIST = 1 << 2, /* the result is an array of the result schema */
    OPERATION_BAD_ID = 1 << 3,    /* a malformed id in the path is INVALID; else it is UNKNOWN */
    OPERATION_CALL = 1 << 4,      /* call authorization: sip or admin scope, short deadline */
    OPERATION_CONFLICTS = 1 << 5, /* what is stored may stand against it: OUTCOME_CONFLICT */
    OPERATION_FORM = 1 << 6, /* the body is a form (application/x-www-form-urlencoded), not JSON */
    OPERATION_ETAG = 1 << 7, /* the answer carries an ETag; If-None-Match may get 304 */
    OPERATION_KEPT = 1 << 8, /* an answer may be given again while it is fresh (reply_t.fresh) */
    OPERATION_ADMIN = 1 << 10, /* changes nothing, and yet is for admin scope alone */
    OPERATION_OPEN =
        1 << 9, /* for people who log in: takes no API key, and never looks at one; nor
                   at an Idempotency-Key, which would give a stranger another's answer */
    OPERATION_PUBLIC = 1 << 11, /* everybody's answer: a cache may keep it, and ask if it holds */
};

enum { BODY_LIMIT = 64 * 1024, URL_LIMIT = 2000 };

#define MEDIA_BIT(media) (1U << (media))

typedef struct {
    const char *name;   /* "trunk_auth_read": unique in the service */
    const char *method; /* "GET" */
    const char *path;   /* "/voip/trunk/{uuid}/auth/{auth_uuid}": names are fields of path_schema */
    const char *also;   /* a second path, with the same parameters; NULL: none */
    const schema_t *path_schema; /* NULL: no parameters in the path */
    const schema_t *query;       /* NULL: query parameters are ignored */
    const schema_t *body;        /* NULL: a body is ignored */
    /* What it takes from the head of the HTTP request: texts of no least length, named as header
     * fields; and ":client", whose address it is, and ":query", as it was sent. "" is what is not
     * there, and what is not one good value (gateway/request_head.h). NULL: nothing. */
    const schema_t *head;
    const schema_t *result; /* NULL: answers without a body, or with documents alone */
    unsigned documents;     /* what it may answer in place of a result: MEDIA_BIT(media_t) */
    const dialect_t *dialect;
    outcome_t success;
    unsigned flags;
    size_t body_limit; /* bytes; 0: BODY_LIMIT */
    size_t url_limit;  /* bytes of path and query; 0: URL_LIMIT */
    const char *doc;   /* one sentence */
    /* A body, as JSON, for the OpenAPI document and its tests; NULL: made of its rows' examples. */
    const char *example;
} operation_t;

typedef struct {
    const char *name; /* "trunk-auth": also the program's */
    const operation_t *operations;
    size_t operation_count;
    const char *doc;
} service_t;

static inline record_mode_t operation_mode(const operation_t *operation)
{
    return (operation->flags & OPERATION_PART) != 0 ? RECORD_PART : RECORD_WHOLE;
}

/* Whether who has that scope may ask for the operation. Gateway and worker both look. What is open
 * takes nobody's key: with one, a request is not what the gateway sends. */
static inline bool operation_permits(const operation_t *operation, scope_t scope)
{
    bool open = (operation->flags & OPERATION_OPEN) != 0;
    bool call = (operation->flags & OPERATION_CALL) != 0;
    bool writes = (operation->flags & OPERATION_WRITES) != 0;
    switch (scope) {
    case SCOPE_ADMIN:
        return !open;
    case SCOPE_READ:
        return !open && !call && !writes && (operation->flags & OPERATION_ADMIN) == 0;
    case SCOPE_SIP:
        return !open && call;
    case SCOPE_NOBODY:
        return open;
    }
    return false;
}

#endif
