#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/config.h"
#include "gateway/allow.h"
#include "gateway/curve_command.h"
#include "proto/curve.h"
#include "proto/registry.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <stdio.h>
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

static void read_all(const scratch_t *scratch, const char *name, char *out, size_t size)
{
    int file = open(scratch_file(scratch, name), O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, out, size - 1);
    assert_true(length >= 0);
    out[length] = '\0';
    (void)close(file);
}

static void assert_private(const scratch_t *scratch, const char *name)
{
    struct stat info;
    assert_int_equal(stat(scratch_file(scratch, name), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

/* Whether the service's key is on the list, for itself and nothing else. */
static bool is_allowed(const scratch_t *scratch, const char *directory, size_t service)
{
    char list[64];
    curve_t *worker = NULL;
    allow_t *allow = NULL;
    err_t err;
    (void)snprintf(list, sizeof(list), "%s", "curve/workers");
    assert_int_equal(curve_open_worker(directory, registry[service]->name, &worker, &err),
                     STATUS_OK);
    assert_int_equal(allow_open(scratch_file(scratch, list), &allow, &err), STATUS_OK);
    bool allowed = allow_serves(allow, curve_public(worker), service);
    for (size_t i = 0; i < registry_count; i++)
        if (i != service)
            assert_false(allow_serves(allow, curve_public(worker), i));
    curve_close(&worker);
    allow_close(&allow);
    return allowed;
}

static void what_is_missing_is_made_once(void **state)
{
    static char before[1024], after[1024];
    const scratch_t *scratch = *state;
    char directory[128], name[64];
    curve_t *gateway = NULL;
    err_t err;
    (void)snprintf(directory, sizeof(directory), "%s", scratch_file(scratch, "curve"));
    (void)umask(0);
    assert_int_equal(curve_command(directory), EXIT_OK);
    assert_private(scratch, "curve/gateway.key");
    assert_private(scratch, "curve/gateway.pub");
    assert_private(scratch, "curve/workers");
    for (size_t i = 0; i < registry_count; i++) {
        (void)snprintf(name, sizeof(name), "curve/%s.key", registry[i]->name);
        assert_private(scratch, name);
        assert_true(is_allowed(scratch, directory, i));
    }
    read_all(scratch, "curve/workers", before, sizeof(before));
    assert_int_equal(curve_command(directory), EXIT_OK);
    read_all(scratch, "curve/workers", after, sizeof(after));
    assert_string_equal(after, before);

    /* The public half is made from the secret one. */
    read_all(scratch, "curve/gateway.pub", before, sizeof(before));
    assert_int_equal(unlink(scratch_file(scratch, "curve/gateway.pub")), 0);
    assert_int_equal(curve_command(directory), EXIT_OK);
    read_all(scratch, "curve/gateway.pub", after, sizeof(after));
    assert_string_equal(after, before);
    assert_int_equal(curve_open_gateway(directory, &gateway, &err), STATUS_OK);
    assert_memory_equal(curve_public(gateway), after, CURVE_KEY_LENGTH);
    curve_close(&gateway);
}

static void what_was_taken_off_the_list_stays_off(void **state)
{
    const scratch_t *scratch = *state;
    char directory[128], name[64], list[1024];
    (void)snprintf(directory, sizeof(directory), "%s", scratch_file(scratch, "curve"));
    assert_int_equal(curve_command(directory), EXIT_OK);
    scratch_write(scratch, "curve/workers", "# nobody", 0600); /* without a newline */
    assert_int_equal(curve_command(directory), EXIT_OK);
    read_all(scratch, "curve/workers", list, sizeof(list));
    assert_string_equal(list, "# nobody");
    (void)snprintf(name, sizeof(name), "curve/%s.key", registry[0]->name);
    assert_int_equal(unlink(scratch_file(scratch, name)), 0);
    assert_int_equal(curve_command(directory), EXIT_OK);
    assert_true(is_allowed(scratch, directory, 0));
    read_all(scratch, "curve/workers", list, sizeof(list));
    assert_int_equal(strncmp(list, "# nobody\n", 9), 0);
}

static void it_says_why_it_cannot(void **state)
{
    const scratch_t *scratch = *state;
    char directory[128];
    (void)snprintf(directory, sizeof(directory), "%s", scratch_file(scratch, "no/such/folder"));
    assert_int_equal(curve_command(directory), EXIT_FAILED);
    scratch_write(scratch, "file", "", 0600);
    (void)snprintf(directory, sizeof(directory), "%s", scratch_file(scratch, "file"));
    assert_int_equal(curve_command(directory), EXIT_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_missing_is_made_once),
        TEST(what_was_taken_off_the_list_stays_off),
        TEST(it_says_why_it_cannot),
    };
    return cmocka_run_group_tests_name("curve_command", tests, NULL, NULL);
}
