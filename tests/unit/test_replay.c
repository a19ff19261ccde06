/* Used responses, seen nonces, recent denials; and the file that they stand in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/memory_desk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FACTS = 60000 };

#define S   INT64_C(1000)
#define DAY INT64_C(86400000)

static const int64_t now = MEMORY_NOW_MS;

static replay_t use(sip_memory_t *memory, int number, int64_t at_ms, int64_t until_ms)
{
    char fact[32];
    int length = snprintf(fact, sizeof(fact), "fact %d", number);
    return sip_replay_remember(memory, fact, (size_t)length, at_ms, until_ms);
}

static bool holds(sip_memory_t *memory, int number)
{
    char fact[32];
    int length = snprintf(fact, sizeof(fact), "fact %d", number);
    return sip_replay_holds(memory, fact, (size_t)length, now);
}

static void a_response_counts_once(void **state)
{
    memory_desk_t *f = *state;
    AUTO(sip_memory_close) sip_memory_t *replica = memory_open_again(f, false);
    assert_false(holds(f->memory, 1));
    assert_int_equal(use(f->memory, 1, now, now + 60 * S), REPLAY_FRESH);
    assert_int_equal(use(f->memory, 1, now, now + 60 * S), REPLAY_REPEATED);
    assert_int_equal(use(replica, 1, now + 59 * S, now + 70 * S), REPLAY_REPEATED);
    assert_true(holds(replica, 1));
    assert_false(holds(replica, 2));
    assert_int_equal(use(replica, 2, now, now + 60 * S), REPLAY_FRESH);
    assert_int_equal(use(f->memory, 2, now, now + 60 * S), REPLAY_REPEATED);
    /* after its time, too, as long as nobody needs its place */
    assert_int_equal(use(f->memory, 1, now + DAY, now + DAY + 60 * S), REPLAY_REPEATED);
    sip_memory_close(&f->memory);
    f->memory = memory_open_again(f, true);
    assert_true(holds(f->memory, 1));
}

static void a_nonce_is_known_since_it_was_seen(void **state)
{
    memory_desk_t *f = *state;
    int64_t first = 0;
    assert_false(sip_nonce_seen(f->memory, "n", 1, now, &first));
    assert_int_equal(first, now);
    assert_int_equal(sip_nonce_first_seen(f->memory, "n", 1, now, &first), REPLAY_FRESH);
    assert_int_equal(first, now);
    static const int64_t later[] = {1, 60 * S, DAY - 1, DAY + 60 * S, 100 * DAY};
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        assert_int_equal(sip_nonce_first_seen(f->memory, "n", 1, now + later[i], &first),
                         REPLAY_REPEATED);
        assert_int_equal(first, now);
        assert_true(sip_nonce_seen(f->memory, "n", 1, now + later[i], &first));
        assert_int_equal(first, now);
    }
    /* a nonce is no response, though the bytes be the same */
    assert_int_equal(sip_replay_remember(f->memory, "n", 1, now, now + S), REPLAY_FRESH);
}

/* Filled with what still counts: nothing of it is forgotten, and what is new is refused. */
static void what_counts_is_not_forgotten_for_room(void **state)
{
    memory_desk_t *f = *state;
    static bool fresh[2 * FACTS];
    size_t taken = 0;
    size_t refused = 0;
    for (int i = 0; i < 2 * FACTS; i++) {
        replay_t found = use(f->memory, i, now, now + 60 * S);
        fresh[i] = found == REPLAY_FRESH;
        taken += found == REPLAY_FRESH;
        refused += found == REPLAY_FULL;
    }
    assert_true(taken + refused >= 2 * FACTS - 1); /* a tag of 32 bits */
    assert_true(refused > 0 && taken > FACTS * 9 / 10);
    size_t forgotten = 0;
    for (int i = 0; i < 2 * FACTS; i++)
        forgotten += fresh[i] && use(f->memory, i, now, now + 60 * S) != REPLAY_REPEATED;
    assert_int_equal(forgotten, 0);
    /* their time is over: there is room again */
    for (int i = 0; i < 1000; i++)
        assert_int_not_equal(use(f->memory, -1 - i, now + 62 * S, now + 120 * S), REPLAY_FULL);
    assert_int_equal(use(f->memory, -1, now + 62 * S, now + 120 * S), REPLAY_REPEATED);
}

/* Facts of a wrong clock fill no table for years. */
static void a_clock_that_jumps_does_bounded_harm(void **state)
{
    memory_desk_t *f = *state;
    int64_t then = now + 365 * DAY;
    for (int i = 0; i < 2 * FACTS; i++)
        (void)use(f->memory, i, then, then + 60 * S);
    size_t fresh = 0;
    for (int i = 0; i < 1000; i++)
        fresh += use(f->memory, -1 - i, now, now + 60 * S) == REPLAY_FRESH;
    assert_true(fresh >= 999);
}

enum { THREADS = 4, RACES = 3000 };

static atomic_uint fresh_count[RACES];

static void *race(void *argument)
{
    memory_desk_t *f = argument;
    for (int i = 0; i < RACES; i++) /* time passes, so that old places become free meanwhile */
        if (use(f->memory, i, now + 4L * i, now + 4L * i + S) == REPLAY_FRESH)
            (void)atomic_fetch_add(&fresh_count[i], 1);
    return NULL;
}

static void of_two_at_once_at_most_one_is_fresh(void **state)
{
    memory_desk_t *f = *state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < RACES; i++)
        atomic_store(&fresh_count[i], 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, f), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    size_t twice = 0;
    size_t once = 0;
    for (size_t i = 0; i < RACES; i++) {
        twice += atomic_load(&fresh_count[i]) > 1;
        once += atomic_load(&fresh_count[i]) == 1;
    }
    assert_int_equal(twice, 0);
    assert_true(once > RACES * 9 / 10);
}

/* ---- the ring ---- */

static decision_t denial(int number)
{
    decision_t made = {.at = now + number, .reason = number % REASON_COUNT};
    (void)snprintf(made.operation, sizeof(made.operation), "sip_trunks_ha1");
    (void)snprintf(made.organization_id, sizeof(made.organization_id),
                   "01890a5d-ac96-774b-bcce-b302099a8057");
    (void)snprintf(made.username, sizeof(made.username), "user %d", number);
    if (number % 2 == 0)
        (void)snprintf(made.source_ip, sizeof(made.source_ip), "203.0.113.1");
    return made;
}

static void recent_denials_are_kept(void **state)
{
    memory_desk_t *f = *state;
    decision_t *read = calloc(SIP_RING + 1, sizeof(*read));
    assert_non_null(read);
    assert_int_equal(sip_ring_read(f->memory, read, SIP_RING), 0);
    for (int i = 0; i < SIP_RING * 2 + 10; i++) {
        decision_t made = denial(i);
        sip_ring_add(f->memory, &made);
        if (i == 2)
            assert_int_equal(sip_ring_read(f->memory, read, SIP_RING), 3);
    }
    AUTO(sip_memory_close) sip_memory_t *replica = memory_open_again(f, false);
    assert_int_equal(sip_ring_read(replica, read, SIP_RING + 1), SIP_RING);
    for (int i = 0; i < SIP_RING; i++) {
        decision_t made = denial(SIP_RING * 2 + 9 - i);
        assert_int_equal(read[i].at, made.at);
        assert_int_equal(read[i].reason, made.reason);
        assert_string_equal(read[i].username, made.username);
        assert_string_equal(read[i].operation, made.operation);
        assert_string_equal(read[i].organization_id, made.organization_id);
        assert_string_equal(read[i].source_ip, made.source_ip);
        assert_int_equal(field_set(&read[i].fields, DECISION_SOURCE_IP), i % 2 == 1);
        assert_true(field_null(&read[i].fields, DECISION_SUBJECT));
    }
    assert_int_equal(sip_ring_read(replica, read, 2), 2);
    decision_t later = denial(0);
    later.reason = REASON_COUNT; /* of a later release */
    sip_ring_add(f->memory, &later);
    assert_int_equal(sip_ring_read(replica, read, SIP_RING), SIP_RING - 1);
    free(read);
}

static void *deny_much(void *argument)
{
    memory_desk_t *f = argument;
    for (int i = 0; i < SIP_RING * 4; i++) {
        decision_t made = denial(i);
        sip_ring_add(f->memory, &made);
    }
    return NULL;
}

static void nobody_reads_half_of_one(void **state)
{
    memory_desk_t *f = *state;
    pthread_t threads[2];
    decision_t *read = calloc(SIP_RING, sizeof(*read));
    assert_non_null(read);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, deny_much, f), 0);
    size_t torn = 0;
    for (int round = 0; round < 50; round++) {
        size_t count = sip_ring_read(f->memory, read, SIP_RING);
        for (size_t i = 0; i < count; i++) {
            decision_t made = denial((int)(read[i].at - now));
            torn += read[i].reason != made.reason || strcmp(read[i].username, made.username) != 0;
        }
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(torn, 0);
    /* one who stood still while the other went once around has spoiled a record */
    assert_true(sip_ring_read(f->memory, read, SIP_RING) >= SIP_RING - 8);
    free(read);
}

/* ---- the file ---- */

static size_t file_size(memory_desk_t *f)
{
    struct stat info;
    assert_int_equal(stat(scratch_file(&f->scratch, "svc.calls"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(info.st_blocks * 512 >= info.st_size); /* no hole that a full disk makes fatal */
    return (size_t)info.st_size;
}

static void its_size_changes_only_alone(void **state)
{
    memory_desk_t *f = *state;
    assert_int_equal(file_size(f), SIP_MEMORY_MIB_LEAST << 20);
    assert_int_equal(use(f->memory, 1, now, now + 60 * S), REPLAY_FRESH);
    f->settings.memory_mib = SIP_MEMORY_MIB_LEAST + 1;
    AUTO(sip_memory_close) sip_memory_t *among = memory_open_again(f, false);
    assert_int_equal(file_size(f), SIP_MEMORY_MIB_LEAST << 20);
    assert_int_equal(use(among, 1, now, now + 60 * S), REPLAY_REPEATED);
    sip_memory_close(&f->memory);
    f->memory = memory_open_again(f, true);
    assert_int_equal(file_size(f), (SIP_MEMORY_MIB_LEAST + 1) << 20);
    assert_int_equal(use(f->memory, 1, now, now + 60 * S), REPLAY_FRESH);
}

static void a_foreign_file_is_replaced(void **state)
{
    memory_desk_t *f = *state;
    static const char *const contents[] = {"", "x", "linekeeper-cal1"};
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        sip_memory_close(&f->memory);
        scratch_write(&f->scratch, "svc.calls", contents[i], 0600);
        f->memory = memory_open_again(f, i % 2 == 0);
        assert_int_equal(use(f->memory, 1, now, now + 60 * S), REPLAY_FRESH);
    }
    sip_memory_t *none = NULL;
    assert_int_equal(sip_memory_open("/nowhere", "svc", true, &f->settings, f->board, &none, NULL),
                     STATUS_SYSTEM);
    assert_null(none);
}

/* Behind its form: chance, or one bit everywhere. */
static void fill(FILE *file, size_t size, int how)
{
    uint64_t word = 88172645463325252U;
    assert_int_equal(fseek(file, 16, SEEK_SET), 0);
    for (size_t i = 16; i < size; i += sizeof(word)) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        uint64_t written = how < 0 ? word : how == 0 ? UINT64_MAX : UINT64_C(1) << how;
        assert_int_equal(fwrite(&written, sizeof(written), 1, file), 1);
    }
}

/* A file that is torn, or was written by a later release, costs answers and no more. */
static void whatever_stands_there_harms_nobody(void **state)
{
    memory_desk_t *f = *state;
    static const int hows[] = {-1, 0, 1, 5, 31, 36, 63};
    decision_t *read = calloc(SIP_RING, sizeof(*read));
    ipnet_t net = memory_net("203.0.113.1");
    char name[16];
    assert_non_null(read);
    for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
        FILE *file = fopen(scratch_file(&f->scratch, "svc.calls"), "r+e");
        assert_non_null(file);
        fill(file, file_size(f), hows[i]);
        assert_int_equal(fclose(file), 0);
        AUTO(sip_memory_close) sip_memory_t *torn = memory_open_again(f, false);
        for (int n = 0; n < 300; n++) {
            (void)snprintf(name, sizeof(name), "u%d", n % 50);
            sip_lockout_fail(torn, "o", name, &net, now + n * S);
            (void)sip_lockout_holds(torn, "o", name, &net, now + n * S, NULL);
            sip_lockout_succeed(torn, "o", name, &net, now + n * S);
            if (use(torn, n, now, now + 60 * S) == REPLAY_FRESH)
                assert_int_equal(use(torn, n, now, now + 60 * S), REPLAY_REPEATED);
            decision_t made = denial(n);
            sip_ring_add(torn, &made);
        }
        size_t count = sip_ring_read(torn, read, SIP_RING);
        assert_true(count >= 299 && count <= SIP_RING); /* the 0th is none */
        assert_int_equal(read[0].at, denial(299).at);
    }
    free(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_response_counts_once, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(a_nonce_is_known_since_it_was_seen, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(what_counts_is_not_forgotten_for_room, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_does_bounded_harm, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(of_two_at_once_at_most_one_is_fresh, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(recent_denials_are_kept, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(nobody_reads_half_of_one, memory_set_up, memory_tear_down),
        cmocka_unit_test_setup_teardown(its_size_changes_only_alone, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(a_foreign_file_is_replaced, memory_set_up,
                                        memory_tear_down),
        cmocka_unit_test_setup_teardown(whatever_stands_there_harms_nobody, memory_set_up,
                                        memory_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
