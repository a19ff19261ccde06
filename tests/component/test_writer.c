/* The writer with the Nth SQLite call failing, N = 1, 2, ...: a success is answered if and only if
 * it was committed, every call is answered, and what failed can be sent again. And with time that
 * passes where it should not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/common/dispatch.h"
#include "services/common/writer.h"
#include "tests/component/notes.h"
#include "tests/support/await.h"
#include "tests/support/migrated.h"
#include "tests/support/packing.h"
#include "tests/support/scratch.h"
#include "tests/support/sqlite_fault.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 3, LONGEST_MS = 30000 };

/* ---- time that passes when it is told to ---- */

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

static _Atomic int64_t stopped_ms; /* 0: the clock runs */
static int64_t steps_ms[GROUP];    /* what making each note takes */
static unsigned made;

int64_t __wrap_clock_ms(void)
{
    int64_t now_ms = atomic_load(&stopped_ms);
    return now_ms == 0 ? __real_clock_ms() : now_ms;
}

static void make_in_time(call_t *call, store_t *store)
{
    notes_spec.handlers[NOTE_CREATE].write(call, store);
    if (atomic_load(&stopped_ms) != 0)
        (void)atomic_fetch_add(&stopped_ms, steps_ms[made++]);
}

typedef struct {
    scratch_t scratch;
    handler_t handlers[NOTE_OPERATIONS];
    worker_spec_t spec;
    int64_t ms_left; /* that a call has when it comes */
    replylog_t *log;
    chores_t chores;
    dispatch_t *dispatch;
    store_t *reader;
    keeper_t keeper;
    jobs_t finished;
    outcome_t outcomes[GROUP];
    err_t err;
} fixture_t;

static void must(fixture_t *f, status_t status)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s: %s", status_name(status), f->err.where, f->err.text);
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    *state = f;
    log_open("test_writer", LOG_ERROR + 1); /* a thousand failures are meant to be */
    f->scratch = scratch_make();
    jobs_init(&f->finished, SIZE_MAX, -1);
    must(f, migrate_once(notes_spec.store, f->scratch.path, NULL, &f->err));
    must(f, replylog_open(notes_spec.store, NULL, f->scratch.path, &f->log, &f->err));
    f->ms_left = LONGEST_MS;
    memcpy(f->handlers, notes_spec.handlers, sizeof(f->handlers));
    f->handlers[NOTE_CREATE].write = make_in_time;
    f->spec = notes_spec;
    f->spec.handlers = f->handlers;
    must(f, dispatch_new(&f->spec, &f->keeper, &f->dispatch, &f->err));
    must(f, store_open(replylog_store(f->log), f->scratch.path, STORE_READER, &f->reader, &f->err));
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    store_close(&f->reader);
    dispatch_free(&f->dispatch);
    replylog_close(&f->log);
    jobs_free(&f->finished);
    scratch_remove(&f->scratch);
    free(f);
    return 0;
}

static job_t *take_in(fixture_t *f, const char *operation, const char *id, uint64_t number)
{
    request_t request = {
        .principal = {.organization_id = "o", .key_id = "k", .scope = SCOPE_ADMIN}};
    (void)snprintf(request.service, sizeof(request.service), "notes");
    (void)snprintf(request.operation, sizeof(request.operation), "%s", operation);
    (void)snprintf(request.idempotency_key, sizeof(request.idempotency_key), "key-%s", id);
    char map[64];
    (void)snprintf(map, sizeof(map), "{'id':'%s','text':'T'}", id);
    packing_t packed;
    packing_t part;
    packing_init(&packed);
    packing_init(&part);
    const msgpack_object *object = packing_json(&part, map);
    /* path, query, head, body */
    bool reads = strcmp(operation, "note_read") == 0;
    msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
    envelope_write_request(&request, &packed.packer);
    (void)msgpack_pack_object(&packed.packer, reads ? *object : nothing);
    msgpack_pack_nil(&packed.packer);
    msgpack_pack_nil(&packed.packer);
    (void)msgpack_pack_object(&packed.packer, reads ? nothing : *object);
    batch_item_t item = {.id = number,
                         .ms_left = f->ms_left,
                         .bytes = packed.bytes.data,
                         .length = packed.bytes.size};
    job_t *job = dispatch_accept(f->dispatch, &item, clock_ms());
    packing_free(&part);
    packing_free(&packed);
    return job;
}

static bool exists(fixture_t *f, const char *id)
{
    job_t *job = take_in(f, "note_read", id, 0);
    assert_int_equal(job->lane, LANE_READ);
    dispatch_read(job, f->reader);
    outcome_t outcome = job->call.reply.outcome;
    dispatch_drop(f->dispatch, job);
    assert_true(outcome == OUTCOME_OK || outcome == OUTCOME_UNKNOWN);
    return outcome == OUTCOME_OK;
}

/* Has the group written by a writer of its own; with nth > 0 its nth call of SQLite fails. Returns
 * whether one did. */
static bool write_group(fixture_t *f, char ids[GROUP][16], unsigned nth, int code)
{
    writer_t *writer = NULL;
    must(f,
         writer_start(f->log, f->scratch.path, &f->chores, NULL, &f->finished, &writer, &f->err));
    job_t *chain = NULL;
    for (unsigned i = GROUP; i-- > 0;) {
        job_t *job = take_in(f, "note_create", ids[i], i);
        assert_int_equal(job->lane, LANE_WRITE);
        job->next = chain;
        chain = job;
    }
    if (nth > 0)
        sqlite_fault_arm(nth, code);
    assert_true(jobs_put(writer_queue(writer), chain));
    job_t *done = NULL;
    job_t **end = &done;
    unsigned count = 0;
    while (count < GROUP) {
        *end = jobs_take(&f->finished, GROUP, clock_ms() + LONGEST_MS);
        assert_non_null(*end);
        for (; *end != NULL; end = &(*end)->next)
            count++;
    }
    assert_int_equal(count, GROUP);
    writer_stop(&writer);
    bool failed = nth > 0 && sqlite_fault_disarm();
    while (done != NULL) {
        job_t *job = done;
        done = job->next;
        f->outcomes[job->id] = job->call.reply.outcome;
        dispatch_drop(f->dispatch, job);
    }
    return failed;
}

/* A disk that is full and a lock may pass, whatever ended with it: try again. */
static void check_round(fixture_t *f, char ids[GROUP][16], int code)
{
    outcome_t refusal = code == SQLITE_IOERR ? OUTCOME_INTERNAL : OUTCOME_UNAVAILABLE;
    for (unsigned i = 0; i < GROUP; i++) {
        if (f->outcomes[i] != OUTCOME_CREATED)
            assert_int_equal(f->outcomes[i], refusal);
        assert_int_equal(exists(f, ids[i]), f->outcomes[i] == OUTCOME_CREATED);
    }
    (void)write_group(f, ids, 0, 0); /* sent again: applied, or known to be */
    for (unsigned i = 0; i < GROUP; i++) {
        assert_int_equal(f->outcomes[i], OUTCOME_CREATED);
        assert_true(exists(f, ids[i]));
    }
}

static void any_call_may_fail(void **state)
{
    fixture_t *f = *state;
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY};
    for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
        bool failed = true;
        unsigned rounds = 0;
        for (unsigned nth = 1; failed; nth++) {
            char ids[GROUP][16];
            for (unsigned j = 0; j < GROUP; j++)
                (void)snprintf(ids[j], sizeof(ids[j]), "%u-%u-%u", i, nth, j);
            failed = write_group(f, ids, nth, codes[i]);
            rounds += failed;
            check_round(f, ids, codes[i]);
        }
        assert_true(rounds > 10 * GROUP);
    }
}

/* Three notes that take so long, one after the other; all of them have the same outcome. */
static outcome_t write_for(const int64_t times_ms[GROUP], int64_t ms_left)
{
    void *state = NULL;
    assert_int_equal(set_up(&state), 0);
    fixture_t *f = state;
    char ids[GROUP][16] = {"first", "second", "third"};
    memcpy(steps_ms, times_ms, sizeof(steps_ms));
    made = 0;
    f->ms_left = ms_left;
    atomic_store(&stopped_ms, __real_clock_ms());
    (void)write_group(f, ids, 0, 0);
    atomic_store(&stopped_ms, 0);
    assert_int_equal(made, GROUP);
    f->ms_left = LONGEST_MS;
    for (unsigned i = 0; i < GROUP; i++) {
        assert_int_equal(f->outcomes[i], f->outcomes[0]);
        assert_int_equal(exists(f, ids[i]), f->outcomes[i] == OUTCOME_CREATED);
    }
    outcome_t outcome = f->outcomes[0];
    (void)tear_down(&state);
    return outcome;
}

/* Their clients have been told by now that it is not known whether they were made. */
static void who_stood_still_makes_nothing_late(void **state)
{
    (void)state;
    static const int64_t pauses_ms[][GROUP] = {{1500, 0, 0}, {0, 1500, 0}, {0, 0, 1500}};
    for (size_t i = 0; i < ARRAY_LEN(pauses_ms); i++) {
        assert_int_equal(write_for(pauses_ms[i], 1200), OUTCOME_UNAVAILABLE);
        assert_int_equal(write_for(pauses_ms[i], 5000), OUTCOME_CREATED);
    }
}

/* Else a disk that is always so slow would never be written to. */
static void who_is_slow_makes_what_it_began(void **state)
{
    (void)state;
    assert_int_equal(write_for((const int64_t[GROUP]){600, 600, 600}, 1200), OUTCOME_CREATED);
}

/* ---- background work ---- */

enum { CROWD = 3 * WRITER_GROUP + 1 };

typedef struct {
    _Atomic(writer_t *) writer; /* NULL: calls do not count yet */
    atomic_int left, batches;
    atomic_int while_calls_waited;
} chore_world_t;

static bool any_left(void *context, store_t *store, bool at_end)
{
    (void)at_end;
    (void)store;
    chore_world_t *world = context;
    return atomic_load(&world->left) > 0;
}

static status_t do_one(void *context, store_t *store, bool *out_more, err_t *err)
{
    (void)store;
    (void)err;
    chore_world_t *world = context;
    writer_t *writer = atomic_load(&world->writer);
    if (writer != NULL && jobs_count(writer_queue(writer)) > 0)
        atomic_fetch_add(&world->while_calls_waited, 1);
    atomic_fetch_add(&world->batches, 1);
    *out_more = atomic_fetch_sub(&world->left, 1) > 1;
    return STATUS_OK;
}

static bool none_left(void *context)
{
    return !any_left(context, NULL, false);
}

static void add_chore(fixture_t *f, chore_world_t *world, int64_t every_ms, bool at_end)
{
    chore_t chore = {.event = "counting_failed",
                     .every_ms = every_ms,
                     .at_end = at_end,
                     .context = world,
                     .is_due = any_left,
                     .run = do_one};
    chores_add(&f->chores, &chore);
}

static void chores_are_done_while_calls_wait(void **state)
{
    fixture_t *f = *state;
    writer_t *writer = NULL;
    chore_world_t world = {.left = 0};
    add_chore(f, &world, 0, false);
    must(f,
         writer_start(f->log, f->scratch.path, &f->chores, NULL, &f->finished, &writer, &f->err));
    job_t *chain = NULL;
    for (unsigned i = 0; i < CROWD; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "crowd-%u", i);
        job_t *job = take_in(f, "note_create", id, i);
        job->next = chain;
        chain = job;
    }
    atomic_store(&world.writer, writer);
    assert_true(jobs_put(writer_queue(writer), chain));
    atomic_store(&world.left, INT_MAX); /* not before: idle, it would be done with all of it */
    for (unsigned count = 0; count < CROWD; count++) {
        job_t *job = jobs_take(&f->finished, 1, clock_ms() + LONGEST_MS);
        assert_non_null(job);
        assert_int_equal(job->call.reply.outcome, OUTCOME_CREATED);
        dispatch_drop(f->dispatch, job);
    }
    writer_stop(&writer);
    assert_true(atomic_load(&world.while_calls_waited) >= CROWD / WRITER_GROUP - 1);
}

static void chores_are_done_while_no_call_comes(void **state)
{
    fixture_t *f = *state;
    chore_world_t world = {.left = 5};
    writer_t *writer = NULL;
    add_chore(f, &world, 1, false);
    must(f,
         writer_start(f->log, f->scratch.path, &f->chores, NULL, &f->finished, &writer, &f->err));
    assert_true(await(none_left, &world, LONGEST_MS));
    writer_stop(&writer);
    assert_int_equal(atomic_load(&world.batches), 5);
}

static void chores_of_the_end_are_done_then_to_their_end(void **state)
{
    fixture_t *f = *state;
    chore_world_t last = {.left = 5};
    chore_world_t other = {.left = 5};
    writer_t *writer = NULL;
    add_chore(f, &last, INT64_C(100) * LONGEST_MS, true);
    add_chore(f, &other, INT64_C(100) * LONGEST_MS, false);
    must(f,
         writer_start(f->log, f->scratch.path, &f->chores, NULL, &f->finished, &writer, &f->err));
    writer_stop(&writer);
    assert_int_equal(atomic_load(&last.batches), 5);
    assert_int_equal(atomic_load(&other.batches), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_call_may_fail, set_up, tear_down),
        cmocka_unit_test(who_stood_still_makes_nothing_late),
        cmocka_unit_test(who_is_slow_makes_what_it_began),
        cmocka_unit_test_setup_teardown(chores_are_done_while_calls_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chores_are_done_while_no_call_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chores_of_the_end_are_done_then_to_their_end, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
