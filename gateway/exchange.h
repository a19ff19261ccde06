/* One HTTP request and its answer, while the gateway works on it. Made and freed by handler.c. */
#ifndef LK_GATEWAY_EXCHANGE_H
#define LK_GATEWAY_EXCHANGE_H

#include "gateway/client.h"
#include "gateway/http.h"
#include "gateway/keys.h"
#include "gateway/limiter.h"
#include "gateway/route.h"
#include "gateway/rpc.h"

typedef struct {
    http_request_t *http;
    http_response_t *response;
    int64_t started_us;
    char request_id[REQUEST_ID_SIZE];
    route_t route;
    api_key_t key; /* key.id is empty until access has identified one */
    char client[IPNET_TEXT_SIZE];
    allowance_t allowance;
    char idempotency_key[IDEMPOTENCY_KEY_SIZE];
    bool client_key;
    reply_t reply;
    rpc_memory_t memory; /* behind reply.body */
    /* What the response borrows: */
    char *body;
    char rate[3][24]; /* limit, remaining, reset */
    char link[2200];
} exchange_t;

#endif
