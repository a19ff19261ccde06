/* The writer with the Nth SQLite call failing, N = 1, 2, ...: a success is answered if and only if
 * it was committed, every call is answered, and what failed can be sent again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/common/dispatch.h"
#include "services/common/migrate.h"
#include "services/common/writer.h"
#include "tests/component/notes.h"
#include "tests/support/packing.h"
#include "tests/support/scratch.h"
#include "tests/support/sqlite_fault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 3, LONGEST_MS = 30000 };

typedef struct {
    scratch_t scratch;
    replylog_t *log;
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
    must(f, migrate(notes_spec.store, f->scratch.path, NULL, &f->err));
    must(f, replylog_open(notes_spec.store, NULL, f->scratch.path, &f->log, &f->err));
    must(f, dispatch_new(&notes_spec, &f->keeper, &f->dispatch, &f->err));
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
    /* path, query, body */
    bool reads = strcmp(operation, "note_read") == 0;
    msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
    envelope_write_request(&request, &packed.packer);
    (void)msgpack_pack_object(&packed.packer, reads ? *object : nothing);
    msgpack_pack_nil(&packed.packer);
    (void)msgpack_pack_object(&packed.packer, reads ? nothing : *object);
    batch_item_t item = {.id = number,
                         .ms_left = LONGEST_MS,
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
    must(f, writer_start(f->log, f->scratch.path, &f->finished, &writer, &f->err));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_call_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
