/* What auth-provider has beyond every worker: settings of its own, and who fetches metadata. */
#ifndef LK_SERVICES_AUTH_PROVIDER_SETUP_H
#define LK_SERVICES_AUTH_PROVIDER_SETUP_H

#include "common/config.h"
#include "services/common/call.h"

enum { SETUP_URL_SIZE = 512 };

typedef struct {
    char public_url[SETUP_URL_SIZE];
    bool metadata_allow_private;
} setup_t;

enum { SETUP_ROWS = 2 };
extern const setting_t setup_rows[SETUP_ROWS];

/* STATUS_INVALID: LK_PUBLIC_URL is no base of URLs. */
status_t setup_check(const void *setup, err_t *err) MUST_CHECK;

/* Makes the fetcher_t (fetch.h), as worker_spec_t has it. */
status_t setup_open(const void *setup, void **out_fetcher, err_t *err) MUST_CHECK;
/* NULL-safe. */
void setup_close(void **fetcher);

/* Of the process that answers the call. */
const char *setup_public_url(const call_t *call);

#endif
