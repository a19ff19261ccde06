/* Where gateways are: what LK_GATEWAYS may say, and names that lead somewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/resolver.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int set_up(void **state)
{
    static int event;
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *state = &event;
    return event < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    return close(*(int *)*state);
}

static void addresses_are_there_at_once(void **state)
{
    err_t err;
    AUTO(resolver_stop) resolver_t *resolver = NULL;
    addresses_t found;
    assert_int_equal(resolver_start("tcp://10.0.0.1:8081, ipc:///run/a.sock ,tcp://[::1]:65535,"
                                    "tcp://10.0.0.1:8081",
                                    *(int *)*state, &resolver, &err),
                     STATUS_OK);
    resolver_get(resolver, &found);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.items[0], "tcp://10.0.0.1:8081");
    assert_string_equal(found.items[1], "ipc:///run/a.sock");
    assert_string_equal(found.items[2], "tcp://[::1]:65535");
}

static void names_are_looked_up(void **state)
{
    err_t err;
    AUTO(resolver_stop) resolver_t *resolver = NULL;
    addresses_t found;
    assert_int_equal(resolver_start("tcp://nobody.invalid:1,tcp://localhost:8081", *(int *)*state,
                                    &resolver, &err),
                     STATUS_OK);
    struct pollfd news = {.fd = *(int *)*state, .events = POLLIN};
    assert_int_equal(poll(&news, 1, 10000), 1);
    resolver_get(resolver, &found);
    assert_int_equal(found.count, 1); /* of an address in both families only IPv4 */
    assert_string_equal(found.items[0], "tcp://127.0.0.1:8081");
}

static void wrong_lists_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "tcp://",
        "tcp://a",
        "tcp://a:",
        "tcp://:1",
        "tcp://a:0",
        "tcp://a:65536",
        "tcp://a:1x",
        "tcp://a:1,",
        ",tcp://a:1",
        "tcp://::1:1",
        "udp://a:1",
        "ipc://relative",
        "a:1",
        "tcp://[]:1",
        "tcp://a:1 tcp://b:1",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        err_t err;
        resolver_t *resolver = NULL;
        assert_int_equal(resolver_start(wrong[i], *(int *)*state, &resolver, &err), STATUS_INVALID);
        assert_null(resolver);
        assert_string_equal(err.where, "LK_GATEWAYS");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_are_there_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_looked_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_lists_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
