#include "common/log.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GATHERED_SIZE = 32 * 1024 };

static struct {
    pthread_mutex_t lock;
    const char *program;
    log_level_t lowest;
    int gathering;
    size_t used;
    char bytes[GATHERED_SIZE];
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .program = "linekeeper", .lowest = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_open(const char *program, log_level_t lowest)
{
    sink.program = program;
    sink.lowest = lowest;
}

void log_gather(void)
{
    if (!sink.gathering)
        (void)atexit(log_flush);
    sink.gathering = 1;
}

/* A log that cannot be written must not stop the service: the bytes are dropped. */
static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        length -= (size_t)written;
    }
}

static void flush_locked(void)
{
    write_all(sink.bytes, sink.used);
    sink.used = 0;
}

void log_flush(void)
{
    pthread_mutex_lock(&sink.lock);
    flush_locked();
    pthread_mutex_unlock(&sink.lock);
}

static void put(log_line_t *line, const char *bytes, size_t length)
{
    size_t room = sizeof(line->bytes) - 1 - line->used; /* the last byte is the newline's */
    if (length > room)
        length = room;
    memcpy(line->bytes + line->used, bytes, length);
    line->used += length;
}

static void put_key(log_line_t *line, const char *key)
{
    if (line->used > 0)
        put(line, " ", 1);
    put(line, key, strlen(key));
    put(line, "=", 1);
}

log_line_t log_line(log_level_t level, const char *event)
{
    log_line_t line;
    line.used = 0;
    line.level = level;
    char time[CLOCK_RFC3339_SIZE];
    clock_format_time(clock_utc_ms(), time);
    log_text(&line, "time", time);
    log_text(&line, "level", level_names[level]);
    log_text(&line, "program", sink.program);
    log_text(&line, "event", event);
    return line;
}

static int is_plain(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return 0;
    }
    return length > 0;
}

void log_bytes(log_line_t *line, const char *key, const char *value, size_t length)
{
    put_key(line, key);
    if (is_plain(value, length)) {
        put(line, value, length);
        return;
    }
    put(line, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        char escaped[5];
        if (c == '"' || c == '\\') {
            put(line, "\\", 1);
            put(line, value + i, 1);
        } else if (c < ' ' || c == 0x7f) {
            int size = snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned)c);
            put(line, escaped, (size_t)size);
        } else {
            put(line, value + i, 1);
        }
    }
    put(line, "\"", 1);
}

void log_text(log_line_t *line, const char *key, const char *value)
{
    if (value != NULL)
        log_bytes(line, key, value, strlen(value));
}

void log_number(log_line_t *line, const char *key, int64_t value)
{
    char digits[24];
    int size = snprintf(digits, sizeof(digits), "%lld", (long long)value);
    put_key(line, key);
    put(line, digits, (size_t)size);
}

void log_error(log_line_t *line, const err_t *err)
{
    log_text(line, "status", status_name(err->status));
    log_text(line, "where", err->where);
    log_text(line, "error", err->text);
}

void log_end(log_line_t *line)
{
    if (line->level < sink.lowest)
        return;
    line->bytes[line->used++] = '\n';
    pthread_mutex_lock(&sink.lock);
    if (sink.used + line->used > sizeof(sink.bytes))
        flush_locked();
    memcpy(sink.bytes + sink.used, line->bytes, line->used);
    sink.used += line->used;
    if (!sink.gathering || line->level >= LOG_WARN)
        flush_locked();
    pthread_mutex_unlock(&sink.lock);
}

void log_failure(log_level_t level, const char *event, const err_t *err)
{
    log_line_t line = log_line(level, event);
    log_error(&line, err);
    log_end(&line);
}

status_t log_level_parse(const char *text, log_level_t *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (log_level_t)i;
            return STATUS_OK;
        }
    }
    return STATUS_INVALID;
}
