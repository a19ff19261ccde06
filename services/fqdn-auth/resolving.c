/* Must never: stand in a call's way, or take away what is known because DNS does not answer. */
#include "services/fqdn-auth/resolving.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/text.h"
#include "services/common/use.h"
#include "services/common/worker_metrics.h"
#include "services/fqdn-auth/address_store.h"
#include "services/fqdn-auth/changes.h"
#include "services/fqdn-auth/lookup.h"
#include "services/fqdn-auth/setup.h"
#include "services/fqdn-auth/sql.h"

#include <ares.h>
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TRIES = 2,
    FLIGHT_MS = 60 * 1000, /* what is unanswered then has failed */
    TICK_MS = 500,         /* so often it is looked whether names have changed, or who leads */
    SHARE = 20,            /* reading the names takes a twentieth of the time, at most */
    SWEEP_MS = 60 * 1000,
    SWEEP_MOST = 500,
    RETRY_MS = 5 * 1000, /* after a failure; twice as long after each further one, */
    RETRY_MAX_MS = 5 * 60 * 1000,
    NONE_MS = 60 * 1000, /* when there are no addresses, which has no TTL of its own */
    ROOM_MS = 30 * 1000, /* the writer can't keep up */
};

typedef struct {
    lookup_t *lookup; /* NULL: none */
    uint64_t id;
    int64_t until_ms;
    bool srv;
    char fqdn[DNS_NAME_SIZE];
    size_t first, sockets; /* in the set that is polled */
} flight_t;

typedef struct {
    const setup_t *setup;
    board_t *board;
    store_t *reader;
    changes_t *changes;
    pthread_t thread;
    bool started;
    int event; /* written: the end */
    int file;  /* of the gate */
    bool leads;
    names_t names;
    uint64_t seen_version;
    int64_t read_due_ms, sweep_due_ms;
    flight_t flights[RESOLVING_FLIGHTS_MAX];
    uint64_t flown;
    struct pollfd sockets[1 + RESOLVING_FLIGHTS_MAX * LOOKUP_SOCKETS_MAX];
    knowledge_t before, after;
    log_limit_t warnings;
} resolving_t;

static void warn(resolving_t *resolving, const char *event, const err_t *err)
{
    int64_t held_back = 0;
    if (log_due(&resolving->warnings, clock_ms(), &held_back))
        log_failure(LOG_WARN, event, err);
}

int64_t resolving_pause_ms(uint32_t ttl, unsigned failures, int64_t ttl_min_s)
{
    int64_t ttl_s = ttl == UINT32_MAX ? NONE_MS / 1000 : (int64_t)ttl;
    if (ttl_s < ttl_min_s)
        ttl_s = ttl_min_s;
    if (ttl_s > RESOLVING_TTL_MAX_S)
        ttl_s = RESOLVING_TTL_MAX_S;
    if (failures == 0)
        return ttl_s * 1000;
    int64_t retry_ms = RETRY_MS;
    for (unsigned i = 1; i < failures && retry_ms < RETRY_MAX_MS; i++)
        retry_ms *= 2;
    return retry_ms < RETRY_MAX_MS ? retry_ms : RETRY_MAX_MS;
}

/* ---- names ---- */

static status_t read_names(resolving_t *resolving, err_t *err)
{
    int64_t begun_ms = clock_ms();
    uint64_t version = board_version(resolving->board);
    AUTO(names_clear) names_t names = {.count = 0};
    bool all = false;
    status_t status = address_store_names(resolving->reader, begun_ms, &names, &all, err);
    resolving->read_due_ms = clock_ms() + TICK_MS + SHARE * (clock_ms() - begun_ms);
    if (status != STATUS_OK)
        return status;
    if (!all) {
        err_t over;
        (void)err_set(&over, STATUS_FULL, "dns", "over %d names: the last ones are left out",
                      NAMES_MAX);
        warn(resolving, "dns_names_left_out", &over);
    }
    names_replace(&resolving->names, &names);
    resolving->seen_version = version;
    metric_set(&worker_metric_dns_names, 0, (int64_t)resolving->names.count);
    return STATUS_OK;
}

/* A version of 0 tells nothing: the board is off, or a change is under way. */
static bool names_may_have_changed(const resolving_t *resolving)
{
    uint64_t version = board_version(resolving->board);
    return version == 0 || version != resolving->seen_version;
}

static status_t sweep(resolving_t *resolving, err_t *err)
{
    resolving->sweep_due_ms = clock_ms() + SWEEP_MS;
    AUTO(names_clear) names_t orphans = {.count = 0};
    status_t status = address_store_orphans(resolving->reader, SWEEP_MOST, &orphans, err);
    for (size_t i = 0; i < orphans.count; i++)
        if (!changes_put(resolving->changes, orphans.items[i]->fqdn, orphans.items[i]->srv, NULL))
            break;
    return status;
}

static void look_at_store(resolving_t *resolving)
{
    err_t err;
    int64_t now_ms = clock_ms();
    status_t status = STATUS_OK;
    if (now_ms >= resolving->read_due_ms && names_may_have_changed(resolving))
        status = read_names(resolving, &err);
    if (status == STATUS_OK && now_ms >= resolving->sweep_due_ms)
        status = sweep(resolving, &err);
    if (status != STATUS_OK)
        warn(resolving, "dns_names_unread", &err);
}

/* ---- look-ups ---- */

static void count(const finding_t *finding, size_t refused)
{
    worker_dns_t result = finding->failed              ? WORKER_DNS_FAILED
                          : finding->ttl == UINT32_MAX ? WORKER_DNS_NONE
                                                       : WORKER_DNS_FOUND;
    metric_add(&worker_metric_dns_lookups, result, 1);
    metric_add(&worker_metric_dns_refused, 0, (int64_t)refused);
}

/* False: it is to be tried again soon. */
static bool keep(resolving_t *resolving, const flight_t *flight, const finding_t *finding)
{
    err_t err;
    if (address_store_load(resolving->reader, flight->fqdn, flight->srv, &resolving->before,
                           &err) != STATUS_OK) {
        warn(resolving, "addresses_unread", &err);
        return false;
    }
    count(finding, finding_apply(finding, &resolving->before, resolving->setup->dns_private,
                                 &resolving->after));
    bool waits = changes_hold(resolving->changes, flight->fqdn, flight->srv);
    if (waits && finding->failed)
        return false; /* what was known is on its way, and not yet to be read */
    if (!waits && knowledge_same(&resolving->before, &resolving->after))
        return true;
    log_line_t line = log_line(LOG_INFO, "addresses_changed");
    log_text(&line, "fqdn", flight->fqdn);
    log_number(&line, "before", (int64_t)resolving->before.count);
    log_number(&line, "after", (int64_t)resolving->after.count);
    log_end(&line);
    return changes_put(resolving->changes, flight->fqdn, flight->srv, &resolving->after);
}

static void land(resolving_t *resolving, flight_t *flight)
{
    const finding_t *finding = lookup_finding(flight->lookup);
    name_t *name = names_find(&resolving->names, flight->fqdn, flight->srv);
    if (name != NULL && name->flight == flight->id) {
        name->failures = finding->failed ? name->failures + 1 : 0;
        int64_t pause_ms =
            resolving_pause_ms(finding->ttl, name->failures, resolving->setup->dns_ttl_min_s);
        if (!keep(resolving, flight, finding))
            pause_ms = ROOM_MS;
        names_land(&resolving->names, name, clock_ms() + pause_ms);
    }
    lookup_free(&flight->lookup);
}

static bool take_off(resolving_t *resolving, flight_t *flight, name_t *name)
{
    const lookup_settings_t settings = {.servers = resolving->setup->dns_servers,
                                        .timeout_ms = resolving->setup->dns_timeout_ms,
                                        .tries = TRIES};
    err_t err;
    if (lookup_start(&settings, name->fqdn, name->srv, &flight->lookup, &err) != STATUS_OK) {
        warn(resolving, "dns_not_asked", &err);
        name->due_ms = clock_ms() + RETRY_MS;
        return false;
    }
    flight->id = name->flight = ++resolving->flown;
    flight->until_ms = clock_ms() + FLIGHT_MS;
    flight->srv = name->srv;
    flight->sockets = 0;
    text_cut(flight->fqdn, sizeof(flight->fqdn), name->fqdn);
    return true;
}

static void take_off_all(resolving_t *resolving)
{
    int64_t now_ms = clock_ms();
    for (size_t i = 0; i < RESOLVING_FLIGHTS_MAX; i++) {
        flight_t *flight = &resolving->flights[i];
        if (flight->lookup != NULL)
            continue;
        name_t *name = names_due(&resolving->names, now_ms);
        if (name == NULL || !take_off(resolving, flight, name))
            return;
    }
}

static void end_flights(resolving_t *resolving)
{
    for (size_t i = 0; i < RESOLVING_FLIGHTS_MAX; i++)
        lookup_free(&resolving->flights[i].lookup);
}

/* ---- the thread ---- */

/* Sockets to poll, the event's first; *wait_ms: how long. */
static size_t gather(resolving_t *resolving, int *wait_ms)
{
    size_t total = 1;
    resolving->sockets[0] = (struct pollfd){.fd = resolving->event, .events = POLLIN};
    for (size_t i = 0; i < RESOLVING_FLIGHTS_MAX; i++) {
        flight_t *flight = &resolving->flights[i];
        if (flight->lookup == NULL)
            continue;
        flight->first = total;
        flight->sockets = lookup_sockets(flight->lookup, &resolving->sockets[total]);
        total += flight->sockets;
        *wait_ms = lookup_wait_ms(flight->lookup, *wait_ms);
    }
    return total;
}

static void go_on(resolving_t *resolving)
{
    for (size_t i = 0; i < RESOLVING_FLIGHTS_MAX; i++) {
        flight_t *flight = &resolving->flights[i];
        if (flight->lookup == NULL)
            continue;
        lookup_go_on(flight->lookup, &resolving->sockets[flight->first], flight->sockets);
        if (lookup_is_over(flight->lookup) || clock_ms() >= flight->until_ms)
            land(resolving, flight);
    }
}

/* Whoever led before has died, or ended. */
static void try_to_lead(resolving_t *resolving)
{
    resolving->leads = resolving->leads || use_lead(resolving->file, GATE_BYTE_DNS);
    if (!resolving->leads)
        return;
    log_line_t line = log_line(LOG_INFO, "dns_led");
    log_end(&line);
    resolving->sweep_due_ms = clock_ms() + SWEEP_MS;
}

static int wait_of(const resolving_t *resolving)
{
    int64_t left_ms = resolving->names.soonest_ms - clock_ms();
    return left_ms <= 0 || left_ms > TICK_MS ? TICK_MS : (int)left_ms;
}

static void *run(void *context)
{
    resolving_t *resolving = context;
    for (;;) {
        int wait_ms = TICK_MS;
        if (!resolving->leads)
            try_to_lead(resolving);
        if (resolving->leads) {
            look_at_store(resolving);
            take_off_all(resolving);
            wait_ms = wait_of(resolving);
        }
        size_t count = gather(resolving, &wait_ms);
        int ready = poll(resolving->sockets, count, wait_ms);
        if (ready < 0 && errno != EINTR)
            wait_ms = TICK_MS;
        if (ready > 0 && (resolving->sockets[0].revents & POLLIN) != 0)
            break;
        if (ready >= 0)
            go_on(resolving);
    }
    end_flights(resolving);
    return NULL;
}

/* ---- beginning and ending ---- */

static status_t open_all(resolving_t *resolving, const ground_t *ground, err_t *err)
{
    char path[STORE_PATH_SIZE];
    status_t status = store_path(&fqdn_auth_store, ground->directory, path, err);
    if (status == STATUS_OK)
        status = gate_open_file(path, &resolving->file, err);
    if (status == STATUS_OK)
        status =
            store_open(&fqdn_auth_store, ground->directory, STORE_READER, &resolving->reader, err);
    if (status != STATUS_OK)
        return status;
    resolving->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolving->event < 0)
        return err_errno(err, "resolver", "no descriptors");
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return err_set(err, STATUS_SYSTEM, "c-ares", "cannot be begun");
    return STATUS_OK;
}

status_t resolving_begin(const ground_t *ground, void **out_work, err_t *err)
{
    resolving_t *resolving = mem_zalloc(sizeof(*resolving));
    void *work = resolving;
    resolving->setup = ground->settings;
    resolving->board = ground->board;
    resolving->event = resolving->file = -1;
    resolving->changes = changes_new(ground->board);
    status_t status = open_all(resolving, ground, err);
    if (status == STATUS_OK) {
        chore_t chore = changes_chore(resolving->changes);
        chores_add(ground->chores, &chore);
        resolving->started = pthread_create(&resolving->thread, NULL, run, resolving) == 0;
        if (!resolving->started)
            status = err_set(err, STATUS_SYSTEM, "resolver", "its thread cannot be started");
    }
    if (status == STATUS_OK)
        *out_work = work;
    else
        resolving_end(&work);
    return status;
}

void resolving_end(void **work)
{
    resolving_t *resolving = *work;
    if (resolving == NULL)
        return;
    if (resolving->started) {
        (void)eventfd_write(resolving->event, 1);
        (void)pthread_join(resolving->thread, NULL);
        ares_library_cleanup();
    }
    changes_free(&resolving->changes);
    names_clear(&resolving->names);
    store_close(&resolving->reader);
    file_close(&resolving->file);
    if (resolving->event >= 0)
        (void)close(resolving->event);
    mem_free(resolving);
    *work = NULL;
}
