/* A call's credentials put to the /verify of a desk whose service has one. */
#ifndef LK_TESTS_SUPPORT_SIP_CALLER_H
#define LK_TESTS_SUPPORT_SIP_CALLER_H

#include "services/common/sip/response.h"
#include "tests/support/desk.h"

#define PASSED NULL

enum { CALLER_BODY_SIZE = 4096 };

/* A call with digest credentials. What is NULL is not sent. */
typedef struct {
    const char *username, *password, *realm, *nonce, *uri, *method, *algorithm;
    const char *qop, *nc, *cnonce;
    const char *source;
    const char *response; /* in place of the right one */
} attempt_t;

/* Of bob, whose password is "first password". */
extern const attempt_t bobs;

/* The right response. */
void caller_respond(const attempt_t *attempt, char out[RESPONSE_TEXT_SIZE]);
/* The body, in desk_ask's form. */
void caller_body(const attempt_t *attempt, char out[CALLER_BODY_SIZE]);

/* Asks /verify and fails the test unless it decides so: PASSED, or the reason's word. */
void caller_decides(desk_t *desk, const char *body, const char *reason);
void caller_verifies(desk_t *desk, const attempt_t *attempt, const char *reason);

#endif
