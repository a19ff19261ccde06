#include "common/config.h"

#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static status_t read_number(const setting_t *row, const char *value, int64_t *out, err_t *err)
{
    bool negative = value[0] == '-';
    uint64_t number = 0;
    status_t status = text_number(value + negative, strlen(value + negative), INT64_MAX, &number);
    int64_t signed_number = negative ? -(int64_t)number : (int64_t)number;
    if (status != STATUS_OK || signed_number < row->min || signed_number > row->max)
        return err_set(err, STATUS_INVALID, row->name, "\"%s\" is not a number from %lld to %lld",
                       value, (long long)row->min, (long long)row->max);
    *out = signed_number;
    return STATUS_OK;
}

static status_t read_switch(const setting_t *row, const char *value, bool *out, err_t *err)
{
    static const char *const on[] = {"on", "yes", "true", "1"};
    static const char *const off[] = {"off", "no", "false", "0"};
    for (size_t i = 0; i < ARRAY_LEN(on); i++) {
        if (strcmp(value, on[i]) == 0 || strcmp(value, off[i]) == 0) {
            *out = strcmp(value, on[i]) == 0;
            return STATUS_OK;
        }
    }
    return err_set(err, STATUS_INVALID, row->name, "\"%s\" is neither on nor off", value);
}

static status_t read_setting(const setting_t *row, const char *value, char *member, err_t *err)
{
    switch (row->type) {
    case SETTING_TEXT:
        if (text_copy(member, row->size, value, strlen(value)) != STATUS_OK)
            return err_set(err, STATUS_INVALID, row->name, "is longer than %zu bytes",
                           row->size - 1);
        return STATUS_OK;
    case SETTING_NUMBER:
        return read_number(row, value, (int64_t *)(void *)member, err);
    case SETTING_SWITCH:
        return read_switch(row, value, (bool *)(void *)member, err);
    }
    return err_set(err, STATUS_INVALID, row->name, "has no type");
}

status_t config_load(const program_t *program, void *out, err_t *err)
{
    for (size_t i = 0; i < program->setting_count; i++) {
        const setting_t *row = &program->settings[i];
        const char *value = getenv(row->name);
        if (value == NULL || value[0] == '\0')
            value = row->dflt;
        if (value == NULL)
            return err_set(err, STATUS_INVALID, row->name, "must be set: %s", row->doc);
        status_t status = read_setting(row, value, (char *)out + row->offset, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void print_help(const program_t *program)
{
    printf("%s: %s\n", program->name, program->summary);
    if (program->usage != NULL)
        printf("\n%s", program->usage);
    printf("\nSettings, by environment variable:\n");
    for (size_t i = 0; i < program->setting_count; i++) {
        const setting_t *row = &program->settings[i];
        printf("  %-24s %s", row->name, row->doc);
        if (row->type == SETTING_NUMBER)
            printf(" From %lld to %lld.", (long long)row->min, (long long)row->max);
        if (row->dflt == NULL)
            printf(" Required.\n");
        else if (row->dflt[0] == '\0')
            printf(" Default: none.\n");
        else
            printf(" Default: %s.\n", row->dflt);
    }
}

bool config_answer(const program_t *program, int argc, char *const argv[])
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(program);
            return true;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s %s\n", program->name, LK_VERSION);
            return true;
        }
        if (strcmp(argv[i], "--metrics") == 0 && program->metrics != NULL) {
            metrics_print(program->metrics);
            return true;
        }
    }
    return false;
}
