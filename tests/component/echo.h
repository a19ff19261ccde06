/* A server for the HTTP tests: it answers with what it saw of the request. */
#ifndef LK_TESTS_COMPONENT_ECHO_H
#define LK_TESTS_COMPONENT_ECHO_H

#include "gateway/http.h"
#include "tests/support/raw_http.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    REQUEST_MS = 600,
    KEEP_MS = 5000,
    DRAIN_IDLE_MS = 30,
    THREADS = 8,
    BODY_LIMIT = 1000,
    DISCARD = 4000
};
/* A busy machine is slow: what is asserted is that a bound holds, not how tightly. */
enum { SLACK_MS = 4000, PATIENCE_MS = 10000 };

/* Bytes of the answer to /large: no socket buffer takes them at once. */
enum { LARGE = 32 * 1024 * 1024 };

extern http_server_t *echo_server;
extern raw_reply_t echo_reply; /* the last answer; too large for a stack */
extern _Atomic int echo_handled, echo_released;
extern _Atomic bool echo_held; /* /hold is answered once this is false */
extern const http_handler_t echo_handler;

http_settings_t echo_settings(void);
/* For cmocka's groups, and before each test: waits until nobody is connected. */
int echo_start(void **state);
int echo_stop(void **state);
int echo_settle(void **state);

/* Whether nobody is connected: a condition_t. */
bool echo_is_idle(void *context);
/* raw_ask of echo_server, into echo_reply; the body of that. */
void echo_ask(const char *request);
const char *echo_text(void);
/* Asks; the server must refuse it in JSON, close, and not call its handler. */
void echo_expect_refused(const char *request, int status);

#endif
