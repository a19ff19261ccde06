#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/compiler.h"
#include "services/fqdn-auth/user_part.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    const char *text;
    const char *user; /* NULL: none */
} row_t;

static const row_t rows[] = {
    {"sip:12345@example.com", "12345"},
    {"sip:12345@example.com;user=phone", "12345"},
    {"SIPS:12345@[2001:db8::1]:5061", "12345"},
    {"sip:12345:secret@example.com", "12345"},
    {"sip:+1312;phone-context=x@example.com", "+1312;phone-context=x"},
    {"tel:+13125550100", "+13125550100"},
    {"tel:5550100;phone-context=+1312", "5550100"},
    {"047113125550100", "047113125550100"},
    {"0471@example.com", "0471"},
    {"0471;x=y", "0471"},
    {"<sip:+14075550134@example.com;user=phone>", "+14075550134"},
    {"<sip:+14075550134@example.com>;npi=ISDN;noa=2", "+14075550134"},
    {" \"A <sip:9999@x> \\\" B\" <sip:0471@y> ", "0471"},
    {"Bob <tel:0471>", "0471"},
    {"", NULL},
    {"sip:example.com", NULL},
    {"sips:1234.example.com;x=y", NULL},
    {"sip:@example.com", NULL},
    {"<sip:0471@x", NULL},
    {"<sip:0471@x>, <sip:0472@y>", NULL},
    {"<sip:0471@x>;a=b, <sip:0472@y>", NULL},
    {"<sip:0471@x> 0472", NULL},
    {"sip:0471@x, sip:0472@y", NULL},
    {"sip:0471@x,<sip:0472@y>", NULL},
    {"0471,0472", NULL},
    {"tel:0471;x=y,tel:0472", NULL},
    {"\"A, B\" <sip:0471@x>;a=b", "0471"},
    {"<sip:04,71@x>", "04,71"},
    {"\"open <sip:0471@x>", NULL},
    {"\"only a name\"", NULL},
    {"\"ends in a backslash\\", NULL},
    {"two words", NULL},
    {"tel:", NULL},
    {"<>", NULL},
};

static void user_parts_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *user = NULL;
        size_t length = 0;
        status_t status = user_part(rows[i].text, &user, &length);
        bool right = rows[i].user == NULL ? status == STATUS_UNKNOWN && user == NULL
                                          : status == STATUS_OK && length == strlen(rows[i].user) &&
                                                memcmp(user, rows[i].user, length) == 0;
        if (!right)
            fail_msg("%s: %.*s", rows[i].text, (int)length, user == NULL ? "" : user);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(user_parts_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
