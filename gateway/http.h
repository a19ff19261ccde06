/* The HTTP server: civetweb, with its traps closed. First stop of a request.
 *
 * Hands every well-framed request to one handler, on the connection's own thread (small stack: no
 * large locals, and whoever parses bounds depth first). Refuses before the handler what a proxy
 * could read otherwise: two lengths, a length and chunked, a length that is no number (RFC 9112
 * section 6). One write per response. No files, no CORS, no upload helpers of civetweb's.
 *
 * A connection holds a thread from its first to its last moment, so each of them is bounded.
 * Whoever waits for the client (for a request, a body, a response to be taken) is cut when its time
 * is over: request_ms, or keep_alive_ms between two requests. When more than three quarters of the
 * threads are taken, connections that have been idle for 1 s are closed, and so is one whose first
 * response this is: only those in use stay. When all are taken, newcomers are refused at once (503;
 * sixteen more threads do nothing else), and whoever is waited for is cut after 1 s: a connection
 * without a whole request, or a body of which not even 4 KiB more (or its end) came in that time.
 * As many silent clients as there are threads can keep others out for that long, and request_ms at
 * most; a proxy in front that buffers requests takes that away too. Must never: look at a route, a
 * key or a body's meaning. Next: handler.h; inside: http_serve.c. */
#ifndef LK_GATEWAY_HTTP_H
#define LK_GATEWAY_HTTP_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct http_server http_server_t;
typedef struct http_request http_request_t; /* opaque; borrowed during the handler's call */

/* What the handler answers with. Body and header values are borrowed until http_handler_fn's
 * release is called, after the write. */
typedef struct {
    int status;
    const char *content_type; /* NULL: no body allowed or wanted */
    const char *body;
    size_t body_length;
    struct {
        const char *name, *value;
    } headers[24];
    size_t header_count;
    bool close;  /* end the connection after this response */
    bool secret; /* wipe our copy of what was sent */
    void *owner; /* the handler's own: what its release frees */
} http_response_t;

/* Adds a header; more than the array holds is our own bug. The value must hold no CR or LF: such a
 * header is left out. */
void http_response_header(http_response_t *response, const char *name, const char *value);

typedef struct {
    /* Answers a request. */
    void (*handle)(void *context, http_request_t *request, http_response_t *out);
    /* Frees what `handle` put behind the response; called once after each handle. */
    void (*release)(void *context, http_response_t *response);
    /* The body of an error that the server finds by itself (status 400, 413, 414, 431, 505, ...).
     */
    void (*refuse)(void *context, int status, const char *path, const char *detail,
                   http_response_t *out);
    void *context;
} http_handler_t;

typedef struct {
    const char *listen; /* "127.0.0.1:8080", IPv4; port 0 picks one; borrowed during http_start */
    int64_t threads;    /* connections served at once */
    size_t beside;      /* descriptors that are kept for other parts of the program */
    int64_t request_ms; /* a whole request must have arrived by then */
    int64_t keep_alive_ms; /* how long an idle connection is kept */
    int64_t drain_idle_ms; /* while draining: how long a connection without a request is kept */
    size_t url_limit;      /* bytes of the request target: 414 above */
    size_t discard_limit;  /* bytes of a refused body that are still read to keep the connection */
} http_settings_t;

/* Starts listening; its threads have all signals blocked. STATUS_BUSY if the address is taken;
 * STATUS_INVALID if it is malformed or not IPv4 (Debian's civetweb speaks nothing else);
 * STATUS_REFUSED if the limit on open files (which is raised to the hard one) is too low for so
 * many threads and what is beside them. */
status_t http_start(const http_settings_t *settings, const http_handler_t *handler,
                    http_server_t **out, err_t *err) MUST_CHECK;
/* The port that was bound. */
int http_port(const http_server_t *server);
/* From now on connections are refused, every response closes its connection, and one on which no
 * request comes for drain_idle_ms is closed: who is just sending one is answered. For one thread;
 * again does nothing. */
void http_drain(http_server_t *server);
/* Requests that are with the handler at this moment. */
int http_in_flight(const http_server_t *server);
/* Connections that are open at this moment, idle ones included. */
int http_connections(const http_server_t *server);
/* Waits for the handlers in flight, stops listening, frees; NULL-safe; clears *server. Clients that
 * are waited for are cut at once: drain, and await that no connection is open, to be polite. A
 * handler that runs longer than 2 s from now may find its response cut short, and is waited for all
 * the same: have them end first. */
void http_stop(http_server_t **server);

/* ---- What the handler may ask of a request. Strings are borrowed during the call. ---- */

const char *http_method(const http_request_t *request);
/* The path as sent, undecoded, without the query. Begins with '/'. */
const char *http_path(const http_request_t *request);
/* Bytes of both and the '?' between. */
size_t http_target_length(const http_request_t *request);
/* What follows the '?', undecoded; NULL if there is none. */
const char *http_query(const http_request_t *request);
/* A header's value, name compared without case; NULL if absent. The first one where several stand.
 */
const char *http_header(const http_request_t *request, const char *name);
/* Calls `each` for every header of that name. */
void http_headers(const http_request_t *request, const char *name,
                  void (*each)(void *context, const char *value), void *context);
const char *http_peer(const http_request_t *request); /* address of the other side, as text */
/* Whether there is a body: false for none, or Content-Length: 0. A chunked one counts. */
bool http_has_body(const http_request_t *request);
/* Its bytes, as announced; 0: none; -1: it is chunked, and nobody knows yet. */
long long http_body_length(const http_request_t *request);
/* Reads the whole body, decoded, at most limit bytes, into memory that lives as long as the
 * request. Not NULL on success, even when empty; no NUL is appended. STATUS_TOO_LARGE: over the
 * limit (found before reading, where a length is given; the connection will be closed).
 * STATUS_TIMEOUT or STATUS_CLOSED: it did not all arrive. STATUS_INVALID: bad chunking. */
status_t http_body(http_request_t *request, size_t limit, const char **out, size_t *out_length)
    MUST_CHECK;

#endif
