/* Who may have how many calls in the waiting pool. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/common/shares.h"

#include <stdio.h>

enum { LIMIT = 16, THREADS = 8, HELD_EACH = 4, WORKING_EACH = 2 };

typedef struct {
    jobs_t queue;
    shares_t *shares;
} fixture_t;

static int set_up(void **state)
{
    static fixture_t f;
    jobs_init(&f.queue, SIZE_MAX, -1);
    f.shares = shares_new(&f.queue, LIMIT, THREADS);
    *state = &f;
    return 0;
}

/* What still waits belongs to the shares, what was passed on to the queue. */
static int tear_down(void **state)
{
    fixture_t *f = *state;
    shares_free(&f->shares);
    jobs_free(&f->queue);
    return 0;
}

static bool give_job(fixture_t *f, unsigned organization, uint64_t id, bool again)
{
    job_t *job = job_new(0);
    job->id = id;
    job->again = again;
    (void)snprintf(job->call.request.principal.organization_id, UUID_SIZE, "%u", organization);
    bool given = shares_give(f->shares, job);
    if (!given)
        job_free(&job);
    return given;
}

static bool give(fixture_t *f, unsigned organization, uint64_t id)
{
    return give_job(f, organization, id, false);
}

/* The queue's first job comes back; returns its id. */
static uint64_t finish_first(fixture_t *f)
{
    job_t *job = jobs_take(&f->queue, 1, 0);
    assert_non_null(job);
    shares_return(f->shares, job);
    uint64_t id = job->id;
    job_free(&job);
    return id;
}

static void an_organization_has_a_quarter(void **state)
{
    fixture_t *f = *state;
    for (unsigned i = 0; i < HELD_EACH; i++)
        assert_true(give(f, 1, i));
    assert_false(give(f, 1, 99));
    assert_int_equal(f->queue.count, WORKING_EACH);
    assert_true(give(f, 2, 50));
    assert_int_equal(f->queue.count, WORKING_EACH + 1);
    assert_int_equal(finish_first(f), 0);
    assert_int_equal(f->queue.count, WORKING_EACH + 1); /* one that waited took its place */
    assert_true(give(f, 1, 4));
    static const uint64_t rest[] = {1, 50, 2, 3, 4};
    for (unsigned i = 0; i < ARRAY_LEN(rest); i++)
        assert_int_equal(finish_first(f), rest[i]);
    assert_int_equal(f->queue.count, 0);
}

static void all_together_have_the_limit(void **state)
{
    fixture_t *f = *state;
    for (unsigned i = 0; i < LIMIT; i++)
        assert_true(give(f, i / HELD_EACH, i));
    assert_false(give(f, 100, 100));
    assert_int_equal(finish_first(f), 0);
    assert_true(give(f, 100, 100));
}

static void a_quarter_is_one_at_least(void **state)
{
    fixture_t *f = *state;
    shares_free(&f->shares);
    f->shares = shares_new(&f->queue, 0, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(give(f, i, i));
        assert_false(give(f, 3, 3));
        assert_int_equal(finish_first(f), i);
    }
}

/* Its worker has died: it is held, and waits for the turn of its organization. */
static void what_is_sent_again_is_held_whatever_is_there(void **state)
{
    fixture_t *f = *state;
    for (unsigned i = 0; i < HELD_EACH; i++)
        assert_true(give(f, 1, i));
    assert_true(give_job(f, 1, HELD_EACH, true));
    assert_false(give(f, 1, 99));
    assert_int_equal(f->queue.count, WORKING_EACH);
    for (unsigned i = 0; i < 2 * LIMIT; i++) /* more organizations than there may be calls */
        assert_true(give_job(f, 100 + i, 100 + i, true));
    assert_false(give(f, 2, 99));
    static const uint64_t first[] = {0, 1};
    for (unsigned i = 0; i < ARRAY_LEN(first); i++)
        assert_int_equal(finish_first(f), first[i]);
    for (unsigned i = 0; i < 2 * LIMIT; i++)
        assert_int_equal(finish_first(f), 100 + i);
    for (unsigned i = 2; i <= HELD_EACH; i++)
        assert_int_equal(finish_first(f), i);
    assert_int_equal(f->queue.count, 0);
    assert_true(give(f, 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_organization_has_a_quarter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_together_have_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quarter_is_one_at_least, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_sent_again_is_held_whatever_is_there, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
