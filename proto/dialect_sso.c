/* The dialect of single sign-on: pages for people, the bare result for programs, v2's errors. Must
 * never: tell a browser why a login failed. */
#include "proto/dialect.h"

static const short statuses[] = {
    [OUTCOME_OK] = 200,        [OUTCOME_CREATED] = 200,    [OUTCOME_DELETED] = 204,
    [OUTCOME_INVALID] = 422,   [OUTCOME_BAD_QUERY] = 400,  [OUTCOME_UNKNOWN] = 404,
    [OUTCOME_CONFLICT] = 422,  [OUTCOME_KEY_REUSED] = 422, [OUTCOME_FORBIDDEN] = 403,
    [OUTCOME_ELSEWHERE] = 303, [OUTCOME_DENIED] = 403,     [OUTCOME_UNAVAILABLE] = 503,
    [OUTCOME_INTERNAL] = 500,
};
_Static_assert(ARRAY_LEN(statuses) == OUTCOME_OF_WORKERS, "every outcome has a status");

static void close_bare(int status, const reply_t *reply, msgpack_sbuffer *out)
{
    (void)status;
    (void)reply;
    (void)out;
}

static json_t *failure(int status, const reply_t *reply)
{
    return dialect_v2.failure(status, reply);
}

static json_t *success_shape(json_t *result, int status, bool in_pages)
{
    (void)status;
    (void)in_pages;
    return result;
}

static json_t *failure_shape(void)
{
    return dialect_v2.failure_shape();
}

const dialect_t dialect_sso = {
    .name = "sso",
    .prefix = "/sso",
    .statuses = statuses,
    .no_result = "",
    .open = "",
    .close = close_bare,
    .failure = failure,
    .success_shape = success_shape,
    .failure_shape = failure_shape,
};
