/* A client that sends exactly the bytes it is told, for tests of the HTTP server. */
#ifndef LK_TESTS_SUPPORT_RAW_HTTP_H
#define LK_TESTS_SUPPORT_RAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum { RAW_HTTP_SIZE = 262144 };

typedef struct {
    int status;    /* of the first response; 0: none came */
    bool closed;   /* the server ended the connection */
    size_t length; /* of everything that came */
    char bytes[RAW_HTTP_SIZE];
} raw_reply_t;

/* Connects to 127.0.0.1; aborts if that is refused. */
int raw_connect(int port);
void raw_send(int fd, const char *bytes, size_t length);
void raw_send_text(int fd, const char *text);
/* Reads until `count` responses (by their Content-Length; `heads` of them without a body) are
 * whole, the server closes, or limit_ms have passed. */
void raw_receive(int fd, int count, bool head, int limit_ms, raw_reply_t *out);
/* Whether the server ends the connection within limit_ms. */
bool raw_is_closed(int fd, int limit_ms);
/* Connects, sends, receives one response and then waits up to 100 ms for a close; closes. */
void raw_ask(int port, const char *request, raw_reply_t *out);

#endif
