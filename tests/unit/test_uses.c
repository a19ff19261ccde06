/* Uses of methods: each is written once, the latest time wins, none is lost with a transaction. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "services/common/sip/uses.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { IDS = 2000, MINUTE_MS = 60 * 1000 };

int64_t __wrap_clock_ms(void);
static int64_t now_ms;

int64_t __wrap_clock_ms(void)
{
    return now_ms;
}

static char written[SIP_USES_MAX + 1][UUID_SIZE]; /* in the order of their writing */
static int64_t times[SIP_USES_MAX + 1];
static size_t count, fail_at;

static status_t note_use(store_t *writer, const char *auth_id, int64_t utc_ms, err_t *err)
{
    (void)writer;
    if (count == fail_at)
        return err_set(err, STATUS_FULL, "disk", "full");
    assert_true(count < SIP_USES_MAX + 1);
    (void)snprintf(written[count], UUID_SIZE, "%s", auth_id);
    times[count++] = utc_ms;
    return STATUS_OK;
}

static const sip_family_t family = {.name = "trunks", .note_use = note_use};

typedef struct {
    sip_uses_t *uses;
    chore_t chore;
} world_t;

static int set_up(void **state)
{
    static world_t world;
    now_ms = 1;
    count = 0;
    fail_at = SIZE_MAX;
    world.uses = sip_uses_new();
    world.chore = sip_uses_chore(world.uses, &family);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    sip_uses_free(&world->uses);
    sip_uses_free(&world->uses);
    return 0;
}

static bool is_due(const world_t *world, bool at_end)
{
    return world->chore.is_due(world->chore.context, NULL, at_end);
}

/* One batch; whether more is left. */
static bool write_some(const world_t *world, bool commits)
{
    bool more = false;
    err_t err;
    size_t before = count;
    status_t status = world->chore.run(world->chore.context, NULL, &more, &err);
    world->chore.settle(world->chore.context, status == STATUS_OK && commits);
    if (status != STATUS_OK || !commits)
        count = before; /* rolled back */
    return more;
}

static void note_number(const world_t *world, unsigned number, int64_t utc_ms)
{
    char id[UUID_SIZE];
    (void)snprintf(id, sizeof(id), "01900000-0000-7000-8000-%012u", number);
    sip_uses_note(world->uses, id, utc_ms);
}

static void uses_wait_for_most_of_a_minute(void **state)
{
    const world_t *world = *state;
    assert_false(is_due(world, true));
    note_number(world, 1, 10);
    note_number(world, 1, 30);
    note_number(world, 1, 20);
    assert_false(is_due(world, false));
    assert_true(is_due(world, true));
    now_ms += MINUTE_MS - world->chore.every_ms;
    assert_true(is_due(world, false));
    assert_false(write_some(world, true));
    assert_int_equal(count, 1);
    assert_string_equal(written[0], "01900000-0000-7000-8000-000000000001");
    assert_int_equal(times[0], 30);
    assert_false(is_due(world, true));
    note_number(world, 1, 40); /* a minute of its own */
    assert_false(is_due(world, false));
    assert_true(is_due(world, true));
}

static void what_is_not_kept_is_written_again(void **state)
{
    const world_t *world = *state;
    for (unsigned i = 0; i < IDS; i++)
        note_number(world, i, i);
    assert_true(write_some(world, false));
    assert_true(is_due(world, false));
    fail_at = 3;
    (void)write_some(world, true);
    assert_int_equal(count, 0);
    fail_at = SIZE_MAX;
    note_number(world, 0, IDS); /* meanwhile */
    while (is_due(world, true))
        (void)write_some(world, true);
    assert_int_equal(count, IDS + 1);
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += times[i];
    assert_int_equal(sum, (int64_t)IDS * (IDS + 1) / 2);
}

static void many_do_not_wait_and_too_many_are_dropped(void **state)
{
    const world_t *world = *state;
    for (unsigned i = 0; i < SIP_USES_MAX; i++) {
        assert_int_equal(is_due(world, false), i >= SIP_USES_MAX / 2);
        note_number(world, i, 1);
    }
    note_number(world, SIP_USES_MAX, 1);
    note_number(world, 7, 2); /* which is there */
    while (write_some(world, true)) {
    }
    assert_int_equal(count, SIP_USES_MAX);
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += times[i];
    assert_int_equal(sum, SIP_USES_MAX + 1);
    assert_false(is_due(world, true));
}

static void *note_all(void *context)
{
    for (unsigned i = 0; i < IDS; i++)
        note_number(context, i, i);
    return NULL;
}

static void threads_note_together(void **state)
{
    world_t *world = *state;
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_all, world), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    while (write_some(world, true)) {
    }
    assert_int_equal(count, IDS);
    sip_uses_note(NULL, "nobody", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uses_wait_for_most_of_a_minute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_kept_is_written_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_do_not_wait_and_too_many_are_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(threads_note_together, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
