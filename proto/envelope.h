/* A request on its way to a worker, and the reply on its way back: one msgpack array each.
 *
 *   request  [1, request_id, idempotency_key | nil, client_key, service, operation,
 *             [organization_id, key_id, scope, is_operator] | nil, path, query, head, body]
 *   reply    [1, request_id, outcome, replayed, message, body,
 *             [[code, place, where, message], ...], next_offset | nil, [page, size, total] | nil,
 *             reason | nil, media, [board, version, until] | nil, [[name, value], ...] | nil]
 *
 * nil for a principal is nobody. path, query, head and body are maps or nil, as transcode.h makes
 * them; the reply's body is a record's map, an array of them (OPERATION_LIST), a text (media), or
 * nil. Readers take what has passed scan_msgpack, check every element, and copy the small strings;
 * maps are borrowed from the decoded message. Next: frames.h. */
#ifndef LK_PROTO_ENVELOPE_H
#define LK_PROTO_ENVELOPE_H

#include "proto/faults.h"
#include "proto/principal.h"
#include "proto/reason.h"

#include <msgpack.h>

enum {
    ENVELOPE_VERSION = 1,
    REQUEST_ID_SIZE = 64 + 1,
    IDEMPOTENCY_KEY_SIZE = 64 + 1,
    SERVICE_NAME_SIZE = 32,
    OPERATION_NAME_SIZE = 48,
    REPLY_MESSAGE_SIZE = 256,
};

/* How a request ends, in the domain's words. A dialect alone turns them into HTTP. */
typedef enum {
    OUTCOME_OK,
    OUTCOME_CREATED,
    OUTCOME_DELETED,         /* done, and there is nothing to show */
    OUTCOME_ELSEWHERE,       /* done; the browser goes on to the Location in the reply's headers */
    OUTCOME_DENIED,          /* no success, and yet kept: what was noted of a login that failed */
    OUTCOME_INVALID,         /* the body or a path element is at fault */
    OUTCOME_BAD_QUERY,       /* a query parameter is at fault */
    OUTCOME_UNKNOWN,         /* no such resource, for this principal */
    OUTCOME_CONFLICT,        /* what is stored stands against it */
    OUTCOME_KEY_REUSED,      /* the Idempotency-Key belongs to another request */
    OUTCOME_FORBIDDEN,       /* the key's scope does not reach this far */
    OUTCOME_UNAVAILABLE,     /* nothing was done; try again later */
    OUTCOME_INTERNAL,        /* our fault */
    OUTCOME_UNAUTHENTICATED, /* no session, or, as the gateway says it, no API key */
    OUTCOME_OF_WORKERS,      /* how many a reply may have; the rest are the gateway's own */
    OUTCOME_NO_ROUTE = OUTCOME_OF_WORKERS,
    OUTCOME_BAD_METHOD,
    OUTCOME_BAD_JSON,
    OUTCOME_BAD_REQUEST, /* HTTP that is not well-formed */
    OUTCOME_BODY_TOO_LARGE,
    OUTCOME_URL_TOO_LONG,
    OUTCOME_BAD_MEDIA_TYPE,
    OUTCOME_RATE_LIMITED,
    OUTCOME_TIMEOUT, /* no answer in time: what became of it is not known */
    OUTCOME_COUNT,
} outcome_t;

/* The word on the wire, such as "CONFLICT". Static. */
const char *outcome_name(outcome_t outcome);

typedef struct {
    char request_id[REQUEST_ID_SIZE];
    char idempotency_key[IDEMPOTENCY_KEY_SIZE]; /* "": none (reads) */
    bool client_key; /* the client's own key: kept 24 h under its API key; else the gateway's */
    char service[SERVICE_NAME_SIZE];
    char operation[OPERATION_NAME_SIZE];
    principal_t principal;
    msgpack_object path, query, head, body; /* borrowed */
} request_t;

/* Writes all elements up to and with the principal. The caller then appends path, query, head and
 * body, each one object, in this order. */
void envelope_write_request(const request_t *request, msgpack_packer *out);
/* STATUS_INVALID: an element is not as above; *out is then of no use. */
status_t envelope_read_request(const msgpack_object *envelope, request_t *out) MUST_CHECK;

/* What a reply's body is. */
typedef enum {
    MEDIA_JSON, /* a record or records, which the dialect dresses */
    /* A document as it is to be sent, one text: */
    MEDIA_TEXT,          /* text/plain */
    MEDIA_XML,           /* text/xml */
    MEDIA_JSON_TEXT,     /* application/json that is no record of ours */
    MEDIA_HTML,          /* text/html */
    MEDIA_SAML_METADATA, /* application/samlmetadata+xml */
    MEDIA_COUNT,
} media_t;

/* How long an answer may be given again without asking. Ours to judge by, never the client's. */
typedef struct {
    uint64_t board;       /* which board (proto/board.h) the version stands on; 0: none */
    uint64_t version;     /* of the store, read before the answer was */
    int64_t until_utc_ms; /* by time alone; 0: not at all */
} freshness_t;

typedef struct {
    char request_id[REQUEST_ID_SIZE];
    outcome_t outcome;
    bool replayed;                    /* the stored answer of an earlier request */
    char message[REPLY_MESSAGE_SIZE]; /* for people; "" where the outcome says it all */
    msgpack_object body;              /* borrowed; nil if there is none */
    int64_t next_offset;              /* of an unpaged list that was cut; -1: none */
    int64_t page_number;              /* of a list in pages, from 1; 0: it is none */
    int64_t page_size;                /* rows that a whole page has */
    int64_t total;                    /* rows of all pages */
    reason_t reason;                  /* of a call that is not authorized; else REASON_NONE */
    media_t media;
    freshness_t fresh;
    msgpack_object headers; /* borrowed: array of REPLY_HEADERS_MAX pairs of texts; nil: none */
    faults_t faults;
} reply_t;

enum { REPLY_HEADERS_MAX = 4 };

/* Whether a reply may hold that header: its name, which is then static, or NULL. Location and
 * Set-Cookie alone, and values of UTF-8 without control characters. A reply with another one is
 * STATUS_INVALID as a whole. */
const char *reply_header(const char *name, size_t name_length, const char *value,
                         size_t value_length);

/* An empty reply with that outcome; cheap: faults are not cleared, only counted as none. */
void reply_init(reply_t *reply, const char *request_id, outcome_t outcome);

/* body: the packed object, or NULL for nil. */
void envelope_write_reply(const reply_t *reply, const void *body, size_t body_length,
                          msgpack_packer *out);
/* As envelope_read_request. */
status_t envelope_read_reply(const msgpack_object *envelope, reply_t *out) MUST_CHECK;

/* Scans and decodes one msgpack object. What *out holds lives in the zone (and in bytes) until the
 * zone is cleared; for callers that decode often and keep a zone. */
status_t envelope_decode_in(msgpack_zone *zone, const void *bytes, size_t length,
                            msgpack_object *out) MUST_CHECK;

/* The same with a zone of its own. *out is the caller's: msgpack_unpacked_destroy, in any case. */
status_t envelope_decode(const void *bytes, size_t length, msgpack_unpacked *out) MUST_CHECK;

#endif
