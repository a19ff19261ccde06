/* Fills an empty trunk-auth store for benchmarks, through the store layer: no requests.
 *
 * --methods: three of four are of type ip, the others sipusers who share one password hash; or, for
 * call authorization, --users: sipusers user-0, user-1, ... with the password "seeded-password"
 * and, with --seal-key, their HA1 values for --realm; --ranges: of type ip. All are dealt out to
 * the trunks in turn. On standard output: pairs of a trunk's uuid and one of its methods', spread
 * over the whole store. The addresses of 10.0.0.0/8 (with --ipv6 for half of them: 2001:db8::/32)
 * are used up from the bottom; all others are free for the benchmark's own. */
#include "common/clock.h"
#include "common/config.h"
#include "proto/trunk_auth.h"
#include "services/common/gate.h"
#include "services/trunk-auth/method_store.h"
#include "services/trunk-auth/sql.h"
#include "services/trunk-auth/trunk_store.h"
#include "tests/support/migrated.h"

#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_TRANSACTION = 10000, PAIRS_SHOWN = 16, GATE_WAIT_MS = 30000 };

/* Well-formed, but no password has it. */
static const char shared_hash[] = "$argon2id$v=19$m=8,t=1,p=1$c2VlZC10cnVua3Mtc2FsdA$"
                                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#define SEEDED_PASSWORD "seeded-password"

typedef struct {
    const char *directory;
    const char *organization;
    const char *seal_key; /* NULL: no HA1 values */
    const char *realm;
    uint64_t trunks;
    uint64_t methods, users, ranges;
    bool ipv6;
} plan_t;

typedef enum { ROW_TRUNK, ROW_METHOD, ROW_USER, ROW_RANGE } row_t;

typedef struct {
    const plan_t *plan;
    seal_t *seal;
    realms_t realms;
    keeper_t keeper;
    gate_t *gate;
    store_t *store;
    char (*trunks)[UUID_SIZE];
    char run[16]; /* tells this run's user names from another's */
    int64_t start_ms;
} seeder_t;

static status_t add_trunk(seeder_t *seeder, uint64_t index, err_t *err)
{
    stored_trunk_t trunk = {.organization_id = ""};
    trunk_t *shown = &trunk.shown;
    uuid_new(shown->uuid);
    text_cut(trunk.organization_id, sizeof(trunk.organization_id), seeder->plan->organization);
    if (text_format(shown->name, sizeof(shown->name), "Seeded %" PRIu64, index) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, "name", "does not fit");
    shown->port = 5060;
    shown->created_on = shown->updated_on = seeder->start_ms;
    text_cut(seeder->trunks[index], UUID_SIZE, shown->uuid);
    return trunk_store_add(seeder->store, &trunk, err);
}

static status_t make_address(const seeder_t *seeder, uint64_t index, char out[IPNET_TEXT_SIZE])
{
    if (seeder->plan->ipv6 && index % 2 == 1)
        return text_format(out, IPNET_TEXT_SIZE, "2001:db8:%" PRIx64 ":%" PRIx64 "::/64",
                           index >> 16 & 0xffff, index & 0xffff);
    return text_format(out, IPNET_TEXT_SIZE, "10.%u.%u.%u", (unsigned)(index >> 16 & 0xff),
                       (unsigned)(index >> 8 & 0xff), (unsigned)(index & 0xff));
}

static status_t make_name(const seeder_t *seeder, row_t row, uint64_t index, method_t *method)
{
    return row == ROW_USER
               ? text_format(method->username, sizeof(method->username), "user-%" PRIu64, index)
               : text_format(method->username, sizeof(method->username), "seeded-%s-%" PRIu64,
                             seeder->run, index);
}

/* The weakest hash that libsodium makes; nobody is asked for this password but by a benchmark. */
static status_t make_credentials(const seeder_t *seeder, row_t row, const method_t *method,
                                 credentials_t *out, err_t *err)
{
    if (row == ROW_USER)
        return credentials_make(&seeder->keeper, method->uuid, method->username, SEEDED_PASSWORD,
                                out, err);
    text_cut(out->row_id, UUID_SIZE, method->uuid);
    text_cut(out->hash, sizeof(out->hash), shared_hash);
    out->generation = 1;
    return STATUS_OK;
}

static status_t add_method(seeder_t *seeder, row_t row, uint64_t index, char out_uuid[UUID_SIZE],
                           err_t *err)
{
    bool is_sipuser = row == ROW_USER || (row == ROW_METHOD && index % 4 == 3);
    static credentials_t credentials;
    method_t method = {.type = is_sipuser ? METHOD_SIPUSER_TYPE : METHOD_IP_TYPE, .enabled = true};
    uuid_new(method.uuid);
    method.created_on = method.updated_on = seeder->start_ms;
    status_t status = is_sipuser ? make_name(seeder, row, index, &method)
                                 : make_address(seeder, index, method.ip);
    if (status != STATUS_OK)
        return err_set(err, status, "method", "does not fit");
    field_give(&method.fields, is_sipuser ? METHOD_USERNAME : METHOD_IP);
    if (is_sipuser)
        status = make_credentials(seeder, row, &method, &credentials, err);
    if (status != STATUS_OK)
        return status;
    text_cut(out_uuid, UUID_SIZE, method.uuid);
    bool taken = false;
    return method_store_add(seeder->store, seeder->trunks[index % seeder->plan->trunks], &method,
                            is_sipuser ? &credentials : NULL, &taken, err);
}

/* Rows from `first` on, in one transaction. */
static status_t add_some(seeder_t *seeder, row_t row, uint64_t first, uint64_t count, uint64_t of,
                         err_t *err)
{
    uint64_t every = of / PAIRS_SHOWN + 1;
    status_t status = gate_take(seeder->gate, clock_ms() + GATE_WAIT_MS, err);
    if (status != STATUS_OK)
        return status;
    status = store_begin(seeder->store, err);
    for (uint64_t i = first; i < first + count && status == STATUS_OK; i++) {
        char uuid[UUID_SIZE];
        status =
            row == ROW_TRUNK ? add_trunk(seeder, i, err) : add_method(seeder, row, i, uuid, err);
        if (row != ROW_TRUNK && status == STATUS_OK && i % every == 0)
            (void)printf("%s %s\n", seeder->trunks[i % seeder->plan->trunks], uuid);
    }
    if (status == STATUS_OK)
        status = store_commit(seeder->store, err);
    else
        store_rollback(seeder->store);
    if (status == STATUS_OK)
        status = store_checkpoint(seeder->store, 0, err);
    gate_leave(seeder->gate);
    return status;
}

static status_t add_all(seeder_t *seeder, row_t row, uint64_t count, err_t *err)
{
    status_t status = STATUS_OK;
    for (uint64_t first = 0; first < count && status == STATUS_OK; first += ROWS_A_TRANSACTION) {
        uint64_t left = count - first;
        status = add_some(seeder, row, first, left < ROWS_A_TRANSACTION ? left : ROWS_A_TRANSACTION,
                          count, err);
    }
    return status;
}

static status_t fill(seeder_t *seeder, err_t *err)
{
    const plan_t *plan = seeder->plan;
    uint8_t random[4];
    randombytes_buf(random, sizeof(random));
    text_hex(seeder->run, random, sizeof(random));
    seeder->trunks = calloc(plan->trunks, UUID_SIZE);
    if (seeder->trunks == NULL)
        abort();
    status_t status = add_all(seeder, ROW_TRUNK, plan->trunks, err);
    if (status == STATUS_OK)
        status = add_all(seeder, ROW_METHOD, plan->methods, err);
    if (status == STATUS_OK)
        status = add_all(seeder, ROW_USER, plan->users, err);
    if (status == STATUS_OK)
        status = add_all(seeder, ROW_RANGE, plan->ranges, err);
    free(seeder->trunks);
    return status;
}

static status_t make_keeper(seeder_t *seeder, err_t *err)
{
    const plan_t *plan = seeder->plan;
    status_t status = realms_parse(plan->realm, &seeder->realms, err);
    if (status == STATUS_OK && plan->seal_key != NULL)
        status = seal_open_keys(plan->seal_key, &seeder->seal, err);
    seeder->keeper = (keeper_t){.service = trunk_auth_service.name,
                                .seal = seeder->seal,
                                .realms = &seeder->realms,
                                .password_cost = {.passes = 1, .memory_bytes = 8192}};
    return status;
}

static status_t seed(const plan_t *plan, err_t *err)
{
    char path[STORE_PATH_SIZE];
    AUTO(gate_close) gate_t *gate = NULL;
    AUTO(store_close) store_t *store = NULL;
    seeder_t seeder = {.plan = plan, .start_ms = clock_utc_ms()};
    status_t status = make_keeper(&seeder, err);
    if (status == STATUS_OK)
        status = store_path(&trunk_auth_store, plan->directory, path, err);
    if (status == STATUS_OK)
        status = migrate_once(&trunk_auth_store, plan->directory, NULL, err);
    if (status == STATUS_OK)
        status = gate_open(path, &gate, err);
    if (status == STATUS_OK)
        status = store_open(&trunk_auth_store, plan->directory, STORE_WRITER, &store, err);
    seeder.gate = gate;
    seeder.store = store;
    if (status == STATUS_OK)
        status = fill(&seeder, err);
    seal_close(&seeder.seal);
    return status;
}

static bool read_plan(int argc, char *argv[], plan_t *out)
{
    static const struct option options[] = {
        {"data-dir", required_argument, NULL, 'd'}, {"organization", required_argument, NULL, 'o'},
        {"trunks", required_argument, NULL, 't'},   {"methods", required_argument, NULL, 'm'},
        {"users", required_argument, NULL, 'u'},    {"ranges", required_argument, NULL, 'r'},
        {"seal-key", required_argument, NULL, 's'}, {"realm", required_argument, NULL, 'R'},
        {"ipv6", no_argument, NULL, '6'},           {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t *number = option == 't'   ? &out->trunks
                           : option == 'u' ? &out->users
                           : option == 'r' ? &out->ranges
                                           : &out->methods;
        if (option == 's')
            out->seal_key = optarg;
        else if (option == 'R')
            out->realm = optarg;
        else if (option == 'd')
            out->directory = optarg;
        else if (option == 'o')
            out->organization = optarg;
        else if (option == '6')
            out->ipv6 = true;
        else if (option == '?' ||
                 text_number(optarg, strlen(optarg), UINT64_C(16000000), number) != STATUS_OK)
            return false;
    }
    return optind == argc && out->directory != NULL && out->organization != NULL &&
           uuid_well_formed(out->organization, strlen(out->organization)) && out->trunks > 0;
}

int main(int argc, char *argv[])
{
    plan_t plan = {.trunks = 1, .realm = "linekeeper"};
    err_t err = {0};
    if (!read_plan(argc, argv, &plan)) {
        (void)fputs(
            "usage: seed-trunks --data-dir DIR --organization UUID [--trunks N] "
            "[--methods M] [--users N [--seal-key FILE] [--realm NAME]] [--ranges N] [--ipv6]\n",
            stderr);
        return EXIT_BAD_USAGE;
    }
    if (sodium_init() < 0 || seed(&plan, &err) != STATUS_OK) {
        (void)fprintf(stderr, "seed-trunks: %s: %s\n", err.where, err.text);
        return EXIT_FAILED;
    }
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
