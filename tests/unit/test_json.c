#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The stack of an HTTP thread. */
enum { STACK_SIZE = 100 * 1024 };

typedef struct {
    const char *text;
    size_t length;
    status_t status;
    size_t members;
} reading_t;

static void *read_in_thread(void *argument)
{
    reading_t *reading = argument;
    AUTO(json_release) json_t *value = NULL;
    err_t err = {0};
    reading->status = json_read(reading->text, reading->length, &value, &err);
    reading->members = value == NULL ? 0 : json_object_size(value);
    if ((reading->status == STATUS_OK) != (value != NULL) ||
        (reading->status != STATUS_OK && (err.text[0] == '\0' || strstr(err.text, "secret"))))
        reading->status = STATUS_CORRUPT;
    return NULL;
}

static status_t status_of(const char *text, size_t length, size_t *out_members)
{
    char *exact = malloc(length == 0 ? 1 : length); /* no NUL behind it */
    assert_non_null(exact);
    memcpy(exact, text, length);
    reading_t reading = {.text = exact, .length = length, .status = STATUS_CORRUPT};
    pthread_attr_t small;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &small, read_in_thread, &reading), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&small);
    free(exact);
    if (out_members != NULL)
        *out_members = reading.members;
    return reading.status;
}

#define ROW(text, status)                                                                          \
    {                                                                                              \
        text, sizeof(text) - 1, STATUS_##status                                                    \
    }

static void only_one_sound_object_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        status_t status;
    } rows[] = {
        ROW("", OK),
        ROW("{}", OK),
        ROW(" \t\r\n{ } \n", OK),
        ROW("{\"a\":[1,2.5,-3e2,true,false,null,\"\\u00e4\\n\"]}", OK),
        ROW("{\"a\":{\"a\":1},\"b\":{\"a\":1}}", OK),
        ROW("{\"a\":\"\xf0\x9f\x99\x82\"}", OK),
        ROW("{\"a\":\"]]]}}}[[[[[[[[[[[[[[[[[[[[[[[[\"}", OK),
        ROW("{\"a\\\"[[[[[[[[[[[[[[[[[[[[[[[[\":1}", OK),
        ROW("{\"a\":9223372036854775807}", OK),
        ROW(" ", INVALID),
        ROW("[]", INVALID),
        ROW("null", INVALID),
        ROW("\"x\"", INVALID),
        ROW("5", INVALID),
        ROW("{", INVALID),
        ROW("}", INVALID),
        ROW("{}{}", INVALID),
        ROW("{}x", INVALID),
        ROW("{} []", INVALID),
        ROW("{\"secret\":1,}", INVALID),
        ROW("{\"a\":1 \"b\":2}", INVALID),
        ROW("{'a':1}", INVALID),
        ROW("{a:1}", INVALID),
        ROW("{\"a\":secret}", INVALID),
        ROW("{\"a\":01}", INVALID),
        ROW("{\"a\":+1}", INVALID),
        ROW("{\"a\":NaN}", INVALID),
        ROW("{\"a\":1e999}", INVALID),
        ROW("{\"a\":/**/1}", INVALID),
        ROW("{\"a\":\"\n\"}", INVALID),
        ROW("{\"a\":\"secret}", INVALID),
        ROW("{\"a\":\"\\x\"}", INVALID),
        ROW("\xef\xbb\xbf{}", INVALID), /* byte order mark */
        /* duplicates */
        ROW("{\"secret\":1,\"secret\":1}", INVALID),
        ROW("{\"a\":1,\"\\u0061\":2}", INVALID),
        ROW("{\"x\":{\"a\":1,\"a\":2}}", INVALID),
        /* NUL */
        ROW("{\"a\":\"secret\\u0000\"}", INVALID),
        ROW("{\"a\\u0000\":1}", INVALID),
        ROW("{\"a\":\"\0\"}", INVALID),
        ROW("{\"a\":1}\0", INVALID),
        ROW("\0", INVALID),
        ROW("{\0}", INVALID),
        /* not UTF-8 */
        ROW("{\"a\":\"\xff\"}", INVALID),
        ROW("{\"a\":\"\xc0\x80\"}", INVALID),
        ROW("{\"a\":\"\xed\xa0\x80\"}", INVALID),
        ROW("{\"a\":\"\\ud800\"}", INVALID),
        ROW("{\"a\":\"\\udc00\\ud800\"}", INVALID),
        ROW("{\"a\":\"\xf4\x90\x80\x80\"}", INVALID),
        ROW("{\"a\":\"\xc3", INVALID),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (status_of(rows[i].text, rows[i].length, NULL) != rows[i].status)
            fail_msg("row %zu: %s", i, rows[i].text);
    size_t members = 42;
    assert_int_equal(status_of("{\"a\":1,\"b\":{}}", 14, &members), STATUS_OK);
    assert_int_equal(members, 2);
}

static void nesting_ends_at_sixteen(void **state)
{
    (void)state;
    static const char openings[] = "[{";
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t depth = 1; depth <= 40; depth++) { /* besides the outermost object */
            char text[512];
            size_t used = 0;
            memcpy(text, "{\"a\":", 5);
            used = 5;
            for (size_t i = 0; i < depth; i++) {
                text[used++] = openings[kind];
                if (kind == 1 && i + 1 < depth) {
                    memcpy(text + used, "\"a\":", 4);
                    used += 4;
                }
            }
            for (size_t i = 0; i < depth; i++)
                text[used++] = kind == 0 ? ']' : '}';
            text[used++] = '}';
            status_t expected = depth + 1 <= JSON_DEPTH_MAX ? STATUS_OK : STATUS_INVALID;
            assert_int_equal(status_of(text, used, NULL), expected);
        }
    }
}

static void bombs_do_not_overflow_a_small_stack(void **state)
{
    (void)state;
    enum { SIZE = 64 * 1024 };
    static const char *const patterns[] = {
        "[",     "{\"a\":", "]",    "}]", "][", "\"[",  "[\"\\\"",
        "\\[[[", "[]",      "]]][", "{",  "\\", "\"\\", "{\"a\":\"\\\\\"[",
    };
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        size_t size = strlen(patterns[i]);
        for (size_t k = 0; k < SIZE; k++)
            text[k] = patterns[i][k % size];
        assert_int_equal(status_of(text, (size_t)3 * 1024, NULL), STATUS_INVALID);
        assert_int_equal(status_of(text, SIZE, NULL), STATUS_INVALID);
        memcpy(text, "{\"a\":[", 6);
        assert_int_equal(status_of(text, SIZE, NULL), STATUS_INVALID);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_sound_object_is_read),
        cmocka_unit_test(nesting_ends_at_sixteen),
        cmocka_unit_test(bombs_do_not_overflow_a_small_stack),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
