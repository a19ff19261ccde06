/* The dialect of single sign-on: pages for people, the bare result for programs, v2's errors. Must
 * never: tell a browser why a login failed. */
#include "proto/dialect.h"

#include "proto/json.h"
#include "proto/sso_style.h"

#include <stdio.h>

static const short statuses[] = {
    [OUTCOME_OK] = 200,          [OUTCOME_CREATED] = 200,    [OUTCOME_DELETED] = 204,
    [OUTCOME_INVALID] = 422,     [OUTCOME_BAD_QUERY] = 400,  [OUTCOME_UNKNOWN] = 404,
    [OUTCOME_CONFLICT] = 422,    [OUTCOME_KEY_REUSED] = 422, [OUTCOME_UNAUTHENTICATED] = 401,
    [OUTCOME_FORBIDDEN] = 403,   [OUTCOME_ELSEWHERE] = 303,  [OUTCOME_DENIED] = 403,
    [OUTCOME_UNAVAILABLE] = 503, [OUTCOME_INTERNAL] = 500,
};
_Static_assert(ARRAY_LEN(statuses) == OUTCOME_OF_WORKERS, "every outcome has a status");

static void close_bare(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    (void)status;
    (void)reply;
    (void)out;
}

static json_t *failure(int status, const reply_t *reply)
{
    json_t *body = dialect_v2.failure(status, reply);
    json_t *error = json_array_get(json_object_get(body, "errors"), 0);
    if (reply->faults.count == 0 && reply->message[0] == '\0')
        json_object_set_new(error, "detail",
                            json_string(dialect_message(&dialect_sso, reply->outcome)));
    return body;
}

static json_t *success_shape(json_t *result, int status, bool in_pages)
{
    (void)status;
    (void)in_pages;
    return result;
}

static json_t *failure_shape(void)
{
    return dialect_v2.failure_shape();
}

/* RFC 9110, CSP Level 3 and the Fetch standard; X-Frame-Options (RFC 7034) for browsers that do not
 * know frame-ancestors. */
static const header_t
    headers[] =
        {
            {"Content-Security-Policy", SSO_POLICY},
            {"Referrer-Policy", "no-referrer"}, /* a page's address is nobody's business */
            {"X-Content-Type-Options", "nosniff"},
            {"X-Frame-Options", "DENY"},
            {NULL, NULL},
};

/* Words of ours alone: nothing in it is from a request. */
static void page(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", status);
    json_put(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    json_put(out, http_reason(status));
    json_put(out, "</title><style>" SSO_STYLE "</style></head><body><main><h1>");
    json_put(out, http_reason(status));
    json_put(out, "</h1><p>");
    json_put(out, dialect_message(&dialect_sso, reply->outcome));
    json_put(out, "</p><p>");
    json_put(out, number);
    json_put(out, "</p></main></body></html>");
}

const dialect_t dialect_sso = {
    .name = "sso",
    .prefix = "/sso",
    .statuses = statuses,
    .is_open = true,
    .secret = true,
    .headers = headers,
    .unauthenticated = "You are not logged in, or no longer.",
    .no_result = "",
    .open = "",
    .close = close_bare,
    .failure = failure,
    .page = page,
    .success_shape = success_shape,
    .failure_shape = failure_shape,
};
