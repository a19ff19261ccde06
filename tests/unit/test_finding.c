/* What is known of an FQDN after a look-up; when it is looked up again; which names there are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/ipnet.h"
#include "common/text.h"
#include "services/fqdn-auth/finding.h"
#include "services/fqdn-auth/names.h"
#include "services/fqdn-auth/resolving.h"

#include <stdio.h>
#include <string.h>

static finding_t finding;
static knowledge_t before, after;

static dns_answer_t of(const char *const *addresses, size_t count)
{
    dns_answer_t answer = {.count = count, .ttl = 60};
    for (size_t i = 0; i < count; i++) {
        ipnet_t net;
        assert_int_equal(ipnet_parse(addresses[i], strlen(addresses[i]), &net), STATUS_OK);
        memcpy(answer.items[i].address, net.first, 16);
    }
    return answer;
}

static void answered(size_t host, host_family_t family, const char *address)
{
    dns_answer_t answer = of(&address, address == NULL ? 0 : 1);
    finding_host_answer(&finding, host, family, &answer);
}

static size_t apply(bool allow_private)
{
    size_t refused = finding_apply(&finding, &before, allow_private, &after);
    before = after;
    return refused;
}

static bool knows(int service, const char *target, const char *address)
{
    dns_answer_t answer = of(&address, 1);
    for (size_t i = 0; i < after.count; i++)
        if (after.items[i].service == service && strcmp(after.items[i].target, target) == 0 &&
            memcmp(after.items[i].address, answer.items[0].address, 16) == 0)
            return true;
    return false;
}

static int set_up(void **state)
{
    (void)state;
    before.count = after.count = 0;
    finding_begin(&finding, false);
    return 0;
}

static void each_question_stands_for_itself(void **state)
{
    (void)state;
    answered(0, HOST_IPV4, "9.9.9.1");
    answered(0, HOST_IPV6, "2620:fe::1");
    (void)apply(false);
    assert_true(after.count == 2 && knows(0, "", "9.9.9.1") && knows(0, "", "2620:fe::1"));
    finding_begin(&finding, false); /* nothing was answered */
    (void)apply(false);
    assert_int_equal(after.count, 2);
    answered(0, HOST_IPV4, "9.9.9.2");
    (void)apply(false);
    assert_true(after.count == 2 && knows(0, "", "9.9.9.2") && knows(0, "", "2620:fe::1"));
    finding_begin(&finding, false);
    answered(0, HOST_IPV6, NULL); /* there is none: an answer */
    (void)apply(false);
    assert_true(after.count == 1 && knows(0, "", "9.9.9.2"));
}

static void answers_in_another_order_are_the_same(void **state)
{
    (void)state;
    const char *const some[] = {"9.9.9.3", "9.9.9.1", "9.9.9.3", "9.9.9.2"};
    const char *const others[] = {"9.9.9.2", "9.9.9.3", "9.9.9.1"};
    dns_answer_t answer = of(some, 4);
    finding_host_answer(&finding, 0, HOST_IPV4, &answer);
    (void)apply(false);
    knowledge_t first = after;
    assert_int_equal(first.count, 3);
    finding_begin(&finding, false);
    answer = of(others, 3);
    finding_host_answer(&finding, 0, HOST_IPV4, &answer);
    (void)apply(false);
    assert_true(knowledge_same(&first, &after));
    after.items[0].address[15] ^= 1;
    assert_false(knowledge_same(&first, &after));
    after.count--;
    assert_false(knowledge_same(&first, &after));
}

static size_t link_to(int service, const char *target)
{
    size_t host = SIZE_MAX;
    (void)!finding_link(&finding, service, target, &host);
    return host;
}

static void targets_go_with_their_service(void **state)
{
    (void)state;
    finding_begin(&finding, true);
    for (int service = 1; service <= FINDING_SERVICES; service++)
        finding.service_answered[service] = true;
    size_t one = link_to(1, "one.x"), two = link_to(2, "two.x");
    assert_true(one == 0 && two == 1);
    assert_true(link_to(2, "one.x") == SIZE_MAX); /* known already, and linked */
    answered(one, HOST_IPV4, "9.9.9.1");
    answered(two, HOST_IPV4, "9.9.9.2");
    (void)apply(false);
    assert_int_equal(after.count, 3);
    assert_true(knows(1, "one.x", "9.9.9.1") && knows(2, "one.x", "9.9.9.1"));
    /* The first service names another one; of the second nothing is heard. */
    finding_begin(&finding, true);
    finding.service_answered[1] = finding.service_answered[3] = true;
    (void)link_to(1, "two.x");
    (void)apply(false);
    assert_int_equal(after.count, 2);
    assert_true(knows(2, "one.x", "9.9.9.1") && knows(2, "two.x", "9.9.9.2"));
}

static void what_is_over_is_left_out(void **state)
{
    (void)state;
    finding_begin(&finding, true);
    for (int service = 1; service <= FINDING_SERVICES; service++)
        for (unsigned i = 0; i < 40; i++) {
            char target[16];
            assert_int_equal(text_format(target, sizeof(target), "h%u.x", i), STATUS_OK);
            (void)link_to(service, target);
        }
    assert_true(finding.cut);
    assert_int_equal(finding.host_count, FINDING_HOSTS_MAX);
    assert_true(finding.link_count <= FINDING_LINKS_MAX);
    for (size_t host = 0; host < finding.host_count; host++) {
        dns_answer_t answer = {.count = DNS_RECORDS_MAX};
        for (size_t i = 0; i < answer.count; i++) {
            uint8_t *address = answer.items[i].address;
            memset(address, 0, 16);
            address[10] = address[11] = 0xff;
            address[12] = address[13] = 9;
            address[14] = (uint8_t)host;
            address[15] = (uint8_t)i;
        }
        finding_host_answer(&finding, host, HOST_IPV4, &answer);
    }
    (void)apply(false);
    assert_int_equal(after.count, FINDING_ROWS_MAX);
}

static void what_is_not_public_is_refused(void **state)
{
    (void)state;
    const char *const some[] = {"9.9.9.1", "10.0.0.1", "127.0.0.1", "0.0.0.0", "224.0.0.1"};
    dns_answer_t answer = of(some, 5);
    finding_host_answer(&finding, 0, HOST_IPV4, &answer);
    assert_int_equal(apply(false), 4);
    assert_true(after.count == 1 && knows(0, "", "9.9.9.1"));
    assert_int_equal(apply(true), 2);
    assert_int_equal(after.count, 3);
    finding_begin(&finding, false); /* what may be no more goes without an answer */
    (void)apply(false);
    assert_true(after.count == 1 && knows(0, "", "9.9.9.1"));
}

static void times_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(resolving_pause_ms(0, 0, 30), 30000);
    assert_int_equal(resolving_pause_ms(29, 0, 30), 30000);
    assert_int_equal(resolving_pause_ms(600, 0, 30), 600000);
    assert_int_equal(resolving_pause_ms(86400, 0, 30), 3600000);
    assert_int_equal(resolving_pause_ms(UINT32_MAX, 0, 30), 60000);
    assert_int_equal(resolving_pause_ms(600, 1, 30), 5000);
    assert_int_equal(resolving_pause_ms(600, 2, 30), 10000);
    assert_int_equal(resolving_pause_ms(600, 7, 30), 300000);
    assert_int_equal(resolving_pause_ms(600, UINT32_MAX, 30), 300000);
}

static void names_keep_what_they_had(void **state)
{
    (void)state;
    names_t names = {.count = 0}, next = {.count = 0};
    assert_true(names_add(&names, "a.x", true, 0) && names_add(&names, "a.x", false, 0));
    assert_true(names_add(&names, "a.x", true, 0) && names_add(&names, "b.x", false, 0));
    assert_int_equal(names.count, 3);
    name_t *name = names_find(&names, "a.x", true);
    assert_non_null(name);
    assert_null(names_find(&names, "b.x", true));
    names_land(&names, name, 500);
    name->failures = 3;
    names_find(&names, "b.x", false)->flight = 7;
    assert_ptr_equal(names_due(&names, 10), names_find(&names, "a.x", false));
    names_land(&names, names_find(&names, "a.x", false), 400);
    assert_null(names_due(&names, 10)); /* b.x is under way */
    assert_int_equal(names.soonest_ms, 400);
    assert_true(names_add(&next, "a.x", true, 20) && names_add(&next, "c.x", false, 20));
    names_replace(&names, &next);
    assert_int_equal(names.count, 2);
    assert_int_equal(names_find(&names, "a.x", true)->failures, 3);
    assert_ptr_equal(names_due(&names, 20), names_find(&names, "c.x", false));
    names_land(&names, names_find(&names, "c.x", false), 900);
    assert_null(names_due(&names, 20));
    assert_ptr_equal(names_due(&names, 500), names_find(&names, "a.x", true));
    names_clear(&names);
}

static void names_are_bounded(void **state)
{
    (void)state;
    names_t names = {.count = 0};
    char name[16];
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "n%06u.x", i);
        if (!names_add(&names, name, false, 0))
            fail();
    }
    assert_false(names_add(&names, "z.x", false, 0));
    assert_true(names_add(&names, name, false, 0)); /* is there */
    names_clear(&names);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_question_stands_for_itself), TEST(answers_in_another_order_are_the_same),
        TEST(targets_go_with_their_service),   TEST(what_is_over_is_left_out),
        TEST(what_is_not_public_is_refused),   TEST(times_are_bounded),
        TEST(names_keep_what_they_had),        TEST(names_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
