/* Start and end of a service process.
 * Must never: start with a secret in reach of a core dump, or go on with half of its settings.
 * Next: link.c. */
#include "services/common/worker.h"

#include "common/cgroup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/notify.h"
#include "common/process.h"
#include "common/text.h"
#include "services/common/backup_command.h"
#include "services/common/link.h"
#include "services/common/migrate.h"
#include "services/common/replylog.h"
#include "services/common/seal_command.h"
#include "services/common/settings.h"
#include "services/common/sip/sip.h"
#include "services/common/slowpool.h"
#include "services/common/use.h"
#include "services/common/worker_metrics.h"
#include "services/common/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SLOW_QUEUE = 256,  /* calls that may wait for the slow pool */
    OTHER_MIB = 64,    /* of memory, for all but hashing and pages of the database */
    DESCRIPTORS = 128, /* for all but pools: about 40, and some for each gateway */
    FETCH_FILES = 4,   /* a connection to another host, and what libcurl waits with */
};

/* All that runs. */
typedef struct {
    const worker_spec_t *spec;
    settings_t *settings;
    log_level_t level;
    seal_t *seal;
    curve_t *curve; /* NULL: plain text */
    realms_t realms;
    sip_t sip;
    keeper_t keeper;
    replylog_t *log;
    jobs_t finished;
    reseal_t reseal;
    chores_t chores; /* the writer's */
    void *work;      /* of the service's own, beside the calls */
    writer_t *writer;
    slowpool_t *pool;
    slowpool_t *waiting; /* NULL: no handler waits */
    int use;             /* of the store */
    store_t *reader;
    dispatch_t *dispatch;
    int signals;
    metrics_http_t *metrics;
} worker_t;

static status_t load(worker_t *worker, const program_t *program, err_t *err)
{
    status_t status =
        settings_load(program, worker->spec, &worker->settings, &worker->keeper.settings, err);
    if (status != STATUS_OK)
        return status;
    const settings_t *settings = worker->settings;
    if (log_level_parse(settings->log_level, &worker->level) != STATUS_OK)
        return err_set(err, STATUS_INVALID, "LK_LOG_LEVEL",
                       "is none of debug, info, warn and error");
    status = realms_parse(settings->realms, &worker->realms, err);
    if (status == STATUS_OK)
        status = password_cost_parse(settings->pwhash, &worker->keeper.password_cost, err);
    return status;
}

static size_t slow_threads(const settings_t *settings)
{
    if (settings->slow_threads > 0)
        return (size_t)settings->slow_threads;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > SLOWPOOL_THREADS_MAX)
        cores = SLOWPOOL_THREADS_MAX;
    return cores < 2 ? 1 : (size_t)cores - 1;
}

static size_t pool_threads(const settings_t *settings)
{
    return slow_threads(settings) + (size_t)settings->fetch_threads;
}

/* Hashing that does not fit would end in the kernel's killing this process in the middle of it. */
static status_t check_memory(const worker_t *worker, err_t *err)
{
    size_t threads = slow_threads(worker->settings);
    size_t need_mib = (threads * worker->keeper.password_cost.memory_bytes >> 20) +
                      pool_threads(worker->settings) * STORE_READER_CACHE_MIB +
                      (size_t)2 * STORE_CACHE_MIB /* the link's and the writer's */ + OTHER_MIB;
    int64_t limit_mib = cgroup_memory_limit("") >> 20;
    if ((int64_t)need_mib <= limit_mib)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "LK_PWHASH",
                   "and LK_SLOW_THREADS: %zu hashes at once and the rest take %zu MiB, and this "
                   "control group may have %lld",
                   threads, need_mib, (long long)limit_mib);
}

static status_t check_descriptors(const worker_t *worker, err_t *err)
{
    const settings_t *settings = worker->settings;
    return process_descriptors(DESCRIPTORS + worker->spec->descriptors +
                                   pool_threads(settings) * STORE_FILES +
                                   (size_t)settings->fetch_threads * FETCH_FILES,
                               err);
}

static status_t open_seal(worker_t *worker, err_t *err)
{
    const settings_t *settings = worker->settings;
    if (!settings->digest)
        return STATUS_OK;
    if (settings->seal_key_file[0] == '\0')
        return err_set(err, STATUS_INVALID, "LK_SEAL_KEY_FILE",
                       "must name the file of seal keys; LK_DIGEST=off does without SIP digest");
    return seal_open_keys(settings->seal_key_file, &worker->seal, err);
}

static void log_migrated(int64_t from, size_t to)
{
    log_line_t line = log_line(LOG_INFO, "migrated");
    log_number(&line, "from", from);
    log_number(&line, "to", (int64_t)to);
    log_end(&line);
}

/* What they share is made anew before anybody else comes, who could work with the old one. */
static status_t settle(worker_t *worker, const migrated_t *found, err_t *err)
{
    status_t status = STATUS_OK;
    const sip_spec_t sip = {.family = worker->spec->sip,
                            .settings = &worker->settings->sip,
                            .directory = worker->settings->data_dir,
                            .service = worker->spec->contract->name,
                            .alone = found->first};
    if (sip.family != NULL) {
        status = sip_open(&sip, &worker->sip, err);
        worker->keeper.sip = &worker->sip;
    }
    if (found->first)
        use_settle(worker->use, status == STATUS_OK);
    if (status == STATUS_OK && found->version < (int64_t)worker->spec->store->migration_count)
        log_migrated(found->version, worker->spec->store->migration_count);
    return status;
}

static status_t prepare_store(worker_t *worker, err_t *err)
{
    const char *directory = worker->settings->data_dir;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return err_errno(err, directory, "the data directory cannot be made");
    migrated_t found = {.version = 0};
    status_t status = use_take(worker->spec->store, directory, USE_SHARED, &worker->use, err);
    if (status == STATUS_OK)
        status = migrate(worker->spec->store, directory, worker->use, &found, err);
    if (status == STATUS_OK)
        status = settle(worker, &found, err);
    if (status == STATUS_OK)
        status = replylog_open(worker->spec->store, worker->seal, directory, &worker->log, err);
    if (status == STATUS_OK)
        status = store_open(replylog_store(worker->log), directory, STORE_READER_AT_ONCE,
                            &worker->reader, err);
    return status;
}

static status_t add_chores(worker_t *worker, err_t *err)
{
    chore_t purge = replylog_chore(worker->log);
    chores_add(&worker->chores, &purge);
    if (worker->sip.uses != NULL) {
        chore_t uses = sip_uses_chore(worker->sip.uses, worker->sip.family);
        chores_add(&worker->chores, &uses);
    }
    if (worker->seal == NULL)
        return STATUS_OK;
    worker->reseal = (reseal_t){.keeper = &worker->keeper,
                                .seal = worker->seal,
                                .log = worker->log,
                                .tables = worker->spec->sealed,
                                .table_count = worker->spec->sealed_count,
                                .use = worker->use};
    chore_t reseal = reseal_chore(&worker->reseal);
    chores_add(&worker->chores, &reseal);
    return reseal_begin(&worker->reseal, err);
}

static status_t begin_work(worker_t *worker, err_t *err)
{
    if (worker->spec->begin == NULL)
        return STATUS_OK;
    const ground_t ground = {.settings = worker->keeper.settings,
                             .own = worker->keeper.own,
                             .directory = worker->settings->data_dir,
                             .board = worker->sip.board,
                             .chores = &worker->chores};
    return worker->spec->begin(&ground, &worker->work, err);
}

static status_t start_lanes(worker_t *worker, err_t *err)
{
    const char *directory = worker->settings->data_dir;
    board_t *board = worker->sip.board;
    status_t status = add_chores(worker, err);
    if (status == STATUS_OK)
        status = writer_start(worker->log, directory, &worker->chores, board, &worker->finished,
                              &worker->writer, err);
    if (status != STATUS_OK)
        return status;
    slowpool_spec_t slow = {
        .log = worker->log,
        .directory = directory,
        .threads = slow_threads(worker->settings),
        .queue = SLOW_QUEUE,
        .wait_ms = worker->settings->slow_wait_ms,
        .writes = writer_queue(worker->writer),
        .board = board,
        .finished = &worker->finished,
    };
    status = slowpool_start(&slow, &worker->pool, err);
    if (status != STATUS_OK || worker->settings->fetch_threads == 0)
        return status;
    slowpool_spec_t waiting = slow;
    waiting.threads = (size_t)worker->settings->fetch_threads;
    waiting.queue = SIZE_MAX; /* what goes there is portioned out: shares.h */
    return slowpool_start(&waiting, &worker->waiting, err);
}

/* Blocked before the first thread, and so in all of them. */
static status_t open_signals(worker_t *worker, err_t *err)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    worker->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    jobs_init(&worker->finished, SIZE_MAX, event);
    if (worker->signals < 0 || event < 0)
        return err_errno(err, "worker", "no descriptors");
    return STATUS_OK;
}

static status_t start_metrics(worker_t *worker, err_t *err)
{
    const settings_t *settings = worker->settings;
    if (metrics_are_off(settings->metrics_listen))
        return STATUS_OK;
    char path[STORE_PATH_SIZE];
    status_t status = store_path(worker->spec->store, settings->data_dir, path, err);
    if (status != STATUS_OK)
        return status;
    worker_metrics_watch(writer_queue(worker->writer), slowpool_queue(worker->pool),
                         worker->waiting == NULL ? NULL : slowpool_queue(worker->waiting), path);
    return metrics_http_start(worker_metrics(worker->spec->contract), settings->metrics_listen,
                              &worker->metrics, err);
}

static status_t start(worker_t *worker, const program_t *program, err_t *err)
{
    status_t status = load(worker, program, err);
    if (status == STATUS_OK)
        status = check_memory(worker, err);
    if (status == STATUS_OK)
        status = check_descriptors(worker, err);
    if (status != STATUS_OK)
        return status;
    log_open(worker->spec->contract->name, worker->level);
    if (!metrics_are_off(worker->settings->metrics_listen))
        worker_metrics_begin();
    worker->keeper.service = worker->spec->contract->name;
    worker->keeper.realms = &worker->realms;
    status = dispatch_new(worker->spec, &worker->keeper, &worker->dispatch, err);
    if (status == STATUS_OK && worker->spec->open != NULL)
        status = worker->spec->open(worker->keeper.settings, &worker->keeper.own, err);
    if (status == STATUS_OK)
        status = open_seal(worker, err);
    worker->keeper.seal = worker->seal;
    if (status == STATUS_OK && worker->settings->curve)
        status = curve_open_worker(worker->settings->curve_dir, worker->spec->contract->name,
                                   &worker->curve, err);
    /* Before the store, which may take long: a gateway starts when its workers have started. */
    if (status == STATUS_OK)
        (void)notify_manager("READY=1\nSTATUS=its store is looked over");
    if (status == STATUS_OK)
        status = prepare_store(worker, err);
    if (status == STATUS_OK)
        status = begin_work(worker, err);
    if (status == STATUS_OK)
        status = start_lanes(worker, err);
    return status == STATUS_OK ? start_metrics(worker, err) : status;
}

static void log_started(const worker_t *worker, const ready_t *ready)
{
    log_line_t line = log_line(LOG_INFO, "worker_started");
    log_text(&line, "version", LK_VERSION);
    log_text(&line, "instance", ready->instance);
    log_text(&line, "gateways", worker->settings->gateways);
    log_number(&line, "window", (int64_t)ready->window);
    log_number(&line, "slow_threads", (int64_t)slow_threads(worker->settings));
    log_text(&line, "digest", worker->seal == NULL ? "off" : "on");
    log_text(&line, "curve", worker->curve == NULL ? "off" : "on");
    if (worker->metrics != NULL)
        log_text(&line, "metrics", metrics_http_endpoint(worker->metrics));
    log_end(&line);
}

static status_t serve(worker_t *worker, err_t *err)
{
    link_config_t config = {
        .gateways = worker->settings->gateways,
        .curve = worker->curve,
        .ready = {.window = (uint32_t)worker->settings->window},
        .drain_ms = worker->settings->drain_seconds * 1000,
        .dispatch = worker->dispatch,
        .reader = worker->reader,
        .slow = worker->pool,
        .waiting = worker->waiting == NULL ? NULL : slowpool_queue(worker->waiting),
        .waiters = (size_t)worker->settings->fetch_threads,
        .writes = writer_queue(worker->writer),
        .board = worker->sip.board,
        .finished = &worker->finished,
        .signals = worker->signals,
    };
    text_cut(config.ready.service, sizeof(config.ready.service), worker->spec->contract->name);
    uuid_new(config.ready.instance);
    log_started(worker, &config.ready);
    (void)notify_manager("READY=1\nSTATUS=known to no gateway yet");
    size_t held = 0;
    status_t status = link_run(&config, &held, err);
    if (status == STATUS_OK && held > 0) {
        /* Its threads are not waited for. Nothing is torn: what is not committed never was. */
        log_line_t line = log_line(LOG_WARN, "drain_cut");
        log_number(&line, "held", (int64_t)held);
        log_end(&line);
        log_flush();
        _exit(EXIT_OK);
    }
    return status;
}

static void stop(worker_t *worker)
{
    metrics_http_stop(&worker->metrics);
    slowpool_stop(&worker->pool); /* before the writer, whom they hand jobs to */
    slowpool_stop(&worker->waiting);
    writer_stop(&worker->writer);
    if (worker->work != NULL)
        worker->spec->end(&worker->work);
    dispatch_free(&worker->dispatch);
    if (worker->keeper.own != NULL)
        worker->spec->close(&worker->keeper.own);
    sip_close(&worker->sip);
    store_close(&worker->reader);
    replylog_close(&worker->log);
    file_close(&worker->use);
    seal_close(&worker->seal);
    curve_close(&worker->curve);
    if (worker->finished.event >= 0)
        (void)close(worker->finished.event);
    if (worker->signals >= 0)
        (void)close(worker->signals);
    jobs_free(&worker->finished);
    worker_metrics_end();
    mem_free(worker->settings);
}

/* Whether starting again, as it is, would end the same way. */
static int exit_code(status_t status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_OK;
    case STATUS_INVALID:
    case STATUS_REFUSED:
    case STATUS_UNKNOWN:
    case STATUS_TOO_LARGE:
        return EXIT_BAD_CONFIG;
    case STATUS_CONFLICT:
    case STATUS_TIMEOUT:
    case STATUS_BUSY:
    case STATUS_CLOSED:
    case STATUS_FULL:
    case STATUS_SYSTEM:
        return EXIT_FAILED;
    case STATUS_CORRUPT:
        return EXIT_DAMAGED;
    }
    return EXIT_FAILED;
}

static int run(const worker_spec_t *spec, const program_t *program)
{
    worker_t worker = {.spec = spec, .use = -1, .signals = -1};
    err_t err;
    status_t status = open_signals(&worker, &err);
    if (status == STATUS_OK)
        status = start(&worker, program, &err);
    if (status == STATUS_OK)
        status = serve(&worker, &err);
    if (status != STATUS_OK)
        log_failure(LOG_ERROR, "worker_failed", &err);
    stop(&worker);
    if (status == STATUS_OK) {
        log_line_t line = log_line(LOG_INFO, "worker_stopped");
        log_end(&line);
    }
    return exit_code(status);
}

static int run_command(const worker_spec_t *spec, const program_t *program, int argc, char *argv[])
{
    err_t err;
    settings_t *settings = NULL;
    const void *own = NULL;
    log_open(program->name, LOG_INFO);
    process_begin();
    if (settings_load(program, spec, &settings, &own, &err) != STATUS_OK) {
        log_failure(LOG_ERROR, "worker_failed", &err);
        return EXIT_BAD_CONFIG;
    }
    const backup_command_t command = {.program = program->name,
                                      .spec = spec->store,
                                      .directory = settings->data_dir,
                                      .seal_key_file = settings->seal_key_file};
    int code = seal_command_is_meant(argc, argv) ? seal_command(&command, argc, argv)
                                                 : backup_command(&command, argc, argv);
    mem_free(settings);
    return code;
}

static void free_rows(setting_t **rows)
{
    mem_free(*rows);
}

int worker_main(const worker_spec_t *spec, int argc, char *argv[])
{
    size_t row_count = 0;
    AUTO(free_rows) setting_t *rows = settings_rows(spec, &row_count);
    const program_t program = {
        .name = spec->contract->name,
        .summary = spec->contract->doc,
        .usage = "Without arguments: serves until SIGTERM or SIGINT.\n" BACKUP_USAGE("", "")
            SEAL_COMMAND_USAGE
        "Exit codes: 0 after a clean stop, 64 wrong usage, 65 the database is damaged "
        "or a copy refused,\n75 the store is in use, 78 a setting, a key file or the "
        "database's version is wrong, 1 other failures.\n",
        .settings = rows,
        .setting_count = row_count,
        .metrics = worker_metrics(spec->contract),
    };
    if (config_answer(&program, argc, argv))
        return EXIT_OK;
    if (backup_is_meant(argc, argv) || seal_command_is_meant(argc, argv))
        return run_command(spec, &program, argc, argv);
    if (argc > 1) {
        (void)fprintf(stderr, "%s: unknown argument %s; see --help\n", program.name, argv[1]);
        return EXIT_BAD_USAGE;
    }
    log_open(program.name, LOG_INFO);
    process_begin();
    if (sodium_init() < 0)
        return EXIT_FAILED;
    return run(spec, &program);
}
