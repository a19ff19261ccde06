#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/dialect.h"
#include "proto/json.h"
#include "tests/support/packing.h"
#include "tests/support/sample_schema.h"
#include "tests/support/shown.h"

#include <stdio.h>
#include <string.h>

/* What is promised to clients, written out once more and by hand. */
static const struct {
    outcome_t outcome;
    int trunk, v2;
    const char *v2_code;
} promised[] = {
    {OUTCOME_OK, 200, 200, NULL},
    {OUTCOME_CREATED, 201, 201, NULL},
    {OUTCOME_DELETED, 204, 200, NULL},
    {OUTCOME_ELSEWHERE, 303, 303, NULL},
    {OUTCOME_DENIED, 403, 403, "10010"},
    {OUTCOME_INVALID, 400, 422, "10015"},
    {OUTCOME_BAD_QUERY, 400, 400, "10015"},
    {OUTCOME_UNKNOWN, 404, 404, "10005"},
    {OUTCOME_CONFLICT, 409, 422, "10012"},
    {OUTCOME_KEY_REUSED, 422, 422, "10015"},
    {OUTCOME_FORBIDDEN, 403, 403, "10010"},
    {OUTCOME_UNAVAILABLE, 503, 503, "10007"},
    {OUTCOME_INTERNAL, 500, 500, "10007"},
    {OUTCOME_UNAUTHENTICATED, 401, 401, "10009"},
    {OUTCOME_NO_ROUTE, 404, 404, "10005"},
    {OUTCOME_BAD_METHOD, 405, 405, "10015"},
    {OUTCOME_BAD_JSON, 400, 400, "10023"},
    {OUTCOME_BAD_REQUEST, 400, 400, "10015"},
    {OUTCOME_BODY_TOO_LARGE, 413, 413, "10015"},
    {OUTCOME_URL_TOO_LONG, 414, 414, "10003"},
    {OUTCOME_BAD_MEDIA_TYPE, 415, 415, "10014"},
    {OUTCOME_RATE_LIMITED, 429, 429, "10011"},
    {OUTCOME_TIMEOUT, 504, 504, "10008"},
};

static const schema_t *const no_result = NULL;

/* The body as text with single quotes; "(none)" where there is none. */
static const char *rendered(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                            bool is_list)
{
    static char text[4096];
    AUTO(json_release) json_t *body = shown_reply(dialect, reply, result, is_list);
    if (body == NULL)
        return "(none)";
    size_t size = json_dumpb(body, text, sizeof(text) - 1, JSON_COMPACT);
    assert_true(size < sizeof(text));
    text[size] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    return text;
}

static void every_outcome_has_its_status_and_shape(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(promised), OUTCOME_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(promised); i++) {
        outcome_t outcome = promised[i].outcome;
        bool success = promised[i].v2_code == NULL;
        reply_t reply;
        char expected[1024];
        reply_init(&reply, "r", outcome);
        assert_int_equal(outcome_is_success(outcome), success);
        assert_int_equal(dialect_status(&dialect_trunk, outcome), promised[i].trunk);
        assert_int_equal(dialect_status(&dialect_v2, outcome), promised[i].v2);
        const char *reason = http_reason(promised[i].trunk);
        assert_string_not_equal(reason, "Unknown");
        assert_string_not_equal(http_reason(promised[i].v2), "Unknown");
        assert_true(strlen(outcome_message(outcome)) > 0);
        if (success)
            assert_int_equal(text_format(expected, sizeof(expected),
                                         "{'result':{},'status_code':%d,'status_message':'%s'}",
                                         promised[i].trunk, reason),
                             STATUS_OK);
        else
            assert_int_equal(text_format(expected, sizeof(expected),
                                         "{'result':{},'status_code':%d,'status_message':'%s',"
                                         "'errors':[{'field':null,'message':",
                                         promised[i].trunk, reason),
                             STATUS_OK);
        const char *body = rendered(&dialect_trunk, &reply, no_result, false);
        bool bare = promised[i].trunk == 204 || outcome == OUTCOME_ELSEWHERE;
        assert_memory_equal(body, bare ? "(none)" : expected, bare ? 7 : strlen(expected));
        if (!success)
            assert_int_equal(text_format(expected, sizeof(expected),
                                         "{'errors':[{'code':'%s','title':'", promised[i].v2_code),
                             STATUS_OK);
        body = rendered(&dialect_v2, &reply, no_result, false);
        if (outcome == OUTCOME_ELSEWHERE)
            assert_string_equal(body, "(none)");
        else
            assert_memory_equal(body, success ? "{'data':null}" : expected,
                                success ? 14 : strlen(expected));
        if (!success)
            assert_non_null(strstr(body, "'detail':'"));
    }
}

static void results_stand_in_their_envelopes(void **state)
{
    (void)state;
    packing_t one, many;
    reply_t reply;
    reply_init(&reply, "r", OUTCOME_OK);
    reply.body = *packing_json(&one, "{'size':1}");
    assert_string_equal(rendered(&dialect_trunk, &reply, &sample_schema, false),
                        "{'result':{'size':1},'status_code':200,'status_message':'OK'}");
    assert_string_equal(rendered(&dialect_v2, &reply, &sample_schema, false),
                        "{'data':{'size':1}}");
    reply.body = *packing_json(&many, "[{'size':1},{'size':2}]");
    assert_string_equal(
        rendered(&dialect_trunk, &reply, &sample_schema, true),
        "{'result':[{'size':1},{'size':2}],'status_code':200,'status_message':'OK'}");
    reply.page_number = 2;
    reply.page_size = 3;
    reply.total = 7;
    assert_string_equal(rendered(&dialect_v2, &reply, &sample_schema, true),
                        "{'data':[{'size':1},{'size':2}],'meta':{'page_number':2,'page_size':3,'"
                        "total_pages':3,'total_results':7}}");
    reply.outcome = OUTCOME_DELETED;
    assert_string_equal(rendered(&dialect_trunk, &reply, &sample_schema, false), "(none)");
    reply.outcome = OUTCOME_INTERNAL; /* a failure drops the result */
    assert_null(strstr(rendered(&dialect_trunk, &reply, &sample_schema, true), "size"));
    assert_null(strstr(rendered(&dialect_v2, &reply, &sample_schema, true), "size"));
    packing_free(&one);
    packing_free(&many);
}

static void v1_is_bare_or_says_that_it_is_set(void **state)
{
    (void)state;
    packing_t many;
    reply_t reply;
    reply_init(&reply, "r", OUTCOME_OK);
    reply.body = *packing_json(&many, "[{'size':1},{'size':2}]");
    assert_string_equal(rendered(&dialect_v1, &reply, &sample_schema, true),
                        "[{'size':1},{'size':2}]");
    text_cut(reply.message, sizeof(reply.message), "Set.");
    assert_string_equal(rendered(&dialect_v1_set, &reply, NULL, false),
                        "{'success':true,'message':'Set.','reasons':{}}");
    reply_init(&reply, "r", OUTCOME_INVALID);
    faults_add(&reply.faults, FAULT_RANGE, FAULT_IN_BODY, "/password", "is too short");
    faults_add(&reply.faults, FAULT_TYPE, FAULT_IN_BODY, "/a/b", "must be a string");
    faults_add(&reply.faults, FAULT_RULE, FAULT_IN_BODY, "/password", "is weak");
    for (int set = 0; set < 2; set++)
        assert_string_equal(
            rendered(set ? &dialect_v1_set : &dialect_v1, &reply, NULL, false),
            "{'success':false,'message':'The request is not valid; every faulty field is listed.',"
            "'reasons':{'password':['is too short','is weak'],'a.b':['must be a string']}}");
    reply_init(&reply, "r", OUTCOME_UNKNOWN);
    assert_string_equal(rendered(&dialect_v1, &reply, NULL, false),
                        "{'success':false,'message':'Record Not Found','reasons':{}}");
    reply_init(&reply, "r", OUTCOME_UNAUTHENTICATED);
    assert_string_equal(rendered(&dialect_v1, &reply, NULL, false),
                        "{'success':false,'message':'Unauthorized','reasons':{}}");
    static const short statuses[] = {200, 200, 200, 303, 403, 400, 422,
                                     404, 400, 422, 403, 503, 500, 401};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        assert_int_equal(dialect_status(&dialect_v1, (outcome_t)i), statuses[i]);
    packing_free(&many);
}

/* The bytes of an answer, behind its media type. */
static const char *sent(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                        bool is_list)
{
    static char text[1024];
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer body;
    msgpack_sbuffer_init(&body);
    media_t media = dialect_render(dialect, reply, result, is_list, &body);
    (void)snprintf(text, sizeof(text), "%s: %.*s", media_type(media), (int)body.size,
                   body.size > 0 ? body.data : "");
    return text;
}

static void sip_is_bare_and_tells_the_reason(void **state)
{
    (void)state;
    packing_t one, many, document;
    reply_t reply;
    reply_init(&reply, "r", OUTCOME_OK);
    reply.body = *packing_json(&one, "{'size':1}");
    assert_string_equal(sent(&dialect_sip, &reply, &sample_schema, false),
                        "application/json: {\"size\":1}");
    reply.body = *packing_json(&many, "[{'size':1},{'size':2}]");
    assert_string_equal(rendered(&dialect_sip, &reply, &sample_schema, true),
                        "[{'size':1},{'size':2}]");
    reply.body = *packing_json(&document, "'1 192.0.2.1 32 0 x'");
    reply.media = MEDIA_TEXT;
    assert_string_equal(sent(&dialect_sip, &reply, &sample_schema, false),
                        "text/plain: 1 192.0.2.1 32 0 x");
    reply.media = MEDIA_JSON_TEXT;
    assert_string_equal(sent(&dialect_sip, &reply, NULL, false),
                        "application/json: 1 192.0.2.1 32 0 x");
    reply_init(&reply, "r", OUTCOME_DELETED);
    assert_string_equal(rendered(&dialect_sip, &reply, NULL, false), "(none)");
    reply_init(&reply, "r", OUTCOME_FORBIDDEN);
    assert_null(strstr(rendered(&dialect_sip, &reply, NULL, false), "reason"));
    reply.reason = REASON_LOCKED_OUT;
    text_cut(reply.message, sizeof(reply.message), "Later.");
    assert_string_equal(rendered(&dialect_sip, &reply, NULL, false),
                        "{'errors':[{'code':'10010','title':'Not authorized','detail':'Later.',"
                        "'meta':{'url':'urn:linekeeper:error:10010','reason':'locked_out'}}]}");
    static const short statuses[] = {200, 200, 204, 303, 403, 422, 400,
                                     404, 422, 422, 403, 503, 500, 401};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        assert_int_equal(dialect_status(&dialect_sip, (outcome_t)i), statuses[i]);
    packing_free(&one);
    packing_free(&many);
    packing_free(&document);
}

/* Whatever fails, and whatever the reply says of it. */
static void two_clients_are_told_of_no_failure(void **state)
{
    (void)state;
    packing_t document;
    reply_t reply;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        bool success = outcome_is_success((outcome_t)i);
        reply_init(&reply, "r", (outcome_t)i);
        reply.reason = REASON_DISABLED;
        reply.media = MEDIA_XML;
        reply.body = *packing_json(&document, "'<yes/>'");
        faults_add(&reply.faults, FAULT_FORMAT, FAULT_IN_BODY, "/x", "is there twice");
        assert_int_equal(dialect_status(&dialect_freeswitch, (outcome_t)i), 200);
        assert_int_equal(dialect_status(&dialect_asterisk, (outcome_t)i), 200);
        assert_string_equal(sent(&dialect_freeswitch, &reply, NULL, false),
                            success ? "text/xml: <yes/>"
                                    : "text/xml: <document type=\"freeswitch/xml\"><section "
                                      "name=\"result\"><result status=\"not found\"/></section>"
                                      "</document>");
        reply.media = MEDIA_TEXT;
        assert_string_equal(sent(&dialect_asterisk, &reply, NULL, false),
                            success ? "text/plain: <yes/>" : "text/plain: ");
        packing_free(&document);
    }
}

/* The bytes of an answer to a browser. */
static const char *sent_to_browser(const reply_t *reply, const schema_t *result)
{
    static char text[4096];
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer body;
    msgpack_sbuffer_init(&body);
    media_t media = dialect_render_page(&dialect_sso, reply, result, false, &body);
    (void)snprintf(text, sizeof(text), "%s: %.*s", media_content_type(media), (int)body.size,
                   body.size > 0 ? body.data : "");
    return text;
}

static void sso_has_pages(void **state)
{
    (void)state;
    packing_t page, one;
    reply_t reply;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        outcome_t outcome = (outcome_t)i;
        reply_init(&reply, "r", outcome);
        text_cut(reply.message, sizeof(reply.message), "<script>");
        faults_add(&reply.faults, FAULT_FORMAT, FAULT_IN_BODY, "/x", "<script>");
        if (outcome_is_success(outcome))
            continue;
        const char *text = sent_to_browser(&reply, NULL);
        assert_memory_equal(text, "text/html; charset=utf-8: <!doctype html>", 41);
        assert_non_null(strstr(text, http_reason(dialect_status(&dialect_sso, outcome))));
        assert_non_null(strstr(
            text, outcome == OUTCOME_UNAUTHENTICATED ? "not logged in" : outcome_message(outcome)));
        assert_null(strstr(text, "API key."));
        assert_null(strstr(text, "<script"));
        assert_memory_equal(sent(&dialect_sso, &reply, NULL, false), "application/json: {", 19);
    }
    reply_init(&reply, "r", OUTCOME_DENIED); /* with a page of the worker's own */
    reply.media = MEDIA_HTML;
    reply.body = *packing_json(&page, "'<p>no'");
    assert_string_equal(sent_to_browser(&reply, NULL), "text/html; charset=utf-8: <p>no");
    assert_string_equal(sent(&dialect_sso, &reply, NULL, false), "text/html: <p>no");
    reply_init(&reply, "r", OUTCOME_OK);
    reply.body = *packing_json(&one, "{'size':1}");
    assert_string_equal(sent_to_browser(&reply, &sample_schema), "application/json: {\"size\":1}");
    reply_init(&reply, "r", OUTCOME_ELSEWHERE);
    assert_string_equal(sent_to_browser(&reply, &sample_schema), "application/json: ");
    assert_int_equal(dialect_status(&dialect_sso, OUTCOME_ELSEWHERE), 303);
    packing_free(&page);
    packing_free(&one);
}

static void pages_are_for_who_asks_for_them(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool wants;
    } rows[] = {
        {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true},
        {"text/html", true},
        {"TEXT/HTML ; level=1 , x/y", true},
        {"application/json, text/html;q=0.1", true},
        {"application/json,,text/html ;a=b; q=1", true},
        {"", false},
        {"*/*", false},
        {"text/*", false},
        {"application/json", false},
        {"text/html;q=0", false},
        {"text/html; q=0.000 , */*", false},
        {"text/html;Q=0", false},
        {"text/htmlx", false},
        {"text/htm", false},
        {"x=text/html", false},
        {"application/json;text/html", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (dialect_wants_page(rows[i].accept) != rows[i].wants)
            fail_msg("%s", rows[i].accept);
}

static void sso_is_not_stored_framed_or_sniffed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } promised_headers[] = {
        {"Content-Security-Policy", "default-src 'none'"},
        {"Content-Security-Policy", "frame-ancestors 'none'"},
        {"Content-Security-Policy", "base-uri 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
    };
    assert_true(dialect_sso.secret && dialect_sso.is_open);
    for (size_t i = 0; i < ARRAY_LEN(promised_headers); i++) {
        bool found = false;
        for (const header_t *header = dialect_sso.headers; header->name != NULL; header++) {
            found |= strcmp(header->name, promised_headers[i].name) == 0 &&
                     strstr(header->value, promised_headers[i].value) != NULL;
            assert_null(strstr(header->value, "unsafe"));
        }
        assert_true(found);
    }
}

static void faults_are_listed(void **state)
{
    (void)state;
    reply_t reply;
    reply_init(&reply, "r", OUTCOME_INVALID);
    faults_add(&reply.faults, FAULT_REQUIRED, FAULT_IN_BODY, "/inner/name", "is required");
    faults_add(&reply.faults, FAULT_RANGE, FAULT_IN_QUERY, "limit", "must be at most 250");
    faults_add(&reply.faults, FAULT_TYPE, FAULT_IN_BODY, "", "must be an object");
    assert_string_equal(rendered(&dialect_trunk, &reply, no_result, false),
                        "{'result':{},'status_code':400,'status_message':'Bad Request','errors':["
                        "{'field':'inner/name','message':'is required'},"
                        "{'field':'limit','message':'must be at most 250'},"
                        "{'field':'','message':'must be an object'}]}");
    assert_string_equal(
        rendered(&dialect_v2, &reply, no_result, false),
        "{'errors':[{'code':'10004','title':'Missing required parameter',"
        "'detail':'inner/name is required','meta':{'url':'urn:linekeeper:error:10004'},"
        "'source':{'pointer':'/inner/name'}},"
        "{'code':'10033','title':'Value outside of range','detail':'limit must be at most 250',"
        "'meta':{'url':'urn:linekeeper:error:10033'},'source':{'parameter':'limit'}},"
        "{'code':'10026','title':'Invalid parameter type','detail':'must be an object',"
        "'meta':{'url':'urn:linekeeper:error:10026'},'source':{'pointer':''}}]}");
    for (int code = 0; code <= FAULT_RULE; code++) {
        reply_init(&reply, "r", OUTCOME_INVALID);
        faults_add(&reply.faults, (fault_code_t)code, FAULT_IN_BODY, "/x", "y");
        assert_null(strstr(rendered(&dialect_v2, &reply, no_result, false), "'code':null"));
    }
}

static void a_message_of_the_workers_goes_before_ours(void **state)
{
    (void)state;
    reply_t reply;
    reply_init(&reply, "r", OUTCOME_CONFLICT);
    text_cut(reply.message, sizeof(reply.message), "The name is taken.");
    assert_non_null(
        strstr(rendered(&dialect_trunk, &reply, no_result, false), "'The name is taken.'"));
    assert_non_null(
        strstr(rendered(&dialect_v2, &reply, no_result, false), "'The name is taken.'"));
}

static void paths_without_a_route_have_a_dialect(void **state)
{
    (void)state;
    assert_ptr_equal(dialect_of_path("/voip/nothing"), &dialect_trunk);
    assert_ptr_equal(dialect_of_path("/security/nothing"), &dialect_v1);
    assert_ptr_equal(dialect_of_path("/v2/nothing"), &dialect_v2);
    assert_ptr_equal(dialect_of_path("/nothing"), &dialect_v2);
    assert_ptr_equal(dialect_of_path("/v1/sip/trunks/ha1"), &dialect_sip);
    assert_ptr_equal(dialect_of_path("/v1/sip/"), &dialect_sip);
    assert_ptr_equal(dialect_of_path("/v1/sip/freeswitch"), &dialect_sip);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/freeswitch"), &dialect_freeswitch);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/freeswitch/y"), &dialect_freeswitch);
    assert_ptr_equal(dialect_of_path("/v1/sip//freeswitch"), &dialect_freeswitch);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/freeswitches"), &dialect_sip);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/y/freeswitch"), &dialect_sip);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/asterisk"), &dialect_asterisk);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/asterisk/ps_auths/single"), &dialect_asterisk);
    assert_ptr_equal(dialect_of_path("/v1/sip/x/asteris"), &dialect_sip);
    assert_ptr_equal(dialect_of_path("/v1/sip/*/asterisk"), &dialect_asterisk);
    assert_ptr_equal(dialect_of_path("/v1/sip"), &dialect_v2);
    assert_ptr_equal(dialect_of_path("/sso"), &dialect_sso);
    assert_ptr_equal(dialect_of_path("/sso/x/y/z"), &dialect_sso);
    assert_ptr_equal(dialect_of_path("/ssox"), &dialect_v2);
    assert_ptr_equal(dialect_of_path("/voiping"), &dialect_v2);
    assert_ptr_equal(dialect_of_path(""), &dialect_v2);
    assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_status_and_shape),
        cmocka_unit_test(results_stand_in_their_envelopes),
        cmocka_unit_test(v1_is_bare_or_says_that_it_is_set),
        cmocka_unit_test(sip_is_bare_and_tells_the_reason),
        cmocka_unit_test(two_clients_are_told_of_no_failure),
        cmocka_unit_test(sso_has_pages),
        cmocka_unit_test(pages_are_for_who_asks_for_them),
        cmocka_unit_test(sso_is_not_stored_framed_or_sniffed),
        cmocka_unit_test(faults_are_listed),
        cmocka_unit_test(a_message_of_the_workers_goes_before_ours),
        cmocka_unit_test(paths_without_a_route_have_a_dialect),
    };
    return cmocka_run_group_tests_name("dialect", tests, NULL, NULL);
}
