/* How a handler answers its call. Must never: log, or touch a socket. Next: dispatch.c. */
#include "services/common/call.h"

#include "common/mem.h"
#include "common/text.h"
#include "proto/dialect.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

enum { LIST_HEAD = 5 };

/* What was not done has no cookie to set. */
static void end(call_t *call, outcome_t outcome)
{
    assert(!call->answered);
    call->answered = true;
    call->reply.outcome = outcome;
    if (!call_is_kept(call))
        call_headers_clear(call);
}

bool call_is_kept(const call_t *call)
{
    return outcome_is_success(call->reply.outcome) || call->reply.outcome == OUTCOME_DENIED;
}

void call_answer(call_t *call, const void *record)
{
    end(call, call->operation->success);
    if (record == NULL || call->operation->result == NULL)
        return;
    msgpack_packer out;
    msgpack_packer_init(&out, &call->body_bytes, msgpack_sbuffer_write);
    record_write(call->operation->result, record, &out);
}

/* The array's head has room for any count (array 32) and is written last. */
void call_list_begin(call_t *call)
{
    static const char blank[LIST_HEAD] = {(char)0xdd};
    assert(!call->answered && call->body_bytes.size == 0);
    (void)msgpack_sbuffer_write(&call->body_bytes, blank, sizeof(blank));
    call->list_count = 0;
}

void call_list_add(call_t *call, const void *record)
{
    assert(!call->answered && call->body_bytes.size >= LIST_HEAD);
    msgpack_packer out;
    msgpack_packer_init(&out, &call->body_bytes, msgpack_sbuffer_write);
    record_write(call->operation->result, record, &out);
    call->list_count++;
}

void call_list_end(call_t *call, int64_t next_offset)
{
    end(call, call->operation->success);
    for (unsigned i = 0; i < 4; i++)
        call->body_bytes.data[1 + i] = (char)(call->list_count >> (24 - 8 * i));
    call->reply.next_offset = next_offset;
}

void call_list_end_page(call_t *call, int64_t number, int64_t size, int64_t total)
{
    call_list_end(call, -1);
    call->reply.page_number = number;
    call->reply.page_size = size;
    call->reply.total = total;
}

void call_document_as(call_t *call, outcome_t outcome, media_t media, const char *bytes,
                      size_t length)
{
    end(call, outcome);
    call->reply.media = media;
    msgpack_packer out;
    msgpack_packer_init(&out, &call->body_bytes, msgpack_sbuffer_write);
    msgpack_pack_str(&out, length);
    msgpack_pack_str_body(&out, bytes, length);
}

void call_document(call_t *call, media_t media, const char *bytes, size_t length)
{
    call_document_as(call, call->operation->success, media, bytes, length);
}

/* ---- headers ---- */

static msgpack_object text_of(const char *bytes, size_t length)
{
    return (msgpack_object){.type = MSGPACK_OBJECT_STR,
                            .via.str = {.ptr = mem_copy(bytes, length), .size = (uint32_t)length}};
}

static void add_header(call_t *call, const msgpack_object *pair)
{
    call_headers_t *headers = &call->headers;
    assert(headers->count < REPLY_HEADERS_MAX);
    size_t at = headers->count++;
    for (size_t i = 0; i < 2; i++)
        headers->texts[at][i] = text_of(pair[i].via.str.ptr, pair[i].via.str.size);
    headers->pairs[at] = (msgpack_object){.type = MSGPACK_OBJECT_ARRAY,
                                          .via.array = {.size = 2, .ptr = headers->texts[at]}};
    call->reply.headers =
        (msgpack_object){.type = MSGPACK_OBJECT_ARRAY,
                         .via.array = {.size = (uint32_t)headers->count, .ptr = headers->pairs}};
}

void call_headers_clear(call_t *call)
{
    for (size_t i = 0; i < call->headers.count; i++) {
        for (size_t k = 0; k < 2; k++) {
            union {
                const char *shown;
                char *owned;
            } text = {call->headers.texts[i][k].via.str.ptr};
            sodium_memzero(text.owned, call->headers.texts[i][k].via.str.size);
            mem_free(text.owned);
        }
    }
    call->headers.count = 0;
    call->reply.headers = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
}

void call_headers_again(call_t *call, const msgpack_object *headers)
{
    const msgpack_object given = *headers; /* perhaps call->reply's own */
    call_headers_clear(call);
    for (uint32_t i = 0; given.type == MSGPACK_OBJECT_ARRAY && i < given.via.array.size; i++)
        add_header(call, given.via.array.ptr[i].via.array.ptr);
}

status_t call_header(call_t *call, const char *name, const char *value)
{
    assert(!call->answered);
    const size_t name_length = strlen(name), length = strlen(value);
    if (reply_header(name, name_length, value, length) == NULL)
        return STATUS_INVALID;
    const msgpack_object pair[2] = {
        {.type = MSGPACK_OBJECT_STR, .via.str = {.ptr = name, .size = (uint32_t)name_length}},
        {.type = MSGPACK_OBJECT_STR, .via.str = {.ptr = value, .size = (uint32_t)length}}};
    add_header(call, pair);
    return STATUS_OK;
}

status_t call_elsewhere(call_t *call, const char *location)
{
    status_t status = call_header(call, "Location", location);
    if (status == STATUS_OK)
        end(call, OUTCOME_ELSEWHERE);
    return status;
}

void call_say(call_t *call, const char *message)
{
    assert(!call->answered);
    text_cut(call->reply.message, sizeof(call->reply.message), message);
}

void call_refuse(call_t *call, outcome_t outcome, const char *message)
{
    end(call, outcome);
    msgpack_sbuffer_clear(&call->body_bytes);
    if (message != NULL)
        text_cut(call->reply.message, sizeof(call->reply.message), message);
}

void call_fault(call_t *call, fault_code_t code, fault_place_t place, const char *where,
                const char *message)
{
    assert(!call->answered);
    faults_add(&call->reply.faults, code, place, where, "%s", message);
}

outcome_t call_failure(status_t status)
{
    bool may_pass = status == STATUS_BUSY || status == STATUS_FULL || status == STATUS_TIMEOUT ||
                    status == STATUS_CLOSED;
    return may_pass ? OUTCOME_UNAVAILABLE : OUTCOME_INTERNAL;
}

void call_fail(call_t *call, const err_t *err)
{
    call->failed = true;
    call->err = *err;
    call->reply.faults.count = 0;
    call_refuse(call, call_failure(err->status), NULL);
}

bool call_defer(call_t *call)
{
    assert(!call->answered);
    if (!call->on_link)
        return false;
    msgpack_sbuffer_clear(&call->body_bytes);
    call_headers_clear(call);
    call->deferred = true;
    return true;
}

bool call_may_see(const call_t *call, const char *organization_id)
{
    const principal_t *principal = &call->request.principal;
    return principal->is_operator || strcmp(principal->organization_id, organization_id) == 0;
}
