#include "common/lines.h"

#include <string.h>

void lines_begin(lines_t *lines, const char *text, size_t length)
{
    *lines = (lines_t){.next = text, .end = text + length};
}

static bool is_skipped(const char *line, size_t length)
{
    size_t blanks = 0;
    while (blanks < length && strchr(" \t\r", line[blanks]) != NULL && line[blanks] != '\0')
        blanks++;
    return blanks == length || line[blanks] == '#';
}

bool lines_next(lines_t *lines, const char **out_line, size_t *out_length)
{
    while (lines->next < lines->end) {
        const char *line = lines->next;
        const char *newline = memchr(line, '\n', (size_t)(lines->end - line));
        size_t length = (size_t)((newline == NULL ? lines->end : newline) - line);
        lines->next = newline == NULL ? lines->end : newline + 1;
        lines->number++;
        if (is_skipped(line, length))
            continue;
        *out_line = line;
        *out_length = length;
        return true;
    }
    return false;
}
