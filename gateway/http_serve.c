/* One request: civetweb's callbacks, from the first byte to the last.
 *
 * All is done inside begin_request, which ends civetweb's own handling (files, CORS, a stat for
 * .htpasswd). What civetweb refuses or drops by itself is answered from http_error and
 * connection_close, through the same handler. Next: http_guard.c, http_body.c, http_write.c. */
#include "gateway/http_internal.h"

#include "common/clock.h"
#include "common/mem.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

void http_response_header(http_response_t *response, const char *name, const char *value)
{
    assert(response->header_count < ARRAY_LEN(response->headers));
    if (value == NULL || strpbrk(value, "\r\n") != NULL)
        return;
    response->headers[response->header_count].name = name;
    response->headers[response->header_count++].value = value;
}

const char *http_method(const http_request_t *request)
{
    return request->method;
}

const char *http_path(const http_request_t *request)
{
    return request->path;
}

const char *http_query(const http_request_t *request)
{
    return request->query;
}

size_t http_target_length(const http_request_t *request)
{
    return strlen(request->path) + (request->query == NULL ? 0 : 1 + strlen(request->query));
}

const char *http_header(const http_request_t *request, const char *name)
{
    for (int i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

void http_headers(const http_request_t *request, const char *name,
                  void (*each)(void *context, const char *value), void *context)
{
    for (int i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            each(context, request->headers[i].value);
}

const char *http_peer(const http_request_t *request)
{
    return mg_get_request_info(request->connection)->remote_addr;
}

/* A subset of what civetweb itself would keep, so that no response promises more than happens. */
static bool client_keeps(const http_request_t *request)
{
    const char *first = http_header(request, "Connection");
    if (first == NULL)
        return strcmp(request->version, "1.1") == 0;
    for (int i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, "Connection") == 0 &&
            (http_guard_has_token(request->headers[i].value, "close") ||
             http_guard_has_token(request->headers[i].value, "upgrade")))
            return false;
    return http_guard_has_token(first, "keep-alive");
}

bool http_is_crowded(const http_server_t *server)
{
    return (int64_t)atomic_load(&server->taken) * 4 > server->settings.threads * 3;
}

/* False: all are taken. A connection has one only once. */
static bool take_place(http_server_t *server, http_line_t *line)
{
    if (!line->counted && atomic_fetch_add(&server->taken, 1) < server->settings.threads)
        line->counted = true;
    else if (!line->counted)
        atomic_fetch_sub(&server->taken, 1);
    return line->counted;
}

/* The line's connection counts no more: it is about to end. */
static void let_in_another(http_server_t *server, http_line_t *line)
{
    if (line->counted)
        atomic_fetch_sub(&server->taken, 1);
    line->counted = false;
}

static void answer(http_request_t *request, http_response_t *response)
{
    http_server_t *server = request->server;
    bool keep = !request->close && !response->close && client_keeps(request) &&
                atomic_load(&server->drained_ms) == 0 &&
                (request->in_use || !http_is_crowded(server)) && !http_line_is_cut(request->line) &&
                http_body_can_keep(request);
    request->line->answered = true;
    if (!keep) {
        let_in_another(server, request->line); /* who reads this may be here again at once */
        mg_disable_connection_keep_alive(request->connection);
    }
    request->close = !keep;
    if (!http_write(request, response, keep))
        request->close = true;
}

static void refuse(http_request_t *request, int status, const char *detail)
{
    http_response_t response = {0};
    http_server_t *server = request->server;
    server->handler.refuse(server->handler.context, status, request->path, detail, &response);
    if (response.status == 0)
        response.status = status;
    request->close = request->close || status == 400 || status == 431;
    answer(request, &response);
    server->handler.release(server->handler.context, &response);
}

static void handle(http_request_t *request)
{
    http_response_t response = {0};
    http_server_t *server = request->server;
    atomic_fetch_add(&server->in_flight, 1);
    server->handler.handle(server->handler.context, request, &response);
    assert(response.status >= 200 && response.status <= 599);
    answer(request, &response);
    server->handler.release(server->handler.context, &response);
    atomic_fetch_sub(&server->in_flight, 1);
}

static const char too_many[] = "too many connections";

static void serve(http_request_t *request)
{
    const char *detail = NULL;
    const char *expect = http_header(request, "Expect");
    if (!take_place(request->server, request->line)) {
        request->close = true;
        refuse(request, 503, too_many);
        return;
    }
    int refused = http_guard(request, request->server->settings.url_limit, &detail);
    if (refused == 400 || refused == 431)
        request->no_body = true; /* nobody can tell where it ends */
    if (refused != 0) {
        refuse(request, refused, detail);
    } else if (expect != NULL && strcasecmp(expect, "100-continue") != 0) {
        request->close = true;
        refuse(request, 417, "the only expectation understood is 100-continue");
    } else {
        request->expects = expect != NULL && strcmp(request->version, "1.1") == 0;
        handle(request);
    }
}

static void finish(http_request_t *request)
{
    if (!http_body_discard(request)) {
        mg_disable_connection_keep_alive(request->connection);
        request->close = true;
    }
    if (request->body != NULL) { /* it may have held a password */
        sodium_memzero(request->body, request->body_length);
        mem_free(request->body);
    }
    if (!request->close) {
        request->line->answered = false;
        /* civetweb ends an idle connection itself; half a request on it is the watcher's. */
        http_line_enter(request->line, LINE_IDLE,
                        clock_ms() + request->server->settings.keep_alive_ms + HTTP_LINGER_MS);
    }
}

static int begin_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    http_server_t *server = mg_get_user_context_data(connection);
    http_line_t *line = mg_get_thread_pointer(connection);
    http_request_t request = {
        .server = server,
        .line = line,
        .connection = connection,
        .info = info,
        .method = info->request_method,
        .path = info->local_uri_raw,
        .query = info->query_string,
        .version = info->http_version,
        .headers = info->http_headers,
        .header_count = info->num_headers,
        .length = info->content_length,
    };
    int64_t since = 0;
    bool fresh = false;
    (void)http_line_begin(line, &since, &fresh);
    request.in_use = !fresh && clock_ms() < since + HTTP_CROWDED_MS;
    request.deadline_ms = (fresh ? since : clock_ms()) + server->settings.request_ms;
    if (request.length < 0 && http_header(&request, "Transfer-Encoding") == NULL)
        request.length = 0;
    serve(&request);
    finish(&request);
    return 200; /* "done": any number from 1 on */
}

/* A method that civetweb does not know ends its parsing before the headers. The handler shall
 * answer that one too, with its 405 and Allow: the rest of the head still stands in civetweb's
 * buffer. */
static bool is_unknown_method(const struct mg_request_info *info, int status, const char *message)
{
    return status == 400 && strcmp(message, "Bad request") == 0 && info->num_headers == 0 &&
           info->request_method != NULL && info->request_uri != NULL &&
           info->request_uri[0] == '/' && info->http_version != NULL &&
           (strcmp(info->http_version, "1.1") == 0 || strcmp(info->http_version, "1.0") == 0);
}

static void serve_unknown_method(http_request_t *request, const struct mg_request_info *info)
{
    struct mg_header headers[MG_MAX_HEADERS];
    const char *rest = info->http_version + strlen(info->http_version);
    rest += rest[1] == '\0' ? 2 : 1;
    AUTO(mem_release) char *head = mem_copy(rest, strlen(rest));
    AUTO(mem_release) char *path = mem_copy(info->request_uri, strlen(info->request_uri));
    char *query = strchr(path, '?');
    if (query != NULL)
        *query++ = '\0';
    request->method = info->request_method;
    request->path = path;
    request->query = query;
    request->headers = headers;
    request->header_count = http_guard_parse(head, headers, MG_MAX_HEADERS);
    if (request->header_count < 0) {
        request->header_count = 0;
        refuse(request, 400, "the request is malformed");
        return;
    }
    serve(request);
}

static void refuse_unread(http_request_t *request, int status)
{
    int64_t since = 0;
    bool fresh = false;
    bool cut = http_line_begin(request->line, &since, &fresh);
    const http_settings_t *settings = &request->server->settings;
    int64_t patience = fresh ? settings->request_ms : settings->keep_alive_ms;
    if (!request->line->counted)
        refuse(request, 503, too_many); /* it was at the doors, and had little time */
    else if (status == 400 && (cut || clock_ms() >= since + patience))
        refuse(request, 408, "the request did not arrive in time");
    else if (status == 505)
        refuse(request, 505, "the HTTP versions understood are 1.0 and 1.1");
    else if (status == 411 || status == 413 || status == 400)
        refuse(request, 400, "the request's head is malformed, incomplete or too long");
    else
        refuse(request, status, "the request can't be served");
}

static int http_error(struct mg_connection *connection, int status, const char *message)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    http_request_t request = {
        .server = mg_get_user_context_data(connection),
        .line = mg_get_thread_pointer(connection),
        .connection = connection,
        .method = info->request_method,
        .path = "",
        .version = info->http_version == NULL ? "1.1" : info->http_version,
        .no_body = true,
        .close = true,
    };
    if (is_unknown_method(info, status, message))
        serve_unknown_method(&request, info);
    else
        refuse_unread(&request, status);
    return 0;
}

static void *init_thread(const struct mg_context *context, int type)
{
    http_server_t *server = mg_get_user_data(context);
    if (type != 1)
        return NULL;
    size_t index = atomic_fetch_add(&server->lines_used, 1);
    assert(index < server->line_count);
    return &server->lines[index];
}

static int init_connection(const struct mg_connection *connection, void **data)
{
    http_server_t *server = mg_get_user_context_data(connection);
    http_line_t *line = mg_get_thread_pointer(connection);
    (void)data;
    line->answered = false;
    line->connection = connection;
    atomic_fetch_add(&server->connections, 1);
    line->counted = false;
    int64_t patience_ms =
        take_place(server, line) ? server->settings.request_ms : (int64_t)HTTP_DOOR_MS;
    http_line_enter(line, LINE_FRESH, clock_ms() + patience_ms);
    return 0;
}

/* "OPTIONS *" and a target on another host: civetweb reads them and closes without a word. */
static bool is_dropped(const struct mg_request_info *info, const http_line_t *line)
{
    return !line->answered && info->request_method != NULL && info->http_version != NULL &&
           info->local_uri == NULL;
}

static void connection_close(const struct mg_connection *connection)
{
    union {
        const struct mg_connection *given;
        struct mg_connection *writable; /* it is still open here */
    } same = {connection};
    const struct mg_request_info *info = mg_get_request_info(connection);
    http_server_t *server = mg_get_user_context_data(connection);
    http_line_t *line = mg_get_thread_pointer(connection);
    if (is_dropped(info, line)) {
        http_request_t request = {
            .server = server,
            .line = line,
            .connection = same.writable,
            .method = info->request_method,
            .path = "",
            .version = info->http_version,
            .no_body = true,
            .close = true,
        };
        refuse(&request, 400, "the request target is not a path on this server");
    }
    http_line_enter(line, LINE_FREE, 0);
    let_in_another(server, line);
    atomic_fetch_sub(&server->connections, 1);
}

static int log_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    (void)message;
    return 1; /* libraries do not log; what matters is in a status */
}

void http_serve_callbacks(struct mg_callbacks *out)
{
    *out = (struct mg_callbacks){
        .begin_request = begin_request,
        .http_error = http_error,
        .init_thread = init_thread,
        .init_connection = init_connection,
        .connection_close = connection_close,
        .log_message = log_message,
    };
}
