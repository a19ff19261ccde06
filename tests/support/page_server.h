/* A web server with answers given in advance, good and bad ones, for tests of what fetches. */
#ifndef LK_TESTS_SUPPORT_PAGE_SERVER_H
#define LK_TESTS_SUPPORT_PAGE_SERVER_H

#include "tests/support/issuer.h"

#include <stdbool.h>

typedef struct {
    const char *path;   /* exact */
    const char *answer; /* sent as it is, head and all */
    size_t filler;      /* so many bytes behind it */
    const char *unit;   /* of the filler; NULL: "x" */
    bool holds;         /* keeps the connection then, until the peer or the test ends it */
} page_t;

typedef struct page_server page_server_t;

/* On a port of 127.0.0.1; pages are borrowed. identity: speaks TLS with it, NULL: does not. A path
 * without a page is answered 404. Aborts on failure. */
page_server_t *page_server_start(const page_t *pages, size_t count, const issued_t *identity);
int page_server_port(const page_server_t *server);
/* Requests that have come so far. */
int page_server_count(const page_server_t *server);
/* Gives a page's answer, which stands in out[size], another text; it must fit. Not while it is
 * sent. */
void page_server_change(page_server_t *server, char *out, size_t size, const char *text);
/* NULL-safe; clears *server. */
void page_server_stop(page_server_t **server);

#endif
