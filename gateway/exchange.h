/* One HTTP request and its answer, while the gateway works on it.
 *
 * Each HTTP thread has one exchange and uses it again for every request, with the buffers that it
 * has grown: a request then costs no large allocation. */
#ifndef LK_GATEWAY_EXCHANGE_H
#define LK_GATEWAY_EXCHANGE_H

#include "gateway/client.h"
#include "gateway/etag.h"
#include "gateway/http.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/route.h"

#include <jansson.h>
#include <msgpack.h>

typedef struct {
    http_request_t *http; /* NULL: refused before there was one */
    http_response_t *response;
    int64_t started_us;
    char request_id[REQUEST_ID_SIZE];
    route_t route;
    api_key_t key; /* key.id is empty until access has identified one */
    char client[IPNET_TEXT_SIZE];
    allowance_t allowance;
    char idempotency_key[IDEMPOTENCY_KEY_SIZE];
    bool client_key;
    bool has_large_body;
    reply_t reply;
    char *reply_bytes; /* behind reply.body; NULL or mem_free */
    size_t reply_length;
    bool again;    /* the body is one that was kept, */
    media_t media; /* and of that kind */
    /* What the response borrows: */
    char rate[3][24]; /* limit, remaining, reset */
    char link[2200];
    char etag[ETAG_SIZE];
    char *sent[REPLY_HEADERS_MAX]; /* values of the reply's headers; NULL or mem_free */
    /* Buffers that stay: */
    msgpack_sbuffer envelope;
    msgpack_sbuffer body; /* of the response */
    msgpack_zone zone;
    void *large; /* a larger record; NULL or mem_free */
    size_t large_size;
    void *record; /* room for the largest record that is not allocated by itself */
} exchange_t;

/* Bodies beyond BODY_LIMIT that a gateway works on at once: up to 2 MiB each, with all that is made
 * of one. */
enum { EXCHANGE_LARGE_BODIES = 32 };

/* Before such a body is read: makes it one of them, until exchange_end. false: there are too many.
 */
bool exchange_take_large_body(exchange_t *exchange);

/* Room for a record, zeroed; mem_free'd by exchange_end where it is large. */
void *exchange_record(exchange_t *exchange, size_t size);

/* The calling thread's exchange, made ready for a request. */
exchange_t *exchange_begin(http_request_t *http, http_response_t *response);
/* Ends it: what the request held is freed, and wiped where it may be secret. */
void exchange_end(exchange_t *exchange);

#endif
