/* Keys, a provider that trusts one of them, and Responses that differ in one thing each. */
#ifndef LK_TESTS_UNIT_SAML_WORLD_H
#define LK_TESTS_UNIT_SAML_WORLD_H

#include "services/auth-provider/saml/verify.h"
#include "tests/support/saml_signer.h"

/* Trusted is what a row signs with; `other` never, as long as no row says so. */
extern issued_t rsa, other, weak, p256, p384, p521, koblitz;

typedef enum { BY_ASSERTION, BY_RESPONSE, BY_BOTH, BY_NONE } signed_by_t;

typedef struct {
    const char *name;
    saml_reason_t reason; /* SAML_NONE: logged in */
    signed_by_t signed_by;
    signer_edit_t before[2], after[2]; /* of the text, in order; find NULL: none */
    signer_how_t how;                  /* by: NULL: rsa */
    void (*tune)(saml_expect_t *expect);
} world_row_t;

int world_set_up(void **state);
int world_tear_down(void **state);

/* What everybody expects of a Response by `by`, whose fingerprint it trusts. */
saml_expect_t world_expect(const issued_t *by);

/* Runs the row; the caller clears. */
void world_verify(const world_row_t *row, saml_verdict_t *out);
void world_verify_text(const saml_expect_t *expect, const char *text, saml_verdict_t *out);

/* All rows, each with its reason; fails with their names. Notes the reasons that were met. */
void world_run(const world_row_t *rows, size_t count);
extern bool world_met[SAML_REASON_COUNT];

#endif
