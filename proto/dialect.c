#include "proto/dialect.h"

#include "proto/json.h"
#include "proto/transcode.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {303, "See Other"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].phrase;
    return "Unknown";
}

const char *outcome_message(outcome_t outcome)
{
    static const char *const messages[] = {
        [OUTCOME_OK] = "Done.",
        [OUTCOME_CREATED] = "Created.",
        [OUTCOME_DELETED] = "Deleted.",
        [OUTCOME_ELSEWHERE] = "It goes on elsewhere; see the Location header.",
        [OUTCOME_DENIED] = "Not let in.",
        [OUTCOME_INVALID] = "The request is not valid; every faulty field is listed.",
        [OUTCOME_BAD_QUERY] = "A query parameter is not valid.",
        [OUTCOME_UNKNOWN] = "There is no such resource.",
        [OUTCOME_CONFLICT] = "This stands against what is stored.",
        [OUTCOME_KEY_REUSED] = "This Idempotency-Key belongs to another request.",
        [OUTCOME_FORBIDDEN] = "This API key's scope does not allow it.",
        [OUTCOME_UNAVAILABLE] = "Not available at the moment; nothing was changed. Try again.",
        [OUTCOME_INTERNAL] = "Something went wrong on our side; the log has this request's id.",
        [OUTCOME_UNAUTHENTICATED] = "No valid API key. Send one as \"Authorization: Bearer KEY\".",
        [OUTCOME_NO_ROUTE] = "There is nothing at this path.",
        [OUTCOME_BAD_METHOD] = "This path does not take this method; see the Allow header.",
        [OUTCOME_BAD_JSON] = "The body is not a valid JSON object.",
        [OUTCOME_BAD_REQUEST] = "The request is not well-formed.",
        [OUTCOME_BODY_TOO_LARGE] = "The body is too large.",
        [OUTCOME_URL_TOO_LONG] = "The URL is too long.",
        [OUTCOME_BAD_MEDIA_TYPE] = "The body's Content-Type must be application/json.",
        [OUTCOME_RATE_LIMITED] = "Too many requests; see the Retry-After header.",
        [OUTCOME_TIMEOUT] = "No answer in time. Repeat a change with the same Idempotency-Key.",
    };
    _Static_assert(ARRAY_LEN(messages) == OUTCOME_COUNT, "every outcome has a message");
    return messages[outcome];
}

const char *dialect_message(const dialect_t *dialect, outcome_t outcome)
{
    bool own = outcome == OUTCOME_UNAUTHENTICATED && dialect->unauthenticated != NULL;
    return own ? dialect->unauthenticated : outcome_message(outcome);
}

bool outcome_is_success(outcome_t outcome)
{
    return outcome <= OUTCOME_ELSEWHERE;
}

int dialect_status(const dialect_t *dialect, outcome_t outcome)
{
    static const short common[] = {
        [OUTCOME_NO_ROUTE] = 404,       [OUTCOME_BAD_METHOD] = 405,
        [OUTCOME_BAD_JSON] = 400,       [OUTCOME_BAD_REQUEST] = 400,
        [OUTCOME_BODY_TOO_LARGE] = 413, [OUTCOME_URL_TOO_LONG] = 414,
        [OUTCOME_BAD_MEDIA_TYPE] = 415, [OUTCOME_RATE_LIMITED] = 429,
        [OUTCOME_TIMEOUT] = 504,
    };
    _Static_assert(ARRAY_LEN(common) == OUTCOME_COUNT, "every outcome has a status");
    assert(outcome < OUTCOME_COUNT);
    if (dialect->statuses == NULL)
        return 200;
    return outcome < OUTCOME_OF_WORKERS ? dialect->statuses[outcome] : common[outcome];
}

/* A prefix that does not end in '/' ends where a segment of the path does. */
static bool is_below(const char *path, const char *prefix)
{
    while (*prefix != '\0') {
        if (*prefix == '*') {
            path += strcspn(path, "/");
            prefix++;
        } else if (*path++ != *prefix++) {
            return false;
        }
    }
    return prefix[-1] == '/' || *path == '/' || *path == '\0';
}

const dialect_t *dialect_of_path(const char *path)
{
    static const dialect_t *const dialects[] = {
        &dialect_trunk, &dialect_v1,  &dialect_freeswitch, &dialect_asterisk,
        &dialect_sip,   &dialect_sso, &dialect_v2};
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (is_below(path, dialects[i]->prefix))
            return dialects[i];
    return &dialect_v2;
}

const char *media_type(media_t media)
{
    switch (media) {
    case MEDIA_TEXT:
        return "text/plain";
    case MEDIA_XML:
        return "text/xml";
    case MEDIA_HTML:
        return "text/html";
    case MEDIA_SAML_METADATA:
        return "application/samlmetadata+xml";
    case MEDIA_JSON:
    case MEDIA_JSON_TEXT:
    case MEDIA_COUNT:
        break;
    }
    return "application/json";
}

const char *media_content_type(media_t media)
{
    return media == MEDIA_HTML ? "text/html; charset=utf-8" : media_type(media);
}

static media_t render_document(const reply_t *reply, msgpack_sbuffer *out)
{
    if (reply->body.via.str.size > 0) /* else it copies to NULL, from NULL perhaps */
        msgpack_sbuffer_write(out, reply->body.via.str.ptr, reply->body.via.str.size);
    return reply->media;
}

static media_t render_failure(const dialect_t *dialect, const reply_t *reply, msgpack_sbuffer *out)
{
    if (dialect->nothing.text != NULL) {
        json_put(out, dialect->nothing.text);
        return dialect->nothing.media;
    }
    if (reply->media != MEDIA_JSON)
        return render_document(reply, out);
    AUTO(json_release)
    json_t *failure = dialect->failure(dialect_status(dialect, reply->outcome), reply);
    json_put_value(out, failure);
    return MEDIA_JSON;
}

media_t dialect_render(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                       bool is_list, msgpack_sbuffer *out)
{
    int status = dialect_status(dialect, reply->outcome);
    bool goes_on = reply->outcome == OUTCOME_ELSEWHERE && reply->body.type == MSGPACK_OBJECT_NIL;
    if (status == 204 || goes_on)
        return MEDIA_JSON;
    if (!outcome_is_success(reply->outcome))
        return render_failure(dialect, reply, out);
    if (reply->media != MEDIA_JSON)
        return render_document(reply, out);
    json_put(out, dialect->open);
    if (result == NULL)
        json_put(out, dialect->no_result);
    else if (is_list)
        transcode_results(result, &reply->body, out);
    else
        transcode_result(result, &reply->body, out);
    dialect->close(status, reply, out);
    return MEDIA_JSON;
}

media_t dialect_render_page(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                            bool is_list, msgpack_sbuffer *out)
{
    if (dialect->page == NULL || outcome_is_success(reply->outcome) || reply->media != MEDIA_JSON)
        return dialect_render(dialect, reply, result, is_list, out);
    dialect->page(dialect_status(dialect, reply->outcome), reply, out);
    return MEDIA_HTML;
}

/* Whether the parameters of a media range, `length` bytes from ';' on, refuse it. */
static bool is_refused(const char *at, size_t length)
{
    const char *end = at + length;
    while (at < end) {
        at++;
        at += strspn(at, " \t");
        size_t size = strcspn(at, ";,");
        if (size >= 3 && (at[0] == 'q' || at[0] == 'Q') && at[1] == '=')
            return strspn(at + 2, "0. \t") == size - 2;
        at += size;
    }
    return false;
}

bool dialect_wants_page(const char *accept)
{
    static const char html[] = "text/html";
    while (*accept != '\0') {
        accept += strspn(accept, ", \t");
        size_t length = strcspn(accept, ",");
        size_t type = strcspn(accept, ";, \t");
        size_t blanks = strspn(accept + type, " \t");
        if (type == sizeof(html) - 1 && strncasecmp(accept, html, type) == 0 &&
            !is_refused(accept + type + blanks, length - type - blanks))
            return true;
        accept += length;
    }
    return false;
}
