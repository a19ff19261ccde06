/* How a handler answers its call. Must never: log, or touch a socket. Next: dispatch.c. */
#include "services/common/call.h"

#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

enum { LIST_HEAD = 5 };

static void end(call_t *call, outcome_t outcome)
{
    assert(!call->answered);
    call->answered = true;
    call->reply.outcome = outcome;
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

void call_document(call_t *call, media_t media, const char *bytes, size_t length)
{
    end(call, call->operation->success);
    call->reply.media = media;
    msgpack_packer out;
    msgpack_packer_init(&out, &call->body_bytes, msgpack_sbuffer_write);
    msgpack_pack_str(&out, length);
    msgpack_pack_str_body(&out, bytes, length);
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
    call->deferred = true;
    return true;
}

bool call_may_see(const call_t *call, const char *organization_id)
{
    const principal_t *principal = &call->request.principal;
    return principal->is_operator || strcmp(principal->organization_id, organization_id) == 0;
}
