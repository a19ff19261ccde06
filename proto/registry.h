/* Every service there is. A new one is one folder, one contract file, and one line in registry.c.
 */
#ifndef LK_PROTO_REGISTRY_H
#define LK_PROTO_REGISTRY_H

#include "proto/service.h"

extern const service_t *const registry[];
extern const size_t registry_count;

#endif
