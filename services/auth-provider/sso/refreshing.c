/* A task goes round: free, claimed (in a transaction that is not settled), waiting for a thread,
 * being fetched, fetched, stored, free. Only the writer's thread claims, stores and frees; only a
 * fetching thread touches a task while it is being fetched. */
#include "services/auth-provider/sso/refreshing.h"

#include "common/clock.h"
#include "common/mem.h"
#include "services/auth-provider/filling.h"
#include "services/auth-provider/provider_store.h"
#include "services/auth-provider/sql.h"
#include "services/auth-provider/sso/refresh.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

enum {
    EVERY_MS = 1000,
    PAUSE_MS = 10,
    COUNT_EVERY_MS = 60 * 1000,
    COUNT_MOST = 10000, /* certificates that are counted: the last to expire of those that do */
    STORE_TRIES = 3,
};

typedef enum { TASK_FREE, TASK_CLAIMED, TASK_WAITING, TASK_FETCHING, TASK_FETCHED } task_state_t;

typedef struct {
    task_state_t state;
    unsigned tries; /* to store it */
    int64_t claimed_until_utc_ms;
    char provider_id[UUID_SIZE];
    char url[PROVIDER_URL_MAX + 1];
    char entity_id[TEXT_SIZE(1024)];
    status_t status; /* of the fetch; err says why */
    err_t err;
    metadata_t metadata;
    idp_settings_t filled;
} task_t;

struct refreshing {
    const setup_t *setup;
    const fetcher_t *fetcher;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    bool ends;
    size_t thread_count;
    pthread_t threads[REFRESHING_THREADS];
    task_t tasks[REFRESHING_TASKS];

    /* The writer's thread's own: */
    int64_t count_due_ms;
    task_t *stored; /* in the transaction that is not settled; NULL: none */
    refresh_report_t report;
};

/* ---- A fetching thread ---- */

static void fetch(const refreshing_t *refreshing, task_t *task)
{
    AUTO(mem_release) char *bytes = NULL;
    size_t length = 0;
    task->status =
        fetch_get(refreshing->fetcher, task->url, FETCH_LIMIT_MS, &bytes, &length, &task->err);
    if (task->status == STATUS_OK)
        task->status = metadata_read(bytes, length, task->entity_id, clock_utc_ms(),
                                     &task->metadata, &task->err);
    if (task->status == STATUS_OK)
        task->status = filling_settings(&task->metadata, &task->filled, &task->err);
}

/* The caller holds the lock. */
static task_t *find(refreshing_t *refreshing, task_state_t state)
{
    for (size_t i = 0; i < REFRESHING_TASKS; i++)
        if (refreshing->tasks[i].state == state)
            return &refreshing->tasks[i];
    return NULL;
}

static void *run_thread(void *context)
{
    refreshing_t *refreshing = context;
    (void)pthread_mutex_lock(&refreshing->lock);
    while (!refreshing->ends) {
        task_t *task = find(refreshing, TASK_WAITING);
        if (task == NULL) {
            (void)pthread_cond_wait(&refreshing->filled, &refreshing->lock);
            continue;
        }
        task->state = TASK_FETCHING;
        (void)pthread_mutex_unlock(&refreshing->lock);
        fetch(refreshing, task);
        (void)pthread_mutex_lock(&refreshing->lock);
        task->state = TASK_FETCHED;
    }
    (void)pthread_mutex_unlock(&refreshing->lock);
    return NULL;
}

/* ---- The writer's thread ---- */

static task_t *find_now(refreshing_t *refreshing, task_state_t state)
{
    (void)pthread_mutex_lock(&refreshing->lock);
    task_t *task = find(refreshing, state);
    (void)pthread_mutex_unlock(&refreshing->lock);
    return task;
}

static void set_free(refreshing_t *refreshing, task_t *task)
{
    metadata_clear(&task->metadata);
    (void)pthread_mutex_lock(&refreshing->lock);
    *task = (task_t){.state = TASK_FREE};
    (void)pthread_mutex_unlock(&refreshing->lock);
}

/* Each of the ranges, and the first; what can't be read stays as it was. */
static void count_certificates(store_t *store, int64_t now_utc_ms)
{
    static const int64_t days[WORKER_EXPIRY_RANGES] = {0, 7, 14, 30};
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    err_t err = {0};
    int64_t first_ms = 0;
    bool there = false;
    AUTO(query_end) query_t *counts = store_query(store, SQL_CERTIFICATE_EXPIRING);
    for (int i = 0; i < WORKER_EXPIRY_RANGES; i++)
        query_number(counts, i + 1, now_utc_ms + days[i] * day_ms);
    query_number(counts, WORKER_EXPIRY_RANGES + 1, COUNT_MOST);
    if (query_step(counts, &there, &err) == STATUS_OK && there)
        for (int i = 0; i < WORKER_EXPIRY_RANGES; i++)
            metric_set(&worker_metric_certificates, (size_t)i, query_column_number(counts, i));
    AUTO(query_end) query_t *first = store_query(store, SQL_CERTIFICATE_FIRST);
    query_number(first, 1, now_utc_ms);
    if (query_read_number(first, &first_ms, &err) == STATUS_OK)
        metric_set(&worker_metric_certificate_first, 0, first_ms / 1000);
}

static query_t *find_due(store_t *store, int64_t most)
{
    query_t *query = store_query(store, SQL_PROVIDER_DUE);
    query_number(query, 1, clock_utc_ms());
    query_number(query, 2, most);
    return query;
}

static bool is_due(void *context, store_t *writer, bool at_end)
{
    refreshing_t *refreshing = context;
    err_t err = {0};
    bool due = false;
    if (at_end)
        return false;
    if (clock_ms() >= refreshing->count_due_ms) {
        refreshing->count_due_ms = clock_ms() + COUNT_EVERY_MS;
        count_certificates(writer, clock_utc_ms());
    }
    if (refreshing->thread_count == 0)
        return false;
    if (find_now(refreshing, TASK_FETCHED) != NULL)
        return true;
    if (find_now(refreshing, TASK_FREE) == NULL)
        return false;
    AUTO(query_end) query_t *query = find_due(writer, 1);
    return query_step(query, &due, &err) == STATUS_OK && due;
}

static bool is_fetched(const setup_t *setup, const provider_t *provider)
{
    static const char tls[] = "https:";
    return provider->active && field_set(&provider->fields, PROVIDER_SETTINGS_URL) &&
           (setup->metadata_allow_private ||
            strncasecmp(provider->settings_url, tls, sizeof(tls) - 1) == 0);
}

static status_t put_off(store_t *writer, const char *provider_id, int64_t until_utc_ms, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_PROVIDER_PUT_OFF);
    query_number(query, 1, until_utc_ms);
    query_text(query, 2, provider_id);
    return query_run(query, NULL, err);
}

/* One that is not to be fetched is looked at again when it would be due next. */
static status_t claim(refreshing_t *refreshing, store_t *writer, const char *provider_id,
                      err_t *err)
{
    const metadata_t none = {.fresh_until_ms = INT64_MAX};
    int64_t now = clock_utc_ms();
    provider_t provider;
    status_t status = provider_store_get(writer, provider_id, &provider, err);
    if (status != STATUS_OK)
        return status;
    if (!is_fetched(refreshing->setup, &provider))
        return put_off(writer, provider_id, now + refresh_pause_ms(refreshing->setup, &none, now),
                       err);
    (void)pthread_mutex_lock(&refreshing->lock);
    task_t *task = find(refreshing, TASK_FREE);
    if (task != NULL)
        task->state = TASK_CLAIMED;
    (void)pthread_mutex_unlock(&refreshing->lock);
    if (task == NULL)
        return STATUS_OK;
    text_cut(task->provider_id, sizeof(task->provider_id), provider_id);
    text_cut(task->url, sizeof(task->url), provider.settings_url);
    text_cut(task->entity_id, sizeof(task->entity_id), provider.settings.idp_entity_id);
    task->claimed_until_utc_ms = now + REFRESHING_CLAIM_MS;
    return put_off(writer, provider_id, task->claimed_until_utc_ms, err);
}

static status_t claim_some(refreshing_t *refreshing, store_t *writer, err_t *err)
{
    char ids[REFRESHING_TASKS][UUID_SIZE];
    size_t count = 0;
    {
        AUTO(query_end) query_t *query = find_due(writer, REFRESHING_TASKS);
        bool more = false;
        status_t status = query_step(query, &more, err);
        while (status == STATUS_OK && more && count < REFRESHING_TASKS) {
            status = query_copy_text(query, 0, ids[count++], UUID_SIZE, err);
            if (status == STATUS_OK)
                status = query_step(query, &more, err);
        }
        if (status != STATUS_OK)
            return status;
    }
    for (size_t i = 0; i < count; i++) {
        status_t status = claim(refreshing, writer, ids[i], err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Whether nobody else has said since when it is to be fetched, or that it is not. */
static status_t is_claimed(store_t *writer, const task_t *task, bool *out, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, SQL_PROVIDER_CLAIMED);
    query_text(query, 1, task->provider_id);
    query_number(query, 2, task->claimed_until_utc_ms);
    int64_t count = 0;
    status_t status = query_read_number(query, &count, err);
    *out = count == 1;
    return status;
}

/* Meanwhile it may have been deleted, made inactive, or given another URL or settings of its own.
 */
static status_t store_task(refreshing_t *refreshing, store_t *writer, task_t *task, err_t *err)
{
    int64_t now = clock_utc_ms();
    provider_t provider;
    bool claimed = false;
    refreshing->report = (refresh_report_t){.result = WORKER_REFRESH_RESULTS};
    status_t status = is_claimed(writer, task, &claimed, err);
    if (status != STATUS_OK || !claimed)
        return status;
    status = provider_store_get(writer, task->provider_id, &provider, err);
    if (status != STATUS_OK)
        return status;
    if (!is_fetched(refreshing->setup, &provider) || strcmp(provider.settings_url, task->url) != 0)
        return STATUS_OK;
    if (task->status == STATUS_OK)
        return refresh_apply(writer, refreshing->setup, &provider, &task->metadata, &task->filled,
                             now, &refreshing->report, err);
    refreshing->report.result = WORKER_REFRESH_FAILED;
    return refresh_fail(writer, refreshing->setup, task->provider_id, SAML_METADATA_UNUSABLE,
                        task->err.text, now, err);
}

static status_t run_batch(void *context, store_t *writer, bool *out_more, err_t *err)
{
    refreshing_t *refreshing = context;
    refreshing->stored = find_now(refreshing, TASK_FETCHED);
    *out_more = refreshing->stored != NULL;
    return refreshing->stored != NULL ? store_task(refreshing, writer, refreshing->stored, err)
                                      : claim_some(refreshing, writer, err);
}

static void settle_claims(refreshing_t *refreshing, bool kept)
{
    (void)pthread_mutex_lock(&refreshing->lock);
    for (size_t i = 0; i < REFRESHING_TASKS; i++)
        if (refreshing->tasks[i].state == TASK_CLAIMED)
            refreshing->tasks[i].state = kept ? TASK_WAITING : TASK_FREE;
    (void)pthread_cond_broadcast(&refreshing->filled);
    (void)pthread_mutex_unlock(&refreshing->lock);
}

static void log_outcome(const refreshing_t *refreshing, const task_t *task)
{
    bool failed = task->status != STATUS_OK;
    if (refreshing->report.result == WORKER_REFRESH_UNCHANGED)
        return;
    log_line_t line = log_line(failed ? LOG_WARN : LOG_INFO, "metadata_refreshed");
    log_text(&line, "provider", task->provider_id);
    log_text(&line, "outcome", failed ? task->err.text : refreshing->report.detail);
    log_end(&line);
}

static void settle(void *context, bool kept)
{
    refreshing_t *refreshing = context;
    task_t *task = refreshing->stored;
    refreshing->stored = NULL;
    if (task == NULL) {
        settle_claims(refreshing, kept);
        return;
    }
    if (kept && refreshing->report.result < WORKER_REFRESH_RESULTS) {
        metric_add(&worker_metric_refreshes, refreshing->report.result, 1);
        log_outcome(refreshing, task);
    }
    if (kept || ++task->tries == STORE_TRIES) /* else the claim lapses, and it is fetched again */
        set_free(refreshing, task);
}

/* ---- Beginning and ending ---- */

static status_t start_threads(refreshing_t *refreshing, err_t *err)
{
    if (refreshing->setup->metadata_refresh_s == 0)
        return STATUS_OK;
    for (size_t i = 0; i < REFRESHING_THREADS; i++, refreshing->thread_count++)
        if (pthread_create(&refreshing->threads[i], NULL, run_thread, refreshing) != 0)
            return err_set(err, STATUS_SYSTEM, "refreshing", "a thread cannot be started");
    return STATUS_OK;
}

status_t refreshing_begin(const setup_t *setup, const fetcher_t *fetcher, chores_t *chores,
                          refreshing_t **out, err_t *err)
{
    refreshing_t *refreshing = mem_zalloc(sizeof(*refreshing));
    refreshing->setup = setup;
    refreshing->fetcher = fetcher;
    (void)pthread_mutex_init(&refreshing->lock, NULL);
    (void)pthread_cond_init(&refreshing->filled, NULL);
    status_t status = start_threads(refreshing, err);
    if (status != STATUS_OK) {
        refreshing_end(&refreshing);
        return status;
    }
    const chore_t chore = {.event = "metadata_not_refreshed",
                           .every_ms = EVERY_MS,
                           .pause_ms = PAUSE_MS,
                           .context = refreshing,
                           .is_due = is_due,
                           .run = run_batch,
                           .settle = settle};
    chores_add(chores, &chore);
    *out = refreshing;
    return STATUS_OK;
}

void refreshing_end(refreshing_t **refreshing)
{
    refreshing_t *ending = *refreshing;
    if (ending == NULL)
        return;
    (void)pthread_mutex_lock(&ending->lock);
    ending->ends = true;
    (void)pthread_cond_broadcast(&ending->filled);
    (void)pthread_mutex_unlock(&ending->lock);
    for (size_t i = 0; i < ending->thread_count; i++)
        (void)pthread_join(ending->threads[i], NULL);
    for (size_t i = 0; i < REFRESHING_TASKS; i++)
        metadata_clear(&ending->tasks[i].metadata);
    (void)pthread_cond_destroy(&ending->filled);
    (void)pthread_mutex_destroy(&ending->lock);
    mem_free(ending);
    *refreshing = NULL;
}
