#include "gateway/request_head.h"

#include "common/mem.h"
#include "common/text.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

/* A field's value, as far as it was gathered. */
typedef struct {
    char *out;
    size_t size, length;
    const char *between; /* what joins several; NULL: they are none */
    size_t count;
    bool failed;
} value_t;

static void add(value_t *value, const char *text)
{
    size_t length = strlen(text);
    if (length >= value->size - value->length) {
        value->failed = true;
        return;
    }
    memcpy(value->out + value->length, text, length + 1);
    value->length += length;
}

static void take(void *context, const char *text)
{
    value_t *value = context;
    if (value->count++ > 0 && value->between == NULL)
        value->failed = true;
    if (value->count > 1 && !value->failed)
        add(value, value->between);
    if (!value->failed)
        add(value, text);
}

bool request_head_field(const http_request_t *http, const char *name, char *out, size_t size)
{
    value_t value = {.out = out, .size = size};
    if (strcasecmp(name, "Cookie") == 0)
        value.between = "; ";
    out[0] = '\0';
    http_headers(http, name, take, &value);
    return value.count > 0 && !value.failed;
}

static bool read_row(const field_t *row, const http_request_t *http, const char *client, char *out)
{
    const char *own = NULL;
    if (row->name[0] != ':')
        return request_head_field(http, row->name, out, row->size);
    if (strcmp(row->name, ":client") == 0)
        own = client;
    else if (strcmp(row->name, ":query") == 0)
        own = http_query(http);
    return own != NULL && text_copy(out, row->size, own, strlen(own)) == STATUS_OK;
}

static void put_text(msgpack_packer *out, const char *text, size_t length)
{
    msgpack_pack_str(out, length);
    msgpack_pack_str_body(out, text, length);
}

void request_head_write(const schema_t *schema, const http_request_t *http, const char *client,
                        msgpack_packer *out)
{
    if (schema == NULL) {
        msgpack_pack_nil(out);
        return;
    }
    msgpack_pack_map(out, schema->count);
    for (size_t i = 0; i < schema->count; i++) {
        const field_t *row = &schema->rows[i];
        assert(row->type == FIELD_TEXT && row->min == 0);
        AUTO(mem_release) char *value = mem_zalloc(row->size);
        size_t length = read_row(row, http, client, value) ? strlen(value) : 0;
        bool good = length <= (size_t)row->max && text_utf8_length(value, length) >= 0;
        put_text(out, row->name, strlen(row->name));
        put_text(out, value, good ? length : 0);
        sodium_memzero(value, length);
    }
}
