#include "tests/support/shown.h"

#include "proto/transcode.h"

#include <stdlib.h>

static json_t *read_back(msgpack_sbuffer *text, size_t flags)
{
    json_t *value = json_loadb(text->data, text->size, flags | JSON_ALLOW_NUL, NULL);
    if (value == NULL)
        abort();
    return value;
}

/* What no row names is shown as it came, and a forged message may hold it twice. */
static bool has_rest(const schema_t *schema)
{
    bool found = schema->is_open;
    for (size_t i = 0; !found && i < schema->count; i++)
        found = schema->rows[i].schema != NULL && has_rest(schema->rows[i].schema);
    return found;
}

json_t *shown_result(const schema_t *schema, const msgpack_object *object, bool is_list)
{
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    if (is_list)
        transcode_results(schema, object, &text);
    else
        transcode_result(schema, object, &text);
    return read_back(&text, has_rest(schema) ? 0 : JSON_REJECT_DUPLICATES);
}

json_t *shown_reply(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                    bool is_list)
{
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    dialect_render(dialect, reply, result, is_list, &text);
    return text.size == 0 ? NULL : read_back(&text, JSON_REJECT_DUPLICATES);
}
