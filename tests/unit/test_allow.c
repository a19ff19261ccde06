#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/allow.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONE     "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define TWO     "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
/* TWO, in hexadecimal */
#define TWO_HEX "bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518"

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

static allow_t *open_list(const scratch_t *scratch, const char *text)
{
    allow_t *allow = NULL;
    err_t err;
    scratch_write(scratch, "workers", text, 0600);
    if (allow_open(scratch_file(scratch, "workers"), &allow, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return allow;
}

static unsigned served(allow_t *allow, const char *key)
{
    unsigned services = 0;
    for (size_t i = 0; i < 64; i++)
        services += allow_serves(allow, key, i);
    return services;
}

static void a_key_serves_what_its_line_names(void **state)
{
    allow_t *allow = open_list(*state, "# who may serve\n\ntrunk-auth " ONE "\r\n"
                                       "\tfqdn-auth   auth-provider " TWO_HEX "\n");
    assert_true(allow_knows(allow, ONE));
    assert_true(allow_knows(allow, TWO));
    assert_false(allow_knows(allow, TWO_HEX));
    assert_false(allow_knows(allow, ""));
    assert_int_equal(served(allow, ONE), 1);
    assert_int_equal(served(allow, TWO), 2);
    assert_int_equal(served(allow, ""), 0);
    allow_close(&allow);
    assert_null(allow);
    allow_close(&allow);
}

static void a_malformed_list_names_the_line(void **state)
{
    static const struct {
        const char *text, *wrong;
    } rows[] = {
        {ONE "\n", "line 1 is not SERVICE... KEY"},
        {"trunk-auth\n", "line 1 is not SERVICE... KEY"},
        {"#\ntrunk-auth fqdn-auth\n", "line 2 does not end with a key"},
        {"trunk-auth x" ONE "\n", "line 1 does not end with a key"},
        {"trunk-auth " ONE "\ntrunk-aut " TWO "\n", "line 2 names a service that there is not"},
        {"trunk-auth " ONE " " TWO "\n", "line 1 names a service that there is not"},
        {"trunk-auth " TWO "\nfqdn-auth " TWO_HEX "\n", "line 2 has a key that stands above"},
        {"", "holds no key"},
        {"# trunk-auth " ONE "\n", "holds no key"},
    };
    const scratch_t *scratch = *state;
    allow_t *allow = NULL;
    err_t err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scratch_write(scratch, "workers", rows[i].text, 0600);
        assert_int_equal(allow_open(scratch_file(scratch, "workers"), &allow, &err),
                         STATUS_INVALID);
        if (strstr(err.text, rows[i].wrong) == NULL)
            fail_msg("row %zu: %s", i, err.text);
    }
    scratch_write(scratch, "workers", "trunk-auth " ONE "\n", 0644);
    assert_int_equal(allow_open(scratch_file(scratch, "workers"), &allow, &err), STATUS_REFUSED);
    assert_null(allow);
}

static void a_list_has_a_bound(void **state)
{
    static char text[64 * (ALLOW_KEYS_MAX + 2)];
    const scratch_t *scratch = *state;
    allow_t *allow = NULL;
    err_t err;
    size_t used = 0;
    for (int i = 0; i <= ALLOW_KEYS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "trunk-auth %040d\n", i);
    scratch_write(scratch, "workers", text, 0600);
    assert_int_equal(allow_open(scratch_file(scratch, "workers"), &allow, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "one key too many"));
}

/* Refreshes; returns whether another list has come into force. */
static bool refreshes(allow_t *allow)
{
    bool changed = true;
    err_t err;
    if (allow_refresh(allow, &changed, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return changed;
}

static void a_changed_list_comes_into_force_whole_or_not_at_all(void **state)
{
    const scratch_t *scratch = *state;
    allow_t *allow = open_list(scratch, "trunk-auth " ONE "\n");
    bool changed = false;
    err_t err;
    assert_false(refreshes(allow));
    scratch_write(scratch, "workers", "trunk-auth " TWO "\n", 0600);
    assert_false(refreshes(allow));
    assert_true(allow_knows(allow, ONE));
    assert_true(refreshes(allow));
    assert_false(refreshes(allow));
    assert_true(allow_knows(allow, TWO));
    assert_false(allow_knows(allow, ONE));
    scratch_write(scratch, "workers", "trunk-auth " ONE "\nnonsense\n", 0600);
    for (int i = 0; i < 2; i++)
        assert_int_equal(allow_refresh(allow, &changed, &err), STATUS_INVALID);
    assert_false(allow_knows(allow, ONE));
    assert_int_equal(unlink(scratch_file(scratch, "workers")), 0);
    assert_int_equal(allow_refresh(allow, &changed, &err), STATUS_UNKNOWN);
    scratch_write(scratch, "workers", "", 0600);
    assert_false(changed);
    assert_false(refreshes(allow));
    assert_true(allow_knows(allow, TWO));
    assert_true(refreshes(allow)); /* all are revoked */
    assert_false(allow_knows(allow, TWO));
    allow_close(&allow);
}

/* An editor writes in place: what is read between may be well formed and short of lines. */
static void a_list_that_is_being_written_does_not_count(void **state)
{
    static const char whole[] = "trunk-auth " ONE "\nfqdn-auth " TWO "\n";
    const scratch_t *scratch = *state;
    allow_t *allow = open_list(scratch, whole);
    bool changed = false;
    err_t err;
    scratch_write(scratch, "workers", "trunk-auth " ONE "\n", 0600);
    assert_false(refreshes(allow));
    scratch_write(scratch, "workers", whole, 0600);
    assert_false(refreshes(allow));
    assert_false(refreshes(allow));
    assert_true(allow_knows(allow, TWO));
    /* The same short list twice, with something else between: not in a row. */
    scratch_write(scratch, "workers", "trunk-auth " ONE "\n", 0600);
    assert_false(refreshes(allow));
    scratch_write(scratch, "workers", "trunk-auth", 0600);
    assert_int_equal(allow_refresh(allow, &changed, &err), STATUS_INVALID);
    scratch_write(scratch, "workers", "trunk-auth " ONE "\n", 0600);
    assert_false(refreshes(allow));
    assert_true(allow_knows(allow, TWO));
    scratch_write(scratch, "workers", "fqdn-auth " TWO "\n", 0600);
    assert_false(refreshes(allow));
    assert_true(allow_knows(allow, ONE));
    assert_true(refreshes(allow));
    assert_false(allow_knows(allow, ONE));
    allow_close(&allow);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_serves_what_its_line_names),
        TEST(a_malformed_list_names_the_line),
        TEST(a_list_has_a_bound),
        TEST(a_changed_list_comes_into_force_whole_or_not_at_all),
        TEST(a_list_that_is_being_written_does_not_count),
    };
    return cmocka_run_group_tests_name("allow", tests, NULL, NULL);
}
