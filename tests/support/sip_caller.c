#include "tests/support/sip_caller.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/sip.h"

#include <string.h>

const attempt_t bobs = {.username = "bob",
                        .password = "first password",
                        .realm = "linekeeper",
                        .nonce = "n1",
                        .uri = "sip:+4930123@example.com",
                        .method = "INVITE",
                        .algorithm = "MD5",
                        .qop = "auth",
                        .nc = "00000001",
                        .cnonce = "c1"};

void caller_respond(const attempt_t *attempt, char out[RESPONSE_TEXT_SIZE])
{
    uint8_t bytes[HA1_SIZE_MAX];
    char ha1[RESPONSE_TEXT_SIZE];
    response_facts_t facts = {.method = attempt->method,
                              .uri = attempt->uri,
                              .nonce = attempt->nonce,
                              .qop = attempt->qop,
                              .nc = attempt->nc,
                              .cnonce = attempt->cnonce};
    assert_true(
        algorithm_read(attempt->algorithm == NULL ? "MD5" : attempt->algorithm, &facts.algorithm));
    assert_int_equal(digest_ha1(facts.algorithm.hash, attempt->username, attempt->realm,
                                attempt->password, strlen(attempt->password), bytes),
                     STATUS_OK);
    text_hex(ha1, bytes, digest_size(facts.algorithm.hash));
    assert_int_equal(response_compute(&facts, ha1, out), STATUS_OK);
}

static void put(char *body, const char *name, const char *value)
{
    size_t used = strlen(body);
    if (value != NULL)
        assert_int_equal(
            text_format(body + used, CALLER_BODY_SIZE - used, ", '%s': '%s'", name, value),
            STATUS_OK);
}

void caller_body(const attempt_t *attempt, char body[CALLER_BODY_SIZE])
{
    char made[RESPONSE_TEXT_SIZE];
    const char *response = attempt->response;
    if (response == NULL) {
        caller_respond(attempt, made);
        response = made;
    }
    assert_int_equal(text_format(body, CALLER_BODY_SIZE, "{'scheme': 'digest'"), STATUS_OK);
    put(body, "username", attempt->username);
    put(body, "realm", attempt->realm);
    put(body, "nonce", attempt->nonce);
    put(body, "uri", attempt->uri);
    put(body, "method", attempt->method);
    put(body, "algorithm", attempt->algorithm);
    put(body, "qop", attempt->qop);
    put(body, "nc", attempt->nc);
    put(body, "cnonce", attempt->cnonce);
    put(body, "source_address", attempt->source);
    put(body, "response", response);
    assert_true(strlen(body) + 2 < CALLER_BODY_SIZE);
    (void)memcpy(body + strlen(body), "}", 2);
}

/* Its place among the service's operations: they end with call authorization's. */
static unsigned verify_of(const desk_t *desk)
{
    size_t first = desk->spec->contract->operation_count - SIP_OPERATION_COUNT;
    const operation_t *found = &desk->spec->contract->operations[first + SIP_VERIFY];
    assert_non_null(strstr(found->path, "/verify"));
    return (unsigned)(first + SIP_VERIFY);
}

void caller_decides(desk_t *desk, const char *body, const char *reason)
{
    assert_int_equal(desk_ask(desk, verify_of(desk), NULL, NULL, body), OUTCOME_OK);
    const char *found = desk_text(desk, "reason");
    if (reason == PASSED ? found != NULL : found == NULL || strcmp(found, reason) != 0)
        fail_msg("%s where %s is right: %s", found == NULL ? "ok" : found,
                 reason == PASSED ? "ok" : reason, body);
    assert_string_equal(desk_text(desk, "status"), reason == PASSED ? "ok" : "fail");
}

void caller_verifies(desk_t *desk, const attempt_t *attempt, const char *reason)
{
    char body[CALLER_BODY_SIZE];
    caller_body(attempt, body);
    caller_decides(desk, body, reason);
}
