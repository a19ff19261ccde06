/* The service, but for its main: one handler per operation of the contract. */
#ifndef LK_SERVICES_FQDN_AUTH_HANDLERS_H
#define LK_SERVICES_FQDN_AUTH_HANDLERS_H

#include "services/common/worker.h"

extern const worker_spec_t fqdn_auth_spec;

#endif
