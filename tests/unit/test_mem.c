#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/status.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void memory_is_there_and_zeroed(void **state)
{
    (void)state;
    char *bytes = mem_zalloc(100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(bytes[i], 0);
    bytes = mem_resize(bytes, 200);
    assert_int_equal(bytes[99], 0);
    mem_free(bytes);
    mem_free(NULL);
    void *nothing[] = {mem_zalloc(0), mem_array(0, 8), mem_array(8, 0), mem_resize(NULL, 0)};
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        assert_non_null(nothing[i]);
        mem_free(nothing[i]);
    }
}

static void a_copy_ends_with_a_nul(void **state)
{
    (void)state;
    char *copy = mem_copy("a\0b", 3);
    assert_memory_equal(copy, "a\0b", 4);
    mem_release(&copy);
    assert_null(copy);
    mem_release(&copy);
    copy = mem_copy(NULL, 0);
    assert_string_equal(copy, "");
    mem_release(&copy);
}

static void ask_for_too_many(void)
{
    (void)mem_array(SIZE_MAX / 2, 4);
}

static void ask_for_too_large_a_copy(void)
{
    (void)mem_copy("", SIZE_MAX);
}

/* In a child, since it must not survive. */
static void assert_aborts(void (*function)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        function();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void no_memory_is_the_end(void **state)
{
    (void)state;
    assert_aborts(ask_for_too_many);
    assert_aborts(ask_for_too_large_a_copy);
}

static void an_error_says_where_and_why(void **state)
{
    (void)state;
    err_t err;
    assert_int_equal(err_set(&err, STATUS_BUSY, "here", "is %d", 5), STATUS_BUSY);
    assert_int_equal(err.status, STATUS_BUSY);
    assert_string_equal(err.where, "here");
    assert_string_equal(err.text, "is 5");
    assert_int_equal(err_set(NULL, STATUS_FULL, "here", "x"), STATUS_FULL);
    errno = ENOENT;
    assert_int_equal(err_errno(&err, "file", "cannot be opened"), STATUS_SYSTEM);
    assert_string_equal(err.text, "cannot be opened: No such file or directory");
    char longer[600];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    (void)err_set(&err, STATUS_FULL, longer, "%s", longer);
    assert_int_equal(strlen(err.where), sizeof(err.where) - 1);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int a = STATUS_OK; a <= STATUS_SYSTEM; a++) {
        assert_string_not_equal(status_name((status_t)a), "unnamed");
        for (int b = STATUS_OK; b < a; b++)
            assert_string_not_equal(status_name((status_t)a), status_name((status_t)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_there_and_zeroed), cmocka_unit_test(a_copy_ends_with_a_nul),
        cmocka_unit_test(no_memory_is_the_end),       cmocka_unit_test(an_error_says_where_and_why),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
