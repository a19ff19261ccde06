/* Digest responses: the vectors of RFC 7616 section 3.9.1, RFC 2617 section 3.5 and RFC 2069
 * section 2.4 (errata 749); all others were made by python's hashlib. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "services/common/sip/response.h"

#include <string.h>

#define NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static void ha1_of(digest_t algorithm, const char *username, const char *realm,
                   const char *password, char out[RESPONSE_TEXT_SIZE])
{
    uint8_t bytes[HA1_SIZE_MAX];
    assert_int_equal(digest_ha1(algorithm, username, realm, password, strlen(password), bytes),
                     STATUS_OK);
    text_hex(out, bytes, digest_size(algorithm));
}

static void check(const response_facts_t *facts, const char *ha1, const char *right)
{
    char made[RESPONSE_TEXT_SIZE];
    assert_int_equal(response_compute(facts, ha1, made), STATUS_OK);
    assert_string_equal(made, right);
}

static void every_algorithm_with_and_without_qop(void **state)
{
    (void)state;
    static const struct {
        const char *algorithm;
        const char *with_qop;
        const char *without;
    } vectors[] = {
        {"MD5", "8ca523f5e9506fed4657c9700eebdbec", "7b2cc3b30e75b4777ea31027084363fd"},
        {"md5-SESS", "e783283f46242139c486a698fec7211d", "37a7f42db2090a3fcac4e26e747d4fc8"},
        {"SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
         "a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363"},
        {"SHA-256-sess", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
         "30bc0742357e535c85094121d22cf826b794be0667e19537beb7b28f2251c274"},
        {"sha-512-256", "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0",
         "93e9122020ea0624d2ca801426d5bfbeb93d10ff4cc24cb410af3920fa4730e7"},
        {"SHA-512-256-sess", "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e",
         "7c70dbd9f483cbccedbd3e92ac246a9f2b712bed77914b52c3ae2254fdb2edba"},
    };
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        char ha1[RESPONSE_TEXT_SIZE];
        response_facts_t facts = {.method = "GET",
                                  .uri = "/dir/index.html",
                                  .nonce = NONCE,
                                  .qop = "auth",
                                  .nc = "00000001",
                                  .cnonce = CNONCE};
        assert_true(algorithm_read(vectors[i].algorithm, &facts.algorithm));
        ha1_of(facts.algorithm.hash, "Mufasa", "http-auth@example.org", "Circle of Life", ha1);
        check(&facts, ha1, vectors[i].with_qop);
        facts.qop = NULL;
        facts.nc = NULL;
        check(&facts, ha1, vectors[i].without);
    }
}

static void rfc2617_and_rfc2069(void **state)
{
    (void)state;
    char ha1[RESPONSE_TEXT_SIZE];
    response_facts_t facts = {.method = "GET",
                              .uri = "/dir/index.html",
                              .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                              .qop = "auth",
                              .nc = "00000001",
                              .cnonce = "0a4f113b"};
    assert_true(algorithm_read("MD5", &facts.algorithm));
    ha1_of(DIGEST_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", ha1);
    check(&facts, ha1, "6629fae49393a05397450978507c4ef1");
    facts.qop = NULL;
    ha1_of(DIGEST_MD5, "Mufasa", "testrealm@host.com", "CircleOfLife", ha1);
    check(&facts, ha1, "1949323746fe6a43ef61f9606e7febea");
}

static const response_facts_t invite = {.algorithm = {.hash = DIGEST_SHA_512_256},
                                        .method = "INVITE",
                                        .uri = "sip:+4930123@example.org",
                                        .nonce = "n",
                                        .qop = "auth",
                                        .nc = "0000000a",
                                        .cnonce = "c"};
static const char invite_response[] =
    "7c92c421753f00db6282ac1d663940bfb9cb5028b8f329b79976efc7c7667a64";

static void names_are_hashed_as_bytes(void **state)
{
    (void)state;
    char ha1[RESPONSE_TEXT_SIZE];
    ha1_of(DIGEST_SHA_512_256, "J\xc3\xa4s\xc3\xb8n \"x\" Doe", "linekeeper", "Secret, or not?",
           ha1);
    check(&invite, ha1, invite_response);
}

static void only_the_whole_response_matches(void **state)
{
    (void)state;
    static const char ha1[] = "d668ee57fcbdfadec55e7a6db9e35acc862e211c65831f7b923783f6eabe8e4c";
    char given[RESPONSE_TEXT_SIZE + 1];
    bool right = false;
    assert_int_equal(response_matches(&invite, ha1, invite_response, &right), STATUS_OK);
    assert_true(right);
    for (size_t i = 0; i < sizeof(invite_response) - 1; i++) {
        (void)memcpy(given, invite_response, sizeof(invite_response));
        given[i] ^= 1;
        right = true;
        assert_int_equal(response_matches(&invite, ha1, given, &right), STATUS_OK);
        assert_false(right);
    }
    static const char *const wrong[] = {
        "", "7c", "7c92c421753f00db6282ac1d663940bf",
        "7C92C421753F00DB6282AC1D663940BFB9CB5028B8F329B79976EFC7C7667A64",
        "7c92c421753f00db6282ac1d663940bfb9cb5028b8f329b79976efc7c7667a640"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        right = true;
        assert_int_equal(response_matches(&invite, ha1, wrong[i], &right), STATUS_OK);
        assert_false(right);
    }
}

static void other_algorithms_are_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",       "MD",       "MD5-",          "MD5-session", "SHA-1",    "SHA-512", "SHA-512/256",
        "SHA256", "SHA-256 ", "MD5-sess-sess", "-sess",       "AKAv1-MD5"};
    algorithm_t algorithm = {.hash = DIGEST_SHA_256, .session = true};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_false(algorithm_read(names[i], &algorithm));
    assert_true(algorithm.session);
    assert_true(algorithm_read("sHa-512-256-SeSS", &algorithm));
    assert_int_equal(algorithm.hash, DIGEST_SHA_512_256);
    assert_true(algorithm.session);
    assert_true(algorithm_read("md5", &algorithm));
    assert_int_equal(algorithm.hash, DIGEST_MD5);
    assert_false(algorithm.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_with_and_without_qop),
        cmocka_unit_test(rfc2617_and_rfc2069),
        cmocka_unit_test(names_are_hashed_as_bytes),
        cmocka_unit_test(only_the_whole_response_matches),
        cmocka_unit_test(other_algorithms_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
