/* API keys: the store and the command line. */
#include "tests/component/key_desk.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/mem.h"
#include "gateway/key_command.h"
#include "tests/support/scratch.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_create_and_list(void **state)
{
    char one[KEY_SIZE], two[KEY_SIZE];
    err_t err = {0};
    api_key_t *list = NULL;
    size_t count = 0;
    (void)state;
    api_key_t ask = desk_wanted("Überland GmbH");
    ask.is_operator = true;
    ask.expires_at = clock_utc_ms() + 60000;
    api_key_t first = desk_make(desk.keys, &ask, one);
    ask = desk_wanted("Überland GmbH");
    ask.scope = SCOPE_SIP;
    api_key_t second = desk_make(desk.keys, &ask, two);
    assert_int_equal(strlen(one), 46);
    assert_int_equal(
        strspn(one, "lk_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 46);
    assert_memory_equal(one, "lk_", 3);
    assert_string_not_equal(one, two);
    assert_string_equal(first.organization_id, second.organization_id);
    assert_int_equal(keys_list(desk.keys, &list, &count, &err), STATUS_OK);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].id, first.id);
    assert_string_equal(list[0].organization, "Überland GmbH");
    assert_string_equal(list[0].label, "label");
    assert_true(list[0].is_operator);
    assert_false(list[1].is_operator);
    assert_int_equal(list[0].scope, SCOPE_READ);
    assert_int_equal(list[1].scope, SCOPE_SIP);
    assert_int_equal(list[0].rate_limit, 7);
    assert_int_equal(list[0].expires_at, first.expires_at);
    assert_int_equal(list[1].expires_at, 0);
    assert_int_equal(list[1].revoked_at, 0);
    mem_free(list);
}

static void expect_refused(api_key_t ask)
{
    char secret[KEY_SIZE] = "untouched";
    api_key_t made;
    err_t err = {0};
    assert_int_equal(keys_create(desk.keys, &ask, secret, &made, &err), STATUS_INVALID);
    assert_string_equal(secret, "untouched");
}

static void test_what_may_not_be_wanted(void **state)
{
    err_t err = {0};
    api_key_t *list = NULL;
    size_t count = 1;
    (void)state;
    expect_refused(desk_wanted(""));
    expect_refused(desk_wanted("a\tb"));
    expect_refused(desk_wanted("\xff"));
    api_key_t ask = desk_wanted("o");
    ask.expires_at = clock_utc_ms() - 1;
    expect_refused(ask);
    ask = desk_wanted("o");
    ask.rate_limit = -1;
    expect_refused(ask);
    assert_int_equal(keys_list(desk.keys, &list, &count, &err), STATUS_OK);
    assert_int_equal(count, 0);
    mem_free(list);
}

static void test_find(void **state)
{
    char secret[KEY_SIZE], other[KEY_SIZE];
    (void)state;
    api_key_t ask = desk_wanted("o");
    api_key_t made = desk_make(desk.keys, &ask, secret);
    api_key_t found = {0};
    key_cache_t *cache = desk_cache();
    assert_int_equal(key_cache_find(cache, secret, 46, &found), STATUS_OK);
    assert_string_equal(found.id, made.id);
    assert_string_equal(found.organization_id, made.organization_id);
    /* Other texts and lengths; none is read past its length. */
    assert_int_equal(key_cache_find(cache, secret, 45, &found), STATUS_UNKNOWN);
    assert_int_equal(key_cache_find(cache, secret, 0, &found), STATUS_UNKNOWN);
    assert_int_equal(key_cache_find(cache, "", 0, &found), STATUS_UNKNOWN);
    assert_int_equal(key_cache_find(cache, secret, 47, &found), STATUS_UNKNOWN);
    assert_int_equal(desk_find(cache, "null"), STATUS_UNKNOWN);
    assert_int_equal(desk_find(cache, "lk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                     STATUS_UNKNOWN);
    for (size_t i = 0; i < 46; i++) {
        memcpy(other, secret, sizeof other);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_int_equal(desk_find(cache, other), STATUS_UNKNOWN);
    }
    char *huge = mem_zalloc(1 << 20);
    assert_int_equal(key_cache_find(cache, huge, 1 << 20, &found), STATUS_UNKNOWN);
    mem_free(huge);
    key_cache_destroy(&cache);
    assert_null(cache);
}

/* Runs `gateway key ...` in a process of its own; its standard output into out. */
static int run_command(char *out, size_t size, int argc, char *const argv[])
{
    int ends[2];
    int code = -1;
    size_t used = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        _exit(key_command(argc, argv, desk.scratch.path, desk.hash_file));
    }
    (void)close(ends[1]);
    for (ssize_t got = 1; got > 0 && used + 1 < size; used += (size_t)(got > 0 ? got : 0))
        got = read(ends[0], out + used, size - 1 - used);
    out[used] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &code, 0), child);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

#define COMMAND(out, ...)                                                                          \
    run_command(out, sizeof(out), (int)(sizeof((char *const[]){__VA_ARGS__}) / sizeof(char *)),    \
                (char *const[]){__VA_ARGS__, NULL})

static char text[16384];

static void word(const char *name, char *arg, size_t size)
{
    (void)snprintf(arg, size, "%s", name);
}

static void test_command_of_another_process(void **state)
{
    char create[16], organization[32], scope[16], name[16], expires[16], list[16], revoke[16];
    char json[16], secret[KEY_SIZE] = "", id[UUID_SIZE];
    err_t err = {0};
    (void)state;
    word("create", create, sizeof create);
    word("--organization=Acme Ltd", organization, sizeof organization);
    word("--scope=admin", scope, sizeof scope);
    word("--name=pbx", name, sizeof name);
    word("--expires=90d", expires, sizeof expires);
    word("list", list, sizeof list);
    word("revoke", revoke, sizeof revoke);
    word("--json", json, sizeof json);
    key_cache_t *cache = desk_cache();
    assert_int_equal(COMMAND(text, create, organization, scope, name, expires), EXIT_OK);
    assert_int_equal(strlen(text), 47); /* the key and a line end, nothing else */
    memcpy(secret, text, 46);
    assert_int_equal(desk_find(cache, secret), STATUS_UNKNOWN);
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    api_key_t found;
    assert_int_equal(key_cache_find(cache, secret, 46, &found), STATUS_OK);
    assert_string_equal(found.organization, "Acme Ltd");
    assert_string_equal(found.label, "pbx");
    assert_true(found.expires_at > clock_utc_ms() + 89LL * 86400000);
    assert_int_equal(COMMAND(text, list), EXIT_OK);
    assert_non_null(strstr(text, found.id));
    assert_non_null(strstr(text, "Acme Ltd"));
    assert_null(strstr(text, secret));
    assert_int_equal(COMMAND(text, list, json), EXIT_OK);
    assert_non_null(strstr(text, "\"state\": \"live\""));
    word(found.id, id, sizeof id);
    assert_int_equal(COMMAND(text, revoke, id), EXIT_OK);
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    assert_int_equal(desk_find(cache, secret), STATUS_UNKNOWN);
    assert_int_equal(COMMAND(text, list), EXIT_OK);
    assert_non_null(strstr(text, "revoked"));
    id[0] = id[0] == '9' ? '8' : '9';
    assert_int_equal(COMMAND(text, revoke, id), EXIT_FAILED);
    key_cache_destroy(&cache);
}

static void test_wrong_arguments(void **state)
{
    static const char *const lines[][4] = {
        {"forge"},
        {"create"},
        {"create", "--scope=admin"},
        {"create", "--organization=o"},
        {"create", "--organization=o", "--scope=all"},
        {"create", "--organization=o", "--scope=read", "--expires=soon"},
        {"create", "--organization=o", "--scope=read", "--expires=0d"},
        {"create", "--organization=o", "--scope=read", "--rate-limit=-1"},
        {"create", "--organization=o", "--scope=read", "--wrong"},
        {"create", "--organization=o", "--scope=read", "more"},
        {"create", "--organization", "--scope"},
        {"list", "more"},
        {"revoke"},
        {"revoke", "a", "b"},
    };
    char words[4][32];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char *argv[5] = {0};
        int argc = 0;
        for (; argc < 4 && lines[i][argc] != NULL; argc++) {
            word(lines[i][argc], words[argc], sizeof words[argc]);
            argv[argc] = words[argc];
        }
        if (run_command(text, sizeof text, argc, argv) != EXIT_BAD_USAGE)
            fail_msg("line %zu was taken", i);
        assert_string_equal(text, "");
    }
    char *const none[] = {NULL};
    assert_int_equal(run_command(text, sizeof text, 0, none), EXIT_BAD_USAGE);
    char help[] = "--help";
    assert_int_equal(COMMAND(text, help), EXIT_OK);
    assert_non_null(strstr(text, "gateway key create"));
}

static bool file_holds(const char *name, const char *bytes, size_t length)
{
    FILE *file = fopen(scratch_file(&desk.scratch, name), "rb");
    if (file == NULL)
        return false;
    static char content[4 << 20];
    size_t size = fread(content, 1, sizeof content, file);
    (void)fclose(file);
    return memmem(content, size, bytes, length) != NULL;
}

static void test_key_text_is_nowhere(void **state)
{
    static const char *const files[] = {"gateway.db", "gateway.db-wal", "gateway.db-shm"};
    char secret[KEY_SIZE];
    (void)state;
    api_key_t ask = desk_wanted("organization-to-be-found");
    (void)desk_make(desk.keys, &ask, secret);
    bool seen = false;
    for (int closed = 0; closed < 2; closed++) {
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
            seen = seen || file_holds(files[i], "organization-to-be-found", 24);
            assert_false(file_holds(files[i], secret + 3, 43));
            assert_false(file_holds(files[i], secret + 3, 12));
        }
        assert_true(seen); /* the search does find what is there */
        keys_close(&desk.keys);
    }
}

static void test_hash_file(void **state)
{
    static const struct {
        const char *content;
        unsigned mode;
        status_t wanted;
    } rows[] = {
        {"", 0600, STATUS_INVALID},
        {"0123\n", 0600, STATUS_INVALID},
        {"x00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0600, STATUS_INVALID},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0644, STATUS_REFUSED},
    };
    keys_t *other = NULL;
    err_t err = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scratch_write(&desk.scratch, "other.key", rows[i].content, rows[i].mode);
        assert_int_equal(
            keys_open(desk.scratch.path, scratch_file(&desk.scratch, "other.key"), &other, &err),
            rows[i].wanted);
        assert_null(other);
    }
    assert_int_equal(
        keys_open(desk.scratch.path, scratch_file(&desk.scratch, "none.key"), &other, &err),
        STATUS_UNKNOWN);
    /* With another hash key the same text is another key. */
    char secret[KEY_SIZE];
    api_key_t ask = desk_wanted("o");
    (void)desk_make(desk.keys, &ask, secret);
    scratch_write(&desk.scratch, "other.key",
                  "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0600);
    assert_int_equal(
        keys_open(desk.scratch.path, scratch_file(&desk.scratch, "other.key"), &other, &err),
        STATUS_OK);
    key_cache_t *cache = NULL;
    assert_int_equal(key_cache_new(other, &cache, &err), STATUS_OK);
    assert_int_equal(desk_find(cache, secret), STATUS_UNKNOWN);
    key_cache_destroy(&cache);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create_and_list, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_what_may_not_be_wanted, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_find, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_command_of_another_process, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_wrong_arguments, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_key_text_is_nowhere, desk_open, desk_close),
        cmocka_unit_test_setup_teardown(test_hash_file, desk_open, desk_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
