#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;

static void times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t utc_ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2018-02-02T22:25:27.521Z", 1517610327521},
        {"2018-02-02t22:25:27.521z", 1517610327521},
        {"2018-02-02 22:25:27.521+00:00", 1517610327521},
        {"2018-02-03T00:25:27.521+02:00", 1517610327521},
        {"2018-02-02T16:55:27.521-05:30", 1517610327521},
        {"2018-02-02T22:25:27.521-00:00", 1517610327521},
        {"2018-02-02T22:25:27.5Z", 1517610327500},
        {"2018-02-02T22:25:27.52Z", 1517610327520},
        {"2018-02-02T22:25:27.521999999Z", 1517610327521},
        {"2016-12-31T23:59:60Z", 1483228799000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2024-02-29T12:00:00Z", 1709208000000},
        {"0000-01-01T00:00:00Z", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t utc_ms = 42;
        if (clock_parse_time(rows[i].text, strlen(rows[i].text), &utc_ms) != STATUS_OK ||
            utc_ms != rows[i].utc_ms)
            fail_msg("%s reads as %lld", rows[i].text, (long long)utc_ms);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "2018",
        "2018-02-02",
        "2018-02-02T22:25:27",   /* no offset */
        "2018-02-02T22:25Z",     /* no seconds */
        "2018-02-02T22:25:27.Z", /* no digit after the point */
        "2018-02-02T22:25:27,5Z",
        "2018-02-02T22:25:27.1234567890Z",
        "2018-02-02T22:25:27Z ",
        " 2018-02-02T22:25:27Z",
        "2018-02-02T22:25:27ZZ",
        "2018-02-02T22:25:27+0200",
        "2018-02-02T22:25:27+02",
        "2018-02-02T22:25:27+24:00",
        "2018-02-02T22:25:27+02:60",
        "2018-02-02T22:25:61Z",
        "2018-02-02T22:60:27Z",
        "2018-02-02T24:00:00Z",
        "2018-13-02T22:25:27Z",
        "2018-00-02T22:25:27Z",
        "2018-02-00T22:25:27Z",
        "2018-02-29T22:25:27Z",
        "2018-04-31T22:25:27Z",
        "1900-02-29T22:25:27Z",
        "2100-02-29T22:25:27Z",
        "-018-02-02T22:25:27Z",
        "+2018-02-02T22:25:27Z",
        "2018-2-02T22:25:27Z",
        "2018/02/02T22:25:27Z",
        "2018-02-02X22:25:27Z",
        "12018-02-02T22:25:27Z",
        "1517610327521",
        "0000-01-01T00:00:00+00:01",    /* before the year 0000 */
        "9999-12-31T23:59:59.999-00:01" /* after 9999 */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t utc_ms = 42;
        if (clock_parse_time(rows[i], strlen(rows[i]), &utc_ms) != STATUS_INVALID || utc_ms != 42)
            fail_msg("\"%s\" was taken", rows[i]);
    }
    int64_t utc_ms = 42;
    assert_int_equal(clock_parse_time("2018-02-02\0"
                                      "22:25:27Z",
                                      20, &utc_ms),
                     STATUS_INVALID);
}

static void no_prefix_of_a_time_is_one(void **state)
{
    (void)state;
    static const char text[] = "2018-02-02T22:25:27.521+02:00";
    for (size_t length = 0; length < sizeof(text) - 1; length++) {
        char exact[32]; /* so that a sanitizer sees a read behind the end */
        int64_t utc_ms = 0;
        memcpy(exact, text, length);
        assert_int_equal(clock_parse_time(exact, length, &utc_ms), STATUS_INVALID);
    }
}

/* xorshift64: the same times in every run. */
static uint64_t next_random(void)
{
    static uint64_t seed = 88172645463325252U;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void times_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int i = 0; i < 50000; i++) {
        int64_t utc_ms = first_ms + (int64_t)(next_random() % (uint64_t)(last_ms - first_ms + 1));
        int64_t milli = (utc_ms % 1000 + 1000) % 1000;
        time_t seconds = (time_t)((utc_ms - milli) / 1000);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char expected[64], time[CLOCK_RFC3339_SIZE], date[CLOCK_DATE_SIZE];
        int size = snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                            tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                            tm.tm_sec, (int)milli);
        assert_int_equal(size, CLOCK_RFC3339_SIZE - 1);
        clock_format_time(utc_ms, time);
        assert_string_equal(time, expected);
        clock_format_date(utc_ms, date);
        assert_memory_equal(date, expected, CLOCK_DATE_SIZE - 1);
        int64_t back = 0;
        assert_int_equal(clock_parse_time(time, strlen(time), &back), STATUS_OK);
        assert_true(back == utc_ms && timegm(&tm) == seconds);
    }
}

static void years_out_of_range_are_clamped(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339_SIZE];
    clock_format_time(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    clock_format_time(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    char date[CLOCK_DATE_SIZE];
    clock_format_date(INT64_MAX, date);
    assert_string_equal(date, "9999-12-31");
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_us();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_us();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_ms() >= last / 1000);
    assert_true(clock_utc_ms() / 1000 - (int64_t)time(NULL) <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(no_prefix_of_a_time_is_one),
        cmocka_unit_test(times_agree_with_the_c_library),
        cmocka_unit_test(years_out_of_range_are_clamped),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
