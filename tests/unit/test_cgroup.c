#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cgroup.h"
#include "common/compiler.h"
#include "tests/support/scratch.h"

#include <sys/stat.h>

static int64_t limit(const char *groups, const char *const files[][2], size_t count)
{
    static const char *const folders[] = {
        "proc",
        "proc/self",
        "sys",
        "sys/fs",
        "sys/fs/cgroup",
        "sys/fs/cgroup/a",
        "sys/fs/cgroup/a/b",
        "sys/fs/cgroup/memory",
        "sys/fs/cgroup/memory/a",
    };
    scratch_t scratch = scratch_make();
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        assert_int_equal(mkdir(scratch_file(&scratch, folders[i]), 0700), 0);
    scratch_write(&scratch, "proc/self/cgroup", groups, 0600);
    for (size_t i = 0; i < count; i++)
        scratch_write(&scratch, files[i][0], files[i][1], 0600);
    int64_t found = cgroup_memory_limit(scratch.path);
    scratch_remove(&scratch);
    return found;
}

#define LIMIT(groups, ...)                                                                         \
    limit(groups, (const char *const[][2])__VA_ARGS__,                                             \
          ARRAY_LEN(((const char *const[][2])__VA_ARGS__)))

static void version_2(void **state)
{
    (void)state;
    assert_int_equal(LIMIT("0::/a/b\n", {{"sys/fs/cgroup/a/b/memory.max", "1000\n"}}), 1000);
    assert_int_equal(LIMIT("0::/\n", {{"sys/fs/cgroup/memory.max", "70\n"}}), 70);
    assert_true(LIMIT("0::/a\n", {{"sys/fs/cgroup/a/memory.max", "max\n"}}) == INT64_MAX);
    /* What is above counts too. */
    assert_int_equal(LIMIT("0::/a/b\n", {{"sys/fs/cgroup/a/b/memory.max", "max\n"},
                                         {"sys/fs/cgroup/a/memory.max", "500\n"}}),
                     500);
    assert_int_equal(LIMIT("0::/a/b\n", {{"sys/fs/cgroup/a/b/memory.max", "400\n"},
                                         {"sys/fs/cgroup/a/memory.max", "500\n"}}),
                     400);
}

static void version_1(void **state)
{
    (void)state;
    assert_int_equal(
        LIMIT("5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n",
              {{"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "536870912\n"},
               {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}}),
        536870912);
    /* In a container: the host's path, the container's mount. */
    assert_int_equal(LIMIT("4:memory:/docker/0123\n",
                           {{"sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n"}}),
                     536870912);
}

static void nothing_is_known(void **state)
{
    (void)state;
    assert_true(LIMIT("", {{"sys/fs/cgroup/memory.max", "1\n"}}) == INT64_MAX);
    assert_true(LIMIT("nonsense\n0:\n", {{"sys/fs/cgroup/memory.max", "1\n"}}) == INT64_MAX);
    assert_true(LIMIT("0::/\n", {{"sys/fs/cgroup/memory.max", "much\n"}}) == INT64_MAX);
    assert_true(cgroup_memory_limit("/nowhere") == INT64_MAX);
    assert_true(cgroup_memory_limit("") > 0); /* this machine's own */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2),
        cmocka_unit_test(version_1),
        cmocka_unit_test(nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
