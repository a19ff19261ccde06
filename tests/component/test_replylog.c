/* The reply log on a real database: what is found, what is not, and what expires. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "services/common/dispatch.h"
#include "services/common/replylog.h"
#include "tests/component/notes.h"
#include "tests/support/migrated.h"
#include "tests/support/packing.h"
#include "tests/support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static const char first_key[] =
    "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
static const char both_keys[] =
    "2:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
static const char second_key[] =
    "2:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";

#define THIRD_KEY "3:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
static const char third_key[] = THIRD_KEY;
static const char third_and_second_key[] =
    THIRD_KEY "2:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";

static const int64_t day_ms = 24LL * 60 * 60 * 1000;
static const int64_t gateway_ms = 10LL * 60 * 1000;
static const int64_t minute_ms = 60LL * 1000;

typedef struct {
    scratch_t scratch;
    seal_t *seal;
    replylog_t *log;
    store_t *writer;
    err_t err;
} fixture_t;

static void must(fixture_t *f, status_t status)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s: %s", status_name(status), f->err.where, f->err.text);
}

static void close_all(fixture_t *f)
{
    store_close(&f->writer);
    replylog_close(&f->log);
    seal_close(&f->seal);
}

/* keys: of the seal key file; NULL: without one. */
static void open_with(fixture_t *f, const char *keys)
{
    close_all(f);
    if (keys != NULL) {
        scratch_write(&f->scratch, "keys", keys, 0600);
        must(f, seal_open_keys(scratch_file(&f->scratch, "keys"), &f->seal, &f->err));
    }
    must(f, replylog_open(notes_spec.store, f->seal, f->scratch.path, &f->log, &f->err));
    must(f, store_open(replylog_store(f->log), f->scratch.path, STORE_WRITER, &f->writer, &f->err));
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    *state = f;
    f->scratch = scratch_make();
    return migrate_once(notes_spec.store, f->scratch.path, NULL, &f->err) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    close_all(f);
    scratch_remove(&f->scratch);
    free(f);
    return 0;
}

/* A write with that key and body, at that time. */
static job_t *job_with(const char *key, bool client_key, const char *body, int64_t now_utc_ms)
{
    job_t *job = job_new(0);
    packing_t packed;
    packing_init(&packed);
    job->call.operation = &notes_spec.contract->operations[NOTE_CREATE];
    request_t *request = &job->call.request;
    (void)memcpy(request->idempotency_key, key, strlen(key) + 1);
    (void)memcpy(request->operation, "note_create", sizeof("note_create"));
    (void)memcpy(request->principal.key_id, "key-1", sizeof("key-1"));
    request->client_key = client_key;
    request->body = *packing_json(&packed, body);
    replylog_digest(request, job->digest);
    request->body = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    packing_free(&packed);
    (void)memcpy(request->request_id, "now", sizeof("now"));
    job->call.now_utc_ms = now_utc_ms;
    reply_init(&job->call.reply, "before", OUTCOME_INTERNAL);
    return job;
}

static void keep(fixture_t *f, const char *key, bool client_key, const char *body, int64_t now)
{
    AUTO(job_free) job_t *job = job_with(key, client_key, body, now);
    msgpack_packer out;
    msgpack_packer_init(&out, &job->call.body_bytes, msgpack_sbuffer_write);
    msgpack_pack_map(&out, 0);
    job->call.reply.outcome = OUTCOME_CREATED;
    job->call.answered = true;
    dispatch_finish(job);
    must(f, store_begin(f->writer, &f->err));
    must(f, replylog_keep(f->log, f->writer, job, &f->err));
    must(f, store_commit(f->writer, &f->err));
}

/* The outcome that the log answers with, or -1 if it knows nothing. */
static int find(fixture_t *f, const char *key, bool client_key, const char *body, int64_t now)
{
    AUTO(job_free) job_t *job = job_with(key, client_key, body, now);
    must(f, replylog_find(f->log, f->writer, job, &f->err));
    if (!job->call.answered)
        return -1;
    /* A stored reply goes out under the id of the request that it answers now. */
    if (job->call.reply.outcome == OUTCOME_CREATED)
        assert_string_equal(job->call.reply.request_id, "now");
    return (int)job->call.reply.outcome;
}

static void a_kept_reply_is_found(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), -1);
    keep(f, "k", true, "{'a':1}", 0);
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_CREATED);
    assert_int_equal(find(f, "k", true, "{'a':2}", 0), OUTCOME_KEY_REUSED);
    assert_int_equal(find(f, "k", false, "{'a':1}", 0), -1);
    assert_int_equal(find(f, "l", true, "{'a':1}", 0), -1);
    assert_int_equal(find(f, "", true, "{'a':1}", 0), -1);
}

static void replies_expire(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    keep(f, "c", true, "{'a':1}", 0);
    keep(f, "g", false, "{'a':1}", 0);
    assert_int_equal(find(f, "c", true, "{'a':1}", day_ms - 1), OUTCOME_CREATED);
    assert_int_equal(find(f, "c", true, "{'a':1}", day_ms), -1);
    assert_int_equal(find(f, "g", false, "{'a':1}", gateway_ms - 1), OUTCOME_CREATED);
    assert_int_equal(find(f, "g", false, "{'a':1}", gateway_ms), -1);
    keep(f, "g", false, "{'a':3}", gateway_ms); /* over a row that is not purged yet */
    assert_int_equal(find(f, "g", false, "{'a':3}", gateway_ms), OUTCOME_CREATED);
}

static void a_purge_takes_what_has_expired(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    keep(f, "a", false, "{'a':1}", 0);
    keep(f, "b", false, "{'a':1}", 1);
    keep(f, "c", false, "{'a':1}", 2);
    keep(f, "d", true, "{'a':1}", 0);
    int64_t removed = -1;
    must(f, store_begin(f->writer, &f->err));
    must(f, replylog_purge(f->log, f->writer, gateway_ms + 1, 1, &removed, &f->err));
    assert_int_equal(removed, 1);
    must(f, replylog_purge(f->log, f->writer, gateway_ms + 1, 10, &removed, &f->err));
    assert_int_equal(removed, 1);
    must(f, store_commit(f->writer, &f->err));
    assert_int_equal(find(f, "c", false, "{'a':1}", 2), OUTCOME_CREATED);
    assert_int_equal(find(f, "d", true, "{'a':1}", 2), OUTCOME_CREATED);
    assert_int_equal(find(f, "a", false, "{'a':1}", 2), -1);
}

static void a_rotated_key_still_tells(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    keep(f, "k", true, "{'a':1}", 0);
    open_with(f, both_keys);
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_CREATED);
    assert_int_equal(find(f, "k", true, "{'a':2}", 0), OUTCOME_KEY_REUSED);
    open_with(f, second_key); /* the old one is gone: nothing can be told, so nothing is repeated */
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_KEY_REUSED);
}

static size_t renew(fixture_t *f, bool only_look)
{
    size_t count = 0;
    must(f, store_begin(f->writer, &f->err));
    must(f, replylog_renew(f->log, f->writer, only_look, &count, &f->err));
    must(f, store_commit(f->writer, &f->err));
    return count;
}

static void a_key_that_was_kept_tells_without_the_old_one(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    keep(f, "k", true, "{'a':1}", 0);
    assert_int_equal(renew(f, false), 0);
    open_with(f, both_keys);
    assert_int_equal(renew(f, true), 1);
    assert_int_equal(renew(f, false), 1);
    assert_int_equal(renew(f, false), 0);
    open_with(f, second_key);
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_CREATED);
    assert_int_equal(find(f, "k", true, "{'a':2}", 0), OUTCOME_KEY_REUSED);
    open_with(f, third_and_second_key); /* and once more */
    assert_int_equal(renew(f, false), 2);
    open_with(f, third_key);
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_CREATED);
    assert_int_equal(renew(f, true), 0);
}

static void without_seal_a_file_holds_the_key(void **state)
{
    fixture_t *f = *state;
    open_with(f, NULL);
    keep(f, "k", true, "{'a':1}", 0);
    open_with(f, NULL); /* the next start reads it again */
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_CREATED);
    open_with(f, first_key);
    assert_int_equal(find(f, "k", true, "{'a':1}", 0), OUTCOME_KEY_REUSED);
    close_all(f);
    scratch_write(&f->scratch, "notes.db.replay-key", "short\n", 0600);
    assert_int_equal(replylog_open(notes_spec.store, NULL, f->scratch.path, &f->log, &f->err),
                     STATUS_INVALID);
}

/* As of a login that came from nobody known. */
static void keep_login(fixture_t *f, const char *key)
{
    AUTO(job_free) job_t *job = job_with(key, false, "{'a':1}", 0);
    job->call.operation = &notes_spec.contract->operations[NOTE_ENTER];
    assert_int_equal(call_header(&job->call, "Set-Cookie", "session=SECRET"), STATUS_OK);
    assert_int_equal(call_header(&job->call, "X", "y"), STATUS_INVALID);
    assert_int_equal(call_elsewhere(&job->call, "/x\r\nSet-Cookie: a=b"), STATUS_INVALID);
    assert_int_equal(call_elsewhere(&job->call, "/here"), STATUS_OK);
    dispatch_finish(job);
    must(f, store_begin(f->writer, &f->err));
    must(f, replylog_keep(f->log, f->writer, job, &f->err));
    must(f, store_commit(f->writer, &f->err));
}

static void assert_login(fixture_t *f, const char *key)
{
    AUTO(job_free) job_t *job = job_with(key, false, "{'a':1}", 0);
    must(f, replylog_find(f->log, f->writer, job, &f->err));
    assert_true(job->call.answered);
    assert_int_equal(job->call.reply.outcome, OUTCOME_ELSEWHERE);
    assert_string_equal(packing_text(&job->call.reply.headers),
                        "[['Set-Cookie','session=SECRET'],['Location','/here']]");
    dispatch_finish(job); /* what it points at is its own */
    packing_t packed;
    packing_init(&packed);
    (void)msgpack_sbuffer_write(&packed.bytes, job->reply.data, job->reply.size);
    reply_t reply;
    assert_int_equal(envelope_read_reply(packing_decode(&packed), &reply), STATUS_OK);
    assert_int_equal(reply.headers.via.array.size, 2);
    packing_free(&packed);
}

/* The number that it answers, if any. */
static int64_t execute(fixture_t *f, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int64_t number = -1;
    assert_int_equal(sqlite3_open(scratch_file(&f->scratch, "notes.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    int stepped = sqlite3_step(row);
    assert_true(stepped == SQLITE_ROW || stepped == SQLITE_DONE);
    if (stepped == SQLITE_ROW)
        number = sqlite3_column_int64(row, 0);
    assert_int_equal(sqlite3_finalize(row), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

/* How many rows have those bytes. */
static int64_t rows_with(fixture_t *f, const char *bytes)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM reply_log WHERE instr(reply, '%s') > 0",
                   bytes);
    return execute(f, sql);
}

static void a_token_is_kept_sealed(void **state)
{
    fixture_t *f = *state;
    for (int sealed = 0; sealed < 2; sealed++) {
        open_with(f, sealed ? first_key : NULL);
        keep_login(f, sealed ? "with-seal" : "without");
        assert_login(f, sealed ? "with-seal" : "without");
    }
    assert_int_equal(rows_with(f, "SECRET"), 0);
    assert_int_equal(rows_with(f, "ELSEWHERE"), 0);
    keep(f, "k", true, "{'a':1}", 0);
    assert_int_equal(rows_with(f, "CREATED"), 1); /* what is no secret stands as it is */
    open_with(f, both_keys);
    assert_login(f, "with-seal");
}

static void a_sealed_reply_stands_in_its_row_alone(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    keep_login(f, "mine");
    keep_login(f, "yours");
    (void)execute(f, "UPDATE reply_log SET reply = (SELECT reply FROM reply_log WHERE"
                     " idempotency_key = 'mine') WHERE idempotency_key = 'yours'");
    AUTO(job_free) job_t *job = job_with("yours", false, "{'a':1}", 0);
    assert_int_equal(replylog_find(f->log, f->writer, job, &f->err), STATUS_CORRUPT);
    assert_false(job->call.answered);
    assert_login(f, "mine");
}

/* Strangers' writes can be many. */
static void a_login_is_kept_for_a_minute(void **state)
{
    fixture_t *f = *state;
    open_with(f, first_key);
    keep_login(f, "login");
    assert_int_equal(find(f, "login", false, "{'a':1}", minute_ms - 1), OUTCOME_ELSEWHERE);
    assert_int_equal(find(f, "login", false, "{'a':1}", minute_ms), -1);
}

static void digests_tell_requests_apart(void **state)
{
    (void)state;
    AUTO(job_free) job_t *a = job_with("k", true, "{'a':'bc'}", 0);
    AUTO(job_free) job_t *b = job_with("other", false, "{'a':'bc'}", 9);
    AUTO(job_free) job_t *c = job_with("k", true, "{'ab':'c'}", 0);
    assert_memory_equal(a->digest, b->digest, JOB_DIGEST_SIZE);
    assert_memory_not_equal(a->digest, c->digest, JOB_DIGEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(a_kept_reply_is_found),
        CASE(replies_expire),
        CASE(a_purge_takes_what_has_expired),
        CASE(a_rotated_key_still_tells),
        CASE(a_key_that_was_kept_tells_without_the_old_one),
        CASE(without_seal_a_file_holds_the_key),
        CASE(a_token_is_kept_sealed),
        CASE(a_login_is_kept_for_a_minute),
        CASE(a_sealed_reply_stands_in_its_row_alone),
        cmocka_unit_test(digests_tell_requests_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
