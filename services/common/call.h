/* A call: one request while a service works on it. What handlers get, and how they answer.
 *
 * Handlers know neither sockets nor threads. dispatch.c has decoded and checked the request against
 * the contract's tables before a handler sees it, and packs what the handler answers. */
#ifndef LK_SERVICES_COMMON_CALL_H
#define LK_SERVICES_COMMON_CALL_H

#include "proto/record.h"
#include "proto/service.h"
#include "services/common/digest.h"
#include "services/common/password.h"
#include "services/common/seal.h"
#include "services/common/store.h"

/* What all handlers of a process share; read-only once the worker runs. */
typedef struct {
    const char *service;    /* name */
    const seal_t *seal;     /* NULL with LK_DIGEST=off: no HA1 values are made */
    const realms_t *realms; /* LK_SIP_REALMS */
    password_cost_t password_cost;
    const void *settings; /* the service's own: worker.h */
    void *own;            /* what the service has made of them; safe for any thread */
    struct sip *sip;      /* sip/sip.h; NULL: the service authorizes no calls */
} keeper_t;

typedef struct sip_family sip_family_t; /* sip/family.h */

/* What call_header has added; owns and wipes the texts. */
typedef struct {
    size_t count;
    msgpack_object pairs[REPLY_HEADERS_MAX];
    msgpack_object texts[REPLY_HEADERS_MAX][2];
} call_headers_t;

typedef struct call {
    const operation_t *operation;
    const keeper_t *keeper;
    request_t request; /* names, keys, principal */
    const void *path;  /* records of the operation's schemas; NULL where it has none */
    const void *query;
    const void *head;
    const void *body;
    int64_t now_utc_ms;  /* one time for all of a call */
    int64_t received_ms; /* clock_ms(), as is: */
    int64_t deadline_ms;

    /* What `prepare` hands to `write`: freed by `free_state` at the call's end. Wiped by its owner.
     */
    void *state;
    void (*free_state)(void *state);

    /* The answer so far. */
    bool answered;
    reply_t reply; /* its headers are the next row's */
    call_headers_t headers;
    msgpack_sbuffer body_bytes;
    uint32_t list_count;
    bool failed; /* by call_fail: err says why, for the log */
    err_t err;

    bool on_link;     /* a read on the link thread */
    bool deferred;    /* by call_defer */
    bool again;       /* another worker had it before, and was lost: frames.h */
    uint64_t version; /* of the store, on the board, from before what this call reads; 0: none */
} call_t;

/* ---- Answers: exactly one of these ends a call. Repeating one is our own bug. ---- */

/* The operation's success, with a record of its result schema (NULL: no body). */
void call_answer(call_t *call, const void *record);

/* A list: begin, add each record, end. next_offset: where a cut list goes on, or -1. */
void call_list_begin(call_t *call);
void call_list_add(call_t *call, const void *record);
void call_list_end(call_t *call, int64_t next_offset);
/* The end of page `number` (from 1), of pages of `size` rows, out of `total` rows. */
void call_list_end_page(call_t *call, int64_t number, int64_t size, int64_t total);

/* The operation's success, with a document as it is to be sent (not MEDIA_JSON). bytes: valid
 * UTF-8. */
void call_document(call_t *call, media_t media, const char *bytes, size_t length);

/* As call_document, with another outcome: a page that says what failed. */
void call_document_as(call_t *call, outcome_t outcome, media_t media, const char *bytes,
                      size_t length);

/* Before any answer: a header for the HTTP answer, Location or Set-Cookie; a name may stand several
 * times, REPLY_HEADERS_MAX in all (more is our own bug). Both are copied. They go out with a
 * success or OUTCOME_DENIED, and are dropped with any other end: then nothing was done that they
 * could tell of. STATUS_INVALID: the value is empty, is no UTF-8, or holds a control character;
 * nothing was added. */
status_t call_header(call_t *call, const char *name, const char *value) MUST_CHECK;

/* The operation's success is OUTCOME_ELSEWHERE, or not: the browser goes on there. location: as
 * call_header. STATUS_INVALID: nothing was answered. */
status_t call_elsewhere(call_t *call, const char *location) MUST_CHECK;

/* Before call_answer: words that go along with a success, where the dialect has a place for them.
 */
void call_say(call_t *call, const char *message);

/* Not done, with words for the client (NULL: the outcome's own). */
void call_refuse(call_t *call, outcome_t outcome, const char *message);

/* Adds a fault; then call_refuse. */
void call_fault(call_t *call, fault_code_t code, fault_place_t place, const char *where,
                const char *message);

/* The store or a library failed: UNAVAILABLE where trying again may help (busy, full, timeout),
 * else INTERNAL. dispatch logs err; the client does not see it. */
void call_fail(call_t *call, const err_t *err);

/* For a read that finds out how long its answer is only when it looks. True: the call has left the
 * link thread, will be run again from its start in the slow pool, and must be let go of now. False:
 * it is there already. */
bool call_defer(call_t *call) MUST_CHECK;

/* The outcome of such a failure. */
outcome_t call_failure(status_t status);

/* Whether what it did is kept: a success, or OUTCOME_DENIED. */
bool call_is_kept(const call_t *call);

/* Makes the headers those of a reply that was kept, which is borrowed for the moment. */
void call_headers_again(call_t *call, const msgpack_object *headers);
/* Wipes and drops them. */
void call_headers_clear(call_t *call);

/* Whether the principal may see what belongs to this organization. */
bool call_may_see(const call_t *call, const char *organization_id);

/* ---- Handlers: one row per operation, in the contract's order ---- */

typedef struct {
    /* Whether the call is slow (a long list to render, a password to hash). Such a read runs in the
     * slow pool; such a write has `prepare` run there first. NULL: never. Link thread: must be
     * quick. */
    bool (*is_slow)(const call_t *call);

    /* Reads: on a reader connection, in a read transaction that other calls may share. */
    void (*read)(call_t *call, store_t *reader);

    /* Whether the call's `prepare` waits for other hosts. It then runs in the waiting pool, where
     * it holds up neither hashing nor lists. NULL: never. Link thread: must be quick. */
    bool (*waits)(const call_t *call);

    /* Writes that are slow or wait, before the transaction: hashing, fetching. May end the call.
     * Must not keep a query open while it waits: that would pin the WAL. NULL: nothing to do. */
    void (*prepare)(call_t *call, store_t *reader);

    /* Writes: inside the gate and a savepoint of a group's transaction. A success is kept, and so
     * is OUTCOME_DENIED; anything else is undone. Must not block on anything but the store. */
    void (*write)(call_t *call, store_t *writer);
} handler_t;

#endif
