#include "tests/component/asking.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/mem.h"
#include "proto/registry.h"
#include "tests/support/await.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t storm_ms(void)
{
    const char *seconds = getenv("LK_TEST_SECONDS");
    return 1000 * (seconds == NULL ? 1 : strtol(seconds, NULL, 10));
}

/* ---- asking ---- */

pending_end_t ask(asker_t *asker, unsigned count)
{
    char request[64];
    char wanted[80];
    (void)snprintf(request, sizeof(request), "%s %u of %u", asker->word, count, asker->number);
    (void)snprintf(wanted, sizeof(wanted), "answer to %s", request);
    int64_t begin_us = clock_us();
    pending_t pending = {.request = request,
                         .request_length = strlen(request),
                         .deadline_ms = clock_ms() + asker->deadline_ms};
    (void)sem_init(&pending.done, 0, 0);
    broker_ask(asker->world->broker, &pending);
    (void)sem_destroy(&pending.done);
    int64_t took_us = clock_us() - begin_us;
    if (took_us > asker->longest_us)
        asker->longest_us = took_us;
    asker->ends[pending.end]++;
    if (pending.end == PENDING_ANSWERED) {
        if (pending.reply_length != strlen(wanted) ||
            memcmp(pending.reply, wanted, pending.reply_length) != 0)
            asker->wrong++;
        mem_free(pending.reply);
    }
    atomic_fetch_add(&asker->world->asks, 1);
    return pending.end;
}

static void *keep_asking(void *argument)
{
    asker_t *asker = argument;
    unsigned count = 0;
    do {
        (void)ask(asker, count++);
    } while (clock_ms() < asker->until_ms);
    return NULL;
}

void start_askers(world_t *world, asker_t *askers, size_t count, const asker_t *like)
{
    for (size_t i = 0; i < count; i++) {
        askers[i] = *like;
        askers[i].world = world;
        askers[i].number = (unsigned)i;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, keep_asking, &askers[i]), 0);
    }
}

asker_t join_askers(asker_t *askers, size_t count)
{
    asker_t sum = {0};
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        for (size_t end = 0; end < ENDS; end++)
            sum.ends[end] += askers[i].ends[end];
        sum.wrong += askers[i].wrong;
        if (askers[i].longest_us > sum.longest_us)
            sum.longest_us = askers[i].longest_us;
    }
    return sum;
}

void assert_all_answered(const asker_t *sum)
{
    assert_int_equal(sum->wrong, 0);
    assert_int_not_equal(sum->ends[PENDING_ANSWERED], 0);
    for (size_t end = PENDING_ANSWERED + 1; end < ENDS; end++)
        assert_int_equal(sum->ends[end], 0);
}

void show_asker(const char *what, const asker_t *sum)
{
    print_message("%s: %u answers, the longest ask %lld us\n", what, sum->ends[PENDING_ANSWERED],
                  (long long)sum->longest_us);
}

/* ---- the world ---- */

bool world_is_live(void *context)
{
    world_t *world = context;
    return broker_live(world->broker, 0) == world->worker_count;
}

void world_start_worker(world_t *world, size_t i)
{
    fake_worker_start(&world->workers[i], broker_endpoint(world->broker), registry[0]->name);
}

void world_start_at(world_t *world, const char *listen, size_t workers)
{
    broker_settings_t settings = {.listen = listen, .queue_max = 1000, .in_flight_max = 2000};
    err_t err;
    assert_int_equal(broker_start(&settings, &world->broker, &err), STATUS_OK);
    world->worker_count = workers;
    for (size_t i = 0; i < workers; i++)
        world_start_worker(world, i);
    assert_true(await(world_is_live, world, WAIT_MS));
}

void world_start(world_t *world, size_t workers)
{
    world_start_at(world, "tcp://127.0.0.1:*", workers);
}

int world_set_up(void **state)
{
    *state = mem_zalloc(sizeof(world_t));
    return 0;
}

int world_tear_down(void **state)
{
    world_t *world = *state;
    broker_stop(&world->broker);
    for (size_t i = 0; i < world->worker_count; i++)
        fake_worker_end(&world->workers[i]);
    mem_free(world);
    return 0;
}
