/* Routing: every operation is found by its own path, and nothing else is. */
#include "gateway/route.h"

#include "proto/registry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The operation's path with "x" for every parameter. */
static void concrete(const char *path, char *out)
{
    while (*path != '\0') {
        if (*path == '{') {
            *out++ = 'x';
            path = strchr(path, '}') + 1;
        } else {
            *out++ = *path++;
        }
    }
    *out = '\0';
}

static void finds_every_operation(void **state)
{
    router_t *router = *state;
    for (size_t s = 0; s < registry_count; s++) {
        for (size_t i = 0; i < registry[s]->operation_count; i++) {
            const operation_t *operation = &registry[s]->operations[i];
            char path[256];
            route_t route;
            concrete(operation->path, path);
            assert_int_equal(router_find(router, operation->method, path, &route), OUTCOME_OK);
            assert_ptr_equal(route.operation, operation);
            assert_int_equal(route.service, s);
            assert_ptr_equal(route.dialect, operation->dialect);
        }
    }
}

static void notes_parameters_undecoded(void **state)
{
    router_t *router = *state;
    route_t route;
    const char *path = "/voip/trunk/a%2Fb/auth/c";
    assert_int_equal(router_find(router, "GET", path, &route), OUTCOME_OK);
    assert_string_equal(route.operation->name, "trunk_auth_read");
    assert_int_equal(route.lengths[0], 5);
    assert_memory_equal(route.values[0], "a%2Fb", 5);
    assert_int_equal(route.lengths[1], 1);
    assert_memory_equal(route.values[1], "c", 1);
}

static void knows_no_others(void **state)
{
    static const char *const paths[] = {
        "/",
        "",
        "*",
        "voip/trunk",
        "/voip",
        "/voip/",
        "/voip/trunk/",
        "/voip/trunk//auth",
        "/voip//trunk",
        "/VOIP/trunk",
        "/voip/trunks",
        "/voip/trunk/x/auth/",
        "/voip/trunk/x/auth/y/z",
        "/voip/trunk/x/auth/y/rotate/",
        "/voip/trunk/x/aut",
        "/voip/trunk/x/authx",
    };
    router_t *router = *state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        route_t route;
        assert_int_equal(router_find(router, "GET", paths[i], &route), OUTCOME_NO_ROUTE);
        assert_ptr_equal(route.dialect,
                         strncmp(paths[i], "/voip/", 6) == 0 ? &dialect_trunk : &dialect_v2);
    }
}

static void lists_the_methods_of_a_path(void **state)
{
    router_t *router = *state;
    route_t route;
    assert_int_equal(router_find(router, "PATCH", "/voip/trunk", &route), OUTCOME_BAD_METHOD);
    assert_string_equal(route.allow, "GET, HEAD, POST");
    assert_int_equal(router_find(router, "get", "/voip/trunk", &route), OUTCOME_BAD_METHOD);
    assert_int_equal(router_find(router, "POST", "/voip/trunk/x", &route), OUTCOME_BAD_METHOD);
    assert_string_equal(route.allow, "GET, HEAD, PUT, DELETE");
}

static void takes_head_where_get_is(void **state)
{
    router_t *router = *state;
    route_t route;
    assert_int_equal(router_find(router, "HEAD", "/voip/trunk", &route), OUTCOME_OK);
    assert_int_equal(router_find(router, "HEAD", "/voip/trunk/x/auth/y/rotate", &route),
                     OUTCOME_BAD_METHOD);
    assert_string_equal(route.allow, "POST");
}

/* Who looks whether a link is good must not begin a login, or end a session. */
static void takes_no_head_where_get_changes_something(void **state)
{
    router_t *router = *state;
    route_t route;
    assert_int_equal(router_find(router, "HEAD", "/sso/session", &route), OUTCOME_OK);
    assert_int_equal(router_find(router, "HEAD", "/sso/myorg", &route), OUTCOME_BAD_METHOD);
    assert_string_equal(route.allow, "GET");
    assert_int_equal(router_find(router, "HEAD", "/sso/saml/logout/myorg", &route),
                     OUTCOME_BAD_METHOD);
}

static int set_up(void **state)
{
    *state = router_new();
    return 0;
}

static int tear_down(void **state)
{
    router_t *router = *state;
    router_destroy(&router);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_operation),
        cmocka_unit_test(notes_parameters_undecoded),
        cmocka_unit_test(knows_no_others),
        cmocka_unit_test(lists_the_methods_of_a_path),
        cmocka_unit_test(takes_head_where_get_is),
        cmocka_unit_test(takes_no_head_where_get_changes_something),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
