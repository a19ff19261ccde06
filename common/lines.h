/* Text files of one entry a line, with comments: key files and lists that people edit. */
#ifndef LK_COMMON_LINES_H
#define LK_COMMON_LINES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *next, *end;
    size_t number; /* of the line that was read last, from 1 */
} lines_t;

void lines_begin(lines_t *lines, const char *text, size_t length);

/* The next line, without its newline; blank ones and those whose first mark is a # are
 * passed over. False at the end. */
bool lines_next(lines_t *lines, const char **out_line, size_t *out_length);

#endif
