/* Requests become calls, answers become replies.
 * Must never: trust the gateway's checks, or keep a pointer into a message. Next: link_calls.c for
 * what moves jobs, services/<name>/handlers.c for what answers them. */
#include "services/common/dispatch.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/text.h"
#include "services/common/replylog.h"
#include "services/common/worker_metrics.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST_MS = 60 * 60 * 1000, /* whatever the gateway says is left */
    MARGIN_MS = 100,             /* that late is too late: the reply has a way to go, too */
    SPARE_JOBS = 256,
    KEPT_RECORDS = 64 * 1024, /* room that a job has for good; what needs more gets it for a call */
    ZONE_CHUNK = 8192,
};

struct dispatch {
    const worker_spec_t *spec;
    const keeper_t *keeper;
    const operation_t **by_name; /* sorted */
    size_t records_size;         /* of the operation that needs most, up to KEPT_RECORDS */
    msgpack_zone zone;           /* one request's decoded form, used again for the next */
    job_t *spares;
    size_t spare_count;
};

static int compare_names(const void *a, const void *b)
{
    const operation_t *const *left = a;
    const operation_t *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static int compare_with_name(const void *name, const void *row)
{
    const operation_t *const *operation = row;
    return strcmp(name, (*operation)->name);
}

static size_t record_room(const schema_t *schema)
{
    size_t grain = alignof(max_align_t);
    return schema == NULL ? 0 : (schema->record_size + grain - 1) / grain * grain;
}

static size_t records_room(const operation_t *operation)
{
    return record_room(operation->path_schema) + record_room(operation->query) +
           record_room(operation->head) + record_room(operation->body);
}

static status_t check_handlers(const worker_spec_t *spec, err_t *err)
{
    const service_t *contract = spec->contract;
    if (spec->handler_count != contract->operation_count)
        return err_set(err, STATUS_INVALID, contract->name, "%zu operations have %zu handlers",
                       contract->operation_count, spec->handler_count);
    for (size_t i = 0; i < spec->handler_count; i++) {
        bool writes = (contract->operations[i].flags & OPERATION_WRITES) != 0;
        if (writes ? spec->handlers[i].write == NULL : spec->handlers[i].read == NULL)
            return err_set(err, STATUS_INVALID, contract->operations[i].name, "has no handler");
        if (spec->handlers[i].waits != NULL && (!writes || spec->handlers[i].prepare == NULL))
            return err_set(err, STATUS_INVALID, contract->operations[i].name,
                           "waits, and has nothing to prepare");
    }
    return STATUS_OK;
}

status_t dispatch_new(const worker_spec_t *spec, const keeper_t *keeper, dispatch_t **out,
                      err_t *err)
{
    status_t status = check_handlers(spec, err);
    if (status != STATUS_OK)
        return status;
    dispatch_t *dispatch = mem_zalloc(sizeof(*dispatch));
    dispatch->spec = spec;
    dispatch->keeper = keeper;
    size_t count = spec->contract->operation_count;
    dispatch->by_name = mem_array(count, sizeof(const operation_t *));
    for (size_t i = 0; i < count; i++) {
        const operation_t *operation = &spec->contract->operations[i];
        dispatch->by_name[i] = operation;
        size_t room = records_room(operation);
        if (room > dispatch->records_size && room <= KEPT_RECORDS)
            dispatch->records_size = room;
    }
    qsort(dispatch->by_name, count, sizeof(const operation_t *), compare_names);
    if (!msgpack_zone_init(&dispatch->zone, ZONE_CHUNK))
        abort(); /* out of memory */
    *out = dispatch;
    return STATUS_OK;
}

void dispatch_free(dispatch_t **dispatch)
{
    if (*dispatch == NULL)
        return;
    while ((*dispatch)->spares != NULL) {
        job_t *job = (*dispatch)->spares;
        (*dispatch)->spares = job->next;
        job_free(&job);
    }
    msgpack_zone_destroy(&(*dispatch)->zone);
    mem_free((*dispatch)->by_name);
    mem_free(*dispatch);
    *dispatch = NULL;
}

static job_t *take_job(dispatch_t *dispatch)
{
    job_t *job = dispatch->spares;
    if (job == NULL)
        return job_new(dispatch->records_size);
    dispatch->spares = job->next;
    dispatch->spare_count--;
    job->next = NULL;
    return job;
}

void dispatch_drop(dispatch_t *dispatch, job_t *job)
{
    worker_metrics_call(&job->call);
    if (dispatch->spare_count == SPARE_JOBS) {
        job_free(&job);
        return;
    }
    job_clear(job);
    job->next = dispatch->spares;
    dispatch->spares = job;
    dispatch->spare_count++;
}

/* ---- what is asked ---- */

static bool read_envelope(dispatch_t *dispatch, const batch_item_t *item, request_t *out)
{
    msgpack_object envelope;
    msgpack_zone_clear(&dispatch->zone);
    return envelope_decode_in(&dispatch->zone, item->bytes, item->length, &envelope) == STATUS_OK &&
           envelope_read_request(&envelope, out) == STATUS_OK;
}

static void fail_foreign(call_t *call, const char *text)
{
    err_t err;
    (void)err_set(&err, STATUS_INVALID, call->request.operation, "%s", text);
    call_fail(call, &err);
}

/* Reads one of the maps into its record, which stands at *at. */
static bool read_part(call_t *call, const schema_t *schema, const msgpack_object *map,
                      fault_place_t place, unsigned char **at, const void **out)
{
    *out = NULL;
    if (schema == NULL)
        return true;
    record_mode_t mode = place == FAULT_IN_BODY ? operation_mode(call->operation) : RECORD_WHOLE;
    *out = *at;
    status_t status = record_read(schema, map, mode, place, *at, &call->reply.faults);
    *at += record_room(schema);
    return status == STATUS_OK;
}

/* Returns false once it has answered. */
static bool read_records(job_t *job)
{
    call_t *call = &job->call;
    const operation_t *operation = call->operation;
    unsigned char *at = job_records(job, records_room(operation));
    if (!read_part(call, operation->path_schema, &call->request.path, FAULT_IN_PATH, &at,
                   &call->path)) {
        bool told = (operation->flags & OPERATION_BAD_ID) != 0;
        if (!told)
            call->reply.faults.count = 0;
        call_refuse(call, told ? OUTCOME_INVALID : OUTCOME_UNKNOWN, NULL);
        return false;
    }
    if (!read_part(call, operation->query, &call->request.query, FAULT_IN_QUERY, &at,
                   &call->query)) {
        call_refuse(call, OUTCOME_BAD_QUERY, NULL);
        return false;
    }
    if (!read_part(call, operation->head, &call->request.head, FAULT_IN_QUERY, &at, &call->head)) {
        fail_foreign(call, "its head is not what a gateway sends");
        return false;
    }
    if (!read_part(call, operation->body, &call->request.body, FAULT_IN_BODY, &at, &call->body)) {
        call_refuse(call, OUTCOME_INVALID, NULL);
        return false;
    }
    return true;
}

static lane_t choose_lane(const job_t *job)
{
    const handler_t *handler = job->handler;
    if (handler->waits != NULL && handler->waits(&job->call))
        return LANE_WAIT;
    bool slow = handler->is_slow != NULL && handler->is_slow(&job->call);
    if ((job->call.operation->flags & OPERATION_WRITES) == 0)
        return slow ? LANE_SLOW_READ : LANE_READ;
    return slow && handler->prepare != NULL ? LANE_PREPARE : LANE_WRITE;
}

static const operation_t *find_operation(const dispatch_t *dispatch, const request_t *request)
{
    if (strcmp(request->service, dispatch->spec->contract->name) != 0)
        return NULL;
    const operation_t *const *row =
        bsearch(request->operation, dispatch->by_name, dispatch->spec->contract->operation_count,
                sizeof(const operation_t *), compare_with_name);
    return row == NULL ? NULL : *row;
}

/* Before the gateway's own: what is given up here is a 503, and nothing was done; what the gateway
 * gives up is a 504, and nobody knows. */
static int64_t deadline(int64_t now_ms, int64_t ms_left)
{
    int64_t left = ms_left < LONGEST_MS ? ms_left : LONGEST_MS;
    return now_ms + left - (left / 8 < MARGIN_MS ? left / 8 : MARGIN_MS);
}

/* Decides the lane, or answers. */
static lane_t route(dispatch_t *dispatch, job_t *job, const batch_item_t *item, int64_t now_ms)
{
    call_t *call = &job->call;
    const operation_t *operation = find_operation(dispatch, &call->request);
    if (operation == NULL) {
        fail_foreign(call, "is no operation of this service");
        return LANE_DONE;
    }
    call->operation = operation;
    job->handler = &dispatch->spec->handlers[operation - dispatch->spec->contract->operations];
    if (item->ms_left <= 0) {
        call_refuse(call, OUTCOME_UNAVAILABLE, NULL);
        return LANE_DONE;
    }
    call->deadline_ms = deadline(now_ms, item->ms_left);
    if (!operation_permits(operation, call->request.principal.scope)) {
        call_refuse(call, OUTCOME_FORBIDDEN, NULL);
        return LANE_DONE;
    }
    if ((operation->flags & OPERATION_OPEN) != 0 && call->request.client_key) {
        fail_foreign(call, "has a client's key, and is for nobody known");
        return LANE_DONE;
    }
    if (!read_records(job))
        return LANE_DONE;
    if ((operation->flags & OPERATION_WRITES) != 0 && call->request.idempotency_key[0] != '\0')
        replylog_digest(&call->request, job->digest);
    return choose_lane(job);
}

job_t *dispatch_accept(dispatch_t *dispatch, const batch_item_t *item, int64_t now_ms)
{
    job_t *job = take_job(dispatch);
    call_t *call = &job->call;
    job->id = item->id;
    job->again = call->again = item->again;
    call->keeper = dispatch->keeper;
    call->now_utc_ms = clock_utc_ms();
    call->received_ms = call->deadline_ms = now_ms;
    if (read_envelope(dispatch, item, &call->request)) {
        reply_init(&call->reply, call->request.request_id, OUTCOME_INTERNAL);
        job->lane = route(dispatch, job, item, now_ms);
    } else {
        call->request = (request_t){0};
        reply_init(&call->reply, "", OUTCOME_INTERNAL);
        fail_foreign(call, "the request is malformed");
        job->lane = LANE_DONE;
    }
    msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
    call->request.path = call->request.query = nothing;
    call->request.head = call->request.body = nothing;
    assert(call->answered == (job->lane == LANE_DONE));
    return job;
}

/* ---- what is answered ---- */

void dispatch_read(job_t *job, store_t *reader)
{
    job->handler->read(&job->call, reader);
    assert(job->call.answered != job->call.deferred);
}

/* Too much to do is no failure of this call, and thousands of lines would not help. */
static log_level_t level_of(const call_t *call, const err_t *err)
{
    if (call->reply.outcome == OUTCOME_INTERNAL)
        return LOG_ERROR;
    return err == NULL ? LOG_DEBUG : LOG_WARN;
}

/* A database that is locked, full or damaged fails every call: one line a second for each kind of
 * failure, on whatever threads. */
static bool may_log(const err_t *err, int64_t *out_held_back)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static log_limit_t limits[STATUS_SYSTEM + 1];
    if (err == NULL)
        return true;
    worker_metrics_failure(err->status);
    (void)pthread_mutex_lock(&lock);
    bool due = log_due(&limits[err->status], clock_ms(), out_held_back);
    (void)pthread_mutex_unlock(&lock);
    return due;
}

static void log_failed(const call_t *call, const err_t *err)
{
    int64_t held_back = 0;
    if (!may_log(err, &held_back))
        return;
    log_line_t line = log_line(level_of(call, err), "call_failed");
    log_text(&line, "request", call->request.request_id);
    log_text(&line, "operation", call->request.operation);
    log_text(&line, "outcome", outcome_name(call->reply.outcome));
    if (err != NULL)
        log_error(&line, err);
    if (held_back > 0)
        log_number(&line, "held_back", held_back);
    log_end(&line);
}

static void pack(job_t *job)
{
    const msgpack_sbuffer *body = &job->call.body_bytes;
    msgpack_packer out;
    msgpack_sbuffer_clear(&job->reply);
    msgpack_packer_init(&out, &job->reply, msgpack_sbuffer_write);
    envelope_write_reply(&job->call.reply, body->size == 0 ? NULL : body->data, body->size, &out);
}

void dispatch_finish(job_t *job)
{
    assert(job->call.answered);
    if (job->call.failed)
        log_failed(&job->call, &job->call.err);
    pack(job);
}

void dispatch_finish_with(job_t *job, outcome_t outcome, const err_t *err)
{
    call_t *call = &job->call;
    msgpack_sbuffer_clear(&call->body_bytes);
    call_headers_clear(call);
    reply_init(&call->reply, call->request.request_id, outcome);
    call->answered = true;
    log_failed(call, err);
    pack(job);
}

bool dispatch_is_late(const job_t *job, int64_t now_ms)
{
    return now_ms >= job->call.deadline_ms;
}
