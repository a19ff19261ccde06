#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/keyfile.h"
#include "tests/support/scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    scratch_t *scratch = malloc(sizeof(*scratch));
    if (scratch == NULL)
        return -1;
    *scratch = scratch_make();
    *state = scratch;
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(*state);
    free(*state);
    return 0;
}

static status_t read_it(const scratch_t *scratch, size_t size, char *out, size_t *out_length)
{
    err_t err = {0};
    const char *path = scratch_file(scratch, "key");
    status_t status = keyfile_read(path, out, size, out_length, &err);
    if (status != STATUS_OK) {
        assert_int_equal(err.status, status);
        assert_null(strstr(err.text, "secret"));
        assert_non_null(strstr(err.where, "key"));
    }
    return status;
}

static void permissions_decide(void **state)
{
    static const struct {
        unsigned mode;
        status_t status;
    } rows[] = {
        {0600, STATUS_OK},      {0400, STATUS_OK},      {0640, STATUS_OK},
        {0440, STATUS_OK},      {0700, STATUS_OK},      {0604, STATUS_REFUSED},
        {0602, STATUS_REFUSED}, {0620, STATUS_REFUSED}, {0660, STATUS_REFUSED},
        {0644, STATUS_REFUSED}, {0666, STATUS_REFUSED}, {0601, STATUS_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[16] = "untouched";
        size_t length = 42;
        scratch_write(*state, "key", "secret", rows[i].mode);
        assert_int_equal(read_it(*state, sizeof(out), out, &length), rows[i].status);
        assert_int_equal(length, rows[i].status == STATUS_OK ? 6 : 42);
        assert_string_equal(out, rows[i].status == STATUS_OK ? "secret" : "untouched");
    }
}

static void another_users_file_is_refused(void **state)
{
    if (geteuid() != 0)
        skip(); /* only root can give files away */
    char out[16];
    size_t length = 0;
    scratch_write(*state, "key", "secret", 0600);
    assert_int_equal(chown(scratch_file(*state, "key"), 12345, (gid_t)-1), 0);
    assert_int_equal(read_it(*state, sizeof(out), out, &length), STATUS_REFUSED);
}

static void what_does_not_fit_leaves_nothing_behind(void **state)
{
    char out[8], zero[8] = {0};
    size_t length = 42;
    scratch_write(*state, "key", "secret7", 0600);
    assert_int_equal(read_it(*state, 8, out, &length), STATUS_OK);
    assert_int_equal(length, 7);
    memset(out, 0, sizeof(out));
    scratch_write(*state, "key", "secret78", 0600);
    length = 42;
    assert_int_equal(read_it(*state, 8, out, &length), STATUS_TOO_LARGE);
    assert_int_equal(length, 42);
    assert_memory_equal(out, zero, sizeof(out));
    scratch_write(*state, "key", "", 0600);
    assert_int_equal(read_it(*state, 8, out, &length), STATUS_OK);
    assert_int_equal(length, 0);
}

static void only_regular_files_are_read(void **state)
{
    char out[16];
    size_t length = 0;
    assert_int_equal(read_it(*state, sizeof(out), out, &length), STATUS_UNKNOWN);
    assert_int_equal(mkdir(scratch_file(*state, "key"), 0700), 0);
    assert_int_equal(read_it(*state, sizeof(out), out, &length), STATUS_REFUSED);
    assert_int_equal(rmdir(scratch_file(*state, "key")), 0);
    assert_int_equal(mkfifo(scratch_file(*state, "key"), 0600), 0);
    (void)alarm(5); /* opening a pipe that nobody writes to must not wait for ever */
    assert_int_equal(read_it(*state, sizeof(out), out, &length), STATUS_REFUSED);
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(permissions_decide, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_users_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_leaves_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_regular_files_are_read, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("keyfile", tests, NULL, NULL);
}
