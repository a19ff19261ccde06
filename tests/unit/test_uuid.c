#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/text.h"
#include "common/uuid.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, EACH = 25000 };

static void a_new_one_is_version_7(void **state)
{
    (void)state;
    char text[UUID_SIZE];
    int64_t before = clock_utc_ms();
    uuid_new(text);
    int64_t after = clock_utc_ms();
    assert_int_equal(strlen(text), 36);
    assert_true(uuid_well_formed(text, 36));
    assert_int_equal(text[14], '7');
    assert_non_null(strchr("89ab", text[19]));
    for (size_t i = 0; i < 36; i++)
        assert_false(text[i] >= 'A' && text[i] <= 'F');
    char hex[13];
    memcpy(hex, text, 8);
    memcpy(hex + 8, text + 9, 4);
    uint8_t bytes[6];
    assert_int_equal(text_unhex(bytes, 6, hex, 12), STATUS_OK);
    int64_t stamp = 0;
    for (size_t i = 0; i < 6; i++)
        stamp = stamp * 256 + bytes[i];
    assert_true(stamp >= before && stamp <= after + 1);
}

typedef struct {
    char (*made)[UUID_SIZE];
    int out_of_order;
} maker_t;

static void *make(void *argument)
{
    maker_t *maker = argument;
    for (int i = 0; i < EACH; i++) {
        uuid_new(maker->made[i]);
        if (i > 0 && strcmp(maker->made[i - 1], maker->made[i]) >= 0)
            maker->out_of_order++;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void they_grow_and_never_repeat(void **state)
{
    (void)state;
    char(*made)[UUID_SIZE] = calloc((size_t)THREADS * EACH, sizeof(*made));
    assert_non_null(made);
    pthread_t threads[THREADS];
    maker_t makers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        makers[i] = (maker_t){.made = made + (ptrdiff_t)i * EACH};
        assert_int_equal(pthread_create(&threads[i], NULL, make, &makers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(makers[i].out_of_order, 0);
    }
    qsort(made, (size_t)THREADS * EACH, sizeof(*made), compare);
    for (int i = 1; i < THREADS * EACH; i++) /* time and counter alone already differ */
        assert_true(memcmp(made[i - 1], made[i], 18) < 0);
    free(made);
}

static void the_form_is_checked(void **state)
{
    (void)state;
    static const char good[] = "0123abcd-45ef-6789-ABCD-ef0123456789";
    assert_true(uuid_well_formed(good, 36));
    assert_true(uuid_well_formed("00000000-0000-0000-0000-000000000000", 36));
    assert_false(uuid_well_formed(good, 35));
    assert_false(uuid_well_formed(good, 37));
    assert_false(uuid_well_formed("", 0));
    assert_false(uuid_well_formed("{123abcd-45ef-6789-ABCD-ef0123456789", 36));
    for (size_t i = 0; i < 36; i++) {
        char bad[UUID_SIZE];
        memcpy(bad, good, sizeof(bad));
        bad[i] = good[i] == '-' ? '0' : '-';
        assert_false(uuid_well_formed(bad, 36));
        bad[i] = 'g';
        assert_false(uuid_well_formed(bad, 36));
        bad[i] = '\0';
        assert_false(uuid_well_formed(bad, 36));
    }
}

static void folding_lowers_letters(void **state)
{
    (void)state;
    char text[UUID_SIZE] = "0123ABCD-45eF-6789-abcd-EF0123456789";
    uuid_fold(text, text);
    assert_string_equal(text, "0123abcd-45ef-6789-abcd-ef0123456789");
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_version_7),
        cmocka_unit_test(they_grow_and_never_repeat),
        cmocka_unit_test(the_form_is_checked),
        cmocka_unit_test(folding_lowers_letters),
    };
    return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
