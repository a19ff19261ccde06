/* The bare stack, to measure against: the same libraries with nothing of Linekeeper's in between.
 * The gateway passes the last path segment of any GET to the worker; the worker selects one row by
 * it. */
#ifndef LK_TESTS_BENCH_BARE_H
#define LK_TESTS_BENCH_BARE_H

enum { BARE_KEY_MAX = 64, BARE_VALUE_MAX = 1024 };

#endif
