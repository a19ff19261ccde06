/* A whole worker process, driven by a gateway that the test plays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "services/common/gate.h"
#include "tests/support/child.h"
#include "tests/support/fake_gateway.h"
#include "tests/support/packed.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_WAIT_MS = 20000 };

typedef struct {
    scratch_t scratch;
    fake_gateway_t gateway;
    child_t worker;
    char endpoint[160];
    reply_t reply;
} fixture_t;

static void start_with(fixture_t *f, const char *extra)
{
    char gateways[256];
    char directory[128];
    (void)snprintf(gateways, sizeof(gateways), "LK_GATEWAYS=%s", f->gateway.endpoint);
    (void)snprintf(directory, sizeof(directory), "LK_DATA_DIR=%s", f->scratch.path);
    const char *settings[] = {directory,
                              "LK_DIGEST=off",
                              "LK_SLOW_THREADS=1",
                              extra == NULL ? "LK_WINDOW=64" : extra,
                              gateways,
                              NULL};
    if (extra != NULL && strncmp(extra, "LK_GATEWAYS=", 12) == 0)
        settings[4] = NULL;
    f->worker = child_start(NOTES_WORKER, settings, NULL, scratch_file(&f->scratch, "log"));
}

static void start(fixture_t *f)
{
    unsigned before = f->gateway.readies;
    start_with(f, NULL);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, before + 1));
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    *state = f;
    f->scratch = scratch_make();
    (void)snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s/gateway", f->scratch.path);
    fake_open(&f->gateway, f->endpoint);
    return 0;
}

/* A sanitizer that found something shows in the exit code. */
static int tear_down(void **state)
{
    fixture_t *f = *state;
    int code = 0;
    if (f->worker.pid != 0) {
        scratch_write(&f->scratch, "release", "", 0600);
        child_signal(&f->worker, SIGTERM);
        code = child_wait(&f->worker, EXIT_WAIT_MS);
    }
    child_kill(&f->worker);
    fake_close(&f->gateway);
    if (code != 0)
        (void)fprintf(stderr, "the worker ended with %d: %s\n", code, f->scratch.path);
    else
        scratch_remove(&f->scratch);
    free(f);
    return code == 0 ? 0 : -1;
}

static void release_slow(fixture_t *f)
{
    scratch_write(&f->scratch, "release", "", 0600);
}

static bool log_has(fixture_t *f, const char *text)
{
    static char bytes[65536];
    int file = open(scratch_file(&f->scratch, "log"), O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, bytes, sizeof(bytes) - 1);
    assert_true(length >= 0);
    (void)close(file);
    bytes[length] = '\0';
    return strstr(bytes, text) != NULL;
}

static ask_t create(const char *body)
{
    return (ask_t){.operation = "note_create", .body = body};
}

static ask_t read_one(const char *path)
{
    return (ask_t){.operation = "note_read", .path = path};
}

static outcome_t make(fixture_t *f, const char *body)
{
    ask_t ask = create(body);
    return fake_do(&f->gateway, &ask, &f->reply);
}

static outcome_t look(fixture_t *f, const char *path)
{
    ask_t ask = read_one(path);
    return fake_do(&f->gateway, &ask, &f->reply);
}

/* ---- connecting ---- */

static void ready_says_who_it_is(void **state)
{
    fixture_t *f = *state;
    start(f);
    assert_string_equal(f->gateway.ready.service, "notes");
    assert_int_equal(f->gateway.ready.window, 64);
    assert_true(uuid_well_formed(f->gateway.ready.instance, strlen(f->gateway.ready.instance)));
    assert_true(fake_await(&f->gateway, &f->gateway.heartbeats, 3));
    assert_int_equal(f->gateway.readies, 1); /* once on a connection */
}

static void a_dead_name_blocks_nothing(void **state)
{
    fixture_t *f = *state;
    char gateways[300];
    (void)snprintf(gateways, sizeof(gateways), "LK_GATEWAYS=tcp://nobody.invalid:8081 , %s",
                   f->gateway.endpoint);
    start_with(f, gateways);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void a_name_is_resolved(void **state)
{
    fixture_t *f = *state;
    fake_close(&f->gateway);
    fake_open(&f->gateway, "tcp://127.0.0.1:*");
    char gateways[300];
    (void)snprintf(gateways, sizeof(gateways), "LK_GATEWAYS=tcp://localhost:%s",
                   strrchr(f->gateway.endpoint, ':') + 1);
    start_with(f, gateways);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void disconnect_is_answered_with_ready(void **state)
{
    fixture_t *f = *state;
    start(f);
    char instance[UUID_SIZE];
    memcpy(instance, f->gateway.ready.instance, sizeof(instance));
    fake_say(&f->gateway, COMMAND_DISCONNECT);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 2));
    assert_string_equal(f->gateway.ready.instance, instance);
    assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void silence_is_answered_with_ready(void **state)
{
    fixture_t *f = *state;
    start(f);
    int64_t start_ms = clock_ms();
    f->gateway.muted = true;
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 2));
    /* The gateway's last beat may have been a while before. */
    assert_true(clock_ms() - start_ms >= FRAMES_SILENCE_MS / 2);
    f->gateway.muted = false;
    assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void a_gateway_that_comes_back_is_greeted(void **state)
{
    fixture_t *f = *state;
    start(f);
    fake_close(&f->gateway);
    fake_open(&f->gateway, f->endpoint);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void garbage_ends_the_connection_only(void **state)
{
    fixture_t *f = *state;
    start(f);
    static const struct {
        const char *first;
        const char *second;
    } messages[] = {{"", NULL},
                    {"LKW0H", NULL},
                    {"LKW1X", NULL},
                    {"LKW1HH", NULL},
                    {"LKW1H", "body"},
                    {"LKW1Q", NULL},
                    {"LKW1Q", "\xdd\xff\xff\xff\xff"},
                    {"LKW1Q", "\xc0"},
                    {"LKW1R", NULL},
                    {"LKW1A", "\x90"},
                    {"LKW1D", "x"}};
    for (unsigned i = 0; i < ARRAY_LEN(messages); i++) {
        unsigned readies = f->gateway.readies;
        fake_send_frames(&f->gateway, messages[i].first, strlen(messages[i].first),
                         messages[i].second,
                         messages[i].second == NULL ? 0 : strlen(messages[i].second));
        assert_true(fake_await(&f->gateway, &f->gateway.readies, readies + 1));
        assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
    }
}

/* ---- requests ---- */

static void a_message_is_answered_by_one_message(void **state)
{
    fixture_t *f = *state;
    start(f);
    assert_int_equal(make(f, "{'id':'a','text':'A'}"), OUTCOME_CREATED);
    assert_string_equal(packed_text(&f->reply.body), "{'id':'a','text':'A'}");
    ask_t ask = read_one("{'id':'a'}");
    uint64_t last = 0;
    for (unsigned i = 0; i < 20; i++)
        last = fake_ask(&f->gateway, &ask);
    unsigned before = f->gateway.replies;
    fake_send(&f->gateway);
    assert_true(fake_answer(&f->gateway, last, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_OK);
    assert_string_equal(packed_text(&f->reply.body), "{'id':'a','text':'A'}");
    assert_int_equal(f->gateway.replies, before + 1);
    assert_int_equal(f->gateway.last_reply_count, 20);
    fake_send(&f->gateway); /* even an empty one */
    assert_true(fake_await(&f->gateway, &f->gateway.replies, before + 2));
    assert_int_equal(f->gateway.last_reply_count, 0);
}

static void a_slow_call_holds_nothing_up(void **state)
{
    fixture_t *f = *state;
    start(f);
    assert_int_equal(make(f, "{'id':'a','text':'A'}"), OUTCOME_CREATED);
    ask_t slow = {.operation = "note_read_slowly", .path = "{'id':'a'}"};
    uint64_t slow_id = fake_ask(&f->gateway, &slow);
    unsigned before = f->gateway.replies;
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, before + 1));
    assert_int_equal(f->gateway.last_reply_count, 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_OK);
    assert_int_equal(make(f, "{'id':'b','text':'B'}"), OUTCOME_CREATED);
    unsigned beats = f->gateway.heartbeats;
    assert_true(fake_await(&f->gateway, &f->gateway.heartbeats, beats + 2));
    assert_int_equal(f->gateway.times[slow_id], 0);
    release_slow(f);
    assert_true(fake_answer(&f->gateway, slow_id, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_OK);
}

static void what_is_refused_is_undone(void **state)
{
    fixture_t *f = *state;
    start(f);
    ask_t first = create("{'id':'a','text':'A'}");
    ask_t clash = {.operation = "note_clash", .body = "{'id':'b','text':'B'}"};
    ask_t broken = {.operation = "note_break", .body = "{'id':'c','text':'C'}"};
    ask_t twice = create("{'id':'a','text':'again'}");
    ask_t last = create("{'id':'d','text':'D'}");
    const ask_t *asks[] = {&first, &clash, &broken, &twice, &last};
    static const outcome_t outcomes[] = {OUTCOME_CREATED, OUTCOME_CONFLICT, OUTCOME_INTERNAL,
                                         OUTCOME_CONFLICT, OUTCOME_CREATED};
    uint64_t ids[ARRAY_LEN(asks)];
    for (unsigned i = 0; i < ARRAY_LEN(asks); i++)
        ids[i] = fake_ask(&f->gateway, asks[i]);
    fake_send(&f->gateway);
    for (unsigned i = 0; i < ARRAY_LEN(asks); i++) {
        assert_true(fake_answer(&f->gateway, ids[i], &f->reply));
        assert_int_equal(f->reply.outcome, outcomes[i]);
    }
    assert_int_equal(fake_do(&f->gateway, &(ask_t){.operation = "note_list"}, &f->reply),
                     OUTCOME_OK);
    assert_string_equal(packed_text(&f->reply.body),
                        "[{'id':'a','text':'A'},{'id':'d','text':'D'}]");
    assert_true(log_has(f, "event=call_failed request=r3 operation=note_break"));
}

static void poison_is_answered_and_logged(void **state)
{
    fixture_t *f = *state;
    start(f);
    static const char bad[] = "\x9a\x01\xa1r\xc0";
    uint64_t ids[4];
    ids[0] = fake_ask_bytes(&f->gateway, bad, sizeof(bad) - 1);
    ids[1] = fake_ask_bytes(&f->gateway, "", 0);
    ids[2] = fake_ask(&f->gateway, &(ask_t){.operation = "no_such"});
    ids[3] = fake_ask(&f->gateway, &(ask_t){.operation = "note_list", .service = "others"});
    ask_t good = {.operation = "note_list"};
    uint64_t good_id = fake_ask(&f->gateway, &good);
    fake_send(&f->gateway);
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
        assert_true(fake_answer(&f->gateway, ids[i], &f->reply));
        assert_int_equal(f->reply.outcome, OUTCOME_INTERNAL);
    }
    assert_true(fake_answer(&f->gateway, good_id, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_OK);
    assert_true(log_has(f, "the request is malformed"));
}

static void faults_are_told(void **state)
{
    fixture_t *f = *state;
    start(f);
    static const struct {
        ask_t ask;
        outcome_t outcome;
        unsigned faults;
    } cases[] = {
        {{.operation = "note_read", .path = "{'id':'a b'}"}, OUTCOME_UNKNOWN, 0},
        {{.operation = "note_read"}, OUTCOME_UNKNOWN, 0},
        {{.operation = "note_read_slowly", .path = "{'id':'a b'}"}, OUTCOME_INVALID, 1},
        {{.operation = "note_list", .query = "{'limit':0}"}, OUTCOME_BAD_QUERY, 1},
        {{.operation = "note_create", .body = "{'text':7,'secret':'short'}"}, OUTCOME_INVALID, 3},
        {{.operation = "note_create", .scope = SCOPE_READ, .body = "{'id':'a','text':'A'}"},
         OUTCOME_FORBIDDEN,
         0},
        {{.operation = "note_list", .scope = SCOPE_SIP}, OUTCOME_FORBIDDEN, 0},
        {{.operation = "note_list", .scope = SCOPE_READ}, OUTCOME_OK, 0},
        {{.operation = "note_list", .ms_left = -1}, OUTCOME_UNAVAILABLE, 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(fake_do(&f->gateway, &cases[i].ask, &f->reply), cases[i].outcome);
        assert_int_equal(f->reply.faults.count, cases[i].faults);
    }
    assert_int_equal(make(f, "{'id':'s','text':'S','secret':'hush hush'}"), OUTCOME_CREATED);
    assert_string_equal(packed_text(&f->reply.body), "{'id':'s','text':'S','secret':'********'}");
    assert_false(log_has(f, "hush"));
}

static void an_answer_stays_on_its_connection(void **state)
{
    fixture_t *f = *state;
    start(f);
    uint64_t slow =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'a'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    fake_say(&f->gateway, COMMAND_DISCONNECT);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 2));
    release_slow(f);
    /* The one slow thread is free again once this is answered. */
    ask_t next = {.operation = "note_read_slowly", .path = "{'id':'b'}"};
    assert_int_equal(fake_do(&f->gateway, &next, &f->reply), OUTCOME_UNKNOWN);
    assert_int_equal(f->gateway.times[slow], 0);
}

static void a_full_pool_says_so(void **state)
{
    fixture_t *f = *state;
    start(f);
    enum { ASKED = 300 }; /* one at work, 256 waiting */
    uint64_t ids[ASKED];
    for (unsigned i = 0; i < ASKED; i++)
        ids[i] =
            fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'a'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    assert_in_range(f->gateway.last_reply_count, ASKED - 257, ASKED - 256);
    release_slow(f);
    unsigned refused = 0;
    for (unsigned i = 0; i < ASKED; i++) {
        assert_true(fake_answer(&f->gateway, ids[i], &f->reply));
        refused += f->reply.outcome == OUTCOME_UNAVAILABLE;
    }
    assert_in_range(refused, ASKED - 257, ASKED - 256);
}

/* ---- writes ---- */

static void late_writes_are_not_done(void **state)
{
    fixture_t *f = *state;
    start(f);
    gate_t *gate = NULL;
    err_t err;
    assert_int_equal(gate_open(scratch_file(&f->scratch, "notes.db"), &gate, &err), STATUS_OK);
    assert_int_equal(gate_take(gate, clock_ms() + 5000, &err), STATUS_OK);
    ask_t ask = create("{'id':'late','text':'L'}");
    ask.ms_left = 300;
    uint64_t late = fake_ask(&f->gateway, &ask);
    ask_t patient = create("{'id':'patient','text':'P'}");
    uint64_t waits = fake_ask(&f->gateway, &patient);
    fake_send(&f->gateway);
    assert_int_equal(look(f, "{'id':'late'}"), OUTCOME_UNKNOWN); /* reads go on */
    assert_true(fake_answer(&f->gateway, late, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_UNAVAILABLE);
    assert_int_equal(f->gateway.times[waits], 0);
    gate_leave(gate);
    gate_close(&gate);
    assert_true(fake_answer(&f->gateway, waits, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
    assert_int_equal(look(f, "{'id':'late'}"), OUTCOME_UNKNOWN);
    assert_int_equal(look(f, "{'id':'patient'}"), OUTCOME_OK);
}

static void a_write_sent_again_is_applied_once(void **state)
{
    fixture_t *f = *state;
    start(f);
    ask_t ask = {.operation = "note_create", .body = "{'id':'a','text':'A'}", .key = "g1"};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_CREATED);
        assert_false(f->reply.replayed);
        assert_string_equal(packed_text(&f->reply.body), "{'id':'a','text':'A'}");
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
    start(f);
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
    start(f);
    release_slow(f);
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
    start(f);
    uint64_t first =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_hash", .body = "{'id':'a','text':'A'}"});
    uint64_t late = fake_ask(
        &f->gateway,
        &(ask_t){.operation = "note_hash", .body = "{'id':'b','text':'B'}", .ms_left = 50});
    fake_send(&f->gateway);
    fake_pump(&f->gateway, 100);
    release_slow(f);
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
        start(f);
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
    start(f);
    ask_t list = {.operation = "note_list", .query = "{'limit':100}"};
    assert_int_equal(fake_do(&f->gateway, &list, &f->reply), OUTCOME_OK);
    assert_int_equal(f->reply.body.via.array.size, 100);
    assert_int_equal(look(f, "{'id':'199'}"), OUTCOME_OK);
}

/* ---- ending ---- */

static void a_drain_finishes_what_is_held(void **state)
{
    fixture_t *f = *state;
    start(f);
    uint64_t slow =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_hash", .body = "{'id':'a','text':'A'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    child_signal(&f->worker, SIGTERM);
    assert_true(fake_await(&f->gateway, &f->gateway.disconnects, 1));
    unsigned beats = f->gateway.heartbeats;
    assert_true(fake_await(&f->gateway, &f->gateway.heartbeats, beats + 2));
    assert_int_equal(look(f, "{'id':'a'}"), OUTCOME_UNKNOWN); /* it was on its way */
    release_slow(f);
    assert_true(fake_answer(&f->gateway, slow, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_CREATED);
    assert_int_equal(child_wait(&f->worker, EXIT_WAIT_MS), 0);
    assert_int_equal(f->gateway.readies, 1);
    assert_true(log_has(f, "event=draining held=1"));
    assert_true(log_has(f, "event=worker_stopped"));
}

static void a_drain_ends_in_time(void **state)
{
    fixture_t *f = *state;
    start_with(f, "LK_DRAIN_SECONDS=1");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    (void)fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'a'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    int64_t start_ms = clock_ms();
    child_signal(&f->worker, SIGINT);
    assert_int_equal(child_wait(&f->worker, 8000), 0);
    assert_in_range(clock_ms() - start_ms, 990, 7000);
    assert_true(log_has(f, "event=drain_cut held=1"));
}

static void an_idle_worker_ends_at_once(void **state)
{
    fixture_t *f = *state;
    start_with(f, "LK_GATEWAYS=tcp://127.0.0.1:1");
    int64_t until_ms = clock_ms() + 10000;
    while ((access(scratch_file(&f->scratch, "log"), F_OK) != 0 ||
            !log_has(f, "event=worker_started")) &&
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
    assert_true(log_has(f, "LK_DIGEST=off does without SIP digest"));
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
    start(f);
    struct stat info;
    assert_int_equal(stat(scratch_file(&f->scratch, "notes.db.replay-key"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, 65);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(ready_says_who_it_is),
        CASE(a_dead_name_blocks_nothing),
        CASE(a_name_is_resolved),
        CASE(disconnect_is_answered_with_ready),
        CASE(silence_is_answered_with_ready),
        CASE(a_gateway_that_comes_back_is_greeted),
        CASE(garbage_ends_the_connection_only),
        CASE(a_message_is_answered_by_one_message),
        CASE(a_slow_call_holds_nothing_up),
        CASE(what_is_refused_is_undone),
        CASE(poison_is_answered_and_logged),
        CASE(faults_are_told),
        CASE(an_answer_stays_on_its_connection),
        CASE(a_full_pool_says_so),
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
