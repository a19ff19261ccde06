/* The text exposition format 0.0.4 of Prometheus ("Exposition formats" in its documentation).
 * Every metric is named with HELP and TYPE, even while it has no series. */
#include "common/mem.h"
#include "common/metrics_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICROSECONDS = 1000000 };

typedef struct {
    FILE *out;
    const metrics_t *metrics;
} writer_t;

/* HELP escapes backslash and line feed, a label's value the quote as well. */
static void put_escaped(FILE *out, const char *text, bool quotes)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            (void)fputs("\\n", out);
        else if (*text == '\\' || (*text == '"' && quotes))
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

/* Seconds with as many digits behind the point as they have. */
static void put_number(FILE *out, metric_unit_t unit, int64_t value)
{
    if (unit == METRIC_PLAIN) {
        (void)fprintf(out, "%" PRId64, value);
        return;
    }
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    (void)fprintf(out, "%s%" PRIu64, value < 0 ? "-" : "", magnitude / MICROSECONDS);
    unsigned rest = (unsigned)(magnitude % MICROSECONDS);
    int digits = 6;
    for (; rest > 0 && rest % 10 == 0; digits--)
        rest /= 10;
    if (rest > 0)
        (void)fprintf(out, ".%0*u", digits, rest);
}

static void put_label(FILE *out, char *mark, const char *name, const char *value)
{
    (void)fprintf(out, "%c%s=\"", *mark, name);
    put_escaped(out, value, true);
    (void)fputc('"', out);
    *mark = ',';
}

static const char *label_value(const metric_t *metric, size_t label, size_t series)
{
    size_t later = 1;
    for (size_t i = label + 1; i < METRIC_LABELS_MAX && metric->labels[i].name != NULL; i++)
        later *= metric->labels[i].count;
    return metric->labels[label].values[series / later % metric->labels[label].count];
}

/* The head of one line: name, suffix and labels; a bucket's line goes on with its bound. Returns
 * the mark that the next label begins with. */
static char put_head(const writer_t *writer, const metric_t *metric, size_t series,
                     const char *suffix)
{
    char mark = '{';
    (void)fprintf(writer->out, "%s%s", metric->name, suffix);
    if (writer->metrics->label != NULL)
        put_label(writer->out, &mark, writer->metrics->label, writer->metrics->value);
    for (size_t i = 0; i < METRIC_LABELS_MAX && metric->labels[i].name != NULL; i++)
        put_label(writer->out, &mark, metric->labels[i].name, label_value(metric, i, series));
    return mark;
}

static void put_value(const writer_t *writer, char mark, metric_unit_t unit, int64_t value)
{
    (void)fputs(mark == '{' ? " " : "} ", writer->out);
    put_number(writer->out, unit, value);
    (void)fputc('\n', writer->out);
}

/* What is counted while we read may be in one line and not in the next, but buckets never fall and
 * the count is that of the last. */
static void put_histogram(const writer_t *writer, const metric_t *metric, size_t series)
{
    size_t first = series * metric_cells_each(metric);
    int64_t count = 0;
    for (size_t bucket = 0; bucket <= metric->bound_count; bucket++) {
        count += metric_sum(metric, first + bucket);
        char mark = put_head(writer, metric, series, "_bucket");
        (void)fprintf(writer->out, "%cle=\"", mark);
        if (bucket < metric->bound_count)
            put_number(writer->out, metric->unit, metric->bounds[bucket]);
        else
            (void)fputs("+Inf", writer->out);
        (void)fputc('"', writer->out);
        put_value(writer, ',', METRIC_PLAIN, count);
    }
    int64_t sum = metric_sum(metric, first + metric->bound_count + 1);
    put_value(writer, put_head(writer, metric, series, "_sum"), metric->unit, sum);
    put_value(writer, put_head(writer, metric, series, "_count"), METRIC_PLAIN, count);
}

static const char *const types[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

static void put_metric(const writer_t *writer, const metric_t *metric)
{
    (void)fprintf(writer->out, "# HELP %s ", metric->name);
    put_escaped(writer->out, metric->help, false);
    (void)fprintf(writer->out, "\n# TYPE %s %s\n", metric->name, types[metric->type]);
    size_t count = metric_series(metric);
    for (size_t series = 0; series < count; series++) {
        if (metric->sparse && metric_value(metric, series) == 0)
            continue;
        if (metric->type == METRIC_HISTOGRAM)
            put_histogram(writer, metric, series);
        else
            put_value(writer, put_head(writer, metric, series, ""), metric->unit,
                      metric_sum(metric, series));
    }
}

char *metrics_text(const metrics_t *metrics, size_t *out_length)
{
    if (metrics->refresh != NULL)
        metrics->refresh(metrics->context);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort(); /* out of memory, as in mem.c */
    writer_t writer = {.out = out, .metrics = metrics};
    for (size_t i = 0; i < metrics->count; i++)
        put_metric(&writer, metrics->items[i]);
    if (fclose(out) != 0)
        abort();
    *out_length = length;
    return text;
}

void metrics_print(const metrics_t *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const metric_t *metric = metrics->items[i];
        const char *first = metric->labels[0].name;
        const char *second = metric->labels[1].name;
        printf("%s %s %s%s%s %s\n", metric->name, types[metric->type], first == NULL ? "-" : first,
               second == NULL ? "" : ",", second == NULL ? "" : second, metric->help);
    }
}
