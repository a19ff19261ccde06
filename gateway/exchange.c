#include "gateway/exchange.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"
#include "proto/registry.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ZONE_CHUNK = 8192, KEPT_MAX = 64 * 1024 };

static pthread_key_t thread_key;
static pthread_once_t thread_key_made = PTHREAD_ONCE_INIT;

static size_t larger(size_t size, const schema_t *schema)
{
    bool kept = schema != NULL && schema->record_size <= KEPT_MAX;
    return kept && schema->record_size > size ? schema->record_size : size;
}

static size_t largest_record(void)
{
    size_t size = 0;
    for (size_t s = 0; s < registry_count; s++) {
        for (size_t i = 0; i < registry[s]->operation_count; i++) {
            const operation_t *operation = &registry[s]->operations[i];
            size = larger(size, operation->path_schema);
            size = larger(size, operation->query);
            size = larger(size, operation->body);
        }
    }
    return size;
}

static void free_exchange(void *memory)
{
    exchange_t *exchange = memory;
    msgpack_sbuffer_destroy(&exchange->envelope);
    msgpack_zone_destroy(&exchange->zone);
    mem_free(exchange->record);
    msgpack_sbuffer_destroy(&exchange->body);
    mem_free(exchange);
}

static void make_thread_key(void)
{
    if (pthread_key_create(&thread_key, free_exchange) != 0)
        abort();
}

static exchange_t *exchange_of_thread(void)
{
    (void)pthread_once(&thread_key_made, make_thread_key);
    exchange_t *exchange = pthread_getspecific(thread_key);
    if (exchange != NULL)
        return exchange;
    exchange = mem_zalloc(sizeof(*exchange));
    msgpack_sbuffer_init(&exchange->envelope);
    msgpack_sbuffer_init(&exchange->body);
    exchange->record = mem_zalloc(largest_record());
    if (!msgpack_zone_init(&exchange->zone, ZONE_CHUNK) ||
        pthread_setspecific(thread_key, exchange) != 0)
        abort();
    return exchange;
}

/* A fresh id: the thread's random beginning and a count, so that it costs no system call. */
static void make_id(char out[REQUEST_ID_SIZE])
{
    static _Thread_local uint8_t beginning[12];
    static _Thread_local uint32_t count;
    if (count++ == 0) /* once, and again after 2^32 */
        randombytes_buf(beginning, sizeof(beginning));
    uint8_t bytes[sizeof(beginning) + sizeof(count)];
    memcpy(bytes, beginning, sizeof(beginning));
    memcpy(bytes + sizeof(beginning), &count, sizeof(count));
    text_hex(out, bytes, sizeof(bytes));
}

static const char id_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/* The client's own request id if it is well-formed, else a fresh one. */
static void take_request_id(exchange_t *exchange)
{
    const char *given = exchange->http == NULL ? NULL : http_header(exchange->http, "x-request-id");
    size_t length = given == NULL ? 0 : strlen(given);
    if (length > 0 && length < REQUEST_ID_SIZE && strspn(given, id_characters) == length)
        memcpy(exchange->request_id, given, length + 1);
    else
        make_id(exchange->request_id);
}

exchange_t *exchange_begin(http_request_t *http, http_response_t *response)
{
    exchange_t *exchange = exchange_of_thread();
    exchange->http = http;
    exchange->response = response;
    exchange->started_us = clock_us();
    exchange->route.operation = NULL;
    exchange->route.dialect = &dialect_v2;
    exchange->key.id[0] = '\0';
    exchange->client[0] = '\0';
    exchange->allowance = (allowance_t){0};
    exchange->idempotency_key[0] = '\0';
    exchange->client_key = false;
    exchange->again = false;
    take_request_id(exchange);
    reply_init(&exchange->reply, exchange->request_id, OUTCOME_INTERNAL);
    response->owner = exchange;
    return exchange;
}

/* A long list's buffer is not kept: there is one per thread. */
static void keep_small(msgpack_sbuffer *buffer)
{
    if (buffer->alloc > KEPT_MAX) {
        msgpack_sbuffer_destroy(buffer);
        msgpack_sbuffer_init(buffer);
    }
    msgpack_sbuffer_clear(buffer);
}

static void drop_large(exchange_t *exchange)
{
    if (exchange->large != NULL)
        sodium_memzero(exchange->large, exchange->large_size);
    mem_free(TAKE(exchange->large));
}

void *exchange_record(exchange_t *exchange, size_t size)
{
    if (size <= KEPT_MAX) {
        memset(exchange->record, 0, size);
        return exchange->record;
    }
    drop_large(exchange);
    exchange->large = mem_zalloc(size);
    exchange->large_size = size;
    return exchange->large;
}

static atomic_int large_bodies;

static void end_large_body(exchange_t *exchange)
{
    if (exchange->has_large_body)
        (void)atomic_fetch_sub(&large_bodies, 1);
    exchange->has_large_body = false;
}

bool exchange_take_large_body(exchange_t *exchange)
{
    if (atomic_fetch_add(&large_bodies, 1) >= EXCHANGE_LARGE_BODIES) {
        (void)atomic_fetch_sub(&large_bodies, 1);
        return false;
    }
    exchange->has_large_body = true;
    return true;
}

static void drop_sent(exchange_t *exchange)
{
    for (size_t i = 0; i < REPLY_HEADERS_MAX; i++) {
        if (exchange->sent[i] != NULL)
            sodium_memzero(exchange->sent[i], strlen(exchange->sent[i]));
        mem_release(&exchange->sent[i]);
    }
}

/* It may hold an HA1, or a session's token. */
static void wipe_answer(exchange_t *exchange)
{
    if (exchange->body.size > 0)
        sodium_memzero(exchange->body.data, exchange->body.size);
    if (exchange->reply_bytes != NULL)
        sodium_memzero(exchange->reply_bytes, exchange->reply_length);
}

void exchange_end(exchange_t *exchange)
{
    if (exchange->route.dialect->secret)
        wipe_answer(exchange);
    drop_sent(exchange);
    drop_large(exchange);
    mem_free(TAKE(exchange->reply_bytes));
    if (exchange->envelope.size > 0)
        sodium_memzero(exchange->envelope.data, exchange->envelope.size);
    keep_small(&exchange->envelope);
    keep_small(&exchange->body);
    end_large_body(exchange);
    msgpack_zone_clear(&exchange->zone);
}
