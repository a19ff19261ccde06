#include "gateway/health.h"

#include "proto/registry.h"

#include <string.h>

static json_t *readiness(broker_t *broker, int *out_status)
{
    json_t *missing = json_array();
    for (size_t i = 0; i < registry_count; i++)
        if (broker_live(broker, i) == 0)
            json_array_append_new(missing, json_string(registry[i]->name));
    bool ready = json_array_size(missing) == 0;
    json_t *answer = json_object();
    json_object_set_new(answer, "status", json_string(ready ? "ready" : "not ready"));
    if (!ready)
        json_object_set(answer, "missing", missing);
    json_decref(missing);
    *out_status = ready ? 200 : 503;
    return answer;
}

bool health_has_path(const char *path)
{
    return strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0;
}

json_t *health_answer(broker_t *broker, const char *path, bool stopping, int *out_status)
{
    if (strcmp(path, "/healthz") == 0) {
        *out_status = 200;
        return json_pack("{s:s}", "status", "alive");
    }
    if (strcmp(path, "/readyz") != 0)
        return NULL;
    if (!stopping)
        return readiness(broker, out_status);
    *out_status = 503;
    return json_pack("{s:s}", "status", "stopping");
}
