#include "services/fqdn-auth/address_store.h"

#include "services/fqdn-auth/sql.h"

#include <string.h>

enum { ROWS_MAX = 4 * NAMES_MAX }; /* a name may be an FQDN of several connections */

static const char *word_of(bool srv)
{
    return srv ? "srv" : "a";
}

/* Ends the query. */
static status_t read_names(query_t *query, int64_t now_ms, names_t *out, int64_t *out_rows,
                           err_t *err)
{
    AUTO(query_end) query_t *rows = query;
    AUTO(names_clear) names_t names = {.count = 0};
    bool row = false, fits = true;
    status_t status = query_step(rows, &row, err);
    *out_rows = 0;
    while (status == STATUS_OK && row && fits) {
        fits = names_add(&names, query_column_text(rows, 0, NULL),
                         strcmp(query_column_text(rows, 1, NULL), "srv") == 0, now_ms);
        *out_rows += 1;
        status = query_step(rows, &row, err);
    }
    if (!fits)
        *out_rows = ROWS_MAX;
    if (status == STATUS_OK) {
        *out = names;
        names = (names_t){.count = 0};
    }
    return status;
}

status_t address_store_names(store_t *store, int64_t now_ms, names_t *out, bool *out_all,
                             err_t *err)
{
    int64_t rows = 0;
    query_t *query = store_query(store, SQL_ADDRESS_WANTED);
    query_number(query, 1, ROWS_MAX);
    status_t status = read_names(query, now_ms, out, &rows, err);
    *out_all = rows < ROWS_MAX;
    return status;
}

status_t address_store_orphans(store_t *store, int64_t most, names_t *out, err_t *err)
{
    int64_t rows = 0;
    query_t *query = store_query(store, SQL_ADDRESS_ORPHANS);
    query_number(query, 1, most);
    return read_names(query, 0, out, &rows, err);
}

static status_t read_known(query_t *row, known_t *out, err_t *err)
{
    size_t length = 0;
    const void *address = query_column_blob(row, 2, &length);
    out->service = (int)query_column_number(row, 0);
    if (length != sizeof(out->address) || out->service < 0 || out->service > FINDING_SERVICES)
        return err_set(err, STATUS_CORRUPT, "address", "a row that nobody has written");
    memcpy(out->address, address, length);
    return query_copy_text(row, 1, out->target, sizeof(out->target), err);
}

status_t address_store_load(store_t *store, const char *fqdn, bool srv, knowledge_t *out,
                            err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, SQL_ADDRESS_OF);
    query_text(query, 1, fqdn);
    query_text(query, 2, word_of(srv));
    query_number(query, 3, FINDING_ROWS_MAX);
    bool row = false;
    out->count = 0;
    status_t status = query_step(query, &row, err);
    while (status == STATUS_OK && row) {
        status = read_known(query, &out->items[out->count++], err);
        if (status == STATUS_OK)
            status = query_step(query, &row, err);
    }
    return status;
}

static status_t drop(store_t *store, size_t statement, const char *fqdn, bool srv, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, statement);
    query_text(query, 1, fqdn);
    query_text(query, 2, word_of(srv));
    return query_run(query, NULL, err);
}

status_t address_store_replace(store_t *store, const char *fqdn, bool srv, const knowledge_t *known,
                               err_t *err)
{
    status_t status = drop(store, SQL_ADDRESS_DROP, fqdn, srv, err);
    for (size_t i = 0; status == STATUS_OK && i < known->count; i++) {
        const known_t *row = &known->items[i];
        AUTO(query_end) query_t *query = store_query(store, SQL_ADDRESS_ADD);
        query_text(query, 1, fqdn);
        query_text(query, 2, word_of(srv));
        query_number(query, 3, row->service);
        query_text(query, 4, row->target);
        query_blob(query, 5, row->address, sizeof(row->address));
        status = query_run(query, NULL, err);
    }
    return status;
}

status_t address_store_forget(store_t *store, const char *fqdn, bool srv, err_t *err)
{
    return drop(store, SQL_ADDRESS_FORGET, fqdn, srv, err);
}
