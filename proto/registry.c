#include "proto/registry.h"

#include "proto/auth_provider.h"
#include "proto/fqdn_auth.h"
#include "proto/trunk_auth.h"

const service_t *const registry[] = {
    &trunk_auth_service,
    &fqdn_auth_service,
    &auth_provider_service,
};
const size_t registry_count = ARRAY_LEN(registry);
