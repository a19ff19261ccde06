#include "proto/envelope_internal.h"

#include "common/text.h"
#include "proto/scan.h"

#include <string.h>

static const char *const outcome_names[] = {
    [OUTCOME_OK] = "OK",
    [OUTCOME_CREATED] = "CREATED",
    [OUTCOME_DELETED] = "DELETED",
    [OUTCOME_ELSEWHERE] = "ELSEWHERE",
    [OUTCOME_DENIED] = "DENIED",
    [OUTCOME_INVALID] = "INVALID",
    [OUTCOME_BAD_QUERY] = "BAD_QUERY",
    [OUTCOME_UNKNOWN] = "UNKNOWN",
    [OUTCOME_CONFLICT] = "CONFLICT",
    [OUTCOME_KEY_REUSED] = "KEY_REUSED",
    [OUTCOME_FORBIDDEN] = "FORBIDDEN",
    [OUTCOME_UNAVAILABLE] = "UNAVAILABLE",
    [OUTCOME_INTERNAL] = "INTERNAL",
    [OUTCOME_UNAUTHENTICATED] = "UNAUTHENTICATED",
    [OUTCOME_NO_ROUTE] = "NO_ROUTE",
    [OUTCOME_BAD_METHOD] = "BAD_METHOD",
    [OUTCOME_BAD_JSON] = "BAD_JSON",
    [OUTCOME_BAD_REQUEST] = "BAD_REQUEST",
    [OUTCOME_BODY_TOO_LARGE] = "BODY_TOO_LARGE",
    [OUTCOME_URL_TOO_LONG] = "URL_TOO_LONG",
    [OUTCOME_BAD_MEDIA_TYPE] = "BAD_MEDIA_TYPE",
    [OUTCOME_RATE_LIMITED] = "RATE_LIMITED",
    [OUTCOME_TIMEOUT] = "TIMEOUT",
};
_Static_assert(ARRAY_LEN(outcome_names) == OUTCOME_COUNT, "every outcome has a name");

const char *outcome_name(outcome_t outcome)
{
    return outcome_names[outcome];
}

/* ---- reading: a cursor over an array that fails for good once an element is not as expected ----
 */

typedef struct {
    const msgpack_object *at;
    uint32_t left;
    bool failed;
} elements_t;

static elements_t elements_of(const msgpack_object *array, uint32_t count)
{
    if (array->type != MSGPACK_OBJECT_ARRAY || array->via.array.size != count)
        return (elements_t){.failed = true};
    return (elements_t){.at = array->via.array.ptr, .left = count};
}

static const msgpack_object *next_element(elements_t *elements)
{
    static const msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
    if (elements->failed || elements->left == 0) {
        elements->failed = true;
        return &nothing;
    }
    elements->left--;
    return elements->at++;
}

static void read_text(elements_t *elements, char *out, size_t size)
{
    const msgpack_object *element = next_element(elements);
    if (element->type != MSGPACK_OBJECT_STR ||
        text_utf8_length(element->via.str.ptr, element->via.str.size) < 0 ||
        text_has_nul(element->via.str.ptr, element->via.str.size) ||
        text_copy(out, size, element->via.str.ptr, element->via.str.size) != STATUS_OK)
        elements->failed = true;
}

static void read_text_or_nil(elements_t *elements, char *out, size_t size)
{
    if (!elements->failed && elements->left > 0 && elements->at->type == MSGPACK_OBJECT_NIL) {
        (void)next_element(elements);
        out[0] = '\0';
    } else {
        read_text(elements, out, size);
    }
}

static bool read_switch(elements_t *elements)
{
    const msgpack_object *element = next_element(elements);
    if (element->type != MSGPACK_OBJECT_BOOLEAN)
        elements->failed = true;
    return element->type == MSGPACK_OBJECT_BOOLEAN && element->via.boolean;
}

static void read_version(elements_t *elements)
{
    const msgpack_object *element = next_element(elements);
    if (element->type != MSGPACK_OBJECT_POSITIVE_INTEGER || element->via.u64 != ENVELOPE_VERSION)
        elements->failed = true;
}

static msgpack_object read_map_or_nil(elements_t *elements)
{
    const msgpack_object *element = next_element(elements);
    if (element->type != MSGPACK_OBJECT_MAP && element->type != MSGPACK_OBJECT_NIL)
        elements->failed = true;
    return *element;
}

static msgpack_object read_result(elements_t *elements)
{
    const msgpack_object *element = next_element(elements);
    if (element->type != MSGPACK_OBJECT_MAP && element->type != MSGPACK_OBJECT_ARRAY &&
        element->type != MSGPACK_OBJECT_STR && element->type != MSGPACK_OBJECT_NIL)
        elements->failed = true;
    return *element;
}

static int64_t read_count_or_nil(elements_t *elements)
{
    const msgpack_object *element = next_element(elements);
    if (element->type == MSGPACK_OBJECT_NIL)
        return -1;
    if (element->type != MSGPACK_OBJECT_POSITIVE_INTEGER || element->via.u64 > INT64_MAX)
        elements->failed = true;
    return element->via.i64;
}

static void read_principal(elements_t *elements, principal_t *out)
{
    const msgpack_object *element = next_element(elements);
    *out = (principal_t){.scope = SCOPE_NOBODY};
    if (element->type == MSGPACK_OBJECT_NIL)
        return;
    elements_t inner = elements_of(element, PRINCIPAL_ELEMENTS);
    char scope[16];
    read_text(&inner, out->organization_id, sizeof(out->organization_id));
    read_text(&inner, out->key_id, sizeof(out->key_id));
    read_text(&inner, scope, sizeof(scope));
    out->is_operator = read_switch(&inner);
    if (inner.failed || scope_parse(scope, &out->scope) != STATUS_OK ||
        out->organization_id[0] == '\0' || out->key_id[0] == '\0')
        elements->failed = true;
}

status_t envelope_read_request(const msgpack_object *envelope, request_t *out)
{
    elements_t elements = elements_of(envelope, REQUEST_ELEMENTS);
    read_version(&elements);
    read_text(&elements, out->request_id, sizeof(out->request_id));
    read_text_or_nil(&elements, out->idempotency_key, sizeof(out->idempotency_key));
    out->client_key = read_switch(&elements);
    read_text(&elements, out->service, sizeof(out->service));
    read_text(&elements, out->operation, sizeof(out->operation));
    read_principal(&elements, &out->principal);
    out->path = read_map_or_nil(&elements);
    out->query = read_map_or_nil(&elements);
    out->head = read_map_or_nil(&elements);
    out->body = read_map_or_nil(&elements);
    return elements.failed ? STATUS_INVALID : STATUS_OK;
}

static int index_of(const char *word, const char *(*name)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name(i), word) == 0)
            return i;
    return -1;
}

static const char *code_name(int code)
{
    return fault_code_name((fault_code_t)code);
}

static const char *place_name(int place)
{
    return fault_place_name((fault_place_t)place);
}

static const char *outcome_word(int outcome)
{
    return outcome_names[outcome];
}

static void read_fault(elements_t *elements, faults_t *out)
{
    elements_t inner = elements_of(next_element(elements), FAULT_ELEMENTS);
    char code[16], place[16];
    fault_t *fault = &out->items[out->count];
    read_text(&inner, code, sizeof(code));
    read_text(&inner, place, sizeof(place));
    read_text(&inner, fault->where, sizeof(fault->where));
    read_text(&inner, fault->message, sizeof(fault->message));
    if (inner.failed) {
        elements->failed = true;
        return;
    }
    int code_index = index_of(code, code_name, FAULT_RULE + 1);
    int place_index = index_of(place, place_name, FAULT_IN_PATH + 1);
    if (code_index < 0 || place_index < 0) {
        elements->failed = true;
        return;
    }
    fault->code = (fault_code_t)code_index;
    fault->place = (fault_place_t)place_index;
    out->count++;
}

static void read_faults(elements_t *elements, faults_t *out)
{
    const msgpack_object *array = next_element(elements);
    out->count = 0;
    if (array->type != MSGPACK_OBJECT_ARRAY || array->via.array.size > FAULTS_MAX) {
        elements->failed = true;
        return;
    }
    elements_t inner = elements_of(array, array->via.array.size);
    while (inner.left > 0 && !inner.failed)
        read_fault(&inner, out);
    elements->failed = elements->failed || inner.failed;
}

static void read_page(elements_t *elements, reply_t *out)
{
    const msgpack_object *element = next_element(elements);
    out->page_number = out->page_size = out->total = 0;
    if (element->type == MSGPACK_OBJECT_NIL)
        return;
    elements_t inner = elements_of(element, PAGE_ELEMENTS);
    out->page_number = read_count_or_nil(&inner);
    out->page_size = read_count_or_nil(&inner);
    out->total = read_count_or_nil(&inner);
    if (inner.failed || out->page_number < 1 || out->page_size < 1 || out->total < 0)
        elements->failed = true;
}

static const char *reason_word(int reason)
{
    return reason_words[reason];
}

static reason_t read_reason(elements_t *elements)
{
    char word[32];
    read_text_or_nil(elements, word, sizeof(word));
    if (elements->failed || word[0] == '\0')
        return REASON_NONE;
    int reason = index_of(word, reason_word, REASON_COUNT);
    elements->failed = reason < 0;
    return (reason_t)reason;
}

/* A document is a text, and nothing else is. */
static media_t read_media(elements_t *elements, const msgpack_object *body)
{
    int64_t media = read_count_or_nil(elements);
    if (media < 0 || media >= MEDIA_COUNT ||
        (media == MEDIA_JSON) == (body->type == MSGPACK_OBJECT_STR)) {
        elements->failed = true;
        return MEDIA_JSON;
    }
    return (media_t)media;
}

static uint64_t read_whole(elements_t *elements)
{
    const msgpack_object *element = next_element(elements);
    if (element->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        elements->failed = true;
    return element->via.u64;
}

static void read_freshness(elements_t *elements, freshness_t *out)
{
    const msgpack_object *element = next_element(elements);
    *out = (freshness_t){0};
    if (element->type == MSGPACK_OBJECT_NIL)
        return;
    elements_t inner = elements_of(element, FRESH_ELEMENTS);
    out->board = read_whole(&inner);
    out->version = read_whole(&inner);
    out->until_utc_ms = read_count_or_nil(&inner);
    if (inner.failed || out->until_utc_ms < 1)
        elements->failed = true;
}

const char *reply_header(const char *name, size_t name_length, const char *value,
                         size_t value_length)
{
    static const char *const names[] = {"Location", "Set-Cookie"};
    if (value_length == 0 || text_utf8_length(value, value_length) < 0)
        return NULL;
    for (size_t i = 0; i < value_length; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == name_length && memcmp(names[i], name, name_length) == 0)
            return names[i];
    return NULL;
}

static bool is_good_header(const msgpack_object *pair)
{
    if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != HEADER_ELEMENTS)
        return false;
    const msgpack_object *name = &pair->via.array.ptr[0], *value = &pair->via.array.ptr[1];
    return name->type == MSGPACK_OBJECT_STR && value->type == MSGPACK_OBJECT_STR &&
           reply_header(name->via.str.ptr, name->via.str.size, value->via.str.ptr,
                        value->via.str.size) != NULL;
}

static msgpack_object read_headers(elements_t *elements)
{
    const msgpack_object *array = next_element(elements);
    if (array->type == MSGPACK_OBJECT_NIL)
        return *array;
    if (array->type != MSGPACK_OBJECT_ARRAY || array->via.array.size == 0 ||
        array->via.array.size > REPLY_HEADERS_MAX) {
        elements->failed = true;
        return *array;
    }
    for (uint32_t i = 0; i < array->via.array.size; i++)
        if (!is_good_header(&array->via.array.ptr[i]))
            elements->failed = true;
    return *array;
}

status_t envelope_read_reply(const msgpack_object *envelope, reply_t *out)
{
    bool is_old =
        envelope->type == MSGPACK_OBJECT_ARRAY && envelope->via.array.size == REPLY_ELEMENTS_BEFORE;
    elements_t elements = elements_of(envelope, is_old ? REPLY_ELEMENTS_BEFORE : REPLY_ELEMENTS);
    char outcome[24];
    read_version(&elements);
    read_text(&elements, out->request_id, sizeof(out->request_id));
    read_text(&elements, outcome, sizeof(outcome));
    out->replayed = read_switch(&elements);
    read_text(&elements, out->message, sizeof(out->message));
    out->body = read_result(&elements);
    read_faults(&elements, &out->faults);
    out->next_offset = read_count_or_nil(&elements);
    read_page(&elements, out);
    out->reason = read_reason(&elements);
    out->media = read_media(&elements, &out->body);
    read_freshness(&elements, &out->fresh);
    out->headers = is_old ? (msgpack_object){.type = MSGPACK_OBJECT_NIL} : read_headers(&elements);
    if (elements.failed)
        return STATUS_INVALID;
    int index = index_of(outcome, outcome_word, OUTCOME_OF_WORKERS);
    if (index < 0)
        return STATUS_INVALID;
    out->outcome = (outcome_t)index;
    return STATUS_OK;
}

status_t envelope_decode_in(msgpack_zone *zone, const void *bytes, size_t length,
                            msgpack_object *out)
{
    status_t status = scan_msgpack(bytes, length);
    if (status != STATUS_OK)
        return status;
    size_t used = 0;
    return msgpack_unpack(bytes, length, &used, zone, out) == MSGPACK_UNPACK_SUCCESS
               ? STATUS_OK
               : STATUS_INVALID;
}

status_t envelope_decode(const void *bytes, size_t length, msgpack_unpacked *out)
{
    msgpack_unpacked_init(out);
    status_t status = scan_msgpack(bytes, length);
    if (status != STATUS_OK)
        return status;
    size_t used = 0;
    return msgpack_unpack_next(out, bytes, length, &used) == MSGPACK_UNPACK_SUCCESS
               ? STATUS_OK
               : STATUS_INVALID;
}
