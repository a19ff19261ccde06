/* Rows of reply_log. Must never: store a digest that is not keyed. Next: writer.c. */
#include "services/common/replylog.h"

#include "services/common/reply_seal.h"
#include "services/common/worker_metrics.h"

#include "common/clock.h"
#include "common/keyfile.h"
#include "common/mem.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_SIZE = REPLY_SEAL_KEY_SIZE,
    KEY_DIGITS = 64,
    PRINT_SIZE = 32,
    FILE_KEY_ID = 0, /* seal keys count from 1 */
    PURGE_EVERY_MS = 10 * 1000,
    PURGE_PAUSE_MS = 20, /* with batches of this size it shrinks faster than it can grow: */
    PURGE_BATCH = 250,
    SEALED_KEY_SIZE = KEY_SIZE + SEAL_OVERHEAD,
    OLD_KEYS_MAX = 2 * SEAL_KEYS_MAX,
};

typedef struct {
    size_t count;
    uint32_t ids[OLD_KEYS_MAX];
} old_keys_t;

static const int64_t client_keeps_ms = 24LL * 60 * 60 * 1000;
static const int64_t gateway_keeps_ms = 10LL * 60 * 1000;
static const int64_t open_keeps_ms = 60LL * 1000; /* of strangers' writes, which can be many */

enum {
    LOG_FIND,
    LOG_KEEP,
    LOG_EXPIRED,
    LOG_PURGE,
    LOG_OLD_KEY,
    LOG_OLD_KEYS,
    LOG_KEEP_KEY,
    LOG_PURGE_KEYS,
    LOG_STATEMENTS
};

static const char *const log_statements[LOG_STATEMENTS] = {
    [LOG_FIND] = "SELECT key_id, fingerprint, reply FROM reply_log"
                 " WHERE scope = $1 AND idempotency_key = $2 AND expires_at > $3",
    [LOG_KEEP] = "INSERT INTO reply_log"
                 " (scope, idempotency_key, expires_at, key_id, fingerprint, reply)"
                 " VALUES ($1, $2, $3, $4, $5, $6)"
                 " ON CONFLICT (scope, idempotency_key) DO UPDATE SET"
                 " expires_at = excluded.expires_at, key_id = excluded.key_id,"
                 " fingerprint = excluded.fingerprint, reply = excluded.reply",
    [LOG_EXPIRED] = "SELECT 1 FROM reply_log WHERE expires_at <= $1 LIMIT 1",
    [LOG_PURGE] = "DELETE FROM reply_log WHERE (scope, idempotency_key) IN"
                  " (SELECT scope, idempotency_key FROM reply_log"
                  " WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
    [LOG_OLD_KEY] = "SELECT key_sealed FROM reply_key WHERE key_id = $1",
    [LOG_OLD_KEYS] = "SELECT key_id, key_sealed FROM reply_key",
    [LOG_KEEP_KEY] = "INSERT INTO reply_key (key_id, expires_at, key_sealed) VALUES ($1, $2, $3)"
                     " ON CONFLICT (key_id) DO UPDATE SET expires_at = excluded.expires_at,"
                     " key_sealed = excluded.key_sealed",
    [LOG_PURGE_KEYS] = "DELETE FROM reply_key WHERE expires_at <= $1",
};

struct replylog {
    store_spec_t store;
    const char **statements;
    size_t first; /* of the log's own */
    const seal_t *seal;
    uint8_t key[KEY_SIZE]; /* without a seal */
};

/* ---- the key ---- */

static const char seal_context[] = "LKREPLAY";

/* Under a name of its own first, then linked: however many replicas start together, one key wins
 * and nobody reads half a file. */
static status_t make_key_file(const char *path, err_t *err)
{
    char draft[STORE_PATH_SIZE + 48];
    uint8_t key[KEY_SIZE];
    char line[KEY_DIGITS + 2];
    if (text_format(draft, sizeof(draft), "%s.%ld", path, (long)getpid()) != STATUS_OK)
        return err_set(err, STATUS_TOO_LARGE, path, "its name is too long");
    int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return err_errno(err, path, "the key cannot be made");
    randombytes_buf(key, sizeof(key));
    text_hex(line, key, sizeof(key));
    line[sizeof(line) - 2] = '\n';
    bool written =
        write(file, line, sizeof(line) - 1) == (ssize_t)(sizeof(line) - 1) && fsync(file) == 0;
    sodium_memzero(key, sizeof(key));
    sodium_memzero(line, sizeof(line));
    (void)close(file);
    bool linked = written && (link(draft, path) == 0 || errno == EEXIST);
    status_t status = linked ? STATUS_OK : err_errno(err, path, "the key cannot be made");
    (void)unlink(draft);
    return status;
}

static status_t read_key_file(const char *path, uint8_t out[KEY_SIZE], err_t *err)
{
    char text[KEY_DIGITS + 2];
    size_t length = 0;
    status_t status = keyfile_read(path, text, sizeof(text), &length, err);
    if (status == STATUS_UNKNOWN) {
        status = make_key_file(path, err);
        if (status == STATUS_OK)
            status = keyfile_read(path, text, sizeof(text), &length, err);
    }
    if (status != STATUS_OK)
        return status;
    status = length > KEY_DIGITS ? text_unhex(out, KEY_SIZE, text, KEY_DIGITS) : STATUS_INVALID;
    sodium_memzero(text, sizeof(text));
    if (status != STATUS_OK)
        return err_set(err, status, path, "is not a line of 64 hexadecimal digits");
    return STATUS_OK;
}

static status_t load_key(replylog_t *log, const char *directory, err_t *err)
{
    if (log->seal != NULL)
        return STATUS_OK;
    char database[STORE_PATH_SIZE];
    char path[STORE_PATH_SIZE + 16];
    status_t status = store_path(&log->store, directory, database, err);
    if (status == STATUS_OK &&
        text_format(path, sizeof(path), "%s.replay-key", database) != STATUS_OK)
        status = err_set(err, STATUS_TOO_LARGE, database, "its name is too long");
    return status == STATUS_OK ? read_key_file(path, log->key, err) : status;
}

/* ---- opening ---- */

static void append_statements(replylog_t *log)
{
    size_t own = log->store.statement_count;
    log->statements = mem_array(own + LOG_STATEMENTS, sizeof(const char *));
    for (size_t i = 0; i < own; i++)
        log->statements[i] = log->store.statements[i];
    for (size_t i = 0; i < LOG_STATEMENTS; i++)
        log->statements[own + i] = log_statements[i];
    log->first = own;
    log->store.statements = log->statements;
    log->store.statement_count = own + LOG_STATEMENTS;
}

status_t replylog_open(const store_spec_t *service, const seal_t *seal, const char *directory,
                       replylog_t **out, err_t *err)
{
    AUTO(replylog_close) replylog_t *log = mem_zalloc(sizeof(*log));
    log->store = *service;
    log->seal = seal;
    append_statements(log);
    status_t status = load_key(log, directory, err);
    if (status == STATUS_OK)
        *out = TAKE(log);
    return status;
}

void replylog_close(replylog_t **log)
{
    if (*log == NULL)
        return;
    sodium_memzero((*log)->key, KEY_SIZE);
    mem_free((*log)->statements);
    mem_free(*log);
    *log = NULL;
}

const store_spec_t *replylog_store(const replylog_t *log)
{
    return &log->store;
}

/* ---- fingerprints ---- */

static int hash_write(void *state, const char *bytes, size_t length)
{
    return crypto_generichash_update(state, (const unsigned char *)bytes, length);
}

/* As msgpack, so that no two requests hash the same bytes; straight into the hash, so that no copy
 * of a password is made. */
void replylog_digest(const request_t *request, uint8_t out[JOB_DIGEST_SIZE])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, JOB_DIGEST_SIZE);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &state, hash_write);
    size_t length = strlen(request->operation);
    msgpack_pack_str(&packer, length);
    msgpack_pack_str_body(&packer, request->operation, length);
    (void)msgpack_pack_object(&packer, request->path);
    (void)msgpack_pack_object(&packer, request->query);
    (void)msgpack_pack_object(&packer, request->body);
    (void)crypto_generichash_final(&state, out, JOB_DIGEST_SIZE);
    sodium_memzero(&state, sizeof(state));
}

static void make_print(const uint8_t key[KEY_SIZE], const job_t *job, uint8_t out[PRINT_SIZE])
{
    (void)crypto_generichash(out, PRINT_SIZE, job->digest, JOB_DIGEST_SIZE, key, KEY_SIZE);
}

/* The newest key; its number is returned. */
static uint32_t newest_key(const replylog_t *log, uint8_t out[KEY_SIZE])
{
    uint32_t key_id = FILE_KEY_ID;
    if (log->seal == NULL)
        memcpy(out, log->key, KEY_SIZE);
    else
        seal_derive(log->seal, seal_context, out, &key_id);
    return key_id;
}

/* ---- keys that leave the seal ---- */

static seal_place_t place_of(const replylog_t *log, uint32_t key_id)
{
    return (seal_place_t){.service = log->store.file,
                          .row_id = "reply_key",
                          .realm = "",
                          .algorithm = "",
                          .generation = key_id};
}

static status_t open_old_key(const replylog_t *log, uint32_t key_id, query_t *row, int column,
                             uint8_t out[KEY_SIZE])
{
    size_t length = 0;
    const uint8_t *sealed = query_column_blob(row, column, &length);
    seal_place_t place = place_of(log, key_id);
    if (length != SEALED_KEY_SIZE)
        return STATUS_CORRUPT;
    return seal_open_value(log->seal, &place, sealed, length, out);
}

static status_t keep_old_key(const replylog_t *log, store_t *writer, uint32_t key_id,
                             const uint8_t key[KEY_SIZE], err_t *err)
{
    uint8_t sealed[SEALED_KEY_SIZE];
    seal_place_t place = place_of(log, key_id);
    seal_close_value(log->seal, &place, key, KEY_SIZE, sealed);
    AUTO(query_end) query_t *query = store_query(writer, log->first + LOG_KEEP_KEY);
    query_number(query, 1, key_id);
    query_number(query, 2, clock_utc_ms() + 2 * client_keeps_ms);
    query_blob(query, 3, sealed, sizeof(sealed));
    return query_run(query, NULL, err);
}

/* Those of the seal that do not seal, and those that are sealed with one that does not. */
static status_t list_old_keys(const replylog_t *log, store_t *store, old_keys_t *out, err_t *err)
{
    uint32_t ids[SEAL_KEYS_MAX];
    size_t count = seal_key_ids(log->seal, ids);
    old_keys_t keys = {.count = 0};
    for (size_t i = 1; i < count; i++)
        keys.ids[keys.count++] = ids[i];
    AUTO(query_end) query_t *query = store_query(store, log->first + LOG_OLD_KEYS);
    bool found = false;
    status_t status = STATUS_OK;
    while ((status = query_step(query, &found, err)) == STATUS_OK && found) {
        size_t length = 0;
        uint32_t id = (uint32_t)query_column_number(query, 0);
        const uint8_t *sealed = query_column_blob(query, 1, &length);
        bool is_new = length == SEALED_KEY_SIZE && seal_key_id(sealed) == ids[0];
        size_t at = 0;
        while (at < keys.count && keys.ids[at] != id)
            at++;
        if (is_new && at < keys.count)
            keys.ids[at] = keys.ids[--keys.count];
        else if (!is_new && at == keys.count && keys.count < OLD_KEYS_MAX)
            keys.ids[keys.count++] = id;
    }
    if (status == STATUS_OK)
        *out = keys;
    return status;
}

/* The key of that number: of the seal, or one that was in it before. */
static status_t find_key(const replylog_t *log, store_t *store, int64_t key_id,
                         uint8_t out[KEY_SIZE], err_t *err)
{
    if (log->seal == NULL && key_id == FILE_KEY_ID) {
        memcpy(out, log->key, KEY_SIZE);
        return STATUS_OK;
    }
    if (log->seal == NULL || key_id <= FILE_KEY_ID || key_id > UINT32_MAX)
        return STATUS_UNKNOWN;
    if (seal_derive_for(log->seal, (uint32_t)key_id, seal_context, out) == STATUS_OK)
        return STATUS_OK;
    AUTO(query_end) query_t *query = store_query(store, log->first + LOG_OLD_KEY);
    query_number(query, 1, key_id);
    status_t status = query_only_row(query, err);
    if (status != STATUS_OK)
        return status;
    return open_old_key(log, (uint32_t)key_id, query, 0, out);
}

status_t replylog_renew(const replylog_t *log, store_t *store, bool only_look, size_t *out_count,
                        err_t *err)
{
    old_keys_t keys = {.count = 0};
    status_t status = log->seal == NULL ? STATUS_OK : list_old_keys(log, store, &keys, err);
    for (size_t i = 0; i < keys.count && status == STATUS_OK && !only_look; i++) {
        uint8_t key[KEY_SIZE];
        status = find_key(log, store, keys.ids[i], key, err);
        if (status == STATUS_OK)
            status = keep_old_key(log, store, keys.ids[i], key, err);
        sodium_memzero(key, sizeof(key));
    }
    if (status == STATUS_OK)
        *out_count = keys.count;
    return status;
}

/* Whether the fingerprint in a row is the job's. key: the row's, wiped by the caller. */
static status_t is_same_request(const replylog_t *log, store_t *store, query_t *row,
                                const job_t *job, uint8_t key[KEY_SIZE], bool *out, err_t *err)
{
    uint8_t print[PRINT_SIZE];
    size_t length = 0;
    status_t status = find_key(log, store, query_column_number(row, 0), key, err);
    *out = false;
    if (status != STATUS_OK)
        return status == STATUS_UNKNOWN || status == STATUS_CORRUPT ? STATUS_OK : status;
    make_print(key, job, print);
    const void *stored = query_column_blob(row, 1, &length);
    *out = length == PRINT_SIZE && sodium_memcmp(print, stored, PRINT_SIZE) == 0;
    return STATUS_OK;
}

/* ---- rows ---- */

static const char *scope_of(const request_t *request)
{
    return request->client_key ? request->principal.key_id : "";
}

static bool has_key(const job_t *job)
{
    return job->call.request.idempotency_key[0] != '\0';
}

/* The stored reply becomes this call's, under this request's id. */
static status_t answer_again(call_t *call, const void *bytes, size_t length, err_t *err)
{
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked decoded;
    status_t status = envelope_decode(bytes, length, &decoded);
    if (status == STATUS_OK)
        status = envelope_read_reply(&decoded.data, &call->reply);
    if (status != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "reply_log", "holds a reply that cannot be read");
    if (call->reply.body.type != MSGPACK_OBJECT_NIL) {
        msgpack_packer out;
        msgpack_sbuffer_clear(&call->body_bytes);
        msgpack_packer_init(&out, &call->body_bytes, msgpack_sbuffer_write);
        (void)msgpack_pack_object(&out, call->reply.body);
        call->reply.body = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    }
    call_headers_again(call, &call->reply.headers);
    text_cut(call->reply.request_id, sizeof(call->reply.request_id), call->request.request_id);
    call->reply.replayed = call->request.client_key;
    call->answered = true;
    metric_add(&worker_metric_replayed, 0, 1);
    return STATUS_OK;
}

static reply_row_t row_of(const request_t *request)
{
    return (reply_row_t){.scope = scope_of(request), .idempotency_key = request->idempotency_key};
}

static status_t answer_stored(call_t *call, const uint8_t key[KEY_SIZE], const void *bytes,
                              size_t length, err_t *err)
{
    if (!reply_is_sealed(bytes, length))
        return answer_again(call, bytes, length, err);
    msgpack_sbuffer reply;
    reply_row_t row = row_of(&call->request);
    msgpack_sbuffer_init(&reply);
    status_t status = reply_unseal(key, &row, bytes, length, &reply);
    if (status == STATUS_OK)
        status = answer_again(call, reply.data, reply.size, err);
    else
        (void)err_set(err, status, "reply_log", "holds a sealed reply that cannot be read");
    if (reply.size > 0)
        sodium_memzero(reply.data, reply.size);
    msgpack_sbuffer_destroy(&reply);
    return status;
}

status_t replylog_find(const replylog_t *log, store_t *store, job_t *job, err_t *err)
{
    call_t *call = &job->call;
    if (!has_key(job))
        return STATUS_OK;
    AUTO(query_end) query_t *query = store_query(store, log->first + LOG_FIND);
    query_text(query, 1, scope_of(&call->request));
    query_text(query, 2, call->request.idempotency_key);
    query_number(query, 3, call->now_utc_ms);
    bool found = false;
    status_t status = query_step(query, &found, err);
    if (status != STATUS_OK || !found)
        return status;
    bool same = false;
    size_t length = 0;
    uint8_t key[KEY_SIZE];
    status = is_same_request(log, store, query, job, key, &same, err);
    const void *reply = query_column_blob(query, 2, &length);
    if (status == STATUS_OK && same)
        status = answer_stored(call, key, reply, length, err);
    else if (status == STATUS_OK)
        call_refuse(call, OUTCOME_KEY_REUSED, NULL);
    sodium_memzero(key, sizeof(key));
    return status;
}

status_t replylog_keep(const replylog_t *log, store_t *writer, job_t *job, err_t *err)
{
    const request_t *request = &job->call.request;
    if (!has_key(job))
        return STATUS_OK;
    uint8_t key[KEY_SIZE], print[PRINT_SIZE];
    uint32_t key_id = newest_key(log, key);
    reply_row_t row = row_of(request);
    AUTO(msgpack_sbuffer_destroy) msgpack_sbuffer sealed;
    msgpack_sbuffer_init(&sealed);
    bool is_open = (job->call.operation->flags & OPERATION_OPEN) != 0;
    if (is_open)
        reply_seal(key, &row, job->reply.data, job->reply.size, &sealed);
    int64_t keeps_ms = is_open ? open_keeps_ms : gateway_keeps_ms;
    const msgpack_sbuffer *reply = is_open ? &sealed : &job->reply;
    make_print(key, job, print);
    sodium_memzero(key, sizeof(key));
    AUTO(query_end) query_t *query = store_query(writer, log->first + LOG_KEEP);
    query_text(query, 1, scope_of(request));
    query_text(query, 2, request->idempotency_key);
    query_number(query, 3,
                 job->call.now_utc_ms + (request->client_key ? client_keeps_ms : keeps_ms));
    query_number(query, 4, key_id);
    query_blob(query, 5, print, sizeof(print));
    query_blob(query, 6, reply->data, reply->size);
    return query_run(query, NULL, err);
}

status_t replylog_purge(const replylog_t *log, store_t *writer, int64_t now_utc_ms, size_t most,
                        int64_t *out_removed, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(writer, log->first + LOG_PURGE);
    query_number(query, 1, now_utc_ms);
    query_number(query, 2, (int64_t)most);
    return query_run(query, out_removed, err);
}

static bool any_expired(void *context, store_t *store, bool at_end)
{
    (void)at_end;
    const replylog_t *log = context;
    AUTO(query_end) query_t *query = store_query(store, log->first + LOG_EXPIRED);
    query_number(query, 1, clock_utc_ms());
    bool any = false;
    err_t err;
    return query_step(query, &any, &err) == STATUS_OK && any;
}

static status_t purge(void *context, store_t *writer, bool *out_more, err_t *err)
{
    int64_t removed = 0;
    status_t status = replylog_purge(context, writer, clock_utc_ms(), PURGE_BATCH, &removed, err);
    *out_more = removed == PURGE_BATCH;
    if (status != STATUS_OK)
        return status;
    AUTO(query_end)
    query_t *query = store_query(writer, ((const replylog_t *)context)->first + LOG_PURGE_KEYS);
    query_number(query, 1, clock_utc_ms());
    return query_run(query, NULL, err);
}

chore_t replylog_chore(replylog_t *log)
{
    return (chore_t){.event = "replylog_purge_failed",
                     .every_ms = PURGE_EVERY_MS,
                     .pause_ms = PURGE_PAUSE_MS,
                     .context = log,
                     .is_due = any_expired,
                     .run = purge};
}
