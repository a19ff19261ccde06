/* A program run by a test, with its standard error in a file. It dies with the test. */
#ifndef LK_TESTS_SUPPORT_CHILD_H
#define LK_TESTS_SUPPORT_CHILD_H

#include <sys/types.h>

typedef struct {
    pid_t pid; /* 0: none */
} child_t;

/* settings: "NAME=value" strings, NULL at the end, beside PATH and the sanitizers' options; nothing
 * else is inherited. log: where standard error is appended. Aborts on failure. */
child_t child_start(const char *program, const char *const settings[], const char *argument,
                    const char *log);
void child_signal(const child_t *child, int number);
/* Its exit code, or 256 + the signal that ended it; -1 if it still runs after ms. */
int child_wait(child_t *child, int ms);
/* SIGKILL and wait; nothing if there is none. */
void child_kill(child_t *child);

#endif
