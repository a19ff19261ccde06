/* Verdicts, and what is prepared for a write. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/prepared.h"

static const err_t no_error = {0};

static call_t make_call(void)
{
    call_t call = {.request = {.principal = {.organization_id = "mine"}}};
    msgpack_sbuffer_init(&call.body_bytes);
    reply_init(&call.reply, "r1", OUTCOME_INTERNAL);
    return call;
}

static void end_call(call_t *call)
{
    if (call->state != NULL)
        call->free_state(call->state);
    call->state = NULL;
    msgpack_sbuffer_destroy(&call->body_bytes);
}

static void every_faulty_field_is_named(void **state)
{
    (void)state;
    call_t call = make_call();
    verdict_t verdict = {0};
    assert_true(verdict_passes(&call, STATUS_OK, &verdict, &no_error));
    verdict_fault(&verdict, OUTCOME_INVALID, FAULT_RULE, "/a", "is one thing");
    verdict_fault(&verdict, OUTCOME_CONFLICT, FAULT_TAKEN, "/b", "is another");
    assert_false(verdict_passes(&call, STATUS_OK, &verdict, &no_error));
    assert_int_equal(call.reply.outcome, OUTCOME_INVALID);
    assert_int_equal(call.reply.faults.count, 2);
    assert_string_equal(call.reply.faults.items[1].where, "/b");
    assert_string_equal(call.reply.faults.items[1].message, "is another");
    end_call(&call);
}

static void too_many_faults_are_cut(void **state)
{
    (void)state;
    call_t call = make_call();
    verdict_t verdict = {0};
    for (unsigned i = 0; i < VERDICT_FAULTS_MAX + 1; i++)
        verdict_fault(&verdict, OUTCOME_INVALID, FAULT_RULE, "/a", "is wrong");
    assert_false(verdict_passes(&call, STATUS_OK, &verdict, &no_error));
    assert_int_equal(call.reply.faults.count, VERDICT_FAULTS_MAX);
    end_call(&call);
}

static void only_what_may_be_seen_is_found(void **state)
{
    (void)state;
    call_t call = make_call();
    verdict_t verdict;
    assert_int_equal(verdict_on_found(&call, STATUS_OK, "mine", &verdict), STATUS_OK);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_int_equal(verdict_on_found(&call, STATUS_OK, "theirs", &verdict), STATUS_OK);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict_on_found(&call, STATUS_UNKNOWN, "", &verdict), STATUS_OK);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict_on_found(&call, STATUS_BUSY, "", &verdict), STATUS_BUSY);
    end_call(&call);
}

typedef struct {
    prepared_t head;
    char secret[16];
    bool *released;
} kept_t;

static void release(void *state)
{
    kept_t *kept = state;
    *kept->released = true;
}

static void what_is_prepared_is_kept(void **state)
{
    (void)state;
    call_t call = make_call();
    assert_true(prepared_passes(&call)); /* nothing was prepared */
    verdict_t verdict = {0};
    bool released = false;
    kept_t *kept = prepared_keep(&call, STATUS_OK, &verdict, &no_error, sizeof(*kept), release);
    assert_non_null(kept);
    kept->released = &released;
    assert_ptr_equal(call.state, kept);
    assert_true(prepared_passes(&call));
    end_call(&call);
    assert_true(released);
}

static void a_refusal_is_left_to_the_write(void **state)
{
    (void)state;
    call_t call = make_call();
    verdict_t verdict = {.outcome = OUTCOME_INVALID, .message = "Not so."};
    prepared_t *kept = prepared_keep(&call, STATUS_OK, &verdict, &no_error, sizeof(*kept), NULL);
    assert_non_null(kept);
    assert_false(call.answered);
    assert_false(prepared_passes(&call));
    assert_true(call.answered);
    assert_int_equal(call.reply.outcome, OUTCOME_INVALID);
    assert_string_equal(call.reply.message, "Not so.");
    end_call(&call);
}

static void a_failure_ends_the_call(void **state)
{
    (void)state;
    call_t call = make_call();
    verdict_t verdict = {0};
    err_t err;
    status_t status = err_set(&err, STATUS_BUSY, "store", "is busy");
    assert_null(prepared_keep(&call, status, &verdict, &err, sizeof(prepared_t), NULL));
    assert_true(call.failed);
    assert_int_equal(call.reply.outcome, OUTCOME_UNAVAILABLE);
    assert_null(call.state);
    end_call(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_faulty_field_is_named),
        cmocka_unit_test(too_many_faults_are_cut),
        cmocka_unit_test(only_what_may_be_seen_is_found),
        cmocka_unit_test(what_is_prepared_is_kept),
        cmocka_unit_test(a_refusal_is_left_to_the_write),
        cmocka_unit_test(a_failure_ends_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
