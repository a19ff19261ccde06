/* From a method and a path to an operation: a tree of path segments, made once from the registry.
 *
 * Segments are matched as sent, undecoded, so "%2F" never splits one. Literal segments win over
 * parameters. Must never: decode, or look at anything but method and path. Next: access.h. */
#ifndef LK_GATEWAY_ROUTE_H
#define LK_GATEWAY_ROUTE_H

#include "proto/service.h"

enum { ROUTE_PARAMETERS_MAX = 8, ROUTE_ALLOW_SIZE = 64 };

typedef struct router router_t;

typedef struct {
    size_t service; /* index in the registry */
    const operation_t *operation;
    const dialect_t *dialect; /* of the operation, or of the path where there is none */
    const char *values[ROUTE_PARAMETERS_MAX]; /* borrowed from the path, undecoded */
    size_t lengths[ROUTE_PARAMETERS_MAX];
    char allow[ROUTE_ALLOW_SIZE]; /* the methods of a known path, "GET, HEAD, POST" */
} route_t;

/* Two operations of one method and path, or a path with more parameters than fit, are our own bug.
 */
router_t *router_new(void);
/* The longest URL that any route takes. */
size_t router_url_limit(void);
void router_destroy(router_t **router);

/* OUTCOME_OK, OUTCOME_NO_ROUTE, or OUTCOME_BAD_METHOD (allow is then filled). HEAD is taken where
 * GET is, and changes nothing. `dialect` is filled in any case. */
outcome_t router_find(const router_t *router, const char *method, const char *path, route_t *out);

#endif
