/* Time: monotonic for waiting and measuring, UTC for people and records. */
#ifndef LK_COMMON_CLOCK_H
#define LK_COMMON_CLOCK_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CLOCK_RFC3339_SIZE = 25, /* "2018-02-02T22:25:27.521Z" and NUL */
    CLOCK_DATE_SIZE = 11,    /* "2023-06-02" and NUL */
};

/* What four digits of a year can say: 0000-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z. */
#define CLOCK_FIRST_MS INT64_C(-62167219200000)
#define CLOCK_LAST_MS  INT64_C(253402300799999)

/* Milliseconds and microseconds since an arbitrary start; never jumps (CLOCK_MONOTONIC). */
int64_t clock_ms(void);
int64_t clock_us(void);

/* Milliseconds since 1970-01-01T00:00:00Z; jumps when the clock is set. */
int64_t clock_utc_ms(void);

/* RFC 3339 section 5.6 in UTC with milliseconds; out holds CLOCK_RFC3339_SIZE bytes.
 * Times outside CLOCK_FIRST_MS to CLOCK_LAST_MS are clamped. */
void clock_format_time(int64_t utc_ms, char out[CLOCK_RFC3339_SIZE]);

/* The date alone; out holds CLOCK_DATE_SIZE bytes. */
void clock_format_date(int64_t utc_ms, char out[CLOCK_DATE_SIZE]);

/* Reads an RFC 3339 date-time with any offset and 0 to 9 fraction digits (cut to milliseconds);
 * second 60 counts as 59. STATUS_INVALID on anything else, such as a date that does not exist or a
 * time that its offset moves out of the years 0000 to 9999. */
status_t clock_parse_time(const char *text, size_t length, int64_t *out_utc_ms) MUST_CHECK;

#endif
