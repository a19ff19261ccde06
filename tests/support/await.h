/* Waiting in tests: for a condition, within a deadline. tools/check.sh lets no other file of the
 * tests sleep. */
#ifndef LK_TESTS_SUPPORT_AWAIT_H
#define LK_TESTS_SUPPORT_AWAIT_H

#include <stdbool.h>

typedef bool condition_t(void *context);

/* Looks again and again until holds(context), at most limit_ms long. Whether it came to hold. */
bool await(condition_t *holds, void *context, int limit_ms);

#endif
