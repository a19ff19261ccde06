#include "common/clock.h"

#include "common/text.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static int64_t now_us(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t clock_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_utc_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

/* Days since 1970-01-01 and back, proleptic Gregorian, in 400-year eras that begin on 1 March. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

typedef struct {
    int year, month, day, hour, minute, second, milli;
} civil_t;

static civil_t civil_from_ms(int64_t utc_ms)
{
    if (utc_ms < CLOCK_FIRST_MS)
        utc_ms = CLOCK_FIRST_MS;
    if (utc_ms > CLOCK_LAST_MS)
        utc_ms = CLOCK_LAST_MS;
    int64_t days = utc_ms / 86400000 - (utc_ms % 86400000 < 0);
    int64_t rest = utc_ms - days * 86400000;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    int64_t month = shifted_month + (shifted_month < 10 ? 3 : -9);
    return (civil_t){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = (int)month,
        .day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1),
        .hour = (int)(rest / 3600000),
        .minute = (int)(rest / 60000 % 60),
        .second = (int)(rest / 1000 % 60),
        .milli = (int)(rest % 1000),
    };
}

/* Writes exactly `width` decimal digits; the callers' values are in range by construction. */
static char *put_digits(char *at, int value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + width;
}

static char *put_date(char *at, const civil_t *civil)
{
    at = put_digits(at, civil->year, 4);
    *at++ = '-';
    at = put_digits(at, civil->month, 2);
    *at++ = '-';
    return put_digits(at, civil->day, 2);
}

void clock_format_time(int64_t utc_ms, char out[CLOCK_RFC3339_SIZE])
{
    civil_t civil = civil_from_ms(utc_ms);
    char *at = put_date(out, &civil);
    *at++ = 'T';
    at = put_digits(at, civil.hour, 2);
    *at++ = ':';
    at = put_digits(at, civil.minute, 2);
    *at++ = ':';
    at = put_digits(at, civil.second, 2);
    *at++ = '.';
    at = put_digits(at, civil.milli, 3);
    *at++ = 'Z';
    *at = '\0';
}

void clock_format_date(int64_t utc_ms, char out[CLOCK_DATE_SIZE])
{
    civil_t civil = civil_from_ms(utc_ms);
    *put_date(out, &civil) = '\0';
}

/* A cursor over the text; every reader fails for good once one has failed. */
typedef struct {
    const char *at;
    const char *end;
    bool failed;
} reader_t;

static int read_digits(reader_t *reader, int width)
{
    uint64_t value = 0;
    if (reader->failed || reader->end - reader->at < width ||
        text_number(reader->at, (size_t)width, 9999, &value) != STATUS_OK) {
        reader->failed = true;
        return 0;
    }
    reader->at += width;
    return (int)value;
}

static void read_one_of(reader_t *reader, const char *choices)
{
    if (reader->failed || reader->at == reader->end || *reader->at == '\0' ||
        strchr(choices, *reader->at) == NULL)
        reader->failed = true;
    else
        reader->at++;
}

static int read_fraction_ms(reader_t *reader)
{
    if (reader->failed || reader->at == reader->end || *reader->at != '.')
        return 0;
    reader->at++;
    int milli = 0, digits = 0;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; digits++) {
        if (digits < 3)
            milli = milli * 10 + (*reader->at - '0');
        reader->at++;
    }
    if (digits == 0 || digits > 9)
        reader->failed = true;
    for (; digits < 3; digits++)
        milli *= 10;
    return milli;
}

static int64_t read_offset_ms(reader_t *reader)
{
    read_one_of(reader, "Zz+-");
    if (reader->failed)
        return 0;
    char sign = reader->at[-1];
    if (sign == 'Z' || sign == 'z')
        return 0;
    int hours = read_digits(reader, 2);
    read_one_of(reader, ":");
    int minutes = read_digits(reader, 2);
    if (hours > 23 || minutes > 59)
        reader->failed = true;
    return (sign == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60000;
}

static bool day_exists(const civil_t *civil)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (civil->month < 1 || civil->month > 12 || civil->day < 1)
        return false;
    bool leap = civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
    return civil->day <= days[civil->month - 1] + (civil->month == 2 && leap);
}

status_t clock_parse_time(const char *text, size_t length, int64_t *out_utc_ms)
{
    reader_t reader = {.at = text, .end = text + length};
    civil_t civil = {.year = read_digits(&reader, 4)};
    read_one_of(&reader, "-");
    civil.month = read_digits(&reader, 2);
    read_one_of(&reader, "-");
    civil.day = read_digits(&reader, 2);
    read_one_of(&reader, "Tt ");
    civil.hour = read_digits(&reader, 2);
    read_one_of(&reader, ":");
    civil.minute = read_digits(&reader, 2);
    read_one_of(&reader, ":");
    civil.second = read_digits(&reader, 2);
    civil.milli = read_fraction_ms(&reader);
    int64_t offset_ms = read_offset_ms(&reader);
    if (reader.failed || reader.at != reader.end || !day_exists(&civil) || civil.hour > 23 ||
        civil.minute > 59 || civil.second > 60)
        return STATUS_INVALID;
    if (civil.second == 60)
        civil.second = 59;
    int64_t minutes = (int64_t)civil.hour * 60 + civil.minute;
    int64_t seconds =
        days_from_civil(civil.year, civil.month, civil.day) * 86400 + minutes * 60 + civil.second;
    int64_t utc_ms = seconds * 1000 + civil.milli - offset_ms;
    if (utc_ms < CLOCK_FIRST_MS || utc_ms > CLOCK_LAST_MS)
        return STATUS_INVALID;
    *out_utc_ms = utc_ms;
    return STATUS_OK;
}
