#include "proto/registry.h"

#include "proto/auth_provider.h"
#include "proto/fqdn_auth.h"
#include "proto/trunk_auth.h"

#include <string.h>

const service_t *const registry[] = {
    &trunk_auth_service,
    &fqdn_auth_service,
    &auth_provider_service,
};
const size_t registry_count = ARRAY_LEN(registry);

const service_t *registry_find(const char *name)
{
    for (size_t i = 0; i < registry_count; i++)
        if (strcmp(registry[i]->name, name) == 0)
            return registry[i];
    return NULL;
}
