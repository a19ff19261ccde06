/* bare-gateway HTTP_PORT WORKER_ENDPOINT broker|direct
 *
 * civetweb and one ZeroMQ round trip per request; no routes, keys, checks or JSON.
 *   broker  a socket per HTTP thread to an inproc ROUTER, whose thread passes on to the worker that
 *           dialled in: what a plain broker costs
 *   direct  a socket per HTTP thread to the worker itself, which listens: no broker at all */
#include "tests/bench/bare.h"

#include <civetweb.h>
#include <stdbool.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void *context;
static const char *upstream;
static __thread void *socket_of_thread;

static void *dial(void)
{
    int linger = 0;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
    if (socket == NULL || zmq_connect(socket, upstream) != 0)
        abort();
    return socket;
}

static void *start_thread(const struct mg_context *server, int thread_type)
{
    (void)server;
    if (thread_type == 1)
        socket_of_thread = dial();
    return NULL;
}

static void end_thread(const struct mg_context *server, int thread_type, void *user)
{
    (void)server;
    (void)user;
    if (thread_type == 1 && socket_of_thread != NULL)
        zmq_close(socket_of_thread);
}

static int answer(struct mg_connection *connection)
{
    const char *key = strrchr(mg_get_request_info(connection)->request_uri, '/') + 1;
    char value[BARE_VALUE_MAX];
    char response[BARE_VALUE_MAX + 128];
    zmq_send(socket_of_thread, key, strlen(key), 0);
    int length = zmq_recv(socket_of_thread, value, sizeof(value), 0);
    if (length < 0)
        return 500;
    int size = snprintf(response, sizeof(response),
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%.*s",
                        length > 0 ? "200 OK" : "404 Not Found", length, length, value);
    mg_write(connection, response, (size_t)size);
    return 200;
}

/* The broker's thread: from the HTTP threads to the one worker and back. */
static void *pass_on(void *endpoint)
{
    void *front = zmq_socket(context, ZMQ_ROUTER);
    void *back = zmq_socket(context, ZMQ_DEALER);
    if (zmq_bind(front, "inproc://bare") != 0 || zmq_bind(back, endpoint) != 0)
        abort();
    zmq_proxy(front, back, NULL);
    zmq_close(front);
    zmq_close(back);
    return NULL;
}

int main(int argc, char *argv[])
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bare-gateway HTTP_PORT WORKER_ENDPOINT broker|direct\n");
        return 64;
    }
    bool broker = strcmp(argv[3], "broker") == 0;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 4096);
    pthread_t thread;
    upstream = broker ? "inproc://bare" : argv[2];
    if (broker && pthread_create(&thread, NULL, pass_on, argv[2]) != 0)
        return 1;
    const char *options[] = {"listening_ports",
                             argv[1],
                             "num_threads",
                             "256",
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             "15000",
                             "tcp_nodelay",
                             "1",
                             "access_control_allow_origin",
                             "",
                             NULL};
    struct mg_callbacks callbacks = {
        .begin_request = answer, .init_thread = start_thread, .exit_thread = end_thread};
    struct mg_context *server = mg_start(&callbacks, NULL, options);
    if (server == NULL)
        return 1;
    int signal_number = 0;
    sigwait(&signals, &signal_number);
    mg_stop(server);
    return 0; /* the broker's thread ends with the process */
}
