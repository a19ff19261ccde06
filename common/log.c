#include "common/log.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GATHERED_SIZE = 1024 * 1024 };

/* Two halves: lines gather in one while the other is written, so that no thread with a line to log
 * waits for the reader of the log. */
static struct {
    pthread_mutex_t lock;  /* guards all but `writing` */
    pthread_mutex_t write; /* whoever writes; taken before lock */
    const char *program;
    log_level_t lowest;
    bool gathering;
    int64_t dropped;
    size_t used;
    char *lines; /* GATHERED_SIZE, or NULL: not gathering yet */
    char *writing;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .write = PTHREAD_MUTEX_INITIALIZER,
          .program = "linekeeper",
          .lowest = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_open(const char *program, log_level_t lowest)
{
    sink.program = program;
    sink.lowest = lowest;
}

void log_gather(void)
{
    pthread_mutex_lock(&sink.lock);
    bool begins = !sink.gathering;
    sink.gathering = true;
    if (begins) {
        sink.lines = mem_zalloc(GATHERED_SIZE);
        sink.writing = mem_zalloc(GATHERED_SIZE);
    }
    pthread_mutex_unlock(&sink.lock);
    if (begins)
        (void)atexit(log_flush);
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

void log_flush(void)
{
    pthread_mutex_lock(&sink.write);
    pthread_mutex_lock(&sink.lock);
    char *lines = sink.lines;
    size_t used = sink.used;
    int64_t dropped = sink.dropped;
    sink.lines = sink.writing;
    sink.writing = lines;
    sink.used = 0;
    sink.dropped = 0;
    pthread_mutex_unlock(&sink.lock);
    write_all(lines, used);
    if (dropped > 0) {
        log_line_t line = log_line(LOG_WARN, "log_lines_dropped");
        log_number(&line, "count", dropped);
        line.bytes[line.used++] = '\n';
        write_all(line.bytes, line.used);
    }
    pthread_mutex_unlock(&sink.write);
}

/* The last byte is the newline's. */
static size_t room_in(const log_line_t *line)
{
    return sizeof(line->bytes) - 1 - line->used;
}

static void put(log_line_t *line, const char *bytes, size_t length)
{
    memcpy(line->bytes + line->used, bytes, length);
    line->used += length;
}

/* False, and nothing is put, unless `value_room` bytes would still fit behind it. */
static bool put_key(log_line_t *line, const char *key, size_t value_room)
{
    size_t length = strlen(key), blank = line->used > 0;
    if (room_in(line) < blank + length + 1 + value_room)
        return false;
    put(line, " ", blank);
    put(line, key, length);
    put(line, "=", 1);
    return true;
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

/* Printable ASCII that needs no quotes. Everything else is escaped: lines stay ASCII whatever
 * strangers send, and no terminal that shows them takes orders from it. */
static bool is_plain(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return length > 0;
}

/* Writes the character as it stands between quotes; returns its size, 1 to 4. */
static size_t escape(unsigned char c, char out[4])
{
    if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)c;
    if (c == '"' || c == '\\')
        return 2;
    char hex[3];
    text_hex(hex, &c, 1);
    out[1] = 'x';
    memcpy(out + 2, hex, 2);
    return 4;
}

void log_bytes(log_line_t *line, const char *key, const char *value, size_t length)
{
    if (!put_key(line, key, 2))
        return;
    size_t room = room_in(line) < LOG_VALUE_SIZE ? room_in(line) : LOG_VALUE_SIZE;
    if (is_plain(value, length)) {
        put(line, value, length < room ? length : room);
        return;
    }
    put(line, "\"", 1);
    room -= 2; /* the quotes */
    for (size_t i = 0; i < length; i++) {
        char escaped[4];
        size_t size = escape((unsigned char)value[i], escaped);
        if (size > room)
            break;
        put(line, escaped, size);
        room -= size;
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
    if (text_format(digits, sizeof(digits), "%lld", (long long)value) == STATUS_OK &&
        put_key(line, key, strlen(digits)))
        put(line, digits, strlen(digits));
}

void log_error(log_line_t *line, const err_t *err)
{
    log_text(line, "status", status_name(err->status));
    log_text(line, "where", err->where);
    log_text(line, "error", err->text);
}

/* Whether the line is laid among the gathered, or dropped since they are too many. */
static bool gather(const log_line_t *line)
{
    pthread_mutex_lock(&sink.lock);
    bool gathered = sink.gathering;
    if (gathered && sink.used + line->used <= GATHERED_SIZE) {
        memcpy(sink.lines + sink.used, line->bytes, line->used);
        sink.used += line->used;
    } else {
        sink.dropped += gathered;
    }
    pthread_mutex_unlock(&sink.lock);
    return gathered;
}

void log_end(log_line_t *line)
{
    if (line->level < sink.lowest)
        return;
    line->bytes[line->used++] = '\n';
    if (gather(line)) {
        if (line->level >= LOG_WARN)
            log_flush();
        return;
    }
    pthread_mutex_lock(&sink.write);
    write_all(line->bytes, line->used);
    pthread_mutex_unlock(&sink.write);
}

void log_failure(log_level_t level, const char *event, const err_t *err)
{
    log_line_t line = log_line(level, event);
    log_error(&line, err);
    log_end(&line);
}

bool log_due(log_limit_t *limit, int64_t now_ms, int64_t *out_held_back)
{
    if (now_ms < limit->next_ms) {
        limit->held_back++;
        return false;
    }
    *out_held_back = limit->held_back;
    *limit = (log_limit_t){.next_ms = now_ms + 1000};
    return true;
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
