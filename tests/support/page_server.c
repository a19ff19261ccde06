#include "tests/support/page_server.h"

#include "common/mem.h"
#include "common/text.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct page_server {
    const page_t *pages;
    size_t page_count;
    SSL_CTX *tls; /* NULL: none */
    int listener, ending;
    int port;
    atomic_int requests;
    pthread_mutex_t changing; /* answers */
    pthread_t thread;
};

typedef struct {
    page_server_t *server;
    int fd;
    SSL *tls;
} connection_t;

static void must(int holds)
{
    if (!holds)
        abort();
}

/* False once the test is over. */
static bool await_input(page_server_t *server, int fd)
{
    struct pollfd ready[] = {{.fd = fd, .events = POLLIN},
                             {.fd = server->ending, .events = POLLIN}};
    return poll(ready, 2, -1) > 0 && ready[1].revents == 0;
}

static long receive(connection_t *connection, char *out, size_t size)
{
    if (connection->tls != NULL && SSL_pending(connection->tls) > 0)
        return SSL_read(connection->tls, out, (int)size);
    if (!await_input(connection->server, connection->fd))
        return 0;
    return connection->tls != NULL ? SSL_read(connection->tls, out, (int)size)
                                   : recv(connection->fd, out, size, 0);
}

static bool transmit(connection_t *connection, const char *bytes, size_t length)
{
    while (length > 0) {
        long sent = connection->tls != NULL ? SSL_write(connection->tls, bytes, (int)length)
                                            : send(connection->fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static void send_page(connection_t *connection, const page_t *page)
{
    char block[6144]; /* whole units of 1, 2, 3, 4, 6 and 8 bytes */
    const char *unit = page->unit == NULL ? "x" : page->unit;
    size_t unit_length = strlen(unit);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = unit[i % unit_length];
    (void)pthread_mutex_lock(&connection->server->changing);
    bool taken = transmit(connection, page->answer, strlen(page->answer));
    (void)pthread_mutex_unlock(&connection->server->changing);
    for (size_t left = page->filler; taken && left > 0;) {
        size_t size = left < sizeof(block) ? left : sizeof(block);
        taken = transmit(connection, block, size);
        left -= size;
    }
    if (taken && page->holds)
        while (receive(connection, block, sizeof(block)) > 0)
            continue;
}

static const page_t *find(const page_server_t *server, const char *path, size_t length)
{
    static const page_t missing = {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
    for (size_t i = 0; i < server->page_count; i++)
        if (strlen(server->pages[i].path) == length &&
            memcmp(server->pages[i].path, path, length) == 0)
            return &server->pages[i];
    return &missing;
}

static void serve(connection_t *connection)
{
    char request[8192] = "";
    size_t used = 0;
    while (strstr(request, "\r\n\r\n") == NULL) {
        long got = receive(connection, request + used, sizeof(request) - 1 - used);
        if (got <= 0 || request[0] == '\x16') /* TLS, to one that speaks none */
            return;
        used += (size_t)got;
        request[used] = '\0';
    }
    char *path = strchr(request, ' ');
    must(path != NULL);
    path++;
    atomic_fetch_add(&connection->server->requests, 1);
    send_page(connection, find(connection->server, path, strcspn(path, " ")));
}

static void take(page_server_t *server, int fd)
{
    connection_t connection = {.server = server, .fd = fd};
    if (server->tls != NULL) {
        connection.tls = SSL_new(server->tls);
        must(connection.tls != NULL && SSL_set_fd(connection.tls, fd) == 1);
    }
    if (connection.tls == NULL || SSL_accept(connection.tls) == 1)
        serve(&connection);
    if (connection.tls != NULL)
        (void)SSL_shutdown(connection.tls);
    SSL_free(connection.tls);
    (void)shutdown(fd, SHUT_WR);
}

static void *run(void *context)
{
    page_server_t *server = context;
    while (await_input(server, server->listener)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        take(server, fd);
        (void)close(fd);
    }
    return NULL;
}

page_server_t *page_server_start(const page_t *pages, size_t count, const issued_t *identity)
{
    page_server_t *server = mem_zalloc(sizeof(*server));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    server->pages = pages;
    server->page_count = count;
    server->ending = eventfd(0, EFD_CLOEXEC);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(server->listener, (struct sockaddr *)&at, size) == 0);
    must(listen(server->listener, 64) == 0);
    must(getsockname(server->listener, (struct sockaddr *)&at, &size) == 0);
    server->port = ntohs(at.sin_port);
    if (identity != NULL) {
        server->tls = SSL_CTX_new(TLS_server_method());
        must(server->tls != NULL);
        must(SSL_CTX_use_certificate(server->tls, identity->certificate) == 1);
        must(SSL_CTX_use_PrivateKey(server->tls, identity->key) == 1);
    }
    must(pthread_mutex_init(&server->changing, NULL) == 0);
    must(pthread_create(&server->thread, NULL, run, server) == 0);
    return server;
}

int page_server_port(const page_server_t *server)
{
    return server->port;
}

int page_server_count(const page_server_t *server)
{
    return atomic_load(&server->requests);
}

void page_server_change(page_server_t *server, char *out, size_t size, const char *text)
{
    (void)pthread_mutex_lock(&server->changing);
    must(text_copy(out, size, text, strlen(text)) == STATUS_OK);
    (void)pthread_mutex_unlock(&server->changing);
}

void page_server_stop(page_server_t **server)
{
    if (*server == NULL)
        return;
    must(eventfd_write((*server)->ending, 1) == 0);
    must(pthread_join((*server)->thread, NULL) == 0);
    (void)close((*server)->listener);
    (void)close((*server)->ending);
    SSL_CTX_free((*server)->tls);
    (void)pthread_mutex_destroy(&(*server)->changing);
    mem_free(*server);
    *server = NULL;
}
