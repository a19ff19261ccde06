/* A trunk-auth store and its handlers without a worker around them: tests ask, and look at the
 * answer. Does what dispatch and writer do, in one thread. */
#ifndef LK_TESTS_SUPPORT_TRUNK_DESK_H
#define LK_TESTS_SUPPORT_TRUNK_DESK_H

#include "services/common/call.h"
#include "tests/support/scratch.h"

#include <jansson.h>

#define DESK_ORGANIZATION "01900000-0000-7000-8000-00000000000a"
#define DESK_OTHERS       "01900000-0000-7000-8000-00000000000b"

typedef struct {
    scratch_t scratch;
    store_t *reader;
    store_t *writer;
    realms_t realms;
    seal_t *seal;
    keeper_t keeper;
    principal_t principal; /* who asks; an admin of DESK_ORGANIZATION at first */
    int64_t now_utc_ms;    /* set by hand; only tests move it */

    /* The latest answer. */
    outcome_t outcome;
    json_t *body; /* NULL: none */
    faults_t faults;
    char message[REPLY_MESSAGE_SIZE];
    int64_t next_offset;
    bool was_quick;  /* a read that was answered on the link thread */
    status_t status; /* of a failed call, or of the transaction */
} desk_t;

/* Aborts if anything fails. sealed: HA1 values are made, for the realms "linekeeper" and "b". */
void desk_open(desk_t *desk, bool sealed);
void desk_close(desk_t *desk);

/* Asks an operation (its index in the contract) and returns the outcome. uuid, auth_uuid: the path;
 * input: a JSON object with single quotes for an operation with a body, a query string for one with
 * a query; each may be NULL. */
outcome_t desk_ask(desk_t *desk, unsigned operation, const char *uuid, const char *auth_uuid,
                   const char *input);

/* The same in two halves, so that requests can overlap. desk_finish frees the call. */
typedef struct desk_call desk_call_t;
desk_call_t *desk_prepare(desk_t *desk, unsigned operation, const char *uuid, const char *auth_uuid,
                          const char *input);
outcome_t desk_finish(desk_t *desk, desk_call_t *call);

/* Members of the latest body, an object. NULL and -1: null; both abort if there is no such member,
 * or it is of another type. Borrowed until the next answer. */
const char *desk_text(const desk_t *desk, const char *member);
int64_t desk_number(const desk_t *desk, const char *member);
bool desk_has(const desk_t *desk, const char *member);
size_t desk_count(const desk_t *desk); /* of a list */
/* Copies the body's uuid. */
void desk_uuid(const desk_t *desk, char out[UUID_SIZE]);

/* The first fault as "CODE /where", such as "taken /ip"; "" if there is none. Static. */
const char *desk_fault(const desk_t *desk);

/* Makes a trunk and copies its uuid; aborts if that fails. */
void desk_trunk(desk_t *desk, char out[UUID_SIZE]);

/* A number out of the database, by SQL of the test's own. */
int64_t desk_query(const desk_t *desk, const char *sql);

#endif
