/* Fills an empty trunk-auth store for benchmarks, through the store layer: no requests, no hashing.
 *
 * Three of four methods are of type ip, the others sipusers who share one password hash. They are
 * dealt out to the trunks in turn. On standard output: pairs of a trunk's uuid and one of its
 * methods', spread over the whole store. The addresses of 10.0.0.0/8 (with --ipv6 for half of them:
 * 2001:db8::/32) are used up from the bottom; all others are free for the benchmark's own. */
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

typedef struct {
    const char *directory;
    const char *organization;
    uint64_t trunks;
    uint64_t methods;
    bool ipv6;
} plan_t;

typedef struct {
    const plan_t *plan;
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

static status_t add_method(seeder_t *seeder, uint64_t index, char out_uuid[UUID_SIZE], err_t *err)
{
    bool is_sipuser = index % 4 == 3;
    static credentials_t credentials;
    method_t method = {.type = is_sipuser ? METHOD_SIPUSER_TYPE : METHOD_IP_TYPE, .enabled = true};
    uuid_new(method.uuid);
    method.created_on = method.updated_on = seeder->start_ms;
    status_t status = is_sipuser ? text_format(method.username, sizeof(method.username),
                                               "seeded-%s-%" PRIu64, seeder->run, index)
                                 : make_address(seeder, index, method.ip);
    if (status != STATUS_OK)
        return err_set(err, status, "method", "does not fit");
    field_give(&method.fields, is_sipuser ? METHOD_USERNAME : METHOD_IP);
    text_cut(credentials.row_id, UUID_SIZE, method.uuid);
    text_cut(credentials.hash, sizeof(credentials.hash), shared_hash);
    credentials.generation = 1;
    text_cut(out_uuid, UUID_SIZE, method.uuid);
    bool taken = false;
    return method_store_add(seeder->store, seeder->trunks[index % seeder->plan->trunks], &method,
                            is_sipuser ? &credentials : NULL, &taken, err);
}

/* Rows from `first` on, in one transaction. */
static status_t add_some(seeder_t *seeder, uint64_t first, uint64_t count, bool trunks, err_t *err)
{
    uint64_t every = seeder->plan->methods / PAIRS_SHOWN + 1;
    status_t status = gate_take(seeder->gate, clock_ms() + GATE_WAIT_MS, err);
    if (status != STATUS_OK)
        return status;
    status = store_begin(seeder->store, err);
    for (uint64_t i = first; i < first + count && status == STATUS_OK; i++) {
        char uuid[UUID_SIZE];
        status = trunks ? add_trunk(seeder, i, err) : add_method(seeder, i, uuid, err);
        if (!trunks && status == STATUS_OK && i % every == 0)
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

static status_t add_all(seeder_t *seeder, uint64_t count, bool trunks, err_t *err)
{
    status_t status = STATUS_OK;
    for (uint64_t first = 0; first < count && status == STATUS_OK; first += ROWS_A_TRANSACTION) {
        uint64_t left = count - first;
        status = add_some(seeder, first, left < ROWS_A_TRANSACTION ? left : ROWS_A_TRANSACTION,
                          trunks, err);
    }
    return status;
}

static status_t seed(const plan_t *plan, err_t *err)
{
    char path[STORE_PATH_SIZE];
    AUTO(gate_close) gate_t *gate = NULL;
    AUTO(store_close) store_t *store = NULL;
    status_t status = store_path(&trunk_auth_store, plan->directory, path, err);
    if (status == STATUS_OK)
        status = migrate_once(&trunk_auth_store, plan->directory, NULL, err);
    if (status == STATUS_OK)
        status = gate_open(path, &gate, err);
    if (status == STATUS_OK)
        status = store_open(&trunk_auth_store, plan->directory, STORE_WRITER, &store, err);
    if (status != STATUS_OK)
        return status;
    seeder_t seeder = {.plan = plan, .gate = gate, .store = store, .start_ms = clock_utc_ms()};
    seeder.trunks = calloc(plan->trunks, UUID_SIZE);
    if (seeder.trunks == NULL)
        abort();
    uint8_t random[4];
    randombytes_buf(random, sizeof(random));
    text_hex(seeder.run, random, sizeof(random));
    status = add_all(&seeder, plan->trunks, true, err);
    if (status == STATUS_OK)
        status = add_all(&seeder, plan->methods, false, err);
    free(seeder.trunks);
    return status;
}

static bool read_plan(int argc, char *argv[], plan_t *out)
{
    static const struct option options[] = {
        {"data-dir", required_argument, NULL, 'd'}, {"organization", required_argument, NULL, 'o'},
        {"trunks", required_argument, NULL, 't'},   {"methods", required_argument, NULL, 'm'},
        {"ipv6", no_argument, NULL, '6'},           {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t *number = option == 't' ? &out->trunks : &out->methods;
        if (option == 'd')
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
    plan_t plan = {.trunks = 1};
    err_t err = {0};
    if (!read_plan(argc, argv, &plan)) {
        (void)fputs("usage: seed-trunks --data-dir DIR --organization UUID [--trunks N] "
                    "[--methods M] [--ipv6]\n",
                    stderr);
        return EXIT_BAD_USAGE;
    }
    if (sodium_init() < 0 || seed(&plan, &err) != STATUS_OK) {
        (void)fprintf(stderr, "seed-trunks: %s: %s\n", err.where, err.text);
        return EXIT_FAILED;
    }
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
