/* The dialects of call authorization. Must never: give a SIP server anything that it could take for
 * a yes. */
#include "proto/dialect.h"

#include "proto/reason.h"

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
    size_t i = 0;
    json_t *body = dialect_v2.failure(status, reply), *error = NULL;
    if (reply->reason != REASON_NONE)
        json_array_foreach(json_object_get(body, "errors"), i, error) json_object_set_new(
            json_object_get(error, "meta"), "reason", json_string(reason_words[reply->reason]));
    return body;
}

static json_t *success_shape(json_t *result, int status, bool in_pages)
{
    (void)status;
    (void)in_pages;
    return result;
}

static json_t *member(json_t *schema, const char *name)
{
    return json_object_get(json_object_get(schema, "properties"), name);
}

static json_t *failure_shape(void)
{
    json_t *shape = dialect_v2.failure_shape(), *words = json_array();
    for (size_t i = 0; i < REASON_COUNT; i++)
        json_array_append_new(words, json_string(reason_words[i]));
    json_t *meta = member(json_object_get(member(shape, "errors"), "items"), "meta");
    json_object_set_new(json_object_get(meta, "properties"), "reason",
                        json_pack("{s:s, s:o, s:s}", "type", "string", "enum", words, "description",
                                  "Why the call is not authorized."));
    return shape;
}

const dialect_t dialect_sip = {
    .name = "sip",
    .prefix = "/v1/sip/",
    .statuses = statuses,
    .for_calls = true,
    .secret = true,
    .no_result = "",
    .open = "",
    .close = close_bare,
    .failure = failure,
    .success_shape = success_shape,
    .failure_shape = failure_shape,
};

/* With any other status than 200, mod_xml_curl looks for the user in files on its disk. */
const dialect_t dialect_freeswitch = {
    .name = "freeswitch",
    .prefix = "/v1/sip/*/freeswitch",
    .for_calls = true,
    .secret = true,
    .nothing = {MEDIA_XML, "<document type=\"freeswitch/xml\"><section name=\"result\">"
                           "<result status=\"not found\"/></section></document>"},
    .no_result = "",
    .open = "",
    .close = close_bare,
};

/* res_config_curl looks at no status, and reads any body as a row. */
const dialect_t dialect_asterisk = {
    .name = "asterisk",
    .prefix = "/v1/sip/*/asterisk",
    .for_calls = true,
    .secret = true,
    .nothing = {MEDIA_TEXT, ""},
    .no_result = "",
    .open = "",
    .close = close_bare,
};
