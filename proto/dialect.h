/* A dialect: how a family of the API dresses outcomes in HTTP. The only place that knows status
 * codes and envelopes.
 *
 *   trunk   {"result": ..., "status_code": 200, "status_message": "OK"}, "errors" beside on failure
 *   v1      the bare result; on failure {"success": false, "message": ..., "reasons": {...}}
 *   v1_set  the same on failure; {"success": true, "message": ..., "reasons": {}} without a result
 *   v2      {"data": ..., "meta": ...} or {"errors": [{code, title, detail, source, meta}]}
 *   sip     the bare result, or a document; v2's errors, with the reason in meta
 *   freeswitch, asterisk   documents, and 200 whatever happens: what each takes for "nothing" */
#ifndef LK_PROTO_DIALECT_H
#define LK_PROTO_DIALECT_H

#include "proto/envelope.h"
#include "proto/field.h"

#include <jansson.h>

typedef struct dialect dialect_t;

/* Of HTTP. Both static. */
typedef struct {
    const char *name, *value;
} header_t;

struct dialect {
    const char *name;
    const char *prefix;    /* unknown routes below it speak this dialect; "*": any one segment */
    const short *statuses; /* indexed by outcome_t, up to OUTCOME_OF_WORKERS: the rest is common;
                              NULL: 200, whatever happens */
    bool for_calls; /* call authorization: 401 offers Basic, since some SIP servers know nothing
                       else */
    bool is_open;   /* its routes take no API key (OPERATION_OPEN) */
    bool secret;    /* its answers are for who asked alone: not to be stored, and wiped here once
                       they are sent (but for OPERATION_PUBLIC) */
    const header_t *headers; /* of each of its answers; a NULL name at the end; NULL: none */
    /* What every failure reads as; text NULL: each is told by `failure`. */
    struct {
        media_t media;
        const char *text;
    } nothing;
    const char *unauthenticated; /* what that outcome tells a person; NULL: of API keys */
    const char *no_result;       /* what stands for a result where there is none */
    /* A success is what `open` writes, the result, and what `close` writes. */
    const char *open;
    void (*close)(int status, const reply_t *reply, msgpack_sbuffer *out);
    json_t *(*failure)(int status, const reply_t *reply);
    /* A failure for people, as HTML; NULL: there are no pages. */
    void (*page)(int status, const reply_t *reply, msgpack_sbuffer *out);
    /* Both as JSON Schema (2020-12), for the OpenAPI document; the caller owns it. result: the
     * result's schema, taken over; NULL: there is none. */
    json_t *(*success_shape)(json_t *result, int status, bool in_pages);
    json_t *(*failure_shape)(void);
};

extern const dialect_t dialect_trunk;
extern const dialect_t dialect_v1;
extern const dialect_t dialect_v1_set;
extern const dialect_t dialect_v2;
extern const dialect_t dialect_sip;
extern const dialect_t dialect_sso;
extern const dialect_t dialect_freeswitch;
extern const dialect_t dialect_asterisk;

/* The dialect of a path that has no route: by prefix, else v2. */
const dialect_t *dialect_of_path(const char *path);

/* The HTTP status of an outcome. */
int dialect_status(const dialect_t *dialect, outcome_t outcome);

/* Of bodies with OPERATION_FORM. */
#define MEDIA_TYPE_FORM "application/x-www-form-urlencoded"

/* The media type of an answer; and the same with its parameters, as it is sent. Static. */
const char *media_type(media_t media);
const char *media_content_type(media_t media);

/* Appends the body of an answer, and returns what it is; nothing where there is none (204, and 303
 * without a document).
 * result: what the reply's body is a record of, or an array of records if is_list; NULL: no result.
 * A document is appended as it is, of a failure too where the dialect tells of failures at all. */
media_t dialect_render(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                       bool is_list, msgpack_sbuffer *out);

/* The same for a person: a failure that is no document is the dialect's page, where it has any. */
media_t dialect_render_page(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                            bool is_list, msgpack_sbuffer *out);

/* Whether a request's Accept asks for a page: it names text/html, and not with q=0 (RFC 9110
 * section 12.4.2). */
bool dialect_wants_page(const char *accept);

/* Whether the outcome is a success. */
bool outcome_is_success(outcome_t outcome);

/* The reason phrase of a status (RFC 9110 section 15), such as "Not Found". Static. */
const char *http_reason(int status);

/* What to tell a person about an outcome that carries no message of its own; and in that dialect.
 * Static. */
const char *outcome_message(outcome_t outcome);
const char *dialect_message(const dialect_t *dialect, outcome_t outcome);

#endif
