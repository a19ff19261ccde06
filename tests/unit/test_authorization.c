/* The parser of digest credentials. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/sip/authorization.h"

#include <stdio.h>
#include <string.h>

static status_t read(const char *text, sip_call_t *call)
{
    const char *flaw = NULL;
    status_t status = authorization_read(text, strlen(text), call, &flaw);
    assert_true((status == STATUS_OK) == (flaw == NULL));
    return status;
}

static void check(const sip_call_t *call, unsigned row, const char *value)
{
    assert_true(field_set(&call->fields, row));
    assert_string_equal((const char *)call + sip_call_schema.rows[row].offset, value);
}

static void a_header_becomes_fields(void **state)
{
    (void)state;
    sip_call_t call = {0};
    assert_int_equal(read("Digest username=\"office-pbx\", realm=\"linekeeper\", nonce=\"84a4cc\", "
                          "uri=\"sip:bob@example.com;a=\\\"b\", qop=auth, nc=00000001, "
                          "cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
                          "opaque=\"\", algorithm=MD5",
                          &call),
                     STATUS_OK);
    check(&call, SIP_CALL_USERNAME, "office-pbx");
    check(&call, SIP_CALL_REALM, "linekeeper");
    check(&call, SIP_CALL_NONCE, "84a4cc");
    check(&call, SIP_CALL_URI, "sip:bob@example.com;a=\"b");
    check(&call, SIP_CALL_QOP, "auth");
    check(&call, SIP_CALL_NC, "00000001");
    check(&call, SIP_CALL_CNONCE, "0a4f113b");
    check(&call, SIP_CALL_RESPONSE, "6629fae49393a05397450978507c4ef1");
    check(&call, SIP_CALL_OPAQUE, "");
    check(&call, SIP_CALL_ALGORITHM, "MD5");
    assert_false(field_given(&call.fields, SIP_CALL_METHOD));
}

static void case_blanks_and_quotes_do_not_matter(void **state)
{
    (void)state;
    sip_call_t call = {0};
    assert_int_equal(read(" \tDIGEST\r\n UserName = \"a\"\t,\r\n\tRESPONSE=\"b\" , NC=\"00000002\","
                          "qop=\"auth\",algorithm=\"SHA-256\",userhash=FALSE ",
                          &call),
                     STATUS_OK);
    check(&call, SIP_CALL_USERNAME, "a");
    check(&call, SIP_CALL_RESPONSE, "b");
    check(&call, SIP_CALL_NC, "00000002");
    check(&call, SIP_CALL_QOP, "auth");
    check(&call, SIP_CALL_ALGORITHM, "SHA-256");
}

static void escapes_and_utf8(void **state)
{
    (void)state;
    sip_call_t call = {0};
    assert_int_equal(read("Digest username=\"J\xc3\xa4s\xc3\xb8n \\\"x\\\\y\\\" \\D,oe\", "
                          "nonce=\"a, realm=\\\"b\\\"\"",
                          &call),
                     STATUS_OK);
    check(&call, SIP_CALL_USERNAME, "J\xc3\xa4s\xc3\xb8n \"x\\y\" D,oe");
    check(&call, SIP_CALL_NONCE, "a, realm=\"b\"");
    assert_false(field_given(&call.fields, SIP_CALL_REALM));
    call = (sip_call_t){0};
    assert_int_equal(read("Digest username*=utf-8'de'J%C3%A4s%C3%B8n%20Doe", &call), STATUS_OK);
    check(&call, SIP_CALL_USERNAME, "J\xc3\xa4s\xc3\xb8n Doe");
}

static void what_nobody_knows_is_passed_over(void **state)
{
    (void)state;
    sip_call_t call = {0};
    assert_int_equal(
        read("Digest auts=\"x\\\"y\", username=\"a\", auts=z, integrity-protected=no", &call),
        STATUS_OK);
    check(&call, SIP_CALL_USERNAME, "a");
}

/* Half a header and half single fields would be neither's response. */
static void the_header_alone_counts(void **state)
{
    (void)state;
    sip_call_t call = {.username = "other", .cnonce = "c", .method = "INVITE", .password = "p"};
    field_give(&call.fields, SIP_CALL_USERNAME);
    field_give(&call.fields, SIP_CALL_CNONCE);
    field_give(&call.fields, SIP_CALL_METHOD);
    field_give(&call.fields, SIP_CALL_PASSWORD);
    field_give_null(&call.fields, SIP_CALL_QOP);
    assert_int_equal(read("Digest realm=\"r\"", &call), STATUS_OK);
    assert_false(field_given(&call.fields, SIP_CALL_USERNAME));
    assert_false(field_given(&call.fields, SIP_CALL_CNONCE));
    assert_false(field_given(&call.fields, SIP_CALL_QOP));
    assert_string_equal(call.username, "");
    check(&call, SIP_CALL_METHOD, "INVITE");
    check(&call, SIP_CALL_PASSWORD, "p");
    check(&call, SIP_CALL_REALM, "r");
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "Digest",
        "Digest ",
        "Digest,",
        "Digest username",
        "Digest username=",
        "Digest username=\"a",
        "Digest username=\"a\\",
        "Digest username=\"a\\\"",
        "Digest username=\"a\" realm=\"b\"",
        "Digest username=\"a\",",
        "Digest username=\"a\",,realm=\"b\"",
        "Digest ,username=\"a\"",
        "Digest =\"a\"",
        "Digest username=a/b",
        "Digest username=\"a\"b",
        "Digest username=\"a\nb\"",
        "Digest username=\"a\x7f\"",
        "Digest username=\"a\xff\"",
        "Digest\r\nusername=\"a\"",
        "Digest username=\"a\"\r\n",
        "Digest username=\"a\", username=\"a\"",
        "Digest nc=00000001, x=y, NC=00000001",
        "Digest username=\"a\", username*=UTF-8''a",
        "Digest username*=UTF-8''a, username=\"a\"",
        "Digest username*=UTF-8''a, username*=UTF-8''a",
        "Digest username*=ISO-8859-1''a",
        "Digest username*=UTF-8'a",
        "Digest username*=UTF-8''%ff",
        "Digest username*=UTF-8''%0",
        "Digest username*=UTF-8''a%0Ab",
        "Digest userhash=maybe",
        "Digest nc=0000000000000001",
        "/Digest username=\"a\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        sip_call_t call = {.username = "kept"};
        field_give(&call.fields, SIP_CALL_USERNAME);
        if (read(wrong[i], &call) != STATUS_INVALID)
            fail_msg("%s", wrong[i]);
        check(&call, SIP_CALL_USERNAME, "kept");
    }
}

static void other_schemes_and_userhash_are_refused(void **state)
{
    (void)state;
    sip_call_t call = {0};
    assert_int_equal(read("Basic QWxhZGRpbg==", &call), STATUS_REFUSED);
    assert_int_equal(read("Bearer x", &call), STATUS_REFUSED);
    assert_int_equal(read("Digestusername=\"a\"", &call), STATUS_REFUSED);
    assert_int_equal(
        read("Digest username=\"488869477bf257147b804c45308cd62a\", userhash=true", &call),
        STATUS_REFUSED);
    assert_int_equal(read("Digest userhash=\"TRUE\", username=\"a\"", &call), STATUS_REFUSED);
    assert_false(field_given(&call.fields, SIP_CALL_USERNAME));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    char name[SIP_USER_MAX + 2], text[SIP_USER_MAX + 64];
    sip_call_t call = {0};
    memset(name, 'a', sizeof(name));
    name[SIP_USER_MAX + 1] = '\0';
    (void)snprintf(text, sizeof(text), "Digest username=\"%s\"", name);
    assert_int_equal(read(text, &call), STATUS_INVALID);
    name[SIP_USER_MAX] = '\0';
    (void)snprintf(text, sizeof(text), "Digest username=\"%s\"", name);
    assert_int_equal(read(text, &call), STATUS_OK);
    check(&call, SIP_CALL_USERNAME, name);
    static char endless[4096];
    memset(endless, 'x', sizeof(endless) - 1);
    memcpy(endless, "Digest x=\"", 10);
    assert_int_equal(read(endless, &call), STATUS_INVALID);
    memcpy(endless, "Digest xxx", 10);
    assert_int_equal(read(endless, &call), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_becomes_fields),
        cmocka_unit_test(case_blanks_and_quotes_do_not_matter),
        cmocka_unit_test(escapes_and_utf8),
        cmocka_unit_test(what_nobody_knows_is_passed_over),
        cmocka_unit_test(the_header_alone_counts),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(other_schemes_and_userhash_are_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
