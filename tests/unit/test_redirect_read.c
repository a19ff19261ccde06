/* Messages taken out of URLs: what was signed is read, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "services/auth-provider/saml/key.h"
#include "services/auth-provider/saml/redirect.h"
#include "tests/support/issuer.h"
#include "tests/support/scratch.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define RSA_SHA256 "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256"
#define MORE       "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23"
/* The message of the example in SAML V2.0 Bindings 3.4.8, as its URL carries it;
 * behind its DEFLATE stream stand a CRC and a length. */
#define EXAMPLE                                                                                    \
    "fVFdS8MwFH0f7D%2BUvGdNsq62oSsIQyhMESc%2B%2BJYlmRbWpObeyvz3puv2IMjyFM7HPedyK1DdsZdb%2F%2BEHfL" \
    "FfgwVMTt3RgTwzazIEJ72CFqRTnQWJWu7uH7dSLJjsg0ev%2FZFMlttiBWADtt6R%2BSyJr9msiRH7O70sCm31Mj%2Bo" \
    "%2BC%2B1KA5GlEWeZaogSQMw2MYBKodrIhjLKONU8FdeSsZkVr6T5M0GiHMjvWCknqZXZ2OoPxF7kGnaGOuwxZ%2Fn4L" \
    "9bY8NC%"                                                                                      \
    "2By4du1XpRXnxPcXizSZ58KFTeHujEWkNPZylsh9bAMYYUjO2Uiy3jCpTCMo5M1StVjmN9SO150sl9lU6RV2Dp"       \
    "0vsLIy7NM7YU82r9B90PrvCf85W%2FwL8zSVQzAEAAA%3D%3D"
#define EXAMPLE_RELAY "0043bfc1bc45110dae17004005b13a2b"

static issued_t rsa, ec, other;
static scratch_t scratch;
static char query[SSO_QUERY_MAX + 1024];

static int set_up(void **state)
{
    (void)state;
    scratch = scratch_make();
    issuer_make_rsa(2048, "idp.example", 1, 2, &rsa);
    issuer_make_rsa(2048, "idp.example", 1, 2, &other);
    issuer_make("idp.example", 1, 2, &ec);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    issuer_free(&rsa);
    issuer_free(&other);
    issuer_free(&ec);
    scratch_remove(&scratch);
    return 0;
}

static void encode(const uint8_t *bytes, size_t length, char *out, size_t size)
{
    char base64[2 * SSO_QUERY_MAX];
    size_t used = 0;
    assert_non_null(
        sodium_bin2base64(base64, sizeof(base64), bytes, length, sodium_base64_VARIANT_ORIGINAL));
    for (const char *at = base64; *at != '\0'; at++) {
        const char *piece = *at == '+' ? "%2B" : *at == '/' ? "%2F" : *at == '=' ? "%3D" : NULL;
        char plain[2] = {*at};
        const char *text = piece == NULL ? plain : piece;
        assert_true(used + strlen(text) < size);
        memcpy(out + used, text, strlen(text) + 1);
        used += strlen(text);
    }
}

/* query = "signed_part&Signature=...", by that key. */
static void sign(const issued_t *issued, const char *uri, const char *signed_part)
{
    const key_algorithm_t *algorithm = NULL;
    uint8_t made[KEY_SIGNATURE_MAX];
    char encoded[4 * KEY_SIGNATURE_MAX];
    size_t length = 0;
    assert_int_equal(key_algorithm(uri, true, &algorithm), SAML_NONE);
    assert_int_equal(key_sign(algorithm, issued->key, signed_part, strlen(signed_part), made,
                              sizeof(made), &length),
                     STATUS_OK);
    encode(made, length, encoded, sizeof(encoded));
    assert_int_equal(text_format(query, sizeof(query), "%s&Signature=%s", signed_part, encoded),
                     STATUS_OK);
}

static void sign_rsa(const char *signed_part)
{
    sign(&rsa, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", signed_part);
}

static saml_reason_t read_by(const issued_t *issued, bool retired, redirect_message_t *out)
{
    const saml_certificate_t known[] = {{ec.der, ec.length, false},
                                        {issued->der, issued->length, retired}};
    *out = (redirect_message_t){0};
    return redirect_read(query, known, ARRAY_LEN(known), false, out);
}

static saml_reason_t reason_of(void)
{
    AUTO(redirect_clear) redirect_message_t message = {0};
    saml_reason_t reason = read_by(&rsa, false, &message);
    assert_true((reason == SAML_NONE) == (message.xml != NULL));
    return reason;
}

static void what_is_sent_is_read(void **state)
{
    (void)state;
    static const char xml[] = "<a>\xc3\xa4&amp;</a>";
    static char pem[16384];
    const issued_t *keys[] = {&rsa, &ec};
    for (size_t i = 0; i < 2 * ARRAY_LEN(keys); i++) {
        err_t err = {0};
        char url[4096];
        const char *relay = i < 2 ? "r s+t%&=" : NULL;
        AUTO(signer_close) signer_t *signer = NULL;
        AUTO(redirect_clear) redirect_message_t message = {0};
        issuer_pem(keys[i % 2], true, pem, sizeof(pem));
        scratch_write(&scratch, "key", pem, 0600);
        assert_int_equal(signer_open(scratch_file(&scratch, "key"), &signer, &err), STATUS_OK);
        assert_int_equal(redirect_url("https://x.y/?a=b", i % 2 == 0, xml, relay, signer, url,
                                      sizeof(url), &err),
                         STATUS_OK);
        assert_int_equal(text_format(query, sizeof(query), "%s", strchr(url, '?') + 1), STATUS_OK);
        assert_int_equal(read_by(&rsa, false, &message), SAML_NONE);
        assert_true(message.is_request == (i % 2 == 0));
        assert_string_equal(message.xml, xml);
        assert_int_equal(message.length, strlen(xml));
        assert_true(message.has_relay_state == (relay != NULL));
        assert_string_equal(message.relay_state, relay == NULL ? "" : relay);
    }
}

static void the_example_of_the_binding(void **state)
{
    (void)state;
    AUTO(redirect_clear) redirect_message_t message = {0};
    sign_rsa("SAMLRequest=" EXAMPLE "&RelayState=" EXAMPLE_RELAY "&SigAlg=" RSA_SHA256);
    assert_int_equal(read_by(&rsa, false, &message), SAML_NONE);
    assert_true(message.is_request);
    assert_string_equal(message.relay_state, EXAMPLE_RELAY);
    assert_non_null(strstr(message.xml, "LogoutRequest"));
    assert_non_null(strstr(message.xml, "ID=\"d2b7c388cec36fa7c39c28fd298644a8\""));
    assert_non_null(strstr(message.xml, "005a06e0-ad82-110d-a556-004005b13a2b"));
}

/* The octets are signed as they came: another way to write the same is another message, whichever
 * way its sender chose. */
static void escapes_count_as_they_stand(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "SAMLRequest=" EXAMPLE "&RelayState=a%2fb&SigAlg=" RSA_SHA256,
        "SAMLRequest=" EXAMPLE "&RelayState=a%2Fb&SigAlg=" RSA_SHA256,
        "SAMLRequest=" EXAMPLE "&RelayState=a/b&SigAlg=" RSA_SHA256,
        "SAMLRequest=" EXAMPLE "&RelayState=%61%2Fb&SigAlg=" RSA_SHA256,
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        AUTO(redirect_clear) redirect_message_t message = {0};
        sign_rsa(forms[i]);
        assert_int_equal(read_by(&rsa, false, &message), SAML_NONE);
        assert_string_equal(message.relay_state, "a/b");
        char *signature = strstr(query, "&Signature=");
        for (size_t j = 0; j < ARRAY_LEN(forms); j++) {
            static char changed[sizeof(query)];
            assert_int_equal(text_format(changed, sizeof(changed), "%s%s", forms[j], signature),
                             STATUS_OK);
            char kept[sizeof(query)];
            memcpy(kept, query, sizeof(query));
            memcpy(query, changed, sizeof(query));
            assert_int_equal(reason_of(), i == j ? SAML_NONE : SAML_SIGNATURE_INVALID);
            memcpy(query, kept, sizeof(query));
        }
    }
}

/* The order in the URL is the sender's; other parameters mean nothing. */
static void order_and_strangers_do_not_matter(void **state)
{
    (void)state;
    static char shuffled[sizeof(query)];
    sign_rsa("SAMLRequest=" EXAMPLE "&RelayState=r&SigAlg=" RSA_SHA256);
    const char *signature = strstr(query, "Signature=");
    assert_int_equal(text_format(shuffled, sizeof(shuffled), "x=1&%s&%s&%s&", signature,
                                 "&SigAlg=" RSA_SHA256,
                                 "RelayState=r&y&samlrequest=no&SAMLRequest=" EXAMPLE),
                     STATUS_OK);
    memcpy(query, shuffled, sizeof(query));
    assert_int_equal(reason_of(), SAML_NONE);
}

/* Each byte of the parameters, changed. */
static void no_byte_can_be_changed(void **state)
{
    (void)state;
    sign_rsa("SAMLRequest=" EXAMPLE "&RelayState=r&SigAlg=" RSA_SHA256);
    size_t length = strlen(query);
    assert_int_equal(reason_of(), SAML_NONE);
    for (size_t i = 0; i < length; i++) {
        char was = query[i];
        query[i] = was == 'A' ? 'B' : 'A';
        if (reason_of() == SAML_NONE)
            fail_msg("byte %zu of %s", i, query);
        query[i] = was;
    }
    for (size_t i = 0; i < length; i++) {
        char was = query[i];
        query[i] = '\0'; /* cut */
        if (reason_of() == SAML_NONE)
            fail_msg("cut at %zu", i);
        query[i] = was;
    }
}

static void flawed_queries(void **state)
{
    (void)state;
    static const struct {
        const char *signed_part, *more;
        saml_reason_t reason;
    } rows[] = {
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "", SAML_NONE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAMLRequest=x", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAML%52equest=x", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAML+Request=x", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAMLResponse=x", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAMLResponse", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&RelayState=late", SAML_SIGNATURE_INVALID},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&Signature=AAAA", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SigAlg=" RSA_SHA256, SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&RelayState=a&SigAlg=" RSA_SHA256, "&RelayState=b",
         SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAMLEncoding=none", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256, "&SAMLEncoding=", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256,
         "&SAMLEncoding=urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE", SAML_NONE},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" MORE "rsa-sha512", "", SAML_SIGNATURE_INVALID},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" MORE "ecdsa-sha256", "", SAML_SIGNATURE_INVALID},
        {"SAMLRequest=" EXAMPLE "&SigAlg=" MORE "hmac-sha256", "", SAML_SIGNATURE_ALGORITHM},
        {"SAMLRequest=" EXAMPLE "&SigAlg=", "", SAML_SIGNATURE_ALGORITHM},
        {"SAMLRequest=" EXAMPLE "&SigAlg=%zz", "", SAML_SIGNATURE_ALGORITHM},
        {"SAMLRequest=" EXAMPLE "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1",
         "", SAML_SHA1_REFUSED},
        {"RelayState=r&SigAlg=" RSA_SHA256, "", SAML_LOGOUT_MESSAGE},
        {"SAMLRequest=&SigAlg=" RSA_SHA256, "", SAML_MESSAGE_NOT_BASE64},
        {"SAMLRequest=QQ&SigAlg=" RSA_SHA256, "", SAML_MESSAGE_NOT_BASE64},
        {"SAMLRequest=QQ%3D%3DQQ%3D%3D&SigAlg=" RSA_SHA256, "", SAML_MESSAGE_NOT_BASE64},
        {"SAMLRequest=Q%0AUE9&SigAlg=" RSA_SHA256, "", SAML_MESSAGE_NOT_BASE64},
        {"SAMLRequest=%00QUFB&SigAlg=" RSA_SHA256, "", SAML_MESSAGE_NOT_BASE64},
        {"SAMLRequest=QUFB&SigAlg=" RSA_SHA256, "", SAML_LOGOUT_MESSAGE}, /* no DEFLATE */
        {"SAMLRequest=" EXAMPLE "&RelayState=%ff&SigAlg=" RSA_SHA256, "", SAML_VALUE_TOO_LONG},
        {"SAMLRequest=" EXAMPLE
         "&RelayState=12345678901234567890123456789012345678901234567890123456789012345678901234567"
         "8901&SigAlg=" RSA_SHA256,
         "", SAML_VALUE_TOO_LONG},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        sign_rsa(rows[i].signed_part);
        size_t length = strlen(query);
        assert_int_equal(text_format(query + length, sizeof(query) - length, "%s", rows[i].more),
                         STATUS_OK);
        saml_reason_t reason = reason_of();
        if (reason != rows[i].reason)
            fail_msg("row %zu: %d", i, (int)reason);
    }
}

static void whose_signature(void **state)
{
    (void)state;
    AUTO(redirect_clear) redirect_message_t message = {0};
    const char *signed_part = "SAMLRequest=" EXAMPLE "&SigAlg=" RSA_SHA256;
    sign_rsa(signed_part);
    assert_int_equal(redirect_read(query, NULL, 0, false, &message), SAML_CERTIFICATE_MISSING);
    assert_int_equal(read_by(&rsa, true, &message), SAML_CERTIFICATE_RETIRED);
    assert_int_equal(read_by(&other, false, &message), SAML_SIGNATURE_INVALID);
    const saml_certificate_t elliptic = {ec.der, ec.length, false};
    assert_int_equal(redirect_read(query, &elliptic, 1, false, &message), SAML_KEY_TYPE);
    *strstr(query, "&Signature=") = '\0';
    assert_int_equal(reason_of(), SAML_LOGOUT_UNSIGNED);
    *strstr(query, "&SigAlg=") = '\0';
    assert_int_equal(reason_of(), SAML_LOGOUT_UNSIGNED);
    assert_null(message.xml);
    query[0] = '\0';
    assert_int_equal(reason_of(), SAML_LOGOUT_MESSAGE);
}

static void sha1_by_opt_in(void **state)
{
    (void)state;
    AUTO(redirect_clear) redirect_message_t message = {0};
    const saml_certificate_t known = {rsa.der, rsa.length, false};
    sign(&rsa, "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
         "SAMLRequest=" EXAMPLE "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1");
    assert_int_equal(redirect_read(query, &known, 1, false, &message), SAML_SHA1_REFUSED);
    assert_int_equal(redirect_read(query, &known, 1, true, &message), SAML_NONE);
}

/* So many blanks, deflated, with some bytes behind; signed. */
static void send_blanks(size_t count, size_t behind)
{
    static char encoded[SSO_QUERY_MAX], signed_part[SSO_QUERY_MAX + 256];
    unsigned char *blanks = mem_zalloc(count + 1), *made = mem_zalloc(count + 64 + behind);
    memset(blanks, ' ', count);
    z_stream stream = {.next_in = blanks,
                       .avail_in = (uInt)count,
                       .next_out = made,
                       .avail_out = (uInt)count + 64};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    encode(made, stream.total_out + behind, encoded, sizeof(encoded));
    (void)deflateEnd(&stream);
    mem_free(blanks);
    mem_free(made);
    assert_int_equal(text_format(signed_part, sizeof(signed_part), "SAMLResponse=%s&SigAlg=%s",
                                 encoded, RSA_SHA256),
                     STATUS_OK);
    sign_rsa(signed_part);
}

static void what_is_inflated_is_bounded(void **state)
{
    (void)state;
    send_blanks(REDIRECT_XML_MAX, 0);
    assert_int_equal(reason_of(), SAML_NONE);
    send_blanks(REDIRECT_XML_MAX + 1, 0);
    assert_int_equal(reason_of(), SAML_MESSAGE_TOO_LARGE);
    send_blanks(4194304, 0);
    assert_int_equal(reason_of(), SAML_MESSAGE_TOO_LARGE);
    send_blanks(100, 8);
    assert_int_equal(reason_of(), SAML_NONE);
    send_blanks(0, 0);
    assert_int_equal(reason_of(), SAML_LOGOUT_MESSAGE);
    memset(query, 'a', SSO_QUERY_MAX + 1);
    query[SSO_QUERY_MAX + 1] = '\0';
    assert_int_equal(reason_of(), SAML_MESSAGE_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_is_read),
        cmocka_unit_test(the_example_of_the_binding),
        cmocka_unit_test(escapes_count_as_they_stand),
        cmocka_unit_test(order_and_strangers_do_not_matter),
        cmocka_unit_test(no_byte_can_be_changed),
        cmocka_unit_test(flawed_queries),
        cmocka_unit_test(whose_signature),
        cmocka_unit_test(sha1_by_opt_in),
        cmocka_unit_test(what_is_inflated_is_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
