/* A service's store and its handlers without a worker around them: tests ask, and look at the
 * answer. Does what dispatch, pools and writer do, in one thread. */
#ifndef LK_TESTS_SUPPORT_DESK_H
#define LK_TESTS_SUPPORT_DESK_H

#include "services/common/settings.h"
#include "services/common/sip/sip.h"
#include "services/common/worker.h"
#include "tests/support/scratch.h"

#include <jansson.h>

#define DESK_ORGANIZATION "01900000-0000-7000-8000-00000000000a"
#define DESK_OTHERS       "01900000-0000-7000-8000-00000000000b"

typedef struct {
    const worker_spec_t *spec;
    scratch_t scratch;
    store_t *reader;
    store_t *writer;
    realms_t realms;
    seal_t *seal;
    keeper_t keeper;
    settings_t settings; /* of a service that authorizes calls: settings.sip, as by default */
    sip_t sip;
    principal_t principal;  /* who asks; an admin of DESK_ORGANIZATION at first; nobody, of what is
                               open */
    int64_t now_utc_ms;     /* set by hand; only tests move it */
    const char *request_id; /* NULL: none */
    const char *head;       /* a JSON object with single quotes, of what the operation takes */
    bool again;             /* sent again, since another worker was lost */
    int64_t answer_ms;      /* what a call has in all, 10 s at first, */
    int64_t waited_ms;      /* and how much of that is gone when it is prepared */

    /* The latest answer. */
    outcome_t outcome;
    json_t *body;    /* NULL: none; a text where the answer is a document */
    json_t *headers; /* pairs of texts */
    reason_t reason;
    media_t media;
    freshness_t fresh;
    faults_t faults;
    char message[REPLY_MESSAGE_SIZE];
    int64_t next_offset;
    int64_t total;   /* of a list in pages */
    bool was_quick;  /* a read that was answered on the link thread */
    status_t status; /* of a failed call, or of the transaction */
} desk_t;

/* Aborts if anything fails. sealed: HA1 values are made, for the realms "linekeeper" and "b".
 * keeper.settings and keeper.own are the caller's to set, where the service has them. */
void desk_open(desk_t *desk, const worker_spec_t *spec, bool sealed);
void desk_close(desk_t *desk);

/* Asks an operation (its index in the contract) and returns the outcome. first, second: the path;
 * input: a JSON object with single quotes for an operation with a body, a query string for one with
 * a query; each may be NULL. */
outcome_t desk_ask(desk_t *desk, unsigned operation, const char *first, const char *second,
                   const char *input);

/* The same in two halves, so that requests can overlap. desk_finish frees the call. */
typedef struct desk_call desk_call_t;
desk_call_t *desk_prepare(desk_t *desk, unsigned operation, const char *first, const char *second,
                          const char *input);
outcome_t desk_finish(desk_t *desk, desk_call_t *call);

/* Members of the latest body, an object. NULL and -1: null; both abort if there is no such member,
 * or it is of another type. Borrowed until the next answer. */
const char *desk_text(const desk_t *desk, const char *member);
int64_t desk_number(const desk_t *desk, const char *member);
bool desk_has(const desk_t *desk, const char *member);
size_t desk_count(const desk_t *desk); /* of a list */

/* The first fault as "CODE /where", such as "taken /ip"; "" if there is none. Static. */
const char *desk_fault(const desk_t *desk);

/* A number out of the database, by SQL of the test's own. */
int64_t desk_query(const desk_t *desk, const char *sql);

/* A text out of it: of the only column of the first row. Aborts if there is none, or no room. */
void desk_text_of(const desk_t *desk, const char *sql, char *out, size_t size);

/* The value of the latest answer's header of that name; the first one; NULL: there is none. */
const char *desk_header(const desk_t *desk, const char *name);

/* How SQLite goes about a statement of the service, one line a step. Static. */
const char *desk_plan(const desk_t *desk, size_t statement);

#endif
