/* One operation with each of its SQLite calls failing once: nothing is half done, the answer is
 * clear, and the store goes on. The test links lk_sqlite_fault too. */
#ifndef LK_TESTS_SUPPORT_FAULT_DRILL_H
#define LK_TESTS_SUPPORT_FAULT_DRILL_H

#include "tests/support/desk.h"

/* How a service's test goes about it. */
typedef struct {
    size_t fixture_size; /* of a struct whose first member is a desk_t */
    void (*open)(void *fixture);
    void (*close)(void *fixture);
    bool (*ask)(void *fixture, const void *asked); /* whether it succeeded */
    int64_t (*mark)(const void *fixture); /* changes with every change that an operation makes */
} fault_drill_t;

/* asked: handed to drill->ask. writes: whether it changes anything. least: calls that can fail;
 * fewer, and the test has lost its grip. what: its name in a failure of the test. */
void fault_drill(const fault_drill_t *drill, const void *asked, bool writes, unsigned least,
                 const char *what);

#endif
