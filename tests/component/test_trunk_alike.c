/* Who has no password learns nothing from the time an answer takes: whatever there is of the user,
 * the same work is done. It is counted, not timed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/trunk_auth.h"
#include "tests/support/trunk_desk.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <sqlite3.h>
#include <string.h>

/* What takes time. */
typedef struct {
    unsigned password_hashes, hashes, openings, steps;
} work_t;

static work_t work;

int __real_crypto_pwhash_str_verify(const char *hash, const char *password,
                                    unsigned long long length);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password,
                                    unsigned long long length);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password,
                                    unsigned long long length)
{
    work.password_hashes++;
    int result = __real_crypto_pwhash_str_verify(hash, password, length);
    assert_int_equal(crypto_pwhash_str_needs_rehash(hash, 1, 8192), 0); /* as dear as others */
    return result;
}

int __real_EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine)
{
    work.hashes++;
    return __real_EVP_DigestInit_ex(context, type, engine);
}

int __real_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *m_len, unsigned char *none, const unsigned char *c,
    unsigned long long c_len, const unsigned char *ad, unsigned long long ad_len,
    const unsigned char *nonce, const unsigned char *key);
int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *m_len, unsigned char *none, const unsigned char *c,
    unsigned long long c_len, const unsigned char *ad, unsigned long long ad_len,
    const unsigned char *nonce, const unsigned char *key);
int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *m_len, unsigned char *none, const unsigned char *c,
    unsigned long long c_len, const unsigned char *ad, unsigned long long ad_len,
    const unsigned char *nonce, const unsigned char *key)
{
    work.openings++;
    return __real_crypto_aead_xchacha20poly1305_ietf_decrypt(m, m_len, none, c, c_len, ad, ad_len,
                                                             nonce, key);
}

int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    work.steps++;
    return __real_sqlite3_step(statement);
}

static desk_t desk;
static char trunk[UUID_SIZE];

static void add_user(const char *name, char out[UUID_SIZE])
{
    char body[256];
    assert_int_equal(text_format(body, sizeof(body),
                                 "{'type': 'sipuser', 'username': '%s', 'password': 'secret'}",
                                 name),
                     STATUS_OK);
    assert_int_equal(desk_ask(&desk, METHOD_CREATE, trunk, NULL, body), OUTCOME_CREATED);
    desk_uuid(&desk, out);
}

/* bob is as usual, eve has two passwords, dan is disabled; alice is not there. */
static int set_up(void **state)
{
    char user[UUID_SIZE];
    (void)state;
    trunk_desk_open(&desk, true);
    desk_trunk(&desk, trunk);
    add_user("bob", user);
    add_user("eve", user);
    assert_int_equal(
        desk_ask(&desk, METHOD_ROTATE, trunk, user, "{'password': 'second', 'grace_seconds': 90}"),
        OUTCOME_OK);
    add_user("dan", user);
    assert_int_equal(desk_ask(&desk, METHOD_CHANGE, trunk, user, "{'enabled': false}"), OUTCOME_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static work_t work_of(const char *format, const char *name, const char *reason)
{
    char body[1024];
    assert_int_equal(text_format(body, sizeof(body), "{'username': '%s', %s}", name, format),
                     STATUS_OK);
    work = (work_t){0};
    assert_int_equal(desk_ask(&desk, TRUNK_SIP + SIP_VERIFY, NULL, NULL, body), OUTCOME_OK);
    assert_string_equal(desk_text(&desk, "reason"), reason);
    return work;
}

static void check(const char *credentials, work_t least)
{
    static const char *const known[] = {"bob", "eve", "dan"};
    work_t nobodys = work_of(credentials, "alice", "unknown_user");
    assert_int_equal(nobodys.password_hashes, least.password_hashes);
    assert_int_equal(nobodys.hashes, least.hashes);
    assert_int_equal(nobodys.openings, least.openings);
    assert_true(nobodys.steps >= least.steps);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        work_t done = work_of(credentials, known[i], "wrong_password");
        assert_memory_equal(&done, &nobodys, sizeof(done));
    }
}

#define DIGEST                                                                                     \
    "'realm': 'linekeeper', 'nonce': 'n', 'uri': 'sip:x', 'method': 'INVITE', 'response': "        \
    "'0123456789abcdef0123456789abcdef'"

static void digest_works_as_much_for_nobody(void **state)
{
    (void)state;
    check(DIGEST, (work_t){.hashes = 2 * 2, .openings = 2, .steps = 3});
    check(DIGEST ", 'algorithm': 'MD5-sess', 'cnonce': 'c', 'qop': 'auth', 'nc': '00000001'",
          (work_t){.hashes = 2 * 3, .openings = 2, .steps = 3});
}

static void basic_hashes_as_much_for_nobody(void **state)
{
    (void)state;
    check("'scheme': 'basic', 'password': 'x'", (work_t){.password_hashes = 2, .steps = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(digest_works_as_much_for_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(basic_hashes_as_much_for_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
