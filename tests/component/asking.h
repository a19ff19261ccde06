/* A broker, workers that the test plays, and many threads that ask. */
#ifndef LK_TESTS_COMPONENT_ASKING_H
#define LK_TESTS_COMPONENT_ASKING_H

#include "gateway/broker.h"
#include "tests/support/fake_worker.h"

enum { WORKERS = 3, ASKERS = 32, ENDS = PENDING_POISON + 1, WAIT_MS = 20000, LONG_MS = 60000 };

typedef struct {
    broker_t *broker;
    fake_worker_t workers[WORKERS];
    size_t worker_count;
    _Atomic unsigned asks;
} world_t;

/* A thread that asks, and what it met. */
typedef struct {
    world_t *world;
    pthread_t thread;
    const char *word;    /* what its requests begin with */
    int64_t until_ms;    /* asks until then; 0: once */
    int64_t deadline_ms; /* of each, from its asking */
    int64_t longest_us;
    unsigned number;
    unsigned ends[ENDS], wrong;
} asker_t;

/* For cmocka: a zeroed world; tear_down stops what was started. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Starts the broker and as many workers, and waits until they are live. */
void world_start_at(world_t *world, const char *listen, size_t workers);
void world_start(world_t *world, size_t workers);
void world_start_worker(world_t *world, size_t i);
/* Whether worker_count are live: a condition_t. */
bool world_is_live(void *world);

/* How long a storm lasts: LK_TEST_SECONDS, or one second. */
int64_t storm_ms(void);

pending_end_t ask(asker_t *asker, unsigned count);
/* Starts threads that ask as `like` does. */
void start_askers(world_t *world, asker_t *askers, size_t count, const asker_t *like);
/* Waits for all of them and adds up what they met. */
asker_t join_askers(asker_t *askers, size_t count);
void assert_all_answered(const asker_t *sum);
void show_asker(const char *what, const asker_t *sum);

#endif
