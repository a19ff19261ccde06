#include "tests/support/await.h"

#include "common/clock.h"

#include <poll.h>
#include <stddef.h>

enum { LOOK_EVERY_MS = 2 };

bool await(condition_t *holds, void *context, int limit_ms)
{
    int64_t until_ms = clock_ms() + limit_ms;
    bool good = holds(context);
    while (!good && clock_ms() < until_ms) {
        (void)poll(NULL, 0, LOOK_EVERY_MS);
        good = holds(context);
    }
    return good;
}
