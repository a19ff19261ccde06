#include "tests/support/desk.h"

#include "common/clock.h"
#include "common/mem.h"
#include "proto/transcode.h"
#include "tests/support/migrated.h"
#include "tests/support/shown.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_KEY "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

enum { ANSWER_MS = 10000 };

struct desk_call {
    call_t call;
    const handler_t *handler;
    void *path, *query, *head, *body;
};

static void must(bool worked, const char *what)
{
    if (worked)
        return;
    (void)fprintf(stderr, "desk: %s\n", what);
    abort();
}

static void open_sip(desk_t *desk)
{
    err_t err = {0};
    const char *path = desk->scratch.path;
    const char *service = desk->spec->contract->name;
    desk->settings.sip = (sip_settings_t){.lockout_failures = 10,
                                          .lockout_source_failures = 100,
                                          .lockout_window_s = 60,
                                          .lockout_s = 60,
                                          .lockout_max_s = 3600,
                                          .nonce_s = 60,
                                          .ha1_ttl_s = 60};
    const sip_spec_t sip = {.family = desk->spec->sip,
                            .settings = &desk->settings.sip,
                            .directory = path,
                            .service = service,
                            .alone = true};
    must(sip_open(&sip, &desk->sip, &err) == STATUS_OK, err.text);
    desk->keeper.sip = &desk->sip;
}

void desk_open(desk_t *desk, const worker_spec_t *spec, bool sealed)
{
    err_t err = {0};
    *desk = (desk_t){.spec = spec,
                     .scratch = scratch_make(),
                     .now_utc_ms = INT64_C(1700000000000),
                     .answer_ms = ANSWER_MS};
    must(sodium_init() >= 0, "sodium");
    const char *path = desk->scratch.path;
    must(migrate_once(desk->spec->store, path, NULL, &err) == STATUS_OK, err.text);
    must(store_open(desk->spec->store, path, STORE_READER, &desk->reader, &err) == STATUS_OK,
         err.text);
    must(store_open(desk->spec->store, path, STORE_WRITER, &desk->writer, &err) == STATUS_OK,
         err.text);
    must(realms_parse("linekeeper,b", &desk->realms, &err) == STATUS_OK, err.text);
    if (sealed) {
        scratch_write(&desk->scratch, "seal.key", SEAL_KEY, 0600);
        must(seal_open_keys(scratch_file(&desk->scratch, "seal.key"), &desk->seal, &err) ==
                 STATUS_OK,
             err.text);
    }
    desk->keeper = (keeper_t){.service = spec->contract->name,
                              .seal = desk->seal,
                              .realms = &desk->realms,
                              .password_cost = {.passes = 1, .memory_bytes = 8192}};
    if (spec->sip != NULL)
        open_sip(desk);
    desk->principal = (principal_t){.organization_id = DESK_ORGANIZATION,
                                    .key_id = "01900000-0000-7000-8000-00000000000c",
                                    .scope = SCOPE_ADMIN};
}

void desk_close(desk_t *desk)
{
    json_decref(desk->body);
    json_decref(desk->headers);
    sip_close(&desk->sip);
    seal_close(&desk->seal);
    store_close(&desk->reader);
    store_close(&desk->writer);
    scratch_remove(&desk->scratch);
}

/* ---- asking ---- */

static void *read_part(call_t *call, const schema_t *schema, const msgpack_sbuffer *packed,
                       fault_place_t place)
{
    if (schema == NULL)
        return NULL;
    msgpack_unpacked decoded;
    msgpack_unpacked_init(&decoded);
    size_t used = 0;
    must(msgpack_unpack_next(&decoded, packed->data, packed->size, &used) == MSGPACK_UNPACK_SUCCESS,
         "part");
    void *record = mem_zalloc(schema->record_size);
    record_mode_t mode = place == FAULT_IN_BODY ? operation_mode(call->operation) : RECORD_WHOLE;
    status_t status = record_read(schema, &decoded.data, mode, place, record, &call->reply.faults);
    msgpack_unpacked_destroy(&decoded);
    if (status != STATUS_OK && !call->answered) {
        bool hidden = place == FAULT_IN_PATH && (call->operation->flags & OPERATION_BAD_ID) == 0;
        call_refuse(call,
                    hidden                    ? OUTCOME_UNKNOWN
                    : place == FAULT_IN_QUERY ? OUTCOME_BAD_QUERY
                                              : OUTCOME_INVALID,
                    NULL);
    }
    return record;
}

static void *read_path(call_t *call, const char *first, const char *second)
{
    const char *values[] = {first, second};
    size_t lengths[] = {first == NULL ? 0 : strlen(first), second == NULL ? 0 : strlen(second)};
    msgpack_sbuffer bytes;
    msgpack_packer out;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    transcode_path(call->operation->path_schema, values, lengths, &out);
    void *record = read_part(call, call->operation->path_schema, &bytes, FAULT_IN_PATH);
    msgpack_sbuffer_destroy(&bytes);
    return record;
}

static void *read_query(call_t *call, const char *input)
{
    msgpack_sbuffer bytes;
    msgpack_packer out;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    transcode_query(call->operation->query, input, &out, &call->reply.faults);
    void *record = read_part(call, call->operation->query, &bytes, FAULT_IN_QUERY);
    msgpack_sbuffer_destroy(&bytes);
    return record;
}

static void *read_json(call_t *call, const schema_t *schema, const char *input, fault_place_t place)
{
    if (schema == NULL)
        return NULL;
    const char *given = input == NULL ? "{}" : input;
    AUTO(mem_release) char *text = mem_copy(given, strlen(given));
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *object = json_loads(text, 0, NULL);
    must(object != NULL, text);
    msgpack_sbuffer bytes;
    msgpack_packer out;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    transcode_body(schema, object, &out);
    json_decref(object);
    void *record = read_part(call, schema, &bytes, place);
    msgpack_sbuffer_destroy(&bytes);
    return record;
}

static desk_call_t *call_new(desk_t *desk, unsigned index, const char *first, const char *second,
                             const char *input)
{
    desk_call_t *asked = mem_zalloc(sizeof(*asked));
    call_t *call = &asked->call;
    call->operation = &desk->spec->contract->operations[index];
    asked->handler = &desk->spec->handlers[index];
    call->keeper = &desk->keeper;
    bool open = (call->operation->flags & OPERATION_OPEN) != 0;
    call->request.principal = open ? (principal_t){.scope = SCOPE_NOBODY} : desk->principal;
    if (desk->request_id != NULL)
        text_cut(call->request.request_id, sizeof(call->request.request_id), desk->request_id);
    call->again = desk->again;
    call->now_utc_ms = desk->now_utc_ms;
    call->received_ms = clock_ms() - desk->waited_ms;
    call->deadline_ms = call->received_ms + desk->answer_ms;
    reply_init(&call->reply, "desk", OUTCOME_INTERNAL);
    msgpack_sbuffer_init(&call->body_bytes);
    call->path = asked->path = read_path(call, first, second);
    call->query = asked->query = read_query(call, input);
    call->head = asked->head = read_json(call, call->operation->head, desk->head, FAULT_IN_QUERY);
    call->body = asked->body = read_json(call, call->operation->body, input, FAULT_IN_BODY);
    return asked;
}

static bool writes(const desk_call_t *asked)
{
    return (asked->call.operation->flags & OPERATION_WRITES) != 0;
}

static void in_read(desk_t *desk, desk_call_t *asked, void (*handler)(call_t *, store_t *))
{
    err_t err = {0};
    if (store_begin_read(desk->reader, &err) != STATUS_OK)
        call_fail(&asked->call, &err);
    else
        handler(&asked->call, desk->reader);
    store_end_read(desk->reader);
}

desk_call_t *desk_prepare(desk_t *desk, unsigned operation, const char *first, const char *second,
                          const char *input)
{
    desk_call_t *asked = call_new(desk, operation, first, second, input);
    const handler_t *handler = asked->handler;
    call_t *call = &asked->call;
    if (call->answered)
        return asked;
    bool is_slow = (handler->is_slow != NULL && handler->is_slow(call)) ||
                   (handler->waits != NULL && handler->waits(call));
    if (writes(asked) && handler->prepare != NULL && is_slow)
        handler->prepare(call, desk->reader);
    return asked;
}

static void fail_instead(call_t *call, const err_t *err)
{
    call->answered = false;
    call_fail(call, err);
}

static void in_write(desk_t *desk, desk_call_t *asked)
{
    call_t *call = &asked->call;
    err_t err = {0};
    status_t status = store_begin(desk->writer, &err);
    if (status != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    status = store_save(desk->writer, &err);
    if (status == STATUS_OK) {
        asked->handler->write(call, desk->writer);
        if (call_is_kept(call))
            status = store_keep(desk->writer, &err);
        else
            store_undo(desk->writer);
    }
    if (status == STATUS_OK && call_is_kept(call))
        status = store_commit(desk->writer, &err);
    else
        store_rollback(desk->writer);
    if (status != STATUS_OK) {
        store_rollback(desk->writer);
        fail_instead(call, &err);
    }
}

static json_t *show_body(const call_t *call)
{
    if (call->body_bytes.size == 0)
        return NULL;
    msgpack_unpacked decoded;
    msgpack_unpacked_init(&decoded);
    size_t used = 0;
    must(msgpack_unpack_next(&decoded, call->body_bytes.data, call->body_bytes.size, &used) ==
                 MSGPACK_UNPACK_SUCCESS &&
             used == call->body_bytes.size,
         "answer");
    if (call->reply.media != MEDIA_JSON) {
        must(decoded.data.type == MSGPACK_OBJECT_STR, "document");
        size_t size = decoded.data.via.str.size;
        json_t *text = json_stringn(size == 0 ? "" : decoded.data.via.str.ptr, size);
        msgpack_unpacked_destroy(&decoded);
        return text;
    }
    bool list = (call->operation->flags & OPERATION_LIST) != 0;
    json_t *body = shown_result(call->operation->result, &decoded.data, list);
    msgpack_unpacked_destroy(&decoded);
    return body;
}

static json_t *show_headers(const reply_t *reply)
{
    json_t *shown = json_array();
    for (uint32_t i = 0;
         reply->headers.type == MSGPACK_OBJECT_ARRAY && i < reply->headers.via.array.size; i++) {
        const msgpack_object *pair = reply->headers.via.array.ptr[i].via.array.ptr;
        json_array_append_new(shown,
                              json_pack("[s#, s#]", pair[0].via.str.ptr, (int)pair[0].via.str.size,
                                        pair[1].via.str.ptr, (int)pair[1].via.str.size));
    }
    return shown;
}

const char *desk_header(const desk_t *desk, const char *name)
{
    size_t i = 0;
    json_t *pair = NULL;
    json_array_foreach(desk->headers, i, pair)
    {
        if (strcmp(json_string_value(json_array_get(pair, 0)), name) == 0)
            return json_string_value(json_array_get(pair, 1));
    }
    return NULL;
}

/* As link and slow pool do. */
static void read_somewhere(desk_t *desk, desk_call_t *asked)
{
    call_t *call = &asked->call;
    const handler_t *handler = asked->handler;
    call->on_link = handler->is_slow == NULL || !handler->is_slow(call);
    desk->was_quick = call->on_link;
    in_read(desk, asked, handler->read);
    call->on_link = false;
    if (!call->deferred)
        return;
    must(!call->answered && call->body_bytes.size == 0, "deferred and answered");
    call->deferred = false;
    desk->was_quick = false;
    in_read(desk, asked, handler->read);
}

outcome_t desk_finish(desk_t *desk, desk_call_t *asked)
{
    call_t *call = &asked->call;
    if (!call->answered && writes(asked))
        in_write(desk, asked);
    else if (!call->answered)
        read_somewhere(desk, asked);
    must(call->answered, "no answer");
    json_decref(desk->body);
    desk->body = call_is_kept(call) ? show_body(call) : NULL;
    json_decref(desk->headers);
    desk->headers = show_headers(&call->reply);
    desk->outcome = call->reply.outcome;
    desk->faults = call->reply.faults;
    desk->reason = call->reply.reason;
    desk->media = call->reply.media;
    desk->fresh = call->reply.fresh;
    text_cut(desk->message, sizeof(desk->message), call->reply.message);
    desk->next_offset = call->reply.next_offset;
    desk->total = call->reply.total;
    desk->status = call->failed ? call->err.status : STATUS_OK;
    if (call->state != NULL)
        call->free_state(call->state);
    call_headers_clear(call);
    msgpack_sbuffer_destroy(&call->body_bytes);
    mem_free(asked->path);
    mem_free(asked->query);
    mem_free(asked->head);
    mem_free(asked->body);
    mem_free(asked);
    return desk->outcome;
}

outcome_t desk_ask(desk_t *desk, unsigned operation, const char *first, const char *second,
                   const char *input)
{
    return desk_finish(desk, desk_prepare(desk, operation, first, second, input));
}

/* ---- looking ---- */

static json_t *member_of(const desk_t *desk, const char *member)
{
    json_t *value = json_object_get(desk->body, member);
    must(value != NULL, member);
    return value;
}

const char *desk_text(const desk_t *desk, const char *member)
{
    json_t *value = member_of(desk, member);
    must(json_is_string(value) || json_is_null(value), member);
    return json_string_value(value);
}

int64_t desk_number(const desk_t *desk, const char *member)
{
    json_t *value = member_of(desk, member);
    must(json_is_integer(value) || json_is_null(value) || json_is_boolean(value), member);
    if (json_is_boolean(value))
        return json_is_true(value);
    return json_is_null(value) ? -1 : json_integer_value(value);
}

bool desk_has(const desk_t *desk, const char *member)
{
    return json_object_get(desk->body, member) != NULL;
}

size_t desk_count(const desk_t *desk)
{
    must(json_is_array(desk->body), "no list");
    return json_array_size(desk->body);
}

const char *desk_fault(const desk_t *desk)
{
    static char text[160];
    text[0] = '\0';
    if (desk->faults.count > 0)
        must(text_format(text, sizeof(text), "%s %s", fault_code_name(desk->faults.items[0].code),
                         desk->faults.items[0].where) == STATUS_OK,
             "size");
    return text;
}

/* The first column of the first row. The caller ends both. */
static sqlite3_stmt *look(const desk_t *desk, const char *sql, sqlite3 **out_db)
{
    char path[STORE_PATH_SIZE];
    err_t err = {0};
    sqlite3_stmt *statement = NULL;
    must(store_path(desk->spec->store, desk->scratch.path, path, &err) == STATUS_OK, err.text);
    must(sqlite3_open(path, out_db) == SQLITE_OK, path);
    must(sqlite3_prepare_v2(*out_db, sql, -1, &statement, NULL) == SQLITE_OK,
         sqlite3_errmsg(*out_db));
    must(sqlite3_step(statement) == SQLITE_ROW, sql);
    return statement;
}

int64_t desk_query(const desk_t *desk, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = look(desk, sql, &db);
    int64_t number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return number;
}

void desk_text_of(const desk_t *desk, const char *sql, char *out, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = look(desk, sql, &db);
    const void *text = sqlite3_column_text(statement, 0);
    must(text != NULL && strlen(text) < size, sql);
    text_cut(out, size, text);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
}

const char *desk_plan(const desk_t *desk, size_t statement)
{
    static char plan[2048];
    char path[STORE_PATH_SIZE], sql[2048];
    err_t err = {0};
    sqlite3 *db = NULL;
    sqlite3_stmt *explain = NULL;
    size_t length = 0;
    must(store_path(desk->spec->store, desk->scratch.path, path, &err) == STATUS_OK, err.text);
    must(sqlite3_open(path, &db) == SQLITE_OK, path);
    must(text_format(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s",
                     desk->spec->store->statements[statement]) == STATUS_OK,
         "size");
    must(sqlite3_prepare_v2(db, sql, -1, &explain, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    plan[0] = '\0';
    while (sqlite3_step(explain) == SQLITE_ROW) {
        const void *line = sqlite3_column_text(explain, 3);
        must(text_format(plan + length, sizeof(plan) - length, "%s\n", (const char *)line) ==
                 STATUS_OK,
             "size");
        length = strlen(plan);
    }
    (void)sqlite3_finalize(explain);
    (void)sqlite3_close(db);
    return plan;
}
