#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "common/notify.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static scratch_t scratch;
static char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

static int manager(const char *name, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, length);
    int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(file >= 0);
    assert_int_equal(bind(file, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    return file;
}

static void assert_received(int file, const char *wanted)
{
    char said[256] = "";
    ssize_t length = recv(file, said, sizeof(said) - 1, 0);
    assert_int_equal(length, (ssize_t)strlen(wanted));
    assert_string_equal(said, wanted);
}

static void it_gets_there(void **state)
{
    (void)state;
    int file = manager(path, strlen(path));
    (void)setenv("NOTIFY_SOCKET", path, 1);
    assert_true(notify_manager("READY=1\nSTATUS=it is there"));
    assert_received(file, "READY=1\nSTATUS=it is there");
    (void)close(file);
    assert_false(notify_manager("READY=1")); /* nobody reads any more */
}

static void an_abstract_name_begins_with_an_at(void **state)
{
    (void)state;
    char name[64] = "@";
    (void)snprintf(name + 1, sizeof(name) - 1, "linekeeper-notify-%d", (int)getpid());
    (void)setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    int file = manager(name, 1 + strlen(name + 1));
    assert_true(notify_manager("STOPPING=1"));
    assert_received(file, "STOPPING=1");
    (void)close(file);
}

static void nobody_asked(void **state)
{
    (void)state;
    char long_path[sizeof(path) + 1];
    memset(long_path, '/', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    const char *const none[] = {"", "/", "@", "relative", "vsock:2:1234", long_path};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        (void)setenv("NOTIFY_SOCKET", none[i], 1);
        assert_false(notify_manager("READY=1"));
    }
    (void)unsetenv("NOTIFY_SOCKET");
    assert_false(notify_manager("READY=1"));
}

/* A manager that does not read costs a message, never a wait. */
static void it_never_waits(void **state)
{
    (void)state;
    (void)unlink(path);
    int file = manager(path, strlen(path));
    (void)setenv("NOTIFY_SOCKET", path, 1);
    size_t sent = 0;
    while (sent < 1000000 && notify_manager("STATUS=again"))
        sent++;
    assert_in_range(sent, 1, 999999);
    assert_received(file, "STATUS=again");
    assert_true(notify_manager("STATUS=again"));
    (void)close(file);
}

static int make_scratch(void **state)
{
    (void)state;
    scratch = scratch_make();
    (void)snprintf(path, sizeof(path), "%s", scratch_file(&scratch, "manager"));
    return 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gets_there),
        cmocka_unit_test(an_abstract_name_begins_with_an_at),
        cmocka_unit_test(nobody_asked),
        cmocka_unit_test(it_never_waits),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
