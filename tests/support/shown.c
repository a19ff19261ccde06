#include "tests/support/shown.h"

#include "proto/transcode.h"

#include <stdlib.h>

static json_t *read_back(msgpack_sbuffer *text)
{
    json_t *value =
        json_loadb(text->data, text->size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (value == NULL)
        abort();
    return value;
}

json_t *shown_result(const schema_t *schema, const msgpack_object *object, bool is_list)
{
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    if (is_list)
        transcode_results(schema, object, &text);
    else
        transcode_result(schema, object, &text);
    return read_back(&text);
}

json_t *shown_reply(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                    bool is_list)
{
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer text;
    msgpack_sbuffer_init(&text);
    dialect_render(dialect, reply, result, is_list, &text);
    return text.size == 0 ? NULL : read_back(&text);
}
