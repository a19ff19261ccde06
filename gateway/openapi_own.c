/* What no table says: the gateway's own routes, and the headers and keys that all routes share. */
#include "gateway/openapi_internal.h"

#include "gateway/exchange.h"

static json_t *header(const char *doc, const char *type)
{
    return openapi_pack("{s:s, s:{s:s}}", "description", doc, "schema", "type", type);
}

static json_t *headers(void)
{
    static const struct {
        const char *name, *type, *doc;
    } all[] = {
        {"x-request-id", "string", "The request's id, which our logs show."},
        {"Retry-After", "integer", "Seconds to wait before the next attempt."},
        {"WWW-Authenticate", "string", "How to send an API key."},
        {"Cache-Control", "string",
         "no-store: it was true when it was asked for; no-cache: ask whether it still is."},
        {"Content-Security-Policy", "string", "What a page may load: its own style, nothing else."},
        {"Referrer-Policy", "string", "no-referrer."},
        {"X-Content-Type-Options", "string", "nosniff."},
        {"X-Frame-Options", "string", "DENY."},
        {"Location", "string", "Where a browser goes on."},
        {"Set-Cookie", "string", "The login's cookie, or the session's."},
        {"ETag", "string", "Names what was answered (RFC 9110 section 8.8.3)."},
        {"Link", "string", "Where a list that was cut goes on, with rel=\"next\" (RFC 8288)."},
        {"Idempotent-Replayed", "string", "true: the answer that this Idempotency-Key first had."},
        {"x-ratelimit-limit", "integer",
         "Requests a second that the key has, or the client's address, if there is a limit."},
        {"x-ratelimit-remaining", "integer", "Requests that may follow at once."},
        {"x-ratelimit-reset", "integer", "Seconds until all of them are back."},
    };
    json_t *named = json_object();
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        json_object_set_new(named, all[i].name, header(all[i].doc, all[i].type));
    return named;
}

static json_t *header_parameter(const char *name, const char *doc, const char *pattern)
{
    return openapi_pack("{s:s, s:s, s:b, s:s, s:{s:s, s:s}}", "name", name, "in", "header",
                        "required", 0, "description", doc, "schema", "type", "string", "pattern",
                        pattern);
}

static json_t *parameters(void)
{
    json_t *named = json_object();
    json_object_set_new(
        named, "Idempotency-Key",
        header_parameter("Idempotency-Key",
                         "The same key with the same request, within 24 hours, returns the first "
                         "committed answer; with another request it is 422.",
                         "^[ -~]{1,64}$"));
    json_object_set_new(
        named, "If-None-Match",
        header_parameter("If-None-Match",
                         "What the client has already, as its ETag says: 304 if it is still that.",
                         ".*"));
    json_object_set_new(
        named, "x-request-id",
        header_parameter("x-request-id",
                         "An id of the client's own for this request. Any other text is replaced.",
                         "^[A-Za-z0-9._-]{1,64}$"));
    return named;
}

static json_t *key_header(const char *name)
{
    return openapi_pack("{s:s, s:s, s:s, s:s}", "type", "apiKey", "in", "header", "name", name,
                        "description", "The API key.");
}

json_t *openapi_components(void)
{
    json_t *schemes = openapi_pack(
        "{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}, s:o, s:o}", "bearer", "type", "http", "scheme",
        "bearer", "description", "The API key: lk_ and 43 characters.", "basic", "type", "http",
        "scheme", "basic", "description", "Any user name, the API key as password.", "x-api-token",
        key_header("x-api-token"), "X-Auth-Password", key_header("X-Auth-Password"));
    return openapi_pack("{s:{}, s:{}, s:o, s:o, s:o}", "schemas", "responses", "parameters",
                        parameters(), "headers", headers(), "securitySchemes", schemes);
}

static json_t *answer(const char *doc, json_t *schema)
{
    return openapi_pack("{s:s, s:{s:o}, s:{s:{s:o}}}", "description", doc, "headers",
                        "x-request-id", openapi_ref("headers", "x-request-id"), "content",
                        "application/json", "schema", schema);
}

/* An object whose member `status` is one of the words. */
static json_t *status_object(json_t *words)
{
    return openapi_pack("{s:s, s:[s], s:{s:{s:s, s:o}}}", "type", "object", "required", "status",
                        "properties", "status", "type", "string", "enum", words);
}

static void add_route(json_t *components, json_t *paths, const char *path, const char *id,
                      const char *doc, json_t *responses)
{
    const dialect_t *dialect = dialect_of_path(path);
    json_object_set_new(responses, "400", openapi_failure_ref(components, dialect, 400));
    json_object_set_new(responses, "414", openapi_failure_ref(components, dialect, 414));
    json_t *operation = openapi_pack(
        "{s:s, s:s, s:o, s:[s], s:[], s:[o], s:o}", "operationId", id, "summary", doc,
        "description", json_sprintf("%s. It needs no key.", doc), "tags", "gateway", "security",
        "parameters", openapi_ref("parameters", "x-request-id"), "responses", responses);
    json_object_set_new(paths, path, openapi_pack("{s:o}", "get", operation));
}

void openapi_add_own(json_t *components, json_t *paths)
{
    json_t *alive = answer("It lives.", status_object(openapi_pack("[s]", "alive")));
    add_route(components, paths, "/healthz", "healthz", "Says that the gateway lives",
              openapi_pack("{s:o}", "200", alive));

    json_t *unready = status_object(openapi_pack("[s, s]", "not ready", "stopping"));
    json_object_set_new(json_object_get(unready, "properties"), "missing",
                        openapi_pack("{s:s, s:{s:s}, s:s}", "type", "array", "items", "type",
                                     "string", "description", "Services without a worker."));
    add_route(components, paths, "/readyz", "readyz", "Says whether every service has a worker",
              openapi_pack("{s:o, s:o}", "200",
                           answer("All have one.", status_object(openapi_pack("[s]", "ready"))),
                           "503", answer("Some have none, or the gateway is stopping.", unready)));

    json_t *document = answer("The document.", openapi_pack("{s:s}", "type", "object"));
    add_route(components, paths, OPENAPI_PATH, "openapi", "Answers this document",
              openapi_pack("{s:o}", "200", document));
}
