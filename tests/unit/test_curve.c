#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/curve.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static int set_up(void **state)
{
    scratch_t *scratch = malloc(sizeof(*scratch));
    if (scratch == NULL)
        return -1;
    *scratch = scratch_make();
    *state = scratch;
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(*state);
    free(*state);
    return 0;
}

/* The key pairs of ZeroMQ's own documentation (zmq_curve(7)). */
static const char server_public[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
static const char server_secret[] = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
static const char client_secret[] = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
static const char hex[] = "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7";

static void keys_are_z85_or_hexadecimal(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf77",
        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y\"7",
        "########################################",
        "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3",
        "zz0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7",
    };
    char key[CURVE_KEY_SIZE] = "untouched";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (curve_read_key(bad[i], strlen(bad[i]), key) != STATUS_INVALID)
            fail_msg("%s is taken for a key", bad[i]);
    assert_string_equal(key, "untouched");
    assert_int_equal(curve_read_key(server_public, CURVE_KEY_LENGTH, key), STATUS_OK);
    assert_string_equal(key, server_public);
    assert_int_equal(curve_read_key(hex, sizeof(hex) - 1, key), STATUS_OK);
    assert_string_equal(key, server_secret);
}

static void write_line(const scratch_t *scratch, const char *name, const char *text, unsigned mode)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "%s\n", text);
    scratch_write(scratch, name, line, mode);
}

static void files_give_a_side_its_keys(void **state)
{
    const scratch_t *scratch = *state;
    curve_t *gateway = NULL;
    curve_t *worker = NULL;
    char secret[CURVE_KEY_SIZE];
    err_t err;
    write_line(scratch, "gateway.key", server_secret, 0600);
    write_line(scratch, "gateway.pub", server_public, 0600);
    write_line(scratch, "trunk-auth.key", client_secret, 0640);
    assert_int_equal(curve_open_gateway(scratch->path, &gateway, &err), STATUS_OK);
    assert_string_equal(curve_public(gateway), server_public);
    curve_secret(gateway, secret);
    assert_string_equal(secret, server_secret);
    assert_int_equal(curve_open_worker(scratch->path, "trunk-auth", &worker, &err), STATUS_OK);
    curve_close(&gateway);
    curve_close(&worker);
    assert_null(worker);
    curve_close(&worker);
    write_line(scratch, "gateway.key", hex, 0600); /* the same one */
    assert_int_equal(curve_open_gateway(scratch->path, &gateway, &err), STATUS_OK);
    assert_string_equal(curve_public(gateway), server_public);
    curve_close(&gateway);
}

static void bad_files_are_refused_and_say_nothing(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned mode;
        status_t status;
    } rows[] = {
        {"gateway.key", "short", 0600, STATUS_INVALID},
        {"gateway.key", server_secret, 0644, STATUS_REFUSED},
        {"gateway.key",
         "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\nD:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs", 0600,
         STATUS_INVALID},
        {"gateway.key", "", 0600, STATUS_INVALID},
    };
    const scratch_t *scratch = *state;
    curve_t *curve = NULL;
    err_t err;
    assert_int_equal(curve_open_gateway(scratch->path, &curve, &err), STATUS_UNKNOWN);
    assert_non_null(strstr(err.text, "gateway curve-keys"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_line(scratch, rows[i].name, rows[i].text, rows[i].mode);
        assert_int_equal(curve_open_gateway(scratch->path, &curve, &err), rows[i].status);
        assert_non_null(strstr(err.where, rows[i].name));
        assert_true(rows[i].text[0] == '\0' || strstr(err.text, rows[i].text) == NULL);
    }
    write_line(scratch, "trunk-auth.key", client_secret, 0600);
    assert_int_equal(curve_open_worker(scratch->path, "trunk-auth", &curve, &err), STATUS_UNKNOWN);
    assert_non_null(strstr(err.where, "gateway.pub"));
    assert_null(curve);
}

static void every_pair_is_another(void **state)
{
    curve_t *one = curve_new();
    curve_t *other = curve_new();
    (void)state;
    assert_string_not_equal(curve_public(one), curve_public(other));
    assert_int_equal(strlen(curve_public(one)), CURVE_KEY_LENGTH);
    curve_close(&one);
    curve_close(&other);
}

static void local_addresses_are_literal(void **state)
{
    static const char *const local[] = {
        "ipc:///run/link",   "ipc://@abstract",  "tcp://127.0.0.1:8081",
        "tcp://127.9.8.7:*", "tcp://[::1]:8081",
    };
    static const char *const others[] = {
        "",
        "tcp://",
        "tcp://:8081",
        "tcp://*:8081",
        "tcp://0.0.0.0:8081",
        "tcp://10.0.0.1:8081",
        "tcp://[::]:8081",
        "tcp://localhost:8081",
        "tcp://lo:8081",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1.example:80",
        "tcp://10.0.0.1;127.0.0.1:80",
        "tcp://[::ffff:10.0.0.1]:80",
        "ws://127.0.0.1:80",
        "udp://127.0.0.1:80",
        "pgm://127.0.0.1:80",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if (!curve_is_local(local[i]))
            fail_msg("%s", local[i]);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (curve_is_local(others[i]))
            fail_msg("%s", others[i]);
}

/* An option that libzmq does not take must not go unnoticed. */
static void sockets_that_cannot_are_told_of(void **state)
{
    curve_t *curve = curve_new();
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    err_t err;
    (void)state;
    assert_int_equal(curve_dial(curve, server_public, socket, &err), STATUS_OK);
    assert_int_equal(curve_dial(curve, NULL, socket, &err), STATUS_SYSTEM); /* it has none */
    assert_int_equal(zmq_close(socket), 0);
    assert_int_equal(zmq_ctx_term(context), 0);
    curve_close(&curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_z85_or_hexadecimal),
        cmocka_unit_test_setup_teardown(files_give_a_side_its_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_files_are_refused_and_say_nothing, set_up, tear_down),
        cmocka_unit_test(every_pair_is_another),
        cmocka_unit_test(local_addresses_are_literal),
        cmocka_unit_test(sockets_that_cannot_are_told_of),
    };
    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
