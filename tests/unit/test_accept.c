/* accept() when no descriptor is left: who comes is refused, and who comes later is not. */
#include "common/accept.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* No file can be opened, whatever descriptors there are. */
int open(const char *path, int flags, ...);

int open(const char *path, int flags, ...)
{
    (void)path;
    (void)flags;
    errno = ENOENT;
    return -1;
}

static int listener_at(struct sockaddr_in *out)
{
    socklen_t size = sizeof(*out);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(bind(fd, (struct sockaddr *)out, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)out, &size), 0);
    return fd;
}

static int dial(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
    return fd;
}

/* All numbers below are in use. */
static rlim_t first_free(void)
{
    int number = dup(STDIN_FILENO);
    assert_int_equal(close(number), 0);
    return (rlim_t)number;
}

static void who_has_room_comes_in_whatever_files_there_are(void **state)
{
    struct sockaddr_in address;
    (void)state;
    uint64_t refused = accept_refused();
    int listener = listener_at(&address);
    int dialled = dial(&address);
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(accept_refused(), refused);
    const int all[] = {listener, dialled, accepted};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        (void)close(all[i]);
}

/* The machine's table is full, or the limit is below what is in use: nothing can be given up, and
 * who asks again at once, for ever, must not spin. */
static void without_any_descriptor_nothing_spins(void **state)
{
    enum { TIMES = 20 };
    struct rlimit before;
    struct rusage then, now;
    struct sockaddr_in address;
    (void)state;
    accept_keep();
    int listener = listener_at(&address);
    int dialled = dial(&address);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(getrusage(RUSAGE_THREAD, &then), 0);
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(accept(listener, NULL, NULL), -1);
        assert_int_equal(errno, EMFILE);
    }
    assert_int_equal(getrusage(RUSAGE_THREAD, &now), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(now.ru_nvcsw - then.ru_nvcsw >= TIMES); /* it has rested each time */
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    const int all[] = {listener, dialled, accepted};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        (void)close(all[i]);
}

/* As when another thread's accept took the descriptor that was given up to refuse somebody. */
static void the_last_descriptor_is_kept_aside_again(void **state)
{
    struct rlimit before;
    struct sockaddr_in address;
    char byte;
    (void)state;
    int listener = listener_at(&address);
    int first = dial(&address), second = dial(&address);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit one = {.rlim_cur = first_free() + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(accept(listener, NULL, NULL), -1);
        assert_int_equal(errno, ECONNABORTED);
    }
    assert_int_equal(accept_refused(), 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(read(first, &byte, 1), 0);
    assert_int_equal(read(second, &byte, 1), 0);
    const int all[] = {listener, first, second};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        (void)close(all[i]);
}

static void who_has_no_room_is_refused(void **state)
{
    struct rlimit before;
    struct sockaddr_in address;
    char byte;
    (void)state;
    accept_keep();
    uint64_t refused = accept_refused();
    int listener = listener_at(&address);
    int first = dial(&address), second = dial(&address);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = first_free(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(accept(listener, NULL, NULL), -1);
        assert_int_equal(errno, ECONNABORTED);
    }
    assert_int_equal(accept4(listener, NULL, NULL, 0), -1);
    assert_true(errno == EMFILE || errno == EAGAIN); /* nobody is there any more */
    assert_int_equal(read(first, &byte, 1), 0);
    assert_int_equal(read(second, &byte, 1), 0);
    assert_int_equal(accept_refused(), refused + 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    int third = dial(&address);
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    const int all[] = {listener, first, second, third, accepted};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        (void)close(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_descriptor_is_kept_aside_again),
        cmocka_unit_test(who_has_room_comes_in_whatever_files_there_are),
        cmocka_unit_test(without_any_descriptor_nothing_spins),
        cmocka_unit_test(who_has_no_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
