#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char name[9];
    char needed[16];
    int64_t size;
    bool on;
} settings_t;

static const setting_t rows[] = {
    SETTING_TEXT_ROW(settings_t, name, "LK_T_NAME", "", "What to call it."),
    SETTING_TEXT_ROW(settings_t, needed, "LK_T_NEEDED", NULL, "What is needed."),
    SETTING_NUMBER_ROW(settings_t, size, "LK_T_SIZE", "5", -10, 100, "How large."),
    SETTING_SWITCH_ROW(settings_t, on, "LK_T_ON", "off", "Whether."),
};
static const program_t program = {"sample", "a sample",      "usage line\n",
                                  rows,     ARRAY_LEN(rows), NULL};

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        unsetenv(rows[i].name);
    return setenv("LK_T_NEEDED", "here", 1);
}

static void absent_settings_have_defaults(void **state)
{
    (void)state;
    settings_t settings;
    err_t err = {0};
    setenv("LK_T_SIZE", "", 1); /* empty counts as absent */
    assert_int_equal(config_load(&program, &settings, &err), STATUS_OK);
    assert_string_equal(settings.name, "");
    assert_string_equal(settings.needed, "here");
    assert_int_equal(settings.size, 5);
    assert_false(settings.on);
}

static void a_required_setting_is_named(void **state)
{
    (void)state;
    settings_t settings;
    err_t err = {0};
    unsetenv("LK_T_NEEDED");
    assert_int_equal(config_load(&program, &settings, &err), STATUS_INVALID);
    assert_string_equal(err.where, "LK_T_NEEDED");
    assert_non_null(strstr(err.text, "What is needed."));
}

static void each_type_has_its_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool good;
        int64_t number;
    } tries[] = {
        {"LK_T_SIZE", "-10", true, -10},    {"LK_T_SIZE", "100", true, 100},
        {"LK_T_SIZE", "-11", false, 0},     {"LK_T_SIZE", "101", false, 0},
        {"LK_T_SIZE", "-0", true, 0},       {"LK_T_SIZE", "-", false, 0},
        {"LK_T_SIZE", "--1", false, 0},     {"LK_T_SIZE", "+1", false, 0},
        {"LK_T_SIZE", "1 ", false, 0},      {"LK_T_SIZE", "0x10", false, 0},
        {"LK_T_SIZE", "1e1", false, 0},     {"LK_T_SIZE", "9223372036854775808", false, 0},
        {"LK_T_ON", "on", true, 1},         {"LK_T_ON", "yes", true, 1},
        {"LK_T_ON", "true", true, 1},       {"LK_T_ON", "1", true, 1},
        {"LK_T_ON", "off", true, 0},        {"LK_T_ON", "no", true, 0},
        {"LK_T_ON", "false", true, 0},      {"LK_T_ON", "0", true, 0},
        {"LK_T_ON", "On", false, 0},        {"LK_T_ON", "2", false, 0},
        {"LK_T_NAME", "12345678", true, 0}, {"LK_T_NAME", "123456789", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        settings_t settings = {0};
        err_t err = {0};
        set_up(NULL);
        setenv(tries[i].name, tries[i].value, 1);
        status_t status = config_load(&program, &settings, &err);
        if (status != (tries[i].good ? STATUS_OK : STATUS_INVALID))
            fail_msg("%s=%s", tries[i].name, tries[i].value);
        if (!tries[i].good)
            assert_string_equal(err.where, tries[i].name);
        else if (tries[i].name[5] == 'S')
            assert_int_equal(settings.size, tries[i].number);
        else if (tries[i].name[5] == 'O')
            assert_int_equal(settings.on, tries[i].number);
    }
}

/* What config_answer prints, and whether it answered. */
static bool answer_of(char *argument, char out[4096])
{
    char name[] = "sample";
    char *argv[] = {name, argument, NULL};
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    bool answered = config_answer(&program, 2, argv);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    out[fread(out, 1, 4095, file)] = '\0';
    (void)fclose(file);
    return answered;
}

static void help_tells_of_every_setting(void **state)
{
    (void)state;
    char out[4096], help[] = "--help", version[] = "--version", other[] = "--helpless";
    assert_true(answer_of(help, out));
    assert_non_null(strstr(out, "sample: a sample"));
    assert_non_null(strstr(out, "usage line"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_non_null(strstr(out, rows[i].name));
        assert_non_null(strstr(out, rows[i].doc));
    }
    assert_non_null(strstr(out, "Default: 5."));
    assert_non_null(strstr(out, "-10 to 100"));
    assert_non_null(strstr(out, "Required."));
    assert_true(answer_of(version, out));
    assert_string_equal(out, "sample " LK_VERSION "\n");
    assert_false(answer_of(other, out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(absent_settings_have_defaults, set_up),
        cmocka_unit_test_setup(a_required_setting_is_named, set_up),
        cmocka_unit_test_setup(each_type_has_its_bounds, set_up),
        cmocka_unit_test(help_tells_of_every_setting),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
