/* What the files of the HTTP server share: http.c (start, stop), http_line.c (one worker thread's
 * connection, and who cuts it), http_sockets.c, http_serve.c (one request), http_guard.c (framing),
 * http_body.c, http_write.c. For nobody else. */
#ifndef LK_GATEWAY_HTTP_INTERNAL_H
#define LK_GATEWAY_HTTP_INTERNAL_H

#include "common/endpoint.h"
#include "gateway/http.h"

#include <civetweb.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    HTTP_CROWDED_MS = 1000,     /* patience with waiting connections while threads are scarce */
    HTTP_DOORS = 16,            /* threads beside those of the settings, for refusing */
    HTTP_DOOR_MS = 100,         /* how long one of these waits for the request to refuse */
    HTTP_LINGER_MS = 500,       /* how long a refused body is still read before the close */
    HTTP_BACKLOG_MS = 500,      /* drain waits that long for what the kernel has accepted */
    HTTP_STOP_MS = 2000,        /* http_stop waits that long for handlers before civetweb stops */
    HTTP_FD_MARGIN = 128,       /* descriptors beside one for each thread and queue slot */
    HTTP_QUEUE = 64,            /* accepted connections that wait for a thread */
    HTTP_HEAD_ROOM = 16384,     /* bytes of request line and headers beside the URL */
    HTTP_ONE_WRITE = 64 * 1024, /* up to this much body goes out together with the head */
};

typedef enum {
    LINE_FREE,     /* no connection */
    LINE_FRESH,    /* connected; no whole request yet */
    LINE_IDLE,     /* kept alive; waits for the next request */
    LINE_HANDLING, /* with the handler: its own deadline counts */
    LINE_READING,  /* a body is being read */
    LINE_WRITING,  /* a response is being written */
} line_phase_t;

/* A worker thread of civetweb's and the connection that it serves now. The lock guards phase,
 * deadline and cut, and keeps the descriptor open while the watcher looks for it. */
typedef struct {
    _Alignas(64) pthread_mutex_t lock;
    line_phase_t phase;
    int64_t since_ms; /* the phase's begin; in LINE_READING, the last progress */
    int64_t deadline_ms;
    bool cut; /* the watcher has shut it down */
    const struct mg_connection *connection;
    /* Only for the thread itself: */
    bool counted;     /* among the server's `taken` */
    bool answered;    /* something was written for the request at hand */
    const char *head; /* where civetweb puts each request of this thread */
    char *buffer;     /* the response is put together here; kept between requests */
    size_t size;
} http_line_t;

struct http_server {
    http_settings_t settings;
    http_handler_t handler;
    struct mg_context *context;
    http_line_t *lines;
    size_t line_count; /* settings.threads and HTTP_DOORS */
    _Atomic size_t lines_used;
    _Atomic int connections, in_flight;
    _Atomic int taken; /* connections that are served; those at the doors wait for a place */
    _Atomic int64_t drained_ms; /* since when; 0: not at all */
    int plug;                   /* eventfd where the listener was; -1: it still is */
    endpoint_t bound;
    pthread_t watcher;
    pthread_mutex_t watch_lock;
    pthread_cond_t watch_wake;
    enum { WATCH_RUN, WATCH_STOP, WATCH_END } watch; /* guarded by watch_lock */
};

/* One request, on its thread's stack: keep it small. */
struct http_request {
    http_server_t *server;
    http_line_t *line;
    struct mg_connection *connection;
    const struct mg_request_info *info;
    const char *method, *path, *query, *version;
    const struct mg_header *headers;
    int header_count;
    long long length; /* of the body: -1 when chunked */
    int64_t deadline_ms;
    bool no_body;   /* there is none, or it can't be read */
    bool body_read; /* to its end */
    bool expects;   /* 100 Continue is awaited */
    bool in_use;    /* the last request on this connection was not long ago */
    bool close;     /* this connection ends with this request */
    char *body;
    size_t body_length;
};

/* ---- http_line.c ---- */
status_t http_watch_start(http_server_t *server, err_t *err) MUST_CHECK;
/* From now on wakes every thread that waits for its client, until http_watch_end. */
void http_watch_stop(http_server_t *server);
void http_watch_end(http_server_t *server);
/* Ends the listening; who is accepted by then is served. Nothing happens if that fails. */
void http_listen_end(http_server_t *server);
/* deadline_ms 0: none. */
void http_line_enter(http_line_t *line, line_phase_t phase, int64_t deadline_ms);
/* For the beginning of a request: enters LINE_HANDLING; *out_since: when the waiting began,
 * *out_fresh: whether it is the connection's first request; returns whether it has been cut. */
bool http_line_begin(http_line_t *line, int64_t *out_since, bool *out_fresh);
bool http_line_is_cut(http_line_t *line);

/* ---- http_sockets.c ---- */
typedef struct {
    int fd;
    struct sockaddr_in peer;
} http_socket_t;
typedef struct {
    int listener; /* -1: none */
    http_socket_t *items;
    size_t count, room;
} http_sockets_t;
/* What is open at the server's address now; a descriptor may be another's a moment later. */
void http_sockets_list(const http_server_t *server, http_sockets_t *out);
/* The connection of that peer, if it still is his; -1: none. */
int http_sockets_find(const http_sockets_t *sockets, const struct sockaddr_in *peer);
void http_sockets_free(http_sockets_t *sockets);

/* ---- http_guard.c ---- */
/* 0, or the status to refuse the request's framing with and why. limit: see http_settings_t. */
int http_guard(const http_request_t *request, size_t url_limit, const char **out_detail);
/* Whether the comma-separated list holds the token; ASCII letters without case. */
bool http_guard_has_token(const char *list, const char *token);
/* Reads "Name: value" lines, each ended by CRLF, cutting text apart in place; -1 if malformed or
 * more than `max`. */
int http_guard_parse(char *text, struct mg_header *out, int max);

/* ---- http_serve.c ---- */
/* Whether connections hold more than three quarters of the threads: the rest is for newcomers. */
bool http_is_crowded(const http_server_t *server);
void http_serve_callbacks(struct mg_callbacks *out);

/* ---- http_body.c ---- */
/* Before the response: whether the connection can be kept although the body may be unread. */
bool http_body_can_keep(const http_request_t *request);
/* After the response: reads and drops what is left, so that the next request, or the client's
 * reading of the response, is not lost. false: the connection must end. */
bool http_body_discard(http_request_t *request);

/* ---- http_write.c ---- */
/* Writes status line, headers and body; a HEAD's body is left out. false: it did not all go. */
bool http_write(http_request_t *request, const http_response_t *response, bool keep);

#endif
