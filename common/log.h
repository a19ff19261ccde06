/* One logfmt line per event, on standard error.
 *
 *   log_line_t line = log_line(LOG_INFO, "request");
 *   log_text(&line, "method", "GET");
 *   log_number(&line, "status", 200);
 *   log_end(&line);
 *
 * Only main, the gateway's handler and the workers' dispatch and link log; libraries return errors.
 * Must never be given a secret: nothing here can tell. A line is at most LOG_LINE_SIZE bytes, a
 * value LOG_VALUE_SIZE: what is longer is cut, and what finds no room is left out with its key.
 * Values with blanks, quotes, controls or anything but ASCII are quoted and escaped (\xc3).
 * Thread-safe: lines never mix. */
#ifndef LK_COMMON_LOG_H
#define LK_COMMON_LOG_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_SIZE = 1024, LOG_VALUE_SIZE = 320 };

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level_t;

typedef struct {
    size_t used;
    log_level_t level;
    char bytes[LOG_LINE_SIZE];
} log_line_t;

/* Once, at the start of main: what every line's `program` says, and the lowest level written. */
void log_open(const char *program, log_level_t lowest);

/* From now on lines are gathered, and written by log_flush, at a line of LOG_WARN or higher, and at
 * exit. Whoever calls this calls log_flush many times a second: a MiB of lines has room, further
 * ones are dropped and counted. */
void log_gather(void);
void log_flush(void);

/* Begins a line: time, level, program, event. */
log_line_t log_line(log_level_t level, const char *event);
void log_text(log_line_t *line, const char *key, const char *value); /* NULL is left out */
void log_bytes(log_line_t *line, const char *key, const char *value, size_t length);
void log_number(log_line_t *line, const char *key, int64_t value);
void log_error(log_line_t *line, const err_t *err);
/* Writes the line. */
void log_end(log_line_t *line);

/* A line with one error and nothing else. */
void log_failure(log_level_t level, const char *event, const err_t *err);

/* For events that strangers can cause as often as they like: one line a second of each kind. Begin
 * with zeroes; not for several threads at once. */
typedef struct {
    int64_t next_ms, held_back;
} log_limit_t;
/* Whether a line is due; *out_held_back: how many were not since the last one. */
bool log_due(log_limit_t *limit, int64_t now_ms, int64_t *out_held_back);

/* Reads "debug", "info", "warn" or "error". */
status_t log_level_parse(const char *text, log_level_t *out) MUST_CHECK;

#endif
