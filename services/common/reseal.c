/* Must never: leave a row between two keys, or hold the gate for more than a batch. Next: seal.c,
 * deploy/rotate-seal-key.sh. */
#include "services/common/reseal.h"

#include "common/log.h"
#include "common/mem.h"
#include "services/common/gate.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 250,
    PAUSE_MS = 20,
    BATCH = 100,
    MARK_READS = 0, /* of one that is about to read the file */
    MARKS = 1 << 30,
};

/* ---- who has which keys ---- */

static struct flock lock_of(int64_t first, int64_t count, short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = GATE_BYTE_KEYS + first, .l_len = count};
}

static status_t set_mark(int use, uint32_t mark, short type, err_t *err)
{
    struct flock lock = lock_of(mark, 1, type);
    return fcntl(use, F_OFD_SETLK, &lock) == 0
               ? STATUS_OK
               : err_errno(err, "gate", "the mark of its seal keys cannot be locked");
}

static bool is_free(int use, int64_t first, int64_t count)
{
    struct flock found = lock_of(first, count, F_WRLCK);
    return count == 0 || (fcntl(use, F_OFD_GETLK, &found) == 0 && found.l_type == F_UNLCK);
}

/* The new one before the old one is let go of: at every moment there is one that is true. */
static status_t move_mark(reseal_t *reseal, uint32_t mark, err_t *err)
{
    if (mark == reseal->mark)
        return STATUS_OK;
    status_t status = set_mark(reseal->use, mark, F_RDLCK, err);
    if (status == STATUS_OK)
        status = set_mark(reseal->use, reseal->mark, F_UNLCK, err);
    if (status == STATUS_OK)
        reseal->mark = mark;
    return status;
}

/* MARK_READS is never one of keys. */
static uint32_t mark_of(const seal_t *seal)
{
    uint32_t mark = seal_mark(seal);
    return mark == MARK_READS ? MARK_READS + 1 : mark;
}

bool reseal_others(int use, const seal_t *seal)
{
    int64_t mark = mark_of(seal);
    return !is_free(use, 0, mark) || !is_free(use, mark + 1, MARKS - mark - 1);
}

status_t reseal_begin(reseal_t *reseal, err_t *err)
{
    bool changed = false;
    reseal->mark = MARK_READS;
    status_t status = set_mark(reseal->use, MARK_READS, F_RDLCK, err);
    for (int times = 0; times < 2 && status == STATUS_OK; times++)
        status = seal_refresh(reseal->seal, &changed, err);
    return status == STATUS_OK ? move_mark(reseal, mark_of(reseal->seal), err) : status;
}

static void log_keys(const reseal_t *reseal)
{
    uint32_t ids[SEAL_KEYS_MAX];
    log_line_t line = log_line(LOG_INFO, "seal_keys_changed");
    log_number(&line, "keys", (int64_t)seal_key_ids(reseal->seal, ids));
    log_number(&line, "front", ids[0]);
    log_end(&line);
}

static void refresh(reseal_t *reseal)
{
    bool changed = false;
    err_t err = {0};
    status_t status = seal_refresh(reseal->seal, &changed, &err);
    if (status != STATUS_OK && !reseal->refused)
        log_failure(LOG_ERROR, "seal_keys_refused", &err);
    reseal->refused = status != STATUS_OK;
    if (status != STATUS_OK || !changed)
        return;
    log_keys(reseal);
    if (move_mark(reseal, mark_of(reseal->seal), &err) != STATUS_OK)
        log_failure(LOG_ERROR, "seal_keys_not_marked", &err);
}

/* ---- sealing again ---- */

typedef struct {
    char row_id[UUID_SIZE];
    char realm[REALM_SIZE];
    char algorithm[32];
    int64_t generation;
    size_t length;
    uint8_t sealed[SEALED_VALUE_MAX];
} stale_row_t;

static query_t *find_stale(const reseal_t *reseal, store_t *store, const sealed_table_t *table,
                           uint8_t front[SEAL_KEY_ID_SIZE], size_t most)
{
    uint32_t id = seal_front(reseal->seal);
    for (size_t i = 0; i < SEAL_KEY_ID_SIZE; i++)
        front[i] = (uint8_t)(id >> (8 * (SEAL_KEY_ID_SIZE - 1 - i)));
    query_t *query = store_query(store, table->stale);
    query_blob(query, 1, front, SEAL_KEY_ID_SIZE);
    query_number(query, 2, (int64_t)most);
    return query;
}

static status_t read_stale(query_t *query, stale_row_t *out, err_t *err)
{
    size_t length = 0;
    status_t status = query_copy_text(query, 0, out->row_id, sizeof(out->row_id), err);
    if (status == STATUS_OK)
        status = query_copy_text(query, 2, out->realm, sizeof(out->realm), err);
    if (status == STATUS_OK)
        status = query_copy_text(query, 3, out->algorithm, sizeof(out->algorithm), err);
    out->generation = query_column_number(query, 1);
    const void *sealed = query_column_blob(query, 4, &length);
    if (status == STATUS_OK && (length < SEAL_OVERHEAD || length > sizeof(out->sealed)))
        status = err_set(err, STATUS_CORRUPT, "sealed", "has %zu bytes", length);
    if (status == STATUS_OK)
        memcpy(out->sealed, sealed, out->length = length);
    return status;
}

static status_t renew(const reseal_t *reseal, store_t *writer, const sealed_table_t *table,
                      const stale_row_t *row, err_t *err)
{
    uint8_t value[SEALED_VALUE_MAX];
    uint8_t sealed[SEALED_VALUE_MAX];
    const seal_place_t place = {.service = reseal->keeper->service,
                                .row_id = row->row_id,
                                .realm = row->realm,
                                .algorithm = row->algorithm,
                                .generation = row->generation};
    size_t length = row->length - SEAL_OVERHEAD;
    status_t status = seal_open_value(reseal->seal, &place, row->sealed, row->length, value);
    if (status != STATUS_OK)
        return err_set(err, status, row->row_id, "a value sealed with key %u can't be opened",
                       (unsigned)seal_key_id(row->sealed));
    seal_close_value(reseal->seal, &place, value, length, sealed);
    AUTO(query_end) query_t *query = store_query(writer, table->renew);
    query_blob(query, 1, sealed, row->length);
    table->bind(query, reseal->keeper, &place, value, length);
    status = query_run(query, NULL, err);
    sodium_memzero(value, sizeof(value));
    return status;
}

void reseal_bind_place(query_t *renew, const keeper_t *keeper, const seal_place_t *place,
                       const uint8_t *value, size_t length)
{
    (void)keeper;
    (void)value;
    (void)length;
    query_text(renew, 2, place->row_id);
    query_number(renew, 3, place->generation);
    query_text(renew, 4, place->realm);
    query_text(renew, 5, place->algorithm);
}

static void free_rows(stale_row_t **rows)
{
    mem_free(*rows);
}

/* Read to the end before the first is changed: the index that finds them changes with them. */
static status_t renew_some(const reseal_t *reseal, store_t *writer, const sealed_table_t *table,
                           size_t *out_count, err_t *err)
{
    AUTO(free_rows) stale_row_t *rows = mem_array(BATCH, sizeof(*rows));
    uint8_t front[SEAL_KEY_ID_SIZE];
    size_t count = 0;
    AUTO(query_end) query_t *query = find_stale(reseal, writer, table, front, BATCH);
    bool found = false;
    status_t status = query_step(query, &found, err);
    while (status == STATUS_OK && found && count < BATCH) {
        status = read_stale(query, &rows[count++], err);
        if (status == STATUS_OK)
            status = query_step(query, &found, err);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = renew(reseal, writer, table, &rows[i], err);
    *out_count = count;
    return status;
}

static status_t run(void *context, store_t *writer, bool *out_more, err_t *err)
{
    const reseal_t *reseal = context;
    size_t count = 0;
    status_t status = replylog_renew(reseal->log, writer, false, &count, err);
    for (size_t i = 0; i < reseal->table_count && status == STATUS_OK && !*out_more; i++) {
        status = renew_some(reseal, writer, &reseal->tables[i], &count, err);
        *out_more = count == BATCH;
    }
    return status;
}

static bool any_stale(const reseal_t *reseal, store_t *store)
{
    size_t count = 0;
    err_t err;
    bool any = replylog_renew(reseal->log, store, true, &count, &err) == STATUS_OK && count > 0;
    for (size_t i = 0; i < reseal->table_count && !any; i++) {
        uint8_t front[SEAL_KEY_ID_SIZE];
        AUTO(query_end)
        query_t *query = find_stale(reseal, store, &reseal->tables[i], front, 1);
        any = query_step(query, &any, &err) == STATUS_OK && any;
    }
    return any;
}

static bool is_due(void *context, store_t *writer, bool at_end)
{
    (void)at_end;
    refresh(context);
    return any_stale(context, writer);
}

chore_t reseal_chore(reseal_t *reseal)
{
    return (chore_t){.event = "reseal_failed",
                     .every_ms = LOOK_EVERY_MS,
                     .pause_ms = PAUSE_MS,
                     .context = reseal,
                     .is_due = is_due,
                     .run = run};
}
