/* A whole worker process whose calls wait for hosts that don't answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/component/worker_desk.h"

#include <signal.h>
#include <stdio.h>

/* Of a worker with LK_FETCH_THREADS=4 and the default LK_WINDOW=64. */
enum { HELD_ALL = 32, HELD_EACH = 8 };

static void start_with(fixture_t *f, const char *extra)
{
    desk_start_with(f, extra);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
}

/* Asks for a note "ORGANIZATION-i", which is made once the file `host` is there. */
static uint64_t ask_fetch(fixture_t *f, const char *organization, unsigned i, const char *host)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{'id':'%s-%u','text':'%s'}", organization, i, host);
    ask_t ask = {
        .operation = "note_fetch", .body = body, .organization = organization, .ms_left = 60000};
    return fake_ask(&f->gateway, &ask);
}

static void answer_host(fixture_t *f, const char *host)
{
    scratch_write(&f->scratch, host, "", 0600);
}

static void expect(fixture_t *f, uint64_t id, outcome_t outcome)
{
    assert_true(fake_answer(&f->gateway, id, &f->reply));
    assert_int_equal(f->reply.outcome, outcome);
}

static void a_waiting_call_holds_nothing_up(void **state)
{
    fixture_t *f = *state;
    start_with(f, "LK_FETCH_THREADS=1");
    uint64_t fetch = ask_fetch(f, "a", 1, "dead");
    fake_send(&f->gateway);
    assert_int_equal(desk_make(f, "{'id':'b','text':'B'}"), OUTCOME_CREATED);
    assert_int_equal(desk_look(f, "{'id':'b'}"), OUTCOME_OK);
    desk_release_slow(f);
    ask_t hash = {.operation = "note_hash", .body = "{'id':'c','text':'C'}"};
    assert_int_equal(fake_do(&f->gateway, &hash, &f->reply), OUTCOME_CREATED);
    ask_t slow = {.operation = "note_read_slowly", .path = "{'id':'c'}"};
    assert_int_equal(fake_do(&f->gateway, &slow, &f->reply), OUTCOME_OK);
    assert_int_equal(f->gateway.times[fetch], 0);
    answer_host(f, "dead");
    expect(f, fetch, OUTCOME_CREATED);
    assert_int_equal(desk_look(f, "{'id':'a-1'}"), OUTCOME_OK);
}

static void one_organization_starves_no_other(void **state)
{
    fixture_t *f = *state;
    start_with(f, "LK_FETCH_THREADS=4");
    answer_host(f, "alive");
    uint64_t dead[HELD_EACH + 1];
    for (unsigned i = 0; i < HELD_EACH + 1; i++)
        dead[i] = ask_fetch(f, "a", i, "dead");
    fake_send(&f->gateway);
    expect(f, dead[HELD_EACH], OUTCOME_UNAVAILABLE);
    for (unsigned i = 0; i < HELD_EACH; i++) {
        uint64_t alive = ask_fetch(f, "b", i, "alive");
        fake_send(&f->gateway);
        expect(f, alive, OUTCOME_CREATED);
    }
    for (unsigned i = 0; i < HELD_EACH; i++)
        assert_int_equal(f->gateway.times[dead[i]], 0);
    answer_host(f, "dead");
    for (unsigned i = 0; i < HELD_EACH; i++)
        expect(f, dead[i], OUTCOME_CREATED);
}

static void waiting_calls_leave_half_of_the_window(void **state)
{
    fixture_t *f = *state;
    start_with(f, "LK_FETCH_THREADS=4");
    uint64_t ids[HELD_ALL + HELD_EACH];
    for (unsigned i = 0; i < HELD_ALL + HELD_EACH; i++) {
        char organization[16];
        (void)snprintf(organization, sizeof(organization), "o%u", i / HELD_EACH);
        ids[i] = ask_fetch(f, organization, i, "dead");
    }
    fake_send(&f->gateway);
    for (unsigned i = HELD_ALL; i < HELD_ALL + HELD_EACH; i++)
        expect(f, ids[i], OUTCOME_UNAVAILABLE);
    assert_int_equal(desk_look(f, "{'id':'none'}"), OUTCOME_UNKNOWN);
    answer_host(f, "dead");
    for (unsigned i = 0; i < HELD_ALL; i++)
        expect(f, ids[i], OUTCOME_CREATED);
}

static void a_drain_does_not_wait_for_hosts(void **state)
{
    fixture_t *f = *state;
    start_with(f, "LK_DRAIN_SECONDS=1");
    for (unsigned i = 0; i < HELD_EACH; i++)
        (void)ask_fetch(f, "a", i, "dead");
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    child_signal(&f->worker, SIGTERM);
    assert_int_equal(child_wait(&f->worker, EXIT_WAIT_MS), 0);
    assert_true(desk_log_has(f, "event=drain_cut held=8"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_waiting_call_holds_nothing_up),
        CASE(one_organization_starves_no_other),
        CASE(waiting_calls_leave_half_of_the_window),
        CASE(a_drain_does_not_wait_for_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
