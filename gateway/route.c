#include "gateway/route.h"

#include "common/mem.h"
#include "common/text.h"
#include "proto/registry.h"

#include <assert.h>
#include <string.h>

enum { METHODS_MAX = 5 };

typedef struct node node_t;

/* One segment of a path, and what may follow it. */
struct node {
    const char *segment; /* borrowed from the contract; a parameter begins with '{' */
    size_t length;
    node_t *children; /* literal ones first */
    node_t *sibling;
    struct {
        size_t service;
        const operation_t *operation;
    } methods[METHODS_MAX];
    size_t method_count;
};

struct router {
    node_t root;
};

static bool is_parameter(const node_t *node)
{
    return node->segment[0] == '{';
}

static node_t *child_for(node_t *parent, const char *segment, size_t length)
{
    for (node_t *child = parent->children; child != NULL; child = child->sibling)
        if ((is_parameter(child) && segment[0] == '{') ||
            (child->length == length && memcmp(child->segment, segment, length) == 0))
            return child;
    node_t *child = mem_zalloc(sizeof(*child));
    child->segment = segment;
    child->length = length;
    node_t **at = &parent->children;
    while (*at != NULL && (is_parameter(child) || !is_parameter(*at)))
        at = &(*at)->sibling;
    child->sibling = *at;
    *at = child;
    return child;
}

static void add(router_t *router, size_t service, const operation_t *operation, const char *path)
{
    node_t *node = &router->root;
    size_t parameters = 0;
    const char *at = path;
    while (*at == '/') {
        size_t length = strcspn(++at, "/");
        node = child_for(node, at, length);
        parameters += at[0] == '{';
        at += length;
    }
    assert(parameters <= ROUTE_PARAMETERS_MAX && node->method_count < METHODS_MAX);
    for (size_t i = 0; i < node->method_count; i++)
        assert(strcmp(node->methods[i].operation->method, operation->method) != 0);
    node->methods[node->method_count].service = service;
    node->methods[node->method_count++].operation = operation;
}

router_t *router_new(void)
{
    router_t *router = mem_zalloc(sizeof(*router));
    for (size_t s = 0; s < registry_count; s++)
        for (size_t i = 0; i < registry[s]->operation_count; i++) {
            const operation_t *operation = &registry[s]->operations[i];
            add(router, s, operation, operation->path);
            if (operation->also != NULL)
                add(router, s, operation, operation->also);
        }
    return router;
}

size_t router_url_limit(void)
{
    size_t limit = URL_LIMIT;
    for (size_t s = 0; s < registry_count; s++)
        for (size_t i = 0; i < registry[s]->operation_count; i++)
            if (registry[s]->operations[i].url_limit > limit)
                limit = registry[s]->operations[i].url_limit;
    return limit;
}

static void free_nodes(node_t *node)
{
    while (node != NULL) {
        node_t *sibling = node->sibling;
        free_nodes(node->children);
        mem_free(node);
        node = sibling;
    }
}

void router_destroy(router_t **router)
{
    if (*router == NULL)
        return;
    free_nodes((*router)->root.children);
    mem_free(*router);
    *router = NULL;
}

/* The node at the end of the path, or NULL. Parameters are noted on the way. */
static const node_t *walk(const node_t *node, const char *path, route_t *out)
{
    size_t parameters = 0;
    const char *at = path;
    while (*at == '/') {
        size_t length = strcspn(++at, "/");
        const node_t *child = node->children;
        while (child != NULL &&
               !(is_parameter(child)
                     ? length > 0
                     : child->length == length && memcmp(child->segment, at, length) == 0))
            child = child->sibling;
        if (child == NULL)
            return NULL;
        if (is_parameter(child)) {
            out->values[parameters] = at;
            out->lengths[parameters++] = length;
        }
        node = child;
        at += length;
    }
    return *at == '\0' && node->method_count > 0 ? node : NULL;
}

/* RFC 9110, 9.2.1: HEAD is safe, and so asked by whoever looks whether a link is good. */
static bool takes_head(const operation_t *operation)
{
    return strcmp(operation->method, "GET") == 0 && (operation->flags & OPERATION_WRITES) == 0;
}

static bool takes(const operation_t *operation, const char *method)
{
    return strcmp(operation->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && takes_head(operation));
}

static void list_methods(const node_t *node, char allow[ROUTE_ALLOW_SIZE])
{
    allow[0] = '\0';
    for (size_t i = 0; i < node->method_count; i++) {
        const operation_t *operation = node->methods[i].operation;
        size_t used = strlen(allow);
        status_t status =
            text_format(allow + used, ROUTE_ALLOW_SIZE - used, "%s%s%s", used > 0 ? ", " : "",
                        operation->method, takes_head(operation) ? ", HEAD" : "");
        assert(status == STATUS_OK);
        (void)status;
    }
}

outcome_t router_find(const router_t *router, const char *method, const char *path, route_t *out)
{
    out->operation = NULL;
    out->dialect = dialect_of_path(path);
    const node_t *node = walk(&router->root, path, out);
    if (node == NULL)
        return OUTCOME_NO_ROUTE;
    for (size_t i = 0; i < node->method_count; i++) {
        if (takes(node->methods[i].operation, method)) {
            out->service = node->methods[i].service;
            out->operation = node->methods[i].operation;
            out->dialect = out->operation->dialect;
            return OUTCOME_OK;
        }
    }
    list_methods(node, out->allow);
    return OUTCOME_BAD_METHOD;
}
