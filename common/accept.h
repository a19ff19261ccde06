/* An accept() that refuses whom there is no file descriptor for, instead of leaving him to wait. */
#ifndef LK_COMMON_ACCEPT_H
#define LK_COMMON_ACCEPT_H

#include <stdint.h>

/* Once, at the start of main, before any thread: takes the one descriptor that makes it possible.
 * Linking the file in is what replaces accept(2) and accept4(2). */
void accept_keep(void);

/* How many connections have been refused. Any thread. */
uint64_t accept_refused(void);

#endif
