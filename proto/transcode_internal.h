/* Between the parts of transcode.c. */
#ifndef LK_PROTO_TRANSCODE_INTERNAL_H
#define LK_PROTO_TRANSCODE_INTERNAL_H

#include "proto/transcode.h"

void transcode_put_text(msgpack_packer *out, const char *text, size_t length);
/* A time's text as milliseconds; text that is none travels on and fails in record_read. */
void transcode_put_time(msgpack_packer *out, const char *text, size_t length);

/* Whether a client may write the field. */
static inline bool transcode_takes(const field_t *row)
{
    return (row->flags & FIELD_READ_ONLY) == 0;
}

#endif
