/* Answers that are given again: to whom, how long, in how much room; and by many threads. */
#include "gateway/answers.h"

#include "common/text.h"
#include "proto/sip.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define A "01900000-0000-7000-8000-00000000000a"
#define B "01900000-0000-7000-8000-00000000000b"

enum { HOUR = 3600 * 1000, KIB = 1024, MANY = 4000, THREADS = 4, ROUNDS = 20000, QUERIES = 32 };

static const operation_t operations[] = {{.name = "one", .flags = OPERATION_KEPT},
                                         {.name = "other", .flags = OPERATION_KEPT}};
static const answer_key_t key = {.operation = &operations[0], .organization_id = A, .query = "q=1"};
static const freshness_t fresh = {.board = 7, .version = 10, .until_utc_ms = HOUR};
static const answers_now_t now = {.board = 7, .version = 10, .now_utc_ms = 5};

static answers_t *answers;

static int begin(void **state)
{
    (void)state;
    answers = answers_new(64 * (size_t)KIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    answers_destroy(&answers);
    assert_null(answers);
    answers_destroy(&answers);
    return 0;
}

static void keep(const answer_key_t *of, const freshness_t *until, const char *body)
{
    answers_keep(answers, of, until, MEDIA_TEXT, body, strlen(body));
}

/* What is given, "" for nothing. */
static const char *found(const answer_key_t *of, const answers_now_t *at)
{
    static char text[ANSWERS_SLOT + 1];
    media_t media = MEDIA_JSON;
    msgpack_sbuffer body;
    msgpack_sbuffer_init(&body);
    bool given = answers_find(answers, of, at, &body, &media);
    assert_int_equal(given, body.size > 0);
    assert_int_equal(media, given ? MEDIA_TEXT : MEDIA_JSON);
    assert_int_equal(text_copy(text, sizeof(text), given ? body.data : "", body.size), STATUS_OK);
    msgpack_sbuffer_destroy(&body);
    return text;
}

static void gives_what_was_kept(void **state)
{
    (void)state;
    assert_string_equal(found(&key, &now), "");
    keep(&key, &fresh, "first");
    assert_string_equal(found(&key, &now), "first");
    keep(&key, &fresh, "second");
    assert_string_equal(found(&key, &now), "second");
    assert_string_equal(found(&key, &now), "second");
}

static void only_while_the_store_is_the_same(void **state)
{
    (void)state;
    static const answers_now_t others[] = {{7, 11, 5}, {7, 9, 5}, {8, 10, 5},    {7, 0, 5},
                                           {0, 10, 5}, {0, 0, 5}, {7, 10, HOUR}, {7, 10, HOUR + 1}};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        keep(&key, &fresh, "x");
        assert_string_equal(found(&key, &now), "x");
        assert_string_equal(found(&key, &others[i]), "");
        assert_string_equal(found(&key, &now), ""); /* it was dropped */
    }
    keep(&key, &fresh, "x");
    assert_string_equal(found(&key, &(answers_now_t){7, 10, HOUR - 1}), "x");
}

static void keeps_nothing_that_was_never_fresh(void **state)
{
    (void)state;
    keep(&key, &(freshness_t){.board = 0, .version = 10, .until_utc_ms = HOUR}, "x");
    keep(&key, &(freshness_t){.board = 7, .version = 0, .until_utc_ms = HOUR}, "x");
    assert_string_equal(found(&key, &now), "");
    assert_string_equal(found(&key, &(answers_now_t){0, 10, 5}), "");
    assert_string_equal(found(&key, &(answers_now_t){7, 0, 5}), "");
}

static void a_view_is_nobody_elses(void **state)
{
    (void)state;
    answer_key_t other = key, operator= key, operation = key, query = key, none = key;
    other.organization_id = B;
    operator.is_operator = true;
    operation.operation = &operations[1];
    query.query = "q=2";
    none.query = NULL;
    const answer_key_t *const all[] = {&key, &other, &operator, & operation, &query, &none};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char body[8] = {(char)('a' + (char)i)};
        for (size_t before = 0; before < i; before++)
            assert_true(found(all[before], &now)[0] == (char)('a' + (char)before));
        assert_string_equal(found(all[i], &now), "");
        keep(all[i], &fresh, body);
    }
    /* Operators see the same, whosever they are. */
    operator.organization_id = B;
    assert_string_equal(found(&operator, & now), "c");
}

/* Long ones: what fits is whole, what does not is not there, and there is no cut in between. */
static void keeps_what_fits(void **state)
{
    (void)state;
    char query[2 * ANSWERS_SLOT], body[2 * ANSWERS_SLOT];
    size_t fitted = 0;
    for (size_t length = 2; length < ANSWERS_SLOT + 50; length++) {
        answer_key_t one = key;
        memset(query, 'q', length / 2);
        query[length / 2] = '\0';
        memset(body, 'b', length - length / 2);
        body[length - length / 2] = '\0';
        one.query = query;
        keep(&one, &fresh, body);
        const char *given = found(&one, &now);
        bool whole = strcmp(given, body) == 0;
        assert_true(whole || given[0] == '\0');
        fitted += whole;
    }
    assert_in_range(fitted, 500, ANSWERS_SLOT);
}

static void room_is_bounded_and_goes_to_what_is_asked_for(void **state)
{
    (void)state;
    size_t there = 0;
    char query[32];
    keep(&key, &fresh, "wanted");
    for (int i = 0; i < MANY; i++) {
        answer_key_t one = key;
        (void)snprintf(query, sizeof(query), "other=%d", i);
        one.query = query;
        keep(&one, &fresh, query);
        assert_string_equal(found(&key, &now), "wanted");
    }
    for (int i = 0; i < MANY; i++) {
        answer_key_t one = key;
        (void)snprintf(query, sizeof(query), "other=%d", i);
        one.query = query;
        const char *given = found(&one, &now);
        there += given[0] != '\0';
        assert_true(given[0] == '\0' || strcmp(given, query) == 0);
    }
    assert_in_range(there, 32, 64 * KIB / ANSWERS_SLOT);
}

static void sweeps_what_is_stale(void **state)
{
    (void)state;
    answer_key_t other = key;
    other.query = "q=2";
    const freshness_t elsewhere = {.board = 9, .version = 4, .until_utc_ms = HOUR};
    const answers_now_t both[] = {now, {9, 4, 5}}, moved[] = {now, {9, 6, 5}};
    keep(&key, &fresh, "x");
    keep(&other, &elsewhere, "y");
    answers_sweep(answers, both, 2);
    assert_string_equal(found(&other, &both[1]), "y");
    answers_sweep(answers, moved, 2);
    assert_string_equal(found(&other, &both[1]), "");
    assert_string_equal(found(&key, &now), "x");
    answers_sweep(answers, NULL, 0);
    assert_string_equal(found(&key, &now), "");
}

/* ---- Threads: the version moves on, and every answer says which one it was made of ---- */

static atomic_uint_least64_t version;
static atomic_size_t hits, older;

static void ask(const answer_key_t *of, const char *query)
{
    char wanted[64];
    const answers_now_t at = {.board = 7, .version = atomic_load(&version), .now_utc_ms = 5};
    media_t media = MEDIA_JSON;
    msgpack_sbuffer body;
    msgpack_sbuffer_init(&body);
    int length =
        snprintf(wanted, sizeof(wanted), "%s at %llu", query, (unsigned long long)at.version);
    if (answers_find(answers, of, &at, &body, &media)) {
        atomic_fetch_add(&hits, 1);
        if (body.size != (size_t)length || memcmp(body.data, wanted, body.size) != 0)
            atomic_fetch_add(&older, 1);
    } else {
        const freshness_t until = {7, at.version, HOUR};
        answers_keep(answers, of, &until, MEDIA_TEXT, wanted, (size_t)length);
    }
    msgpack_sbuffer_destroy(&body);
}

static void *reader(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        char query[16];
        answer_key_t one = key;
        (void)snprintf(query, sizeof(query), "q=%d", i % QUERIES);
        one.query = query;
        ask(&one, query);
    }
    return NULL;
}

static void *sweeper(void *argument)
{
    const atomic_bool *ended = argument;
    for (int i = 0; !atomic_load(ended); i++) {
        const answers_now_t at = {7, atomic_fetch_add(&version, i % 64 == 0 ? 2 : 0), 5};
        if (i % 128 == 0)
            answers_sweep(answers, &at, 1);
    }
    return NULL;
}

static void threads_never_get_what_is_older(void **state)
{
    (void)state;
    pthread_t readers[THREADS], other;
    atomic_bool ended = false;
    atomic_store(&version, 2);
    assert_int_equal(pthread_create(&other, NULL, sweeper, &ended), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, reader, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    atomic_store(&ended, true);
    assert_int_equal(pthread_join(other, NULL), 0);
    (void)reader(NULL); /* the version rests: all but the first of each are there */
    assert_int_equal(atomic_load(&older), 0);
    assert_true(atomic_load(&hits) >= ROUNDS - QUERIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_what_was_kept, begin, end),
        cmocka_unit_test_setup_teardown(only_while_the_store_is_the_same, begin, end),
        cmocka_unit_test_setup_teardown(keeps_nothing_that_was_never_fresh, begin, end),
        cmocka_unit_test_setup_teardown(a_view_is_nobody_elses, begin, end),
        cmocka_unit_test_setup_teardown(keeps_what_fits, begin, end),
        cmocka_unit_test_setup_teardown(room_is_bounded_and_goes_to_what_is_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(sweeps_what_is_stale, begin, end),
        cmocka_unit_test_setup_teardown(threads_never_get_what_is_older, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
