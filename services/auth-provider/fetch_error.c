/* Words for what went wrong. Must never: use libcurl's own messages, which repeat the URL. */
#include "services/auth-provider/fetch_error.h"

#include "services/auth-provider/fetch.h"

#include <openssl/x509.h>

typedef struct {
    CURLcode code;
    status_t status;
    const char *text;
} row_t;

static const row_t rows[] = {
    {CURLE_URL_MALFORMAT, STATUS_INVALID, "not an http or https URL"},
    {CURLE_COULDNT_RESOLVE_HOST, STATUS_UNKNOWN, "the name does not resolve"},
    {CURLE_COULDNT_CONNECT, STATUS_CLOSED, "the connection was not accepted"},
    {CURLE_TOO_MANY_REDIRECTS, STATUS_REFUSED, "more than 3 redirects"},
    {CURLE_GOT_NOTHING, STATUS_CLOSED, "the connection ended without an answer"},
    {CURLE_PARTIAL_FILE, STATUS_CLOSED, "the connection ended before the answer did"},
    {CURLE_SEND_ERROR, STATUS_CLOSED, "the connection broke"},
    {CURLE_RECV_ERROR, STATUS_CLOSED, "the connection broke"},
    /* libcurl's word for a header line over 100 KB too: no reason to abort. */
    {CURLE_OUT_OF_MEMORY, STATUS_TOO_LARGE, "the answer's headers are too long"},
    {CURLE_WEIRD_SERVER_REPLY, STATUS_INVALID, "the answer is not HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, STATUS_INVALID, "the answer is not HTTP"},
    {CURLE_SSL_CONNECT_ERROR, STATUS_REFUSED, "TLS: no connection came about"},
    {CURLE_SSL_CACERT_BADFILE, STATUS_SYSTEM, "TLS: the trusted certificates can't be read"},
};

static status_t fail(err_t *err, status_t status, const char *text)
{
    return err_set(err, status, FETCH_WHERE, "%s", text);
}

/* OpenSSL knows what is wrong with a chain. libcurl looks at the name first, and leaves
 * "unspecified" when that is wrong. */
static status_t fail_verification(const fetch_trace_t *trace, err_t *err)
{
    return err_set(err, STATUS_REFUSED, FETCH_WHERE, "TLS: %s",
                   trace->verify_result == X509_V_ERR_UNSPECIFIED
                       ? "the certificate is not one for this host"
                       : X509_verify_cert_error_string(trace->verify_result));
}

static status_t fail_code(const fetch_trace_t *trace, err_t *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].code == trace->code)
            return fail(err, rows[i].status, rows[i].text);
    return err_set(err, STATUS_SYSTEM, FETCH_WHERE, "the fetch failed (%d)", (int)trace->code);
}

/* libcurl counts a redirect before it looks at where it leads. */
static bool was_sent_elsewhere(const fetch_trace_t *trace)
{
    return trace->code == CURLE_UNSUPPORTED_PROTOCOL && trace->http_status >= 300 &&
           trace->http_status < 400;
}

status_t fetch_verdict(const fetch_trace_t *trace, err_t *err)
{
    if (trace->excess != NULL)
        return fail(err, STATUS_TOO_LARGE, trace->excess);
    if (trace->code == CURLE_OK && trace->http_status == 200)
        return STATUS_OK;
    if (trace->code == CURLE_OK)
        return err_set(err, STATUS_UNKNOWN, FETCH_WHERE, "HTTP status %ld", trace->http_status);
    if (trace->code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, STATUS_TIMEOUT, FETCH_WHERE, "no answer within %g seconds",
                       (double)trace->limit_ms / 1000);
    if (trace->address_flaw != NULL && trace->code == CURLE_COULDNT_CONNECT)
        return err_set(err, STATUS_REFUSED, FETCH_WHERE, "the address is not allowed: it is %s",
                       trace->address_flaw);
    if (was_sent_elsewhere(trace))
        return fail(err, STATUS_REFUSED, "a redirect leads to another scheme");
    if (trace->code == CURLE_PEER_FAILED_VERIFICATION)
        return fail_verification(trace, err);
    return fail_code(trace, err);
}
