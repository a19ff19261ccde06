/* The service, but for its main: one handler per operation of the contract. */
#ifndef LK_SERVICES_AUTH_PROVIDER_HANDLERS_H
#define LK_SERVICES_AUTH_PROVIDER_HANDLERS_H

#include "services/common/worker.h"

extern const worker_spec_t auth_provider_spec;

#endif
