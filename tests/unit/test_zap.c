#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/zap.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const char known[] = "0123456789abcdef0123456789abcdef";
static const char unknown[] = "0123456789abcdef0123456789abcdeF";

typedef struct {
    zap_frame_t frames[ZAP_REQUEST_FRAMES];
    size_t count;
    const char *code, *text;
} row_t;

#define REQUEST(version, domain, mechanism, credentials)                                           \
    {                                                                                              \
        BYTES(version), BYTES("7"), BYTES(domain), BYTES("127.0.0.1"), BYTES(""),                  \
            BYTES(mechanism), BYTES(credentials)                                                   \
    }

static void only_known_keys_come_in(void **state)
{
    static const row_t rows[] = {
        {REQUEST("1.0", "workers", "CURVE", "0123456789abcdef0123456789abcdef"), 7, "200", "OK"},
        {REQUEST("1.0", "workers", "CURVE", "0123456789abcdef0123456789abcdeF"), 7, "400",
         "unknown key"},
        {REQUEST("1.0", "workers", "CURVE", "0123456789abcdef0123456789abcde"), 7, "400",
         "not for this"},
        {REQUEST("1.0", "workers", "CURVE", ""), 7, "400", "not for this"},
        {REQUEST("1.0", "workers", "CURVE", "0123456789abcdef0123456789abcdef"), 8, "400",
         "not for this"},
        {REQUEST("1.0", "workers", "CURVE", "0123456789abcdef0123456789abcdef"), 6, "400",
         "not for this"},
        {REQUEST("1.0", "workers", "NULL", ""), 6, "400", "not for this"},
        {REQUEST("1.0", "workers", "PLAIN", "name"), 8, "400", "not for this"},
        {REQUEST("1.0", "", "CURVE", "0123456789abcdef0123456789abcdef"), 7, "400", "not for this"},
        {REQUEST("1.0", "global", "CURVE", "0123456789abcdef0123456789abcdef"), 7, "400",
         "not for this"},
        {REQUEST("2.0", "workers", "CURVE", "0123456789abcdef0123456789abcdef"), 7, "500",
         "not a request of ZAP 1.0"},
        {REQUEST("1.0", "workers", "CURVE", "0123456789abcdef0123456789abcdef"), 5, "500",
         "not a request of ZAP 1.0"},
        {REQUEST("", "", "", ""), 0, "500", "not a request of ZAP 1.0"},
    };
    scratch_t scratch = scratch_make();
    allow_t *allow = NULL;
    char key[CURVE_KEY_SIZE], other[CURVE_KEY_SIZE], line[64];
    err_t err;
    (void)state;
    curve_write_key(known, key);
    curve_write_key(unknown, other);
    (void)snprintf(line, sizeof(line), "trunk-auth %s\n", key);
    scratch_write(&scratch, "workers", line, 0600);
    assert_int_equal(allow_open(scratch_file(&scratch, "workers"), &allow, &err), STATUS_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        zap_answer_t answer = zap_decide(allow, rows[i].frames, rows[i].count);
        if (strcmp(answer.code, rows[i].code) != 0 || strcmp(answer.text, rows[i].text) != 0)
            fail_msg("row %zu: %s %s", i, answer.code, answer.text);
        if (i < 2)
            assert_string_equal(answer.key, i == 0 ? key : other);
        else
            assert_string_equal(answer.key, "");
    }
    allow_close(&allow);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_known_keys_come_in)};
    return cmocka_run_group_tests_name("zap", tests, NULL, NULL);
}
