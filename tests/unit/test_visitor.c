/* Descriptors are used again: a visitor that is cut must be the one that was seen. */
#include "gateway/visitors.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int listener, near, far;
    endpoint_t bound;
} line_t;

/* A connection at a port of its own. */
static line_t new_line(void)
{
    line_t line = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    assert_int_equal(bind(line.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(line.listener, 8), 0);
    assert_int_equal(getsockname(line.listener, (struct sockaddr *)&address, &size), 0);
    line.bound = endpoint_of(line.listener);
    line.far = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(line.far, (struct sockaddr *)&address, size), 0);
    line.near = accept(line.listener, NULL, NULL);
    assert_true(line.near >= 0);
    return line;
}

static void end_line(const line_t *line)
{
    (void)close(line->listener);
    (void)close(line->near);
    (void)close(line->far);
}

static bool is_shut(const line_t *line)
{
    struct pollfd end = {.fd = line->far, .events = POLLIN};
    return poll(&end, 1, 0) == 1;
}

static visitors_t *new_visitors(const line_t *at)
{
    visitors_t *visitors = NULL;
    err_t err;
    assert_int_equal(visitors_new(4, &visitors, &err), STATUS_OK);
    visitors_at(visitors, &at->bound);
    return visitors;
}

/* Its handshake, and first word. */
static uint64_t let_in(visitors_t *visitors, int fd)
{
    uint64_t number = visitors_admit(visitors);
    visitors_said(visitors, number, fd, 0);
    return number;
}

static size_t count_open(visitors_t *visitors)
{
    visitors_watch(visitors);
    return visitors_counters(visitors).open;
}

static void one_that_was_seen_is_cut(void **state)
{
    (void)state;
    line_t line = new_line();
    visitors_t *visitors = new_visitors(&line);
    visitors_accepted(visitors, line.near);
    uint64_t number = let_in(visitors, line.near);
    for (int i = 0; i < VISITORS_STRIKES_MAX; i++)
        assert_true(visitors_tolerate(visitors, number, true));
    assert_false(is_shut(&line));
    assert_false(visitors_tolerate(visitors, number, true));
    assert_true(is_shut(&line));
    assert_false(visitors_tolerate(visitors, number, true));
    assert_int_equal(visitors_counters(visitors).cut, 1);
    assert_int_equal(count_open(visitors), 1);
    visitors_gone(visitors, line.near);
    assert_int_equal(count_open(visitors), 0);
    visitors_free(&visitors);
    end_line(&line);
}

/* libzmq has named a descriptor that is a client's by now: nothing happens to that one. */
static void another_ports_connection_is_let_be(void **state)
{
    (void)state;
    line_t line = new_line(), clients = new_line();
    visitors_t *visitors = new_visitors(&line);
    visitors_accepted(visitors, line.near);
    visitors_accepted(visitors, clients.near);
    visitors_accepted(visitors, -1);
    assert_int_equal(count_open(visitors), 1);
    uint64_t number = let_in(visitors, line.near);
    assert_int_equal(dup2(clients.near, line.near), line.near);
    assert_false(visitors_tolerate(visitors, number, false));
    assert_false(is_shut(&clients));
    assert_int_equal(count_open(visitors), 0);
    visitors_free(&visitors);
    end_line(&line);
    end_line(&clients);
}

/* What its descriptor's former connection has said is neither counted nor answered nor punished,
 * and what becomes of that one's worker is nothing to it. */
static void words_count_for_who_said_them(void **state)
{
    (void)state;
    line_t line = new_line();
    visitors_t *visitors = new_visitors(&line);
    int descriptor = line.near;
    visitors_accepted(visitors, descriptor);
    uint64_t silent = visitors_admit(visitors); /* has said something that is not read yet */
    visitors_gone(visitors, descriptor);
    int far = socket(AF_INET, SOCK_STREAM, 0);
    (void)close(descriptor);
    assert_int_equal(connect(far, &line.bound.any, endpoint_size(&line.bound)), 0);
    assert_int_equal(accept(line.listener, NULL, NULL), descriptor);
    visitors_accepted(visitors, descriptor);
    visitors_said(visitors, silent, descriptor, 10);
    visitors_work(visitors, silent, true);
    assert_false(visitors_tolerate(visitors, silent, true));
    assert_false(visitors_tolerate(visitors, silent, false));
    uint64_t number = let_in(visitors, descriptor);
    visitors_said(visitors, silent, descriptor, 10);
    visitors_work(visitors, silent, false);
    assert_false(visitors_tolerate(visitors, silent, false));
    assert_false(visitors_tolerate(visitors, 0, false));
    assert_true(visitors_tolerate(visitors, number, true));
    assert_false(is_shut(&(line_t){.far = far}));
    assert_int_equal(visitors_counters(visitors).cut, 0);
    (void)close(far);
    visitors_free(&visitors);
    end_line(&line);
}

/* More than the bound; it all comes, since it is read, and is told of as no message. */
static void send_much(const line_t *line, size_t bytes)
{
    static char chunk[65536], waste[65536];
    for (size_t sent = 0; sent < bytes;) {
        ssize_t some = send(line->far, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += some > 0 ? (size_t)some : 0;
        while (recv(line->near, waste, sizeof(waste), MSG_DONTWAIT) > 0) {
        }
    }
}

static void bytes_without_a_message_are_bounded(void **state)
{
    (void)state;
    line_t line = new_line();
    visitors_t *visitors = new_visitors(&line);
    visitors_accepted(visitors, line.near);
    uint64_t number = let_in(visitors, line.near);
    send_much(&line, VISITORS_UNREAD_MAX);
    visitors_said(visitors, number, line.near, VISITORS_UNREAD_MAX); /* messages */
    for (int i = 0; i < 2; i++)
        visitors_watch(visitors);
    assert_int_equal(visitors_counters(visitors).cut, 0);
    send_much(&line, VISITORS_UNREAD_MAX + 1000000);
    for (int i = 0; i < 2; i++)
        visitors_watch(visitors);
    assert_int_equal(visitors_counters(visitors).cut, 1);
    assert_true(is_shut(&line));
    visitors_free(&visitors);
    end_line(&line);
}

static void the_oldest_stranger_makes_room(void **state)
{
    enum { CROWD = VISITORS_STRANGERS_MAX + 2 };
    line_t line = new_line(), later = new_line();
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int near[CROWD], far[CROWD];
    (void)state;
    visitors_t *visitors = new_visitors(&line);
    visitors_accepted(visitors, line.near);
    visitors_work(visitors, let_in(visitors, line.near), true);
    assert_int_equal(getsockname(line.listener, (struct sockaddr *)&address, &size), 0);
    for (size_t i = 0; i < CROWD; i++) {
        far[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(far[i], (struct sockaddr *)&address, size), 0);
        near[i] = accept(line.listener, NULL, NULL);
        visitors_accepted(visitors, near[i]);
        if (i == 0) /* the first is gone, and its descriptor is a client's */
            assert_int_equal(dup2(later.near, near[0]), near[0]);
    }
    assert_int_equal(visitors_counters(visitors).crowded_out, 2);
    assert_int_equal(count_open(visitors), VISITORS_STRANGERS_MAX + 1);
    assert_false(is_shut(&later));
    assert_false(is_shut(&line)); /* a worker */
    assert_true(is_shut(&(line_t){.far = far[1]}));
    assert_false(is_shut(&(line_t){.far = far[2]}));
    for (size_t i = 0; i < CROWD; i++) {
        (void)close(near[i]);
        (void)close(far[i]);
    }
    visitors_free(&visitors);
    end_line(&line);
    end_line(&later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_was_seen_is_cut),
        cmocka_unit_test(another_ports_connection_is_let_be),
        cmocka_unit_test(words_count_for_who_said_them),
        cmocka_unit_test(bytes_without_a_message_are_bounded),
        cmocka_unit_test(the_oldest_stranger_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
