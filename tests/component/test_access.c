/* Which headers carry an API key, read through the real server against a real key store. */
#include "gateway/access.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/raw_http.h"
#include "tests/support/scratch.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static scratch_t scratch;
static key_cache_t *cache;
static http_server_t *server;
static raw_reply_t answer; /* large: not on the stack */
static char good[KEY_SIZE], other[KEY_SIZE];
static char hash_file[128];

static void handle(void *context, http_request_t *request, http_response_t *out)
{
    (void)context;
    api_key_t key;
    out->status = access_identify(cache, request, &key) == OUTCOME_OK ? 204 : 401;
}

static void release(void *context, http_response_t *response)
{
    (void)context;
    (void)response;
}

static void refuse(void *context, int status, const char *path, const char *detail,
                   http_response_t *out)
{
    (void)context;
    (void)path;
    (void)detail;
    out->status = status;
}

static int set_up(void **state)
{
    static const http_handler_t handler = {handle, release, refuse, NULL};
    static const http_settings_t settings = {.listen = "127.0.0.1:0",
                                             .threads = 4,
                                             .request_ms = 5000,
                                             .keep_alive_ms = 5000,
                                             .url_limit = 2000,
                                             .discard_limit = 4000};
    api_key_t wanted = {.organization = "o", .label = "l", .scope = SCOPE_READ};
    api_key_t made;
    keys_t *keys = NULL;
    err_t err;
    (void)state;
    scratch = scratch_make();
    scratch_write(&scratch, "hash.key",
                  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
    (void)snprintf(hash_file, sizeof(hash_file), "%s", scratch_file(&scratch, "hash.key"));
    if (keys_open(scratch.path, hash_file, &keys, &err) != STATUS_OK ||
        keys_create(keys, &wanted, good, &made, &err) != STATUS_OK ||
        keys_create(keys, &wanted, other, &made, &err) != STATUS_OK ||
        key_cache_new(keys, &cache, &err) != STATUS_OK)
        return -1;
    return http_start(&settings, &handler, &server, &err) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_stop(&server);
    key_cache_destroy(&cache);
    scratch_remove(&scratch);
    return 0;
}

/* Header lines: % stands for the key, # for another one that is as good, and what stands between
 * < and > is turned into base64. */
static void fill_in(const char *lines, char *out, size_t size)
{
    size_t used = 0;
    static char plain[8192];
    const char *text = NULL;
    size_t plain_used = 0;
    bool encoding = false;
    for (; *lines != '\0'; lines++) {
        char one[2] = {*lines, '\0'};
        text = *lines == '%' ? good : *lines == '#' ? other : one;
        if (*lines == '<') {
            encoding = true;
            plain_used = 0;
        } else if (*lines == '>') {
            encoding = false;
            (void)sodium_bin2base64(out + used, size - used, (unsigned char *)plain, plain_used,
                                    sodium_base64_VARIANT_ORIGINAL);
            used += strlen(out + used);
        } else {
            char *to = encoding ? plain + plain_used : out + used;
            memcpy(to, text, strlen(text));
            *(encoding ? &plain_used : &used) += strlen(text);
        }
    }
    out[used] = '\0';
}

static int status_of(const char *lines)
{
    static char filled[12000];
    static char request[12288];
    fill_in(lines, filled, sizeof(filled));
    (void)snprintf(request, sizeof(request),
                   "GET / HTTP/1.1\r\nHost: h\r\n%sConnection: close\r\n\r\n", filled);
    raw_ask(http_port(server), request, &answer);
    return answer.status;
}

static void assert_all(const char *const *lines, size_t count, int status)
{
    for (size_t i = 0; i < count; i++)
        if (status_of(lines[i]) != status)
            fail_msg("%d instead of %d for: %s", answer.status, status, lines[i]);
}

static void a_key_is_taken_in_every_form(void **state)
{
    static const char *const lines[] = {
        "Authorization: Bearer %\r\n",
        "Authorization: bearer %\r\n",
        "AUTHORIZATION: BEARER %\r\n",
        "Authorization: Bearer   %\r\n",
        "Authorization: Token %\r\n",
        "Authorization: Bearer % \r\n",
        "Authorization: Basic <user:%>   \r\n",
        "x-api-token:   %   \r\n",
        "Authorization: token %\r\n",
        "Authorization: Basic <user:%>\r\n",
        "Authorization: basic <:%>\r\n",
        "x-api-token: %\r\n",
        "X-API-Token: %\r\n",
        "X-Auth-Password: %\r\n",
        "X-Auth-User: somebody\r\nX-Auth-Password: %\r\n",
        "Authorization: Bearer %\r\nx-api-token: %\r\n",
        "Authorization: Bearer %\r\nAuthorization: Basic <a:%>\r\n",
        "x-api-token: %\r\nx-api-token: %\r\nX-Auth-Password: %\r\n",
    };
    (void)state;
    assert_all(lines, ARRAY_LEN(lines), 204);
}

static void basic_takes_any_user_name(void **state)
{
    static char name[6000], lines[6100];
    (void)state;
    memset(name, 'u', sizeof(name));
    for (int length = 1; length <= (int)sizeof(name); length = length * 2 + 98) {
        (void)snprintf(lines, sizeof(lines), "Authorization: Basic <%.*s:%%>\r\n", length, name);
        assert_int_equal(status_of(lines), 204);
        (void)snprintf(lines, sizeof(lines), "Authorization: Basic <%.*s%%>\r\n", length, name);
        assert_int_equal(status_of(lines), 401);
    }
}

/* The cache is never refreshed here. */
static void a_new_key_is_known_at_once(void **state)
{
    char fresh[KEY_SIZE];
    char line[128];
    api_key_t wanted = {.organization = "o", .label = "l", .scope = SCOPE_READ};
    api_key_t made;
    keys_t *keys = NULL;
    err_t err;
    (void)state;
    assert_int_equal(keys_open(scratch.path, hash_file, &keys, &err), STATUS_OK);
    assert_int_equal(keys_create(keys, &wanted, fresh, &made, &err), STATUS_OK);
    (void)snprintf(line, sizeof(line), "Authorization: Bearer %s\r\n", fresh);
    assert_int_equal(status_of(line), 204);
    keys_close(&keys);
}

static void anything_else_is_nobody(void **state)
{
    static const char *const lines[] = {
        "",
        "Authorization: \r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer null\r\n",
        "Authorization: Bearer%\r\n",
        "Authorization: %\r\n",
        "Authorization: Bearer %x\r\n",
        "Authorization: Bearer x%\r\n",
        "Authorization: Bearer % x\r\n",
        "Authorization: Bearer %,#\r\n",
        "Authorization: Digest %\r\n",
        "Authorization: Beare %\r\n",
        "Authorization: Basic\r\n",
        "Authorization: Basic %\r\n",
        "Authorization: Basic ****\r\n",
        "Authorization: Basic <%>\r\n",
        "Authorization: Basic <user:>\r\n",
        "Authorization: Basic <a:b:%>\r\n",
        "Authorization: Basic <user:%>=\r\n",
        "Authorization: Basic <user:%> x\r\n",
        "x-api-token: \r\n",
        "x-api-token: null\r\n",
        "x-api-token: Bearer %\r\n",
        "Cookie: x-api-token=%\r\n",
        /* several that differ, the good one first or last */
        "Authorization: Bearer %\r\nx-api-token: #\r\n",
        "Authorization: Bearer #\r\nAuthorization: Bearer %\r\n",
        "x-api-token: %\r\nX-Auth-Password: null\r\n",
        "x-api-token: %\r\nX-Auth-Password: \r\n",
        "Authorization: Digest x\r\nx-api-token: %\r\n",
    };
    (void)state;
    assert_all(lines, ARRAY_LEN(lines), 401);
}

static void what_is_too_long_is_nobody(void **state)
{
    char tail[400];
    char lines[512];
    (void)state;
    memset(tail, 'a', sizeof(tail));
    for (int length = 1; length <= (int)sizeof(tail); length += 57) {
        (void)snprintf(lines, sizeof(lines), "Authorization: Bearer %%%.*s\r\n", length, tail);
        assert_int_equal(status_of(lines), 401);
        (void)snprintf(lines, sizeof(lines), "Authorization: Basic <u:%%%.*s>\r\n", length, tail);
        assert_int_equal(status_of(lines), 401);
        (void)snprintf(lines, sizeof(lines), "x-api-token: %%%.*s\r\n", length, tail);
        assert_int_equal(status_of(lines), 401);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_taken_in_every_form), cmocka_unit_test(basic_takes_any_user_name),
        cmocka_unit_test(a_new_key_is_known_at_once),   cmocka_unit_test(anything_else_is_nobody),
        cmocka_unit_test(what_is_too_long_is_nobody),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
