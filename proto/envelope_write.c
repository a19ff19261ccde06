#include "proto/envelope_internal.h"

#include "common/text.h"

#include <string.h>

static void write_text(msgpack_packer *out, const char *text)
{
    size_t length = strlen(text);
    msgpack_pack_str(out, length);
    msgpack_pack_str_body(out, text, length);
}

static void write_switch(msgpack_packer *out, bool value)
{
    if (value)
        msgpack_pack_true(out);
    else
        msgpack_pack_false(out);
}

static void write_principal(msgpack_packer *out, const principal_t *principal)
{
    if (principal->scope == SCOPE_NOBODY) {
        msgpack_pack_nil(out);
        return;
    }
    msgpack_pack_array(out, PRINCIPAL_ELEMENTS);
    write_text(out, principal->organization_id);
    write_text(out, principal->key_id);
    write_text(out, scope_name(principal->scope));
    write_switch(out, principal->is_operator);
}

void envelope_write_request(const request_t *request, msgpack_packer *out)
{
    msgpack_pack_array(out, REQUEST_ELEMENTS);
    msgpack_pack_int(out, ENVELOPE_VERSION);
    write_text(out, request->request_id);
    if (request->idempotency_key[0] == '\0')
        msgpack_pack_nil(out);
    else
        write_text(out, request->idempotency_key);
    write_switch(out, request->client_key);
    write_text(out, request->service);
    write_text(out, request->operation);
    write_principal(out, &request->principal);
}

static void write_count_or_nil(msgpack_packer *out, int64_t count)
{
    if (count < 0)
        msgpack_pack_nil(out);
    else
        msgpack_pack_int64(out, count);
}

static void write_page(msgpack_packer *out, const reply_t *reply)
{
    if (reply->page_number == 0) {
        msgpack_pack_nil(out);
        return;
    }
    msgpack_pack_array(out, PAGE_ELEMENTS);
    msgpack_pack_int64(out, reply->page_number);
    msgpack_pack_int64(out, reply->page_size);
    msgpack_pack_int64(out, reply->total);
}

static void write_reason(msgpack_packer *out, reason_t reason)
{
    if (reason == REASON_NONE)
        msgpack_pack_nil(out);
    else
        write_text(out, reason_words[reason]);
}

static void write_freshness(msgpack_packer *out, const freshness_t *fresh)
{
    if (fresh->until_utc_ms == 0) {
        msgpack_pack_nil(out);
        return;
    }
    msgpack_pack_array(out, FRESH_ELEMENTS);
    msgpack_pack_uint64(out, fresh->board);
    msgpack_pack_uint64(out, fresh->version);
    msgpack_pack_int64(out, fresh->until_utc_ms);
}

void envelope_write_reply(const reply_t *reply, const void *body, size_t body_length,
                          msgpack_packer *out)
{
    msgpack_pack_array(out, REPLY_ELEMENTS);
    msgpack_pack_int(out, ENVELOPE_VERSION);
    write_text(out, reply->request_id);
    write_text(out, outcome_name(reply->outcome));
    write_switch(out, reply->replayed);
    write_text(out, reply->message);
    if (body == NULL)
        msgpack_pack_nil(out);
    else
        (void)out->callback(out->data, body, body_length); /* an object that is packed already */
    msgpack_pack_array(out, reply->faults.count);
    for (size_t i = 0; i < reply->faults.count; i++) {
        const fault_t *fault = &reply->faults.items[i];
        msgpack_pack_array(out, FAULT_ELEMENTS);
        write_text(out, fault_code_name(fault->code));
        write_text(out, fault_place_name(fault->place));
        write_text(out, fault->where);
        write_text(out, fault->message);
    }
    write_count_or_nil(out, reply->next_offset);
    write_page(out, reply);
    write_reason(out, reply->reason);
    msgpack_pack_int(out, (int)reply->media);
    write_freshness(out, &reply->fresh);
    (void)msgpack_pack_object(out, reply->headers);
}

void reply_init(reply_t *reply, const char *request_id, outcome_t outcome)
{
    text_cut(reply->request_id, sizeof(reply->request_id), request_id);
    reply->outcome = outcome;
    reply->replayed = false;
    reply->message[0] = '\0';
    reply->body = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    reply->next_offset = -1;
    reply->page_number = reply->page_size = reply->total = 0;
    reply->reason = REASON_NONE;
    reply->media = MEDIA_JSON;
    reply->fresh = (freshness_t){0};
    reply->headers = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    reply->faults.count = 0;
}
