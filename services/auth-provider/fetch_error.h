/* How a fetch ended, in words for the client who gave the URL: internal to fetch.c. */
#ifndef LK_AUTH_PROVIDER_FETCH_ERROR_H
#define LK_AUTH_PROVIDER_FETCH_ERROR_H

#include "common/status.h"

#include <curl/curl.h>
#include <stdint.h>

#define FETCH_WHERE "fetch"

/* What was seen of it. */
typedef struct {
    CURLcode code;
    long http_status; /* of the last answer; 0: there was none */
    long redirects;   /* followed */
    long verify_result;
    const char *address_flaw; /* of the address last refused; NULL: none was */
    const char *excess;       /* what went over a bound of ours; NULL: nothing */
    int64_t limit_ms;
} fetch_trace_t;

/* STATUS_OK if the answer is whole and has status 200, else as fetch_get says. */
status_t fetch_verdict(const fetch_trace_t *trace, err_t *err) MUST_CHECK;

#endif
