/* The gateway's end of the worker protocol, played by a test. Every wait pumps: it takes messages
 * in and keeps heartbeats going, until what is waited for is there or the time is over. */
#ifndef LK_TESTS_SUPPORT_FAKE_GATEWAY_H
#define LK_TESTS_SUPPORT_FAKE_GATEWAY_H

#include "proto/frames.h"

enum { FAKE_IDS = 4096, FAKE_WAIT_MS = 10000 };

typedef struct {
    void *context;
    void *socket;
    char endpoint[160];
    char worker[64]; /* routing id of whoever said READY last */
    size_t worker_length;
    ready_t ready;
    bool muted; /* sends no heartbeats */
    int64_t beat_ms;
    batch_t batch; /* in the making */
    uint64_t next_id;
    msgpack_sbuffer answers[FAKE_IDS];
    unsigned times[FAKE_IDS]; /* how often an id was answered */
    msgpack_unpacked decoded; /* of the latest fake_answer */

    unsigned readies, heartbeats, disconnects, replies, faults; /* messages seen */
    uint32_t last_reply_count;                                  /* in the latest REPLY */
} fake_gateway_t;

/* Binds; "tcp://127.0.0.1:*" and the like get a port. Aborts on failure. */
void fake_open(fake_gateway_t *gateway, const char *endpoint);
void fake_close(fake_gateway_t *gateway);

/* Takes in what comes until `counter` (a member above) reaches at_least. False: it did not, in
 * FAKE_WAIT_MS. */
bool fake_await(fake_gateway_t *gateway, const unsigned *counter, unsigned at_least);
/* Takes in what comes for so long, whatever it is. */
void fake_pump(fake_gateway_t *gateway, int ms);

typedef struct {
    const char *service;      /* NULL: "notes" */
    const char *organization; /* NULL: "organization-1" */
    const char *operation;
    const char *path, *query, *head, *body; /* JSON in single quotes, or NULL */
    const char *key;                        /* NULL: none */
    bool client_key, again;
    scope_t scope;
    int64_t ms_left; /* 0: 10 s; below 0: none */
} ask_t;

/* Adds a request to the next message; returns its id. */
uint64_t fake_ask(fake_gateway_t *gateway, const ask_t *ask);
/* Adds bytes as they are. */
uint64_t fake_ask_bytes(fake_gateway_t *gateway, const void *bytes, size_t length);
/* Sends what was asked as one REQUEST message. */
void fake_send(fake_gateway_t *gateway);
/* Sends any frames to the worker. second: NULL for none. */
void fake_send_frames(fake_gateway_t *gateway, const void *first, size_t first_length,
                      const void *second, size_t second_length);
void fake_say(fake_gateway_t *gateway, command_t command);

/* Waits for the reply of that id; false if none comes. out->body is valid until the next call. */
bool fake_answer(fake_gateway_t *gateway, uint64_t id, reply_t *out);
/* ask, send and answer in one; aborts if no answer comes. */
outcome_t fake_do(fake_gateway_t *gateway, const ask_t *ask, reply_t *out);

#endif
