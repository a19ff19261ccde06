#include "services/common/settings.h"

#include "common/mem.h"
#include "proto/frames.h"
#include "services/common/slowpool.h"

#include <stdalign.h>
#include <string.h>

static const setting_t common_rows[] = {
    SETTING_TEXT_ROW(settings_t, gateways, "LK_GATEWAYS", "tcp://127.0.0.1:8081",
                     "Where gateways listen for workers: tcp://HOST:PORT or ipc:///PATH, between "
                     "commas; every address a name leads to is used."),
    SETTING_TEXT_ROW(settings_t, data_dir, "LK_DATA_DIR", "./var",
                     "The directory of the databases."),
    SETTING_TEXT_ROW(settings_t, seal_key_file, "LK_SEAL_KEY_FILE", "",
                     "The file of keys that seal the secrets of SIP digest."),
    SETTING_SWITCH_ROW(settings_t, digest, "LK_DIGEST", "on",
                       "Whether secrets for SIP digest are kept, sealed; off needs no key file."),
    SETTING_SWITCH_ROW(settings_t, curve, "LK_CURVE", "on",
                       "Whether gateways are dialled by CURVE, encrypted and known by key; off: in "
                       "plain text, on this machine alone."),
    SETTING_TEXT_ROW(settings_t, curve_dir, "LK_CURVE_DIR", "./var/keys/curve",
                     "Folder of CURVE's keys: SERVICE.key (this service's own) and gateway.pub."),
    SETTING_TEXT_ROW(settings_t, realms, "LK_SIP_REALMS", "linekeeper",
                     "The realms that SIP digest is served for, between commas."),
    SETTING_TEXT_ROW(settings_t, pwhash, "LK_PWHASH", "interactive",
                     "What hashing a password costs: interactive, moderate or PASSES:MEBIBYTES."),
    SETTING_NUMBER_ROW(settings_t, slow_threads, "LK_SLOW_THREADS", "0", 0, SLOWPOOL_THREADS_MAX,
                       "Threads for hashing and long lists; 0: one less than the machine's cores."),
    SETTING_NUMBER_ROW(settings_t, slow_wait_ms, "LK_SLOW_WAIT_MS", "2000", 0, 600000,
                       "How long a call may be expected to wait for these, in milliseconds; one "
                       "that would wait longer is answered 503 at once."),
    SETTING_NUMBER_ROW(settings_t, window, "LK_WINDOW", "64", 1, FRAMES_WINDOW_MAX,
                       "How many requests a gateway may have waiting in this process."),
    SETTING_TEXT_ROW(settings_t, log_level, "LK_LOG_LEVEL", "info",
                     "The lowest level that is logged: debug, info, warn or error."),
    SETTING_NUMBER_ROW(settings_t, drain_seconds, "LK_DRAIN_SECONDS", "4", 0, 3600,
                       "How long a process that is asked to end may finish what it holds."),
    SETTING_TEXT_ROW(settings_t, metrics_listen, "LK_METRICS_LISTEN", "127.0.0.1:8100+",
                     "Address and port where Prometheus gets /metrics; a + behind: the first free "
                     "port from there on; off: nowhere."),
};

/* Of services that wait for other hosts. */
static const setting_t waiting_rows[] = {
    SETTING_NUMBER_ROW(settings_t, fetch_threads, "LK_FETCH_THREADS", "16", 1, SLOWPOOL_THREADS_MAX,
                       "Threads that wait for other hosts; one organization has a quarter of them. "
                       "More than half of LK_WINDOW are of no use."),
};

/* Of services that authorize calls. */
static const setting_t sip_rows[] = {
    SETTING_NUMBER_ROW(settings_t, sip.lockout_failures, "LK_SIP_LOCKOUT_FAILURES", "10", 0, 250,
                       "Failures of one user name from one source until that pair is locked out; "
                       "0: no lock-out."),
    SETTING_NUMBER_ROW(settings_t, sip.lockout_source_failures, "LK_SIP_LOCKOUT_SOURCE_FAILURES",
                       "100", 0, 250,
                       "The same for one source, whatever the user name. IPv6: the /64."),
    SETTING_NUMBER_ROW(settings_t, sip.lockout_window_s, "LK_SIP_LOCKOUT_WINDOW_SECONDS", "60", 1,
                       86400, "Within so many seconds."),
    SETTING_NUMBER_ROW(settings_t, sip.lockout_s, "LK_SIP_LOCKOUT_SECONDS", "60", 1, 86400,
                       "How long the first lock-out lasts; each further one lasts twice as long."),
    SETTING_NUMBER_ROW(settings_t, sip.lockout_max_s, "LK_SIP_LOCKOUT_MAX_SECONDS", "3600", 1,
                       86400, "The longest one."),
    SETTING_TEXT_ROW(settings_t, sip.lockout_exempt, "LK_SIP_LOCKOUT_EXEMPT", "",
                     "Addresses and CIDR ranges, between commas, that are never locked out."),
    SETTING_NUMBER_ROW(settings_t, sip.nonce_s, "LK_SIP_NONCE_SECONDS", "60", 1,
                       SIP_NONCE_MEMORY_S / 2, "How long a nonce is good at /verify."),
    SETTING_NUMBER_ROW(settings_t, sip.ha1_ttl_s, "LK_SIP_HA1_TTL_SECONDS", "60", 0, 86400,
                       "The longest ttl that /ha1 tells a SIP server."),
    SETTING_NUMBER_ROW(
        settings_t, sip.memory_mib, "LK_SIP_MEMORY_MIB", "32", SIP_MEMORY_MIB_LEAST, 4096,
        "Size of the file that remembers lock-outs and used responses, in mebibytes: "
        "one for each call a second at /verify with nonces of another's."),
};

/* Where a service's own struct begins, behind ours. */
enum {
    OWN_OFFSET = (sizeof(settings_t) + alignof(max_align_t) - 1) / alignof(max_align_t) *
                 alignof(max_align_t)
};

static bool any_waits(const worker_spec_t *spec)
{
    for (size_t i = 0; i < spec->handler_count; i++)
        if (spec->handlers[i].waits != NULL)
            return true;
    return false;
}

setting_t *settings_rows(const worker_spec_t *spec, size_t *out_count)
{
    size_t waiting = any_waits(spec) ? ARRAY_LEN(waiting_rows) : 0;
    size_t count = ARRAY_LEN(common_rows);
    size_t sip = spec->sip != NULL ? ARRAY_LEN(sip_rows) : 0;
    setting_t *rows = mem_array(count + waiting + sip + spec->setting_count, sizeof(*rows));
    memcpy(rows, common_rows, sizeof(common_rows));
    for (size_t i = 0; i < waiting; i++)
        rows[count++] = waiting_rows[i];
    for (size_t i = 0; i < sip; i++)
        rows[count++] = sip_rows[i];
    for (size_t i = 0; i < spec->setting_count; i++) {
        rows[count] = spec->settings[i];
        rows[count++].offset += OWN_OFFSET;
    }
    *out_count = count;
    return rows;
}

status_t settings_load(const program_t *program, const worker_spec_t *spec, settings_t **out,
                       const void **out_own, err_t *err)
{
    settings_t *settings = mem_zalloc(OWN_OFFSET + spec->settings_size);
    const void *own = (const char *)settings + OWN_OFFSET;
    status_t status = config_load(program, settings, err);
    if (status == STATUS_OK && spec->check_settings != NULL)
        status = spec->check_settings(own, err);
    if (status != STATUS_OK) {
        mem_free(settings);
        return status;
    }
    *out = settings;
    *out_own = own;
    return STATUS_OK;
}
