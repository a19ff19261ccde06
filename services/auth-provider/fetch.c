/* Fetching what a stranger's URL names. Must never: connect to an address before it has been
 * judged, use a proxy (it would connect in our stead), or repeat the URL, which may hold secrets.
 * Next: fetch_error.c. */
#include "services/auth-provider/fetch.h"

#include "common/mem.h"
#include "proto/checks.h"
#include "common/address.h"
#include "services/auth-provider/fetch_error.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ROOM_FIRST = 16384,
    HEADERS_MAX = 65536, /* of all answers: redirects have headers too */
};

struct fetcher {
    bool allow_private;
    int64_t limit_ms;
    char *ca_file; /* NULL: the system's */
};

/* One fetch. */
typedef struct {
    CURL *curl;
    const fetcher_t *fetcher;
    char *bytes;
    size_t length, room, headers;
    fetch_trace_t trace;
} transfer_t;

static void free_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    transfer_t *transfer = context;
    const char *flaw = NULL;
    if (purpose != CURLSOCKTYPE_IPCXN || address->socktype != SOCK_STREAM)
        flaw = "not of TCP";
    else if (!transfer->fetcher->allow_private)
        flaw = address_socket_flaw(&address->addr, (socklen_t)address->addrlen);
    if (flaw != NULL) {
        transfer->trace.address_flaw = flaw;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    transfer_t *transfer = context;
    (void)bytes;
    transfer->headers += size * count;
    if (transfer->headers <= HEADERS_MAX)
        return size * count;
    transfer->trace.excess = "the answer's headers are too long";
    return 0;
}

/* libcurl hands over the body of the last answer only, in pieces of 16 KiB and less. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    transfer_t *transfer = context;
    size_t length = size * count;
    if (length > FETCH_BYTES_MAX - transfer->length) {
        transfer->trace.excess = "larger than 1 MiB";
        return 0;
    }
    while (transfer->room - transfer->length < length + 1) {
        transfer->room *= 2;
        transfer->bytes = mem_resize(transfer->bytes, transfer->room);
    }
    memcpy(transfer->bytes + transfer->length, bytes, length);
    transfer->length += length;
    return length;
}

static bool set_numbers(CURL *curl, int64_t limit_ms)
{
    const struct {
        CURLoption option;
        long value;
    } rows[] = {
        {CURLOPT_NOSIGNAL, 1}, /* signals and threads do not mix */
        /* A lookup that hangs is left behind in its thread instead of waited for. */
        {CURLOPT_QUICK_EXIT, 1},
        {CURLOPT_TIMEOUT_MS, (long)limit_ms},
        {CURLOPT_FOLLOWLOCATION, 1},
        {CURLOPT_MAXREDIRS, FETCH_REDIRECTS_MAX},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (curl_easy_setopt(curl, rows[i].option, rows[i].value) != CURLE_OK)
            return false;
    return true;
}

static bool set_rest(transfer_t *transfer, const char *url)
{
    CURL *curl = transfer->curl;
    const char *ca_file = transfer->fetcher->ca_file;
    const char *scheme = url[4] == ':' ? "http" : "https"; /* check_http_url has seen it */
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, scheme) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, scheme) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK && /* not the environment's */
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "linekeeper/" LK_VERSION) == CURLE_OK &&
           (ca_file == NULL || curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

static status_t perform(transfer_t *transfer, const char *url, int64_t limit_ms, err_t *err)
{
    fetch_trace_t *trace = &transfer->trace;
    if (!set_numbers(transfer->curl, limit_ms) || !set_rest(transfer, url))
        return err_set(err, STATUS_SYSTEM, FETCH_WHERE, "the fetch can't be set up");
    trace->limit_ms = limit_ms;
    trace->code = curl_easy_perform(transfer->curl);
    /* What has no value yet stays 0. */
    (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &trace->http_status);
    (void)curl_easy_getinfo(transfer->curl, CURLINFO_REDIRECT_COUNT, &trace->redirects);
    (void)curl_easy_getinfo(transfer->curl, CURLINFO_SSL_VERIFYRESULT, &trace->verify_result);
    return fetch_verdict(trace, err);
}

status_t fetch_get(const fetcher_t *fetcher, const char *url, int64_t ms_left, char **out_bytes,
                   size_t *out_length, err_t *err)
{
    int64_t limit_ms = ms_left < fetcher->limit_ms ? ms_left : fetcher->limit_ms;
    if (check_http_url(url, strlen(url)) != NULL)
        return err_set(err, STATUS_INVALID, FETCH_WHERE, "not an http or https URL");
    if (limit_ms <= 0) /* which libcurl would take for "no limit" */
        return err_set(err, STATUS_TIMEOUT, FETCH_WHERE, "no time was left to ask");
    AUTO(free_curl) CURL *curl = curl_easy_init();
    if (curl == NULL)
        abort(); /* out of memory */
    transfer_t transfer = {
        .curl = curl, .fetcher = fetcher, .bytes = mem_array(ROOM_FIRST, 1), .room = ROOM_FIRST};
    status_t status = perform(&transfer, url, limit_ms, err);
    AUTO(mem_release) char *bytes = transfer.bytes;
    if (status != STATUS_OK)
        return status;
    bytes[transfer.length] = '\0';
    *out_bytes = TAKE(bytes);
    *out_length = transfer.length;
    return STATUS_OK;
}

status_t fetch_start(const fetch_settings_t *settings, fetcher_t **out, err_t *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, STATUS_SYSTEM, FETCH_WHERE, "libcurl does not start");
    fetcher_t *fetcher = mem_zalloc(sizeof(*fetcher));
    fetcher->allow_private = settings->allow_private;
    fetcher->limit_ms = settings->limit_ms > 0 ? settings->limit_ms : FETCH_LIMIT_MS;
    if (settings->ca_file != NULL)
        fetcher->ca_file = mem_copy(settings->ca_file, strlen(settings->ca_file));
    *out = fetcher;
    return STATUS_OK;
}

void fetch_stop(fetcher_t **fetcher)
{
    if (*fetcher == NULL)
        return;
    mem_free((*fetcher)->ca_file);
    mem_free(*fetcher);
    *fetcher = NULL;
    curl_global_cleanup();
}
