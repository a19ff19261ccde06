#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "common/lines.h"

#include <string.h>

static void lines_are_numbered_and_comments_passed_over(void **state)
{
    static const char text[] = "# first\n\none\n \t\n  two\n#\n\nthree\n\r\n \t# more\r\nfo\rur\n";
    static const struct {
        const char *line;
        size_t number;
    } rows[] = {{"one", 3}, {"  two", 5}, {"three", 8}, {"fo\rur", 11}};
    lines_t lines;
    const char *line = NULL;
    size_t length = 0;
    (void)state;
    lines_begin(&lines, text, sizeof(text) - 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(lines_next(&lines, &line, &length));
        assert_int_equal(lines.number, rows[i].number);
        assert_int_equal(length, strlen(rows[i].line));
        assert_memory_equal(line, rows[i].line, length);
    }
    assert_false(lines_next(&lines, &line, &length));
    assert_false(lines_next(&lines, &line, &length));
}

static void nothing_has_no_lines(void **state)
{
    lines_t lines;
    const char *line = NULL;
    size_t length = 0;
    (void)state;
    lines_begin(&lines, "", 0);
    assert_false(lines_next(&lines, &line, &length));
    lines_begin(&lines, "\n\n# no more", 11);
    assert_false(lines_next(&lines, &line, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_numbered_and_comments_passed_over),
        cmocka_unit_test(nothing_has_no_lines),
    };
    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
