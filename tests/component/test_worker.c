/* A whole worker process, driven by a gateway that the test plays: its connections, and requests.
 */
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

/* ---- connecting ---- */

static void ready_says_who_it_is(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
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
    desk_start_with(f, gateways);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void a_name_is_resolved(void **state)
{
    fixture_t *f = *state;
    fake_close(&f->gateway);
    fake_open(&f->gateway, "tcp://127.0.0.1:*");
    char gateways[300];
    (void)snprintf(gateways, sizeof(gateways), "LK_GATEWAYS=tcp://localhost:%s",
                   strrchr(f->gateway.endpoint, ':') + 1);
    desk_start_with(f, gateways);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void disconnect_is_answered_with_ready(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    char instance[UUID_SIZE];
    memcpy(instance, f->gateway.ready.instance, sizeof(instance));
    fake_say(&f->gateway, COMMAND_DISCONNECT);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 2));
    assert_string_equal(f->gateway.ready.instance, instance);
    assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void silence_is_answered_with_ready(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    int64_t start_ms = clock_ms();
    f->gateway.muted = true;
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 2));
    /* The gateway's last beat may have been a while before. */
    assert_true(clock_ms() - start_ms >= FRAMES_SILENCE_MS / 2);
    f->gateway.muted = false;
    assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void a_gateway_that_comes_back_is_greeted(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    fake_close(&f->gateway);
    fake_open(&f->gateway, f->endpoint);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
}

static void garbage_ends_the_connection_only(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
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
        assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_UNKNOWN);
    }
}

/* ---- requests ---- */

static void a_message_is_answered_by_one_message(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    assert_int_equal(desk_make(f, "{'id':'a','text':'A'}"), OUTCOME_CREATED);
    assert_string_equal(packing_text(&f->reply.body), "{'id':'a','text':'A'}");
    ask_t ask = desk_read_one("{'id':'a'}");
    uint64_t last = 0;
    for (unsigned i = 0; i < 20; i++)
        last = fake_ask(&f->gateway, &ask);
    unsigned before = f->gateway.replies;
    fake_send(&f->gateway);
    assert_true(fake_answer(&f->gateway, last, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_OK);
    assert_string_equal(packing_text(&f->reply.body), "{'id':'a','text':'A'}");
    assert_int_equal(f->gateway.replies, before + 1);
    assert_int_equal(f->gateway.last_reply_count, 20);
    fake_send(&f->gateway); /* even an empty one */
    assert_true(fake_await(&f->gateway, &f->gateway.replies, before + 2));
    assert_int_equal(f->gateway.last_reply_count, 0);
}

static void a_slow_call_holds_nothing_up(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    assert_int_equal(desk_make(f, "{'id':'a','text':'A'}"), OUTCOME_CREATED);
    ask_t slow = {.operation = "note_read_slowly", .path = "{'id':'a'}"};
    uint64_t slow_id = fake_ask(&f->gateway, &slow);
    unsigned before = f->gateway.replies;
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, before + 1));
    assert_int_equal(f->gateway.last_reply_count, 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(desk_look(f, "{'id':'a'}"), OUTCOME_OK);
    assert_int_equal(desk_make(f, "{'id':'b','text':'B'}"), OUTCOME_CREATED);
    unsigned beats = f->gateway.heartbeats;
    assert_true(fake_await(&f->gateway, &f->gateway.heartbeats, beats + 2));
    assert_int_equal(f->gateway.times[slow_id], 0);
    desk_release_slow(f);
    assert_true(fake_answer(&f->gateway, slow_id, &f->reply));
    assert_int_equal(f->reply.outcome, OUTCOME_OK);
}

static void what_is_refused_is_undone(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    ask_t first = desk_create("{'id':'a','text':'A'}");
    ask_t clash = {.operation = "note_clash", .body = "{'id':'b','text':'B'}"};
    ask_t broken = {.operation = "note_break", .body = "{'id':'c','text':'C'}"};
    ask_t twice = desk_create("{'id':'a','text':'again'}");
    ask_t last = desk_create("{'id':'d','text':'D'}");
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
    assert_string_equal(packing_text(&f->reply.body),
                        "[{'id':'a','text':'A'},{'id':'d','text':'D'}]");
    assert_true(desk_log_has(f, "event=call_failed request=r3 operation=note_break"));
}

static ask_t enter(const char *key, const char *body)
{
    return (ask_t){.operation = "note_enter",
                   .scope = SCOPE_NOBODY,
                   .key = key,
                   .head = "{'Cookie':'a=b'}",
                   .body = body};
}

/* What the gateway sends again after a worker's death is answered as it was, and done once. */
static void a_denial_is_kept_and_so_are_its_headers(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    for (int again = 0; again < 2; again++) {
        ask_t denied = enter("1", "{'id':'a','text':'denied'}");
        ask_t in = enter("2", "{'id':'b','text':'in'}");
        ask_t undone = enter("3", "{'id':'c','text':'undone'}");
        denied.again = in.again = undone.again = again;
        assert_int_equal(fake_do(&f->gateway, &denied, &f->reply), OUTCOME_DENIED);
        assert_int_equal(f->reply.media, MEDIA_HTML);
        assert_string_equal(packing_text(&f->reply.body), "'<p>'");
        assert_string_equal(packing_text(&f->reply.headers), "[['Set-Cookie','session=SECRET']]");
        assert_int_equal(fake_do(&f->gateway, &in, &f->reply), OUTCOME_ELSEWHERE);
        assert_string_equal(packing_text(&f->reply.headers),
                            "[['Set-Cookie','session=SECRET'],['Location','/here?a=b']]");
        assert_int_equal(fake_do(&f->gateway, &undone, &f->reply), OUTCOME_INVALID);
        assert_int_equal(f->reply.headers.type, MSGPACK_OBJECT_NIL);
    }
    ask_t cookie = enter("4", "{'id':'d','text':'cookie'}");
    assert_int_equal(fake_do(&f->gateway, &cookie, &f->reply), OUTCOME_DENIED);
    assert_string_equal(f->reply.message, "a=b");
    cookie = enter("5", "{'id':'e','text':'cookie'}");
    cookie.head = NULL;
    assert_int_equal(fake_do(&f->gateway, &cookie, &f->reply), OUTCOME_DENIED);
    assert_string_equal(f->reply.message, "");
    assert_int_equal(fake_do(&f->gateway, &(ask_t){.operation = "note_list"}, &f->reply),
                     OUTCOME_OK);
    assert_string_equal(packing_text(&f->reply.body),
                        "[{'id':'a','text':'denied'},{'id':'b','text':'in'},"
                        "{'id':'d','text':'cookie'},{'id':'e','text':'cookie'}]");
}

/* The gateway looks at no key there, and gives no stranger another's answer; we see to both. */
static void what_is_open_is_for_nobody_known(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    static const char body[] = "{'id':'a','text':'in'}";
    for (int scope = SCOPE_ADMIN; scope < SCOPE_NOBODY; scope++) {
        ask_t ask = enter("1", body);
        ask.scope = (scope_t)scope;
        assert_int_equal(fake_do(&f->gateway, &ask, &f->reply), OUTCOME_FORBIDDEN);
    }
    ask_t client = enter("2", body);
    client.client_key = true;
    assert_int_equal(fake_do(&f->gateway, &client, &f->reply), OUTCOME_INTERNAL);
    ask_t other = enter("3", body);
    other.head = "{'Cookie':5}";
    assert_int_equal(fake_do(&f->gateway, &other, &f->reply), OUTCOME_INTERNAL);
    other.head = "{'Cookie':'seventeen bytes..'}";
    assert_int_equal(fake_do(&f->gateway, &other, &f->reply), OUTCOME_INTERNAL);
    static const char *const closed[] = {"note_read", "note_list", "note_create", "note_hash"};
    for (size_t i = 0; i < ARRAY_LEN(closed); i++)
        assert_int_equal(fake_do(&f->gateway,
                                 &(ask_t){.operation = closed[i], .scope = SCOPE_NOBODY},
                                 &f->reply),
                         OUTCOME_FORBIDDEN);
    assert_int_equal(fake_do(&f->gateway, &(ask_t){.operation = "note_list"}, &f->reply),
                     OUTCOME_OK);
    assert_string_equal(packing_text(&f->reply.body), "[]");
}

static void poison_is_answered_and_logged(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
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
    assert_true(desk_log_has(f, "the request is malformed"));
}

static void faults_are_told(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
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
    assert_int_equal(desk_make(f, "{'id':'s','text':'S','secret':'hush hush'}"), OUTCOME_CREATED);
    assert_string_equal(packing_text(&f->reply.body), "{'id':'s','text':'S','secret':'********'}");
    assert_false(desk_log_has(f, "hush"));
}

static void an_answer_stays_on_its_connection(void **state)
{
    fixture_t *f = *state;
    desk_start(f);
    uint64_t slow =
        fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'a'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    fake_say(&f->gateway, COMMAND_DISCONNECT);
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 2));
    desk_release_slow(f);
    /* The one slow thread is free again once this is answered. */
    ask_t next = {.operation = "note_read_slowly", .path = "{'id':'b'}"};
    assert_int_equal(fake_do(&f->gateway, &next, &f->reply), OUTCOME_UNKNOWN);
    assert_int_equal(f->gateway.times[slow], 0);
}

static void a_full_pool_says_so(void **state)
{
    fixture_t *f = *state;
    desk_start_with(f, "LK_WINDOW=1024");
    assert_true(fake_await(&f->gateway, &f->gateway.readies, 1));
    enum { ASKED = 300 }; /* one at work, 256 waiting */
    uint64_t ids[ASKED];
    for (unsigned i = 0; i < ASKED; i++)
        ids[i] =
            fake_ask(&f->gateway, &(ask_t){.operation = "note_read_slowly", .path = "{'id':'a'}"});
    fake_send(&f->gateway);
    assert_true(fake_await(&f->gateway, &f->gateway.replies, 1));
    assert_in_range(f->gateway.last_reply_count, ASKED - 257, ASKED - 256);
    desk_release_slow(f);
    unsigned refused = 0;
    for (unsigned i = 0; i < ASKED; i++) {
        assert_true(fake_answer(&f->gateway, ids[i], &f->reply));
        refused += f->reply.outcome == OUTCOME_UNAVAILABLE;
    }
    assert_in_range(refused, ASKED - 257, ASKED - 256);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        CASE(a_denial_is_kept_and_so_are_its_headers),
        CASE(what_is_open_is_for_nobody_known),
        CASE(poison_is_answered_and_logged),
        CASE(faults_are_told),
        CASE(an_answer_stays_on_its_connection),
        CASE(a_full_pool_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
