/* A worker process with the notes service, and the gateway that the test plays to it. */
#ifndef LK_TESTS_COMPONENT_WORKER_DESK_H
#define LK_TESTS_COMPONENT_WORKER_DESK_H

#include "tests/support/child.h"
#include "tests/support/fake_gateway.h"
#include "tests/support/scratch.h"

enum { EXIT_WAIT_MS = 20000 };

typedef struct {
    scratch_t scratch;
    fake_gateway_t gateway;
    child_t worker;
    char endpoint[160];
    reply_t reply;
} fixture_t;

/* extra: one more setting, or NULL. */
void desk_start_with(fixture_t *f, const char *extra);
/* Starts it and waits for its READY. */
void desk_start(fixture_t *f);
/* For cmocka. The worker is started by the test, with start; tear_down ends it, and fails if a
 * sanitizer found something. */
int desk_set_up(void **state);
int desk_tear_down(void **state);
/* Lets slow notes end. */
void desk_release_slow(fixture_t *f);
bool desk_log_has(fixture_t *f, const char *text);
ask_t desk_create(const char *body);
ask_t desk_read_one(const char *path);
outcome_t desk_make(fixture_t *f, const char *body);
outcome_t desk_look(fixture_t *f, const char *path);

#endif
