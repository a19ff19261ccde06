/* Entity tags (RFC 9110 section 8.8.3): strong, made of the answer's bytes alone, so that all
 * gateways give the same one. */
#ifndef LK_GATEWAY_ETAG_H
#define LK_GATEWAY_ETAG_H

#include <stdbool.h>
#include <stddef.h>

enum { ETAG_SIZE = 1 + 32 + 1 + 1 };

/* With its quotes. */
void etag_make(const void *bytes, size_t length, char out[ETAG_SIZE]);

/* Whether a value of If-None-Match (section 13.1.2) names the tag: "*", or a list that holds it, by
 * the weak comparison. A list ends where it can't be read. */
bool etag_is_named(const char *etag, const char *if_none_match);

#endif
