#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, EACH = 500, OUTPUT_SIZE = 1 << 20 };

static FILE *sink;
static int kept_stderr;
static char output[OUTPUT_SIZE];

static void capture(void)
{
    sink = tmpfile();
    assert_non_null(sink);
    kept_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fileno(sink), STDERR_FILENO) >= 0);
}

/* What has been written so far. */
static const char *peek(void)
{
    rewind(sink);
    output[fread(output, 1, sizeof(output) - 1, sink)] = '\0';
    return output;
}

static const char *captured(void)
{
    (void)peek();
    (void)dup2(kept_stderr, STDERR_FILENO);
    (void)close(kept_stderr);
    (void)fclose(sink);
    return output;
}

static void a_line_has_its_fields_in_order(void **state)
{
    (void)state;
    log_open("sample", LOG_INFO);
    capture();
    log_line_t line = log_line(LOG_INFO, "request");
    log_text(&line, "method", "GET");
    log_text(&line, "absent", NULL);
    log_number(&line, "low", INT64_MIN);
    log_number(&line, "status", 200);
    log_end(&line);
    log_line_t quiet = log_line(LOG_DEBUG, "unseen");
    log_end(&quiet);
    const char *text = captured();
    assert_memory_equal(text, "time=", 5);
    assert_string_equal(text + 5 + 24, " level=info program=sample event=request method=GET "
                                       "low=-9223372036854775808 status=200\n");
}

static void values_are_quoted_when_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        size_t length;
        const char *expected;
    } rows[] = {
        {"plain/v2?x", 10, "plain/v2?x"},
        {"", 0, "\"\""},
        {"two words", 9, "\"two words\""},
        {"a=b", 3, "\"a=b\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"line\nfeed\r\x1b[31m\x7f", 16, "\"line\\x0afeed\\x0d\\x1b[31m\\x7f\""},
        {"n\0ul", 4, "\"n\\x00ul\""},
        {"\xc2\x9b"
         "31m",
         5, "\"\\xc2\\x9b31m\""}, /* CSI of 8-bit terminals */
        {"\xff", 1, "\"\\xff\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        log_line_t line = {.used = 0};
        log_bytes(&line, "k", rows[i].value, rows[i].length);
        assert_memory_equal(line.bytes, "k=", 2);
        assert_int_equal(line.used, 2 + strlen(rows[i].expected));
        assert_memory_equal(line.bytes + 2, rows[i].expected, line.used - 2);
    }
}

/* Whether the line reads as logfmt: every quote is closed, every escape whole. */
static bool is_whole(const char *bytes, size_t length)
{
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (quoted && bytes[i] == '\\') {
            size_t size = i + 1 < length && bytes[i + 1] == 'x' ? 4 : 2;
            if (length - i < size)
                return false;
            i += size - 1;
        } else if (bytes[i] == '"') {
            quoted = !quoted;
        }
    }
    return !quoted;
}

static void what_is_too_long_is_cut_cleanly(void **state)
{
    (void)state;
    static const char *const fills[] = {"a", " ", "\"", "\n", "\\"};
    char value[2 * LOG_LINE_SIZE];
    for (size_t f = 0; f < ARRAY_LEN(fills); f++) {
        memset(value, fills[f][0], sizeof(value));
        for (size_t before = LOG_LINE_SIZE - 30; before < LOG_LINE_SIZE; before++) {
            log_line_t line = {.used = 0};
            memset(line.bytes, 'b', before);
            line.used = before;
            log_bytes(&line, "key", value, sizeof(value));
            log_text(&line, "second", "x y");
            assert_in_range(line.used, before, LOG_LINE_SIZE - 1);
            assert_true(is_whole(line.bytes, line.used));
            const char *equals = memchr(line.bytes + before, '=', line.used - before);
            assert_true(line.used == before || equals != NULL); /* no key without its value */
        }
    }
    log_line_t line = {.used = 0};
    log_bytes(&line, "path", value, sizeof(value));
    log_number(&line, "status", 200);
    line.bytes[line.used] = '\0'; /* there is always room for the newline */
    assert_non_null(strstr(line.bytes, " status=200"));
}

static void an_error_is_three_fields(void **state)
{
    (void)state;
    err_t err;
    (void)err_set(&err, STATUS_BUSY, "gate", "is taken");
    capture();
    log_failure(LOG_ERROR, "write", &err);
    const char *text = captured();
    assert_non_null(strstr(text, "level=error"));
    assert_non_null(strstr(text, "status=busy where=gate error=\"is taken\"\n"));
}

static void *write_lines(void *argument)
{
    for (int i = 0; i < EACH; i++) {
        log_line_t line = log_line(LOG_INFO, "thread");
        log_text(&line, "name", argument);
        log_number(&line, "i", i);
        log_end(&line);
    }
    return NULL;
}

/* Last, since gathering can't be ended. */
static void gathered_lines_are_all_there_and_never_mix(void **state)
{
    (void)state;
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    capture();
    log_gather();
    log_line_t line = log_line(LOG_INFO, "first");
    log_end(&line);
    assert_string_equal(peek(), "");
    log_flush();
    assert_non_null(strstr(peek(), "event=first\n"));
    line = log_line(LOG_INFO, "second");
    log_end(&line);
    assert_null(strstr(peek(), "second"));
    line = log_line(LOG_WARN, "third");
    log_end(&line);
    assert_non_null(strstr(peek(), "second"));
    assert_non_null(strstr(peek(), "third"));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    log_flush();
    int next[THREADS] = {0};
    char *rest = NULL;
    (void)captured();
    for (char *at = strtok_r(output, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        assert_memory_equal(at, "time=", 5);
        const char *name = strstr(at, " name=");
        if (name == NULL)
            continue;
        char expected[32];
        int thread = name[6] - 'a';
        assert_in_range(thread, 0, THREADS - 1);
        (void)snprintf(expected, sizeof(expected), " name=%c i=%d", name[6], next[thread]++);
        assert_string_equal(name, expected);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], EACH);
}

static void levels_are_read(void **state)
{
    (void)state;
    log_level_t level = LOG_INFO;
    assert_int_equal(log_level_parse("error", &level), STATUS_OK);
    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(log_level_parse("debug", &level), STATUS_OK);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_parse("Warn", &level), STATUS_INVALID);
    assert_int_equal(log_level_parse("", &level), STATUS_INVALID);
    assert_int_equal(level, LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_fields_in_order),
        cmocka_unit_test(values_are_quoted_when_they_must_be),
        cmocka_unit_test(what_is_too_long_is_cut_cleanly),
        cmocka_unit_test(an_error_is_three_fields),
        cmocka_unit_test(levels_are_read),
        cmocka_unit_test(gathered_lines_are_all_there_and_never_mix),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
