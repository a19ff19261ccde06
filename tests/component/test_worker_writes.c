/* A whole worker process, driven by a gateway that the test plays: writes, and how it ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "services/common/gate.h"
#include "tests/component/worker_desk.h"
#include "tests/support/packing.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- writes ---- */

static void late_writes_are_not_done(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    gate_t *gate = NULL;
    err_t err;
    assert_int_equal(gate_open(scratch_file(&f->scratch, "notes.db"), &gate, &err), STATUS_OK);
    assert_int_equal(gate_take(gate, clock_ms() + 5000, &err), STATUS_OK);
    ask_t ask = desk_create("{'id':'late','text':'L'}");
    ask.ms_left = 300;
    uint64_t late = fake_ask(&f->gateway, &ask);
    ask_t patient = desk_create("{'id':'patient','text':'P'}");
    uint64_t waits = fake_ask(&f->gateway, &patient);
    fake_send(&f->gateway);
    assert_int_equal(desk_look(f, "{'id':'late'}"), OUTCOME_UNKNOWN); /* reads go on */
    assert_true(fake_answer(&f->gateway, late, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_UNAVAILABLE);
    assert_int_equal(f->gateway.times[waits], 0);
    gate_leave(gate);
    gate_close(&gate);
    assert_true(fake_answer(&f->gateway, waits, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
    assert_int_equal(desk_look(f, "{'id':'late'}"), OUTCOME_UNKNOWN);
    assert_int_equal(desk_look(f, "{'id':'patient'}"), OUTCOME_OK);
}

static void a_write_sent_again_is_applied_once(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    ask_t ask = {.operation = "note_create", .body = "{'id':'a','text':'A'}", .key = "g1"};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CREATED);
        assert_false(f->reply.replayed);
        assert_string_equal(packing_text(&f->reply.body), "{'id':'a','text':'A'}");
    }
    ask.key = "c1";
    ask.client_key = true;
    ask.body = "{'id':'b','text':'B'}";
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CREATED);
        assert_int_equal(f->reply.replayed, i > 0);
    }
    char request_id[REQUEST_ID_SIZE];
    (void)snprintf(request_id, sizeof(request_id), "r%u", (unsigned)f->gateway.next_id - 1);
    assert_string_equal(f->reply.request_id, request_id);
    ask.body = "{'id':'b','text':'other'}";
    assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_KEY_REUSED);
    ask.client_key = false; /* a gateway's key of the same name is another one */
    assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CONFLICT);
    /* What was refused is not kept: the same key may try again. */
    ask.body = "{'id':'c','text':'C'}";
    assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CREATED);
}

static void twins_in_one_message_are_applied_once(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    ask_t ask = {.operation = "note_create", .body = "{'id':'a','text':'A'}", .key = "g1"};
    uint64_t ids[8];
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++)
        ids[i] = fake_ask(&f->gateway, &ask);
    fake_send(&f->gateway);
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
        assert_true(fake_answer(&f->gateway, ids[i], &f->reply));
        assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
    }
}

static void a_replay_is_not_hashed_again(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    desk_release_slow(f);
    ask_t ask = {.operation = "note_hash", .body = "{'id':'a','text':'A'}", .key = "g1"};
    assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CREATED);
    assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CREATED);
    struct stat info;
    assert_int_equal(stat(scratch_file(&f->scratch, "hashed"), &info), 0);
    assert_int_equal(info.st_size, 1);
}

static void late_hashing_is_not_begun(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    uint64_t first =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_hash", .body = "{'id':'a','text':'A'}"});
    uint64_t late = fake_ask(
        &f->gateway,
        &(ask_t){.operation = "note_hash", .body = "{'id':'b','text':'B'}", .ms_left = 50});
    fake_send(&f->gateway);
    fake_pump(&f->gateway, 100);
    desk_release_slow(f);
    assert_true(fake_answer(&f->gateway, first, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
    assert_true(fake_answer(&f->gateway, late, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_UNAVAILABLE);
    struct stat info;
    assert_int_equal(stat(scratch_file(&f->scratch, "hashed"), &info), 0);
    assert_int_equal(info.st_size, 1);
}

/* A worker is killed at any point of a storm of writes; whoever has no answer asks again. */
static void a_killed_worker_costs_nothing(void **state)
{
    fixture_t *f = *state;
    enum { WRITES = 200, ROUNDS = 3 };
    ask_t asks[WRITES];
    char bodies[WRITES][48];
    char keys[WRITES][16];
    bool done[WRITES] = {false};
    for (unsigned i = 0; i < WRITES; i++) {
        (void)snprintf(bodies[i], sizeof(bodies[i]), "{'id':'%03u','text':'T'}", i);
        (void)snprintf(keys[i], sizeof(keys[i]), "k%u", i);
        asks[i] = (ask_t){.operation = "note_create", .body = bodies[i], .key = keys[i]};
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        desk_start(f);
        uint64_t ids[WRITES];
        for (unsigned i = 0; i < WRITES; i++) {
            /* Answered ones too: their answer might as well have been lost. */
            ids[i] = fake_ask(&f->gateway, &asks[i]);
            if (i % 10 == 9)
                fake_send(&f->gateway);
        }
        unsigned answered = 20 + 50 * round;
        bool last = round == ROUNDS - 1;
        for (unsigned i = 0; i < (last ? WRITES : answered); i++) {
            assert_true(fake_answer(&f->gateway, ids[i], &f->reply));
            assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
            done[i] = true;
        }
        child_kill(&f->worker);
    }
    for (unsigned i = 0; i < WRITES; i++)
        assert_true(done[i]);
    desk_start(f);
    ask_t list = {.operation = "note_list", .query = "{'limit':100}"};
    assert_int_equal(fake_do(&f->gateway, &list, &f->reply), OUTCOME_OK);
    assert_int_equal(f->reply.body.via.array.size, 100);
    assert_int_equal(desk_look(f, "{'id':'199'}"), OUTCOME_OK);
}

/* ---- ending ---- */

static void a_drain_finishes_what_is_held(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    uint64_t slow =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_hash", .body = "{'id':'a','text':'A'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    child_signal(&f->worker, SIGTERM);
    assert_true(fake_await(&f->gateway, &f->gateway.disconnects, 1));
    unsigned beats = f->gateway.heartbeats;
    assert_true(fake_await(&f->gateway, &f->gateway.heartbeats, beats + 2));
    assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN); /* it was on its way */
    desk_release_slow(f);
    assert_true(fake_answer(&f->gateway, slow, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
    assert_int_equal(child_wait(&f->worker, EXIT_WAIT_MS), 0);
    assert_int_equal(f->gateway.readies, 1);
    assert_true(desk_log_has(f, "event=draining held=1"));
    assert_true(desk_log_has(f, "event=worker_stopped"));
}

static void a_drain_ends_in_time(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_DRAIN_SECONDS=1");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    (void)fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'a'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    int64_t start_ms = clock_ms();
    child_signal(&f->worker, SIGINT);
    assert_int_equal(child_wait(&f->worker, 8000), 0);
    assert_in_range(clock_ms() - start_ms, 990, 7000);
    assert_true(desk_log_has(f, "event=drain_cut held=1"));
}

static void an_idle_worker_ends_at_once(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_GATEWAYS=tcp://127.0.0.1:1");
    int64_t until_ms = clock_ms() + 10000;
    while ((access(scratch_file(&f->scratch, "log"), F_OK) != 0 ||
            !desk_log_has(f, "event=worker_started")) &&
           clock_ms() < until_ms)
        fake_pump(&f->gateway, 20);
    child_signal(&f->worker, SIGTERM);
    assert_int_equal(child_wait(&f->worker, EXIT_WAIT_MS), 0);
}

static int run_once(fixture_t *f, const char *const settings[], const char *argument)
{
    f->worker = child_start(NOTES_WORKER, settings, argument, scratch_file(&f->scratch, "log"));
    return child_wait(&f->worker, EXIT_WAIT_MS);
}

static void wrong_settings_are_refused(void **state)
{
    fixture_t *f = *state;
    char directory[128];
    char keys[256];
    (void)snprintf(directory, sizeof(directory), "LK_DATA_DIR=%s", f->scratch.path);
    (void)snprintf(keys, sizeof(keys), "LK_SEAL_KEY_FILE=%s/none", f->scratch.path);
    const char *const no_key[] = {directory, NULL};
    assert_int_equal(run_once(f, no_key, NULL), 78);
    assert_true(desk_log_has(f, "LK_DIGEST=off does without SIP digest"));
    const char *const missing_key[] = {directory, keys, NULL};
    assert_int_equal(run_once(f, missing_key, NULL), 78);
    static const char *const wrong[] = {"LK_GATEWAYS=localhost:8081", "LK_GATEWAYS=tcp://a:0",
                                        "LK_GATEWAYS=tcp://a:1,",     "LK_WINDOW=0",
                                        "LK_LOG_LEVEL=loud",          "LK_SIP_REALMS=a,,b"};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const settings[] = {directory, "LK_DIGEST=off", wrong[i], NULL};
        assert_int_equal(run_once(f, settings, NULL), 78);
    }
    const char *const good[] = {directory, "LK_DIGEST=off", NULL};
    assert_int_equal(run_once(f, good, "--surprise"), 64);
}

static void the_replay_key_is_for_us_alone(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    struct stat info;
    assert_int_equal(stat(scratch_file(&f->scratch, "notes.db.replay-key"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, 65);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(late_writes_are_not_done),
        CASE(a_write_sent_again_is_applied_once),
        CASE(twins_in_one_message_are_applied_once),
        CASE(a_replay_is_not_hashed_again),
        CASE(late_hashing_is_not_begun),
        CASE(a_killed_worker_costs_nothing),
        CASE(a_drain_finishes_what_is_held),
        CASE(a_drain_ends_in_time),
        CASE(an_idle_worker_ends_at_once),
        CASE(wrong_settings_are_refused),
        CASE(the_replay_key_is_for_us_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
