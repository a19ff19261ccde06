/* Looking up gateways. Must never: keep the link waiting. Next: link.c. */
#include "services/common/resolver.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { HOST_SIZE = 256, PORT_SIZE = 6, PER_NAME_MAX = 32, ROUND_MS = 1000 };

typedef struct {
    char text[RESOLVER_ADDRESS_SIZE];
    unsigned missed; /* lookups in a row without it */
} address_t;

typedef struct {
    resolver_t *resolver;
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    size_t count;
    address_t found[PER_NAME_MAX];
} name_t;

/* Lives until the last thread has let go: one that hangs in a lookup can't be waited for. */
struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t ending;
    unsigned holders;
    bool stopping;
    int event;
    addresses_t fixed;
    size_t name_count;
    name_t names[RESOLVER_NAMES_MAX];
};

/* ---- reading the setting ---- */

static status_t fail(err_t *err, const char *what, size_t length)
{
    return err_set(err, STATUS_INVALID, "LK_GATEWAYS",
                   "\"%.*s\" is neither tcp://HOST:PORT nor ipc:///PATH", (int)length, what);
}

static status_t format_address(char out[RESOLVER_ADDRESS_SIZE], int family, const char *host,
                               const char *port)
{
    return text_format(out, RESOLVER_ADDRESS_SIZE,
                       family == AF_INET6 ? "tcp://[%s]:%s" : "tcp://%s:%s", host, port);
}

static bool add_fixed(resolver_t *resolver, int family, const char *host, const char *port)
{
    addresses_t *fixed = &resolver->fixed;
    return fixed->count < RESOLVER_ADDRESSES_MAX &&
           format_address(fixed->items[fixed->count], family, host, port) == STATUS_OK &&
           ++fixed->count > 0;
}

static bool add_host(resolver_t *resolver, const char *host, const char *port)
{
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1)
        return add_fixed(resolver, AF_INET, host, port);
    if (inet_pton(AF_INET6, host, address) == 1)
        return add_fixed(resolver, AF_INET6, host, port);
    static const char in_names[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (resolver->name_count == RESOLVER_NAMES_MAX || host[strspn(host, in_names)] != '\0')
        return false;
    name_t *name = &resolver->names[resolver->name_count++];
    name->resolver = resolver;
    text_cut(name->host, sizeof(name->host), host);
    text_cut(name->port, sizeof(name->port), port);
    return true;
}

/* host:port or [host]:port */
static bool add_tcp(resolver_t *resolver, const char *text, size_t length)
{
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    uint64_t number = 0;
    const char *colon = memrchr(text, ':', length);
    if (colon == NULL)
        return false;
    size_t host_length = (size_t)(colon - text);
    size_t port_length = length - host_length - 1;
    if (host_length > 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        host_length -= 2;
    } else if (memchr(text, ':', host_length) != NULL) {
        return false;
    }
    return host_length > 0 && text_copy(host, sizeof(host), text, host_length) == STATUS_OK &&
           text_number(colon + 1, port_length, 65535, &number) == STATUS_OK && number > 0 &&
           text_copy(port, sizeof(port), colon + 1, port_length) == STATUS_OK &&
           add_host(resolver, host, port);
}

static bool add_ipc(resolver_t *resolver, const char *text, size_t length)
{
    addresses_t *fixed = &resolver->fixed;
    return fixed->count < RESOLVER_ADDRESSES_MAX &&
           text_copy(fixed->items[fixed->count], RESOLVER_ADDRESS_SIZE, text, length) ==
               STATUS_OK &&
           ++fixed->count > 0;
}

static bool has_prefix(const char *text, size_t length, const char *prefix)
{
    size_t size = strlen(prefix);
    return length > size && memcmp(text, prefix, size) == 0;
}

static status_t read_list(resolver_t *resolver, const char *text, err_t *err)
{
    static const char tcp[] = "tcp://";
    for (const char *at = text;;) {
        at += strspn(at, " \t");
        const char *comma = strchrnul(at, ',');
        size_t length = (size_t)(comma - at);
        while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
            length--;
        bool added = false;
        if (has_prefix(at, length, tcp))
            added = add_tcp(resolver, at + sizeof(tcp) - 1, length - (sizeof(tcp) - 1));
        else if (has_prefix(at, length, "ipc:///"))
            added = add_ipc(resolver, at, length);
        if (!added)
            return fail(err, at, length);
        if (*comma == '\0')
            return STATUS_OK;
        at = comma + 1;
    }
}

/* ---- looking up ---- */

static bool note(name_t *name, const char *text)
{
    for (size_t i = 0; i < name->count; i++) {
        if (strcmp(name->found[i].text, text) == 0) {
            name->found[i].missed = 0;
            return false;
        }
    }
    if (name->count == PER_NAME_MAX)
        return false;
    address_t *address = &name->found[name->count++];
    address->missed = 0;
    text_cut(address->text, sizeof(address->text), text);
    return true;
}

static bool drop_missing(name_t *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < name->count; i++)
        if (name->found[i].missed < RESOLVER_ROUNDS)
            name->found[kept++] = name->found[i];
    bool changed = kept < name->count;
    name->count = kept;
    return changed;
}

static bool note_all(name_t *name, const struct addrinfo *list, int family)
{
    bool changed = false;
    for (const struct addrinfo *item = list; item != NULL; item = item->ai_next) {
        char host[INET6_ADDRSTRLEN];
        char text[RESOLVER_ADDRESS_SIZE];
        if (item->ai_family != family ||
            getnameinfo(item->ai_addr, item->ai_addrlen, host, sizeof(host), NULL, 0,
                        NI_NUMERICHOST) != 0 ||
            format_address(text, family, host, name->port) != STATUS_OK)
            continue;
        if (note(name, text))
            changed = true;
    }
    return changed;
}

/* A lookup that fails says nothing about the addresses: they stay. */
static void note_answer(name_t *name, const struct addrinfo *list)
{
    bool has_ipv4 = false;
    for (const struct addrinfo *item = list; item != NULL; item = item->ai_next)
        has_ipv4 = has_ipv4 || item->ai_family == AF_INET;
    resolver_t *resolver = name->resolver;
    (void)pthread_mutex_lock(&resolver->lock);
    for (size_t i = 0; i < name->count; i++)
        name->found[i].missed++;
    bool added = note_all(name, list, has_ipv4 ? AF_INET : AF_INET6);
    bool dropped = drop_missing(name);
    (void)pthread_mutex_unlock(&resolver->lock);
    if (added || dropped)
        (void)eventfd_write(resolver->event, 1);
}

static void look_up(name_t *name)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(name->host, name->port, &hints, &list) != 0)
        return;
    note_answer(name, list);
    freeaddrinfo(list);
}

static void let_go(resolver_t *resolver)
{
    (void)pthread_mutex_lock(&resolver->lock);
    bool last = --resolver->holders == 0;
    (void)pthread_mutex_unlock(&resolver->lock);
    if (!last)
        return;
    (void)close(resolver->event);
    (void)pthread_cond_destroy(&resolver->ending);
    (void)pthread_mutex_destroy(&resolver->lock);
    mem_free(resolver);
}

/* Returns false when it is time to end. */
static bool wait_round(resolver_t *resolver)
{
    int64_t until_ms = clock_ms() + ROUND_MS;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    (void)pthread_mutex_lock(&resolver->lock);
    while (!resolver->stopping &&
           pthread_cond_timedwait(&resolver->ending, &resolver->lock, &until) != ETIMEDOUT) {
    }
    bool stopping = resolver->stopping;
    (void)pthread_mutex_unlock(&resolver->lock);
    return !stopping;
}

static void *run(void *context)
{
    name_t *name = context;
    resolver_t *resolver = name->resolver;
    do
        look_up(name);
    while (wait_round(resolver));
    let_go(resolver);
    return NULL;
}

/* ---- for the link ---- */

static status_t start_threads(resolver_t *resolver, err_t *err)
{
    for (size_t i = 0; i < resolver->name_count; i++) {
        (void)pthread_mutex_lock(&resolver->lock);
        resolver->holders++;
        (void)pthread_mutex_unlock(&resolver->lock);
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, &resolver->names[i]) != 0) {
            let_go(resolver);
            return err_set(err, STATUS_SYSTEM, "resolver", "a thread cannot be started");
        }
        (void)pthread_detach(thread);
    }
    return STATUS_OK;
}

status_t resolver_start(const char *text, int event, resolver_t **out, err_t *err)
{
    AUTO(resolver_stop) resolver_t *resolver = mem_zalloc(sizeof(*resolver));
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&resolver->ending, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&resolver->lock, NULL);
    resolver->holders = 1;
    resolver->event = fcntl(event, F_DUPFD_CLOEXEC, 0);
    if (resolver->event < 0)
        return err_errno(err, "resolver", "no event descriptor");
    status_t status = read_list(resolver, text, err);
    if (status == STATUS_OK)
        status = start_threads(resolver, err);
    if (status == STATUS_OK)
        *out = TAKE(resolver);
    return status;
}

static void add_once(addresses_t *out, const char *address)
{
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->items[i], address) == 0)
            return;
    if (out->count < RESOLVER_ADDRESSES_MAX)
        text_cut(out->items[out->count++], RESOLVER_ADDRESS_SIZE, address);
}

void resolver_get(resolver_t *resolver, addresses_t *out)
{
    out->count = 0;
    for (size_t i = 0; i < resolver->fixed.count; i++)
        add_once(out, resolver->fixed.items[i]);
    (void)pthread_mutex_lock(&resolver->lock);
    for (size_t i = 0; i < resolver->name_count; i++)
        for (size_t j = 0; j < resolver->names[i].count; j++)
            add_once(out, resolver->names[i].found[j].text);
    (void)pthread_mutex_unlock(&resolver->lock);
}

void resolver_stop(resolver_t **resolver)
{
    if (*resolver == NULL)
        return;
    (void)pthread_mutex_lock(&(*resolver)->lock);
    (*resolver)->stopping = true;
    (void)pthread_cond_broadcast(&(*resolver)->ending);
    (void)pthread_mutex_unlock(&(*resolver)->lock);
    let_go(*resolver);
    *resolver = NULL;
}
