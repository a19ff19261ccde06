/* Routing of any method and path: the first line of the input is the method, the rest the path. */
#include "gateway/route.h"
#include "tests/fuzz/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_SIZE = 4096 };

static void must(int holds)
{
    if (!holds)
        abort();
}

/* The operation's path with the values that were found in the place of its parameters. */
static void rebuild(const route_t *route, const char *path, char out[PATH_MAX_SIZE])
{
    const char *end = path + strlen(path);
    const char *from = route->operation->path;
    size_t used = 0;
    for (size_t parameter = 0; *from != '\0';) {
        if (*from != '{') {
            must(used + 1 < PATH_MAX_SIZE);
            out[used++] = *from++;
            continue;
        }
        must(parameter < ROUTE_PARAMETERS_MAX);
        const char *value = route->values[parameter];
        size_t length = route->lengths[parameter++];
        must(value >= path && value < end && length > 0 && length <= (size_t)(end - value));
        must(memchr(value, '/', length) == NULL && used + length < PATH_MAX_SIZE);
        memcpy(out + used, value, length);
        used += length;
        from = strchr(from, '}') + 1;
    }
    out[used] = '\0';
}

static void run(const router_t *router, const char *method, const char *path)
{
    route_t route = {0}, again = {0};
    char rebuilt[PATH_MAX_SIZE];
    outcome_t outcome = router_find(router, method, path, &route);
    must(router_find(router, method, path, &again) == outcome);
    must(route.dialect != NULL && route.dialect == again.dialect &&
         route.operation == again.operation);
    must((outcome == OUTCOME_OK) == (route.operation != NULL));
    if (outcome == OUTCOME_BAD_METHOD)
        must(route.allow[0] != '\0' && strcmp(route.allow, again.allow) == 0);
    if (outcome != OUTCOME_OK)
        return;
    rebuild(&route, path, rebuilt);
    must(strcmp(rebuilt, path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static router_t *router; /* for all inputs */
    if (router == NULL)
        router = router_new();
    const uint8_t *line = size == 0 ? NULL : memchr(bytes, '\n', size);
    if (line == NULL || size >= PATH_MAX_SIZE)
        return 0;
    size_t method_length = (size_t)(line - bytes);
    char *method = strndup((const char *)bytes, method_length);
    char *path = strndup((const char *)line + 1, size - method_length - 1);
    must(method != NULL && path != NULL);
    run(router, method, path);
    free(method);
    free(path);
    return 0;
}
