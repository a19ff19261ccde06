/* A memory of call authorization in a directory of a test's own. */
#ifndef LK_TESTS_SUPPORT_MEMORY_DESK_H
#define LK_TESTS_SUPPORT_MEMORY_DESK_H

#include "services/common/sip/memory.h"
#include "tests/support/scratch.h"

#define MEMORY_NOW_MS INT64_C(1700000000000)

typedef struct {
    scratch_t scratch;
    sip_settings_t
        settings; /* may be changed; those that the file is made of: before it is opened */
    board_t *board;
    sip_memory_t *memory;
} memory_desk_t;

/* For cmocka: *state is a memory_desk_t *, opened: 3 failures of a pair, 5 of a source in 60 s lock
 * out for 10 s, at most 80; exempt: 192.0.2.0/24. */
int memory_set_up(void **state);
int memory_tear_down(void **state);

/* Another view of the same file; the caller closes it. Aborts if it can't be had. */
sip_memory_t *memory_open_again(memory_desk_t *desk, bool alone);

/* An address; aborts if it is none. */
ipnet_t memory_net(const char *text);

#endif
