/* API keys: the store, its in-memory copy, and the command line. */
#include "gateway/keys.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/mem.h"
#include "gateway/key_command.h"
#include "tests/support/await.h"
#include "tests/support/scratch.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static scratch_t scratch;
static char hash_file[128];
static keys_t *keys;

static int make_store(void **state)
{
    err_t err = {0};
    (void)state;
    if (sodium_init() < 0)
        return -1;
    scratch = scratch_make();
    scratch_write(&scratch, "hash.key",
                  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
    (void)snprintf(hash_file, sizeof hash_file, "%s", scratch_file(&scratch, "hash.key"));
    return keys_open(scratch.path, hash_file, &keys, &err) == STATUS_OK ? 0 : -1;
}

static int drop_store(void **state)
{
    (void)state;
    keys_close(&keys);
    scratch_remove(&scratch);
    return 0;
}

static api_key_t wanted(const char *organization)
{
    api_key_t key = {.scope = SCOPE_READ, .rate_limit = 7};
    (void)snprintf(key.organization, sizeof key.organization, "%s", organization);
    (void)snprintf(key.label, sizeof key.label, "label");
    return key;
}

static api_key_t make(keys_t *store, const api_key_t *key, char secret[KEY_SIZE])
{
    err_t err = {0};
    api_key_t made;
    if (keys_create(store, key, secret, &made, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return made;
}

static status_t find(key_cache_t *cache, const char *secret)
{
    api_key_t found;
    return key_cache_find(cache, secret, strlen(secret), &found);
}

static key_cache_t *make_cache(void)
{
    err_t err = {0};
    key_cache_t *cache = NULL;
    assert_int_equal(key_cache_new(keys, &cache, &err), STATUS_OK);
    keys = NULL; /* taken over */
    return cache;
}

static keys_t *open_another(void)
{
    err_t err = {0};
    keys_t *other = NULL;
    if (keys_open(scratch.path, hash_file, &other, &err) != STATUS_OK)
        fail_msg("%s: %s", err.where, err.text);
    return other;
}

static void test_create_and_list(void **state)
{
    char one[KEY_SIZE], two[KEY_SIZE];
    err_t err = {0};
    api_key_t *list = NULL;
    size_t count = 0;
    (void)state;
    api_key_t ask = wanted("Überland GmbH");
    ask.is_operator = true;
    ask.expires_at = clock_utc_ms() + 60000;
    api_key_t first = make(keys, &ask, one);
    ask = wanted("Überland GmbH");
    ask.scope = SCOPE_SIP;
    api_key_t second = make(keys, &ask, two);
    assert_int_equal(strlen(one), 46);
    assert_int_equal(
        strspn(one, "lk_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 46);
    assert_memory_equal(one, "lk_", 3);
    assert_string_not_equal(one, two);
    assert_string_equal(first.organization_id, second.organization_id);
    assert_int_equal(keys_list(keys, &list, &count, &err), STATUS_OK);
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
    assert_int_equal(keys_create(keys, &ask, secret, &made, &err), STATUS_INVALID);
    assert_string_equal(secret, "untouched");
}

static void test_what_may_not_be_wanted(void **state)
{
    err_t err = {0};
    api_key_t *list = NULL;
    size_t count = 1;
    (void)state;
    expect_refused(wanted(""));
    expect_refused(wanted("a\tb"));
    expect_refused(wanted("\xff"));
    api_key_t ask = wanted("o");
    ask.expires_at = clock_utc_ms() - 1;
    expect_refused(ask);
    ask = wanted("o");
    ask.rate_limit = -1;
    expect_refused(ask);
    assert_int_equal(keys_list(keys, &list, &count, &err), STATUS_OK);
    assert_int_equal(count, 0);
    mem_free(list);
}

static void test_find(void **state)
{
    char secret[KEY_SIZE], other[KEY_SIZE];
    (void)state;
    api_key_t ask = wanted("o");
    api_key_t made = make(keys, &ask, secret);
    api_key_t found = {0};
    key_cache_t *cache = make_cache();
    assert_int_equal(key_cache_find(cache, secret, 46, &found), STATUS_OK);
    assert_string_equal(found.id, made.id);
    assert_string_equal(found.organization_id, made.organization_id);
    /* Other texts and lengths; none is read past its length. */
    assert_int_equal(key_cache_find(cache, secret, 45, &found), STATUS_UNKNOWN);
    assert_int_equal(key_cache_find(cache, secret, 0, &found), STATUS_UNKNOWN);
    assert_int_equal(key_cache_find(cache, "", 0, &found), STATUS_UNKNOWN);
    assert_int_equal(key_cache_find(cache, secret, 47, &found), STATUS_UNKNOWN);
    assert_int_equal(find(cache, "null"), STATUS_UNKNOWN);
    assert_int_equal(find(cache, "lk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), STATUS_UNKNOWN);
    for (size_t i = 0; i < 46; i++) {
        memcpy(other, secret, sizeof other);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_int_equal(find(cache, other), STATUS_UNKNOWN);
    }
    char *huge = mem_zalloc(1 << 20);
    assert_int_equal(key_cache_find(cache, huge, 1 << 20, &found), STATUS_UNKNOWN);
    mem_free(huge);
    key_cache_destroy(&cache);
    assert_null(cache);
}

static void test_many_keys(void **state)
{
    enum { MANY = 300 };
    static char secrets[MANY][KEY_SIZE];
    (void)state;
    api_key_t ask = wanted("o");
    for (size_t i = 0; i < MANY; i++)
        (void)make(keys, &ask, secrets[i]);
    key_cache_t *cache = make_cache();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(find(cache, secrets[i]), STATUS_OK);
    key_cache_destroy(&cache);
}

typedef struct {
    key_cache_t *cache;
    const char *secret;
} sought_t;

static bool is_unknown(void *context)
{
    const sought_t *sought = context;
    return find(sought->cache, sought->secret) == STATUS_UNKNOWN;
}

static void test_expiry_needs_no_refresh(void **state)
{
    char secret[KEY_SIZE];
    (void)state;
    api_key_t ask = wanted("o");
    ask.expires_at = clock_utc_ms() + 300;
    (void)make(keys, &ask, secret);
    key_cache_t *cache = make_cache();
    assert_int_equal(find(cache, secret), STATUS_OK);
    sought_t sought = {cache, secret};
    assert_true(await(is_unknown, &sought, 3000));
    assert_true(clock_utc_ms() >= ask.expires_at);
    assert_int_equal(find(cache, secret), STATUS_UNKNOWN);
    key_cache_destroy(&cache);
}

static void test_changes_show_after_a_refresh(void **state)
{
    char before[KEY_SIZE], later[KEY_SIZE];
    err_t err = {0};
    (void)state;
    api_key_t ask = wanted("o");
    api_key_t made = make(keys, &ask, before);
    key_cache_t *cache = make_cache();
    keys_t *other = open_another();
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    (void)make(other, &ask, later);
    assert_int_equal(find(cache, later), STATUS_UNKNOWN);
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    assert_int_equal(find(cache, later), STATUS_OK);
    assert_int_equal(find(cache, before), STATUS_OK);
    assert_int_equal(keys_revoke(other, made.id, &err), STATUS_OK);
    assert_int_equal(keys_revoke(other, made.id, &err), STATUS_OK);
    assert_int_equal(key_cache_refresh(cache, &err), STATUS_OK);
    assert_int_equal(find(cache, before), STATUS_UNKNOWN);
    assert_int_equal(find(cache, later), STATUS_OK);
    assert_int_equal(keys_revoke(other, "nobody", &err), STATUS_UNKNOWN);
    keys_close(&other);
    key_cache_destroy(&cache);
}

static status_t seek(key_cache_t *cache, const char *secret)
{
    api_key_t found;
    return key_cache_seek(cache, secret, strlen(secret), &found);
}

static void test_new_key_is_found_at_once(void **state)
{
    char later[KEY_SIZE];
    (void)state;
    api_key_t ask = wanted("o");
    key_cache_t *cache = make_cache();
    keys_t *other = open_another();
    (void)make(other, &ask, later);
    assert_int_equal(find(cache, later), STATUS_UNKNOWN);
    assert_int_equal(seek(cache, ""), STATUS_UNKNOWN);
    assert_int_equal(seek(cache, "xx_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), STATUS_UNKNOWN);
    assert_int_equal(find(cache, later), STATUS_UNKNOWN); /* those were not worth a look */
    assert_int_equal(seek(cache, later), STATUS_OK);
    assert_int_equal(find(cache, later), STATUS_OK);
    assert_int_equal(seek(cache, "lk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), STATUS_UNKNOWN);
    keys_close(&other);
    key_cache_destroy(&cache);
}

/* Each key that is found at once has cost a look into the store. */
static void test_looks_are_bounded(void **state)
{
    enum { TRIES = 200, BURST = 5, EVERY_MS = 50 };
    char later[KEY_SIZE];
    int64_t found = 0;
    (void)state;
    api_key_t ask = wanted("o");
    key_cache_t *cache = make_cache();
    keys_t *other = open_another();
    int64_t begin = clock_ms();
    for (int i = 0; i < TRIES; i++) {
        (void)make(other, &ask, later);
        found += seek(cache, later) == STATUS_OK;
    }
    int64_t took = clock_ms() - begin;
    print_message("%lld of %d were found at once in %lld ms\n", (long long)found, TRIES,
                  (long long)took);
    assert_in_range(found, BURST, BURST + 1 + took / EVERY_MS);
    keys_close(&other);
    key_cache_destroy(&cache);
}

typedef struct {
    key_cache_t *cache;
    const char *secret;
    status_t status;
    pthread_barrier_t *start;
} seeker_t;

static void *seek_once(void *argument)
{
    seeker_t *seeker = argument;
    (void)pthread_barrier_wait(seeker->start);
    seeker->status = seek(seeker->cache, seeker->secret);
    return NULL;
}

static void test_many_seek_one_new_key(void **state)
{
    enum { SEEKERS = 4, ROUNDS = 5 };
    char later[KEY_SIZE];
    pthread_barrier_t start;
    (void)state;
    api_key_t ask = wanted("o");
    key_cache_t *cache = make_cache();
    keys_t *other = open_another();
    (void)pthread_barrier_init(&start, NULL, SEEKERS);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[SEEKERS];
        seeker_t seekers[SEEKERS];
        (void)make(other, &ask, later);
        for (int i = 0; i < SEEKERS; i++) {
            seekers[i] = (seeker_t){cache, later, STATUS_UNKNOWN, &start};
            assert_int_equal(pthread_create(&threads[i], NULL, seek_once, &seekers[i]), 0);
        }
        for (int i = 0; i < SEEKERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < SEEKERS; i++)
            assert_int_equal(seekers[i].status, STATUS_OK);
    }
    (void)pthread_barrier_destroy(&start);
    keys_close(&other);
    key_cache_destroy(&cache);
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
        _exit(key_command(argc, argv, scratch.path, hash_file));
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
    key_cache_t *cache = make_cache();
    assert_int_equal(COMMAND(text, create, organization, scope, name, expires), EXIT_OK);
    assert_int_equal(strlen(text), 47); /* the key and a line end, nothing else */
    memcpy(secret, text, 46);
    assert_int_equal(find(cache, secret), STATUS_UNKNOWN);
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
    assert_int_equal(find(cache, secret), STATUS_UNKNOWN);
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
    FILE *file = fopen(scratch_file(&scratch, name), "rb");
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
    api_key_t ask = wanted("organization-to-be-found");
    (void)make(keys, &ask, secret);
    bool seen = false;
    for (int closed = 0; closed < 2; closed++) {
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
            seen = seen || file_holds(files[i], "organization-to-be-found", 24);
            assert_false(file_holds(files[i], secret + 3, 43));
            assert_false(file_holds(files[i], secret + 3, 12));
        }
        assert_true(seen); /* the search does find what is there */
        keys_close(&keys);
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
        scratch_write(&scratch, "other.key", rows[i].content, rows[i].mode);
        assert_int_equal(keys_open(scratch.path, scratch_file(&scratch, "other.key"), &other, &err),
                         rows[i].wanted);
        assert_null(other);
    }
    assert_int_equal(keys_open(scratch.path, scratch_file(&scratch, "none.key"), &other, &err),
                     STATUS_UNKNOWN);
    /* With another hash key the same text is another key. */
    char secret[KEY_SIZE];
    api_key_t ask = wanted("o");
    (void)make(keys, &ask, secret);
    scratch_write(&scratch, "other.key",
                  "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0600);
    assert_int_equal(keys_open(scratch.path, scratch_file(&scratch, "other.key"), &other, &err),
                     STATUS_OK);
    key_cache_t *cache = NULL;
    assert_int_equal(key_cache_new(other, &cache, &err), STATUS_OK);
    assert_int_equal(find(cache, secret), STATUS_UNKNOWN);
    key_cache_destroy(&cache);
}

typedef struct {
    key_cache_t *cache;
    const char *secret;
    _Atomic bool stop;
    _Atomic int misses;
} readers_t;

static void *keep_finding(void *argument)
{
    readers_t *readers = argument;
    while (!atomic_load(&readers->stop))
        if (find(readers->cache, readers->secret) != STATUS_OK)
            atomic_fetch_add(&readers->misses, 1);
    return NULL;
}

static void test_readers_never_miss_during_refreshes(void **state)
{
    char secret[KEY_SIZE], other_secret[KEY_SIZE];
    pthread_t threads[3];
    err_t err = {0};
    (void)state;
    api_key_t ask = wanted("o");
    (void)make(keys, &ask, secret);
    readers_t readers = {.cache = make_cache(), .secret = secret};
    keys_t *other = open_another();
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_finding, &readers), 0);
    int bad = 0;
    for (int i = 0; i < 30; i++) {
        (void)make(other, &ask, other_secret);
        int64_t begin = clock_ms();
        bad += key_cache_refresh(readers.cache, &err) != STATUS_OK;
        bad += find(readers.cache, other_secret) != STATUS_OK;
        bad += clock_ms() - begin > 1000;
    }
    atomic_store(&readers.stop, true);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(bad, 0);
    assert_int_equal(readers.misses, 0);
    keys_close(&other);
    key_cache_destroy(&readers.cache);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create_and_list, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_what_may_not_be_wanted, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_find, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_many_keys, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_expiry_needs_no_refresh, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_changes_show_after_a_refresh, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_new_key_is_found_at_once, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_looks_are_bounded, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_many_seek_one_new_key, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_command_of_another_process, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_wrong_arguments, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_key_text_is_nowhere, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_hash_file, make_store, drop_store),
        cmocka_unit_test_setup_teardown(test_readers_never_miss_during_refreshes, make_store,
                                        drop_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
