/* One HTTP GET of a URL that a customer named, by libcurl: bounded in time and size, and unable to
 * reach our own network. See docs/adr/0013-fetching-metadata.md.
 *
 * The address is checked when a connection is made, of every connection: a name that leads
 * elsewhere a moment later changes nothing. */
#ifndef LK_AUTH_PROVIDER_FETCH_H
#define LK_AUTH_PROVIDER_FETCH_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FETCH_LIMIT_MS = 5000, /* names, connections, redirects and all */
    FETCH_BYTES_MAX = 1 << 20,
    FETCH_REDIRECTS_MAX = 3,
};

typedef struct {
    bool allow_private;  /* any address will do: identity providers in one's own network, tests */
    int64_t limit_ms;    /* of each fetch; 0: FETCH_LIMIT_MS */
    const char *ca_file; /* trusted certificates in PEM, copied; NULL: those of the system */
} fetch_settings_t;

typedef struct fetcher fetcher_t;

/* Before other threads of the process run. The process must ignore SIGPIPE. STATUS_SYSTEM: libcurl
 * does not start. */
status_t fetch_start(const fetch_settings_t *settings, fetcher_t **out, err_t *err) MUST_CHECK;

/* Gets the body of an answer with status 200; blocks for at most limit_ms or ms_left, whichever is
 * less. Any thread, several at once. The bytes have a NUL behind them; the caller frees with
 * mem_free.
 *
 * Errors: STATUS_INVALID (URL; an answer that is none), STATUS_UNKNOWN (name; a status that is not
 * 200), STATUS_REFUSED (address, scheme, redirects, TLS), STATUS_TIMEOUT, STATUS_TOO_LARGE,
 * STATUS_CLOSED (nobody there, or not to the end), STATUS_SYSTEM. The text of err names what
 * failed, can be shown to clients, and holds nothing of the URL. */
status_t fetch_get(const fetcher_t *fetcher, const char *url, int64_t ms_left, char **out_bytes,
                   size_t *out_length, err_t *err) MUST_CHECK;

/* No fetch may run any more. NULL-safe; clears *fetcher. */
void fetch_stop(fetcher_t **fetcher);

#endif
