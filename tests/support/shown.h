/* What a client is shown, read back with jansson: aborts unless it is sound JSON without
 * duplicates. */
#ifndef LK_TESTS_SUPPORT_SHOWN_H
#define LK_TESTS_SUPPORT_SHOWN_H

#include "proto/dialect.h"

/* A record (or an array of records) as transcode.h writes it. The caller owns the value. */
json_t *shown_result(const schema_t *schema, const msgpack_object *object, bool is_list);

/* A whole body, as the dialect writes it; NULL if it has none. */
json_t *shown_reply(const dialect_t *dialect, const reply_t *reply, const schema_t *result,
                    bool is_list);

#endif
