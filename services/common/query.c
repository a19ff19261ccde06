/* One use of a prepared statement: bind, step, read columns. Allocates nothing.
 * Must never: copy or log a bound value. Next: gate.c. */
#include "services/common/connection.h"

#include "common/text.h"

#include <assert.h>

static void reset(query_t *query)
{
    (void)sqlite3_reset(query->statement);
    (void)sqlite3_clear_bindings(query->statement);
    query->bind_code = SQLITE_OK;
    query->used = false;
    query->on_row = false;
}

query_t *store_query(store_t *store, size_t index)
{
    assert(index < store->spec->statement_count);
    query_t *query = &store->queries[index];
    assert(!query->on_row);
    if (query->used)
        reset(query);
    store_reread(store);
    query->used = true;
    return query;
}

void query_end(query_t **query)
{
    if (*query == NULL)
        return;
    reset(*query);
    *query = NULL;
}

static void note_bind(query_t *query, int code)
{
    if (query->bind_code == SQLITE_OK)
        query->bind_code = code;
}

void query_text(query_t *query, int n, const char *text)
{
    note_bind(query, sqlite3_bind_text(query->statement, n, text, -1, SQLITE_STATIC));
}

void query_blob(query_t *query, int n, const void *bytes, size_t length)
{
    /* A NULL pointer would bind NULL. */
    note_bind(query, sqlite3_bind_blob64(query->statement, n, length == 0 ? "" : bytes, length,
                                         SQLITE_STATIC));
}

void query_number(query_t *query, int n, int64_t value)
{
    note_bind(query, sqlite3_bind_int64(query->statement, n, value));
}

void query_null(query_t *query, int n)
{
    note_bind(query, sqlite3_bind_null(query->statement, n));
}

void query_number_or_null(query_t *query, int n, int64_t value, bool is_null)
{
    if (is_null)
        query_null(query, n);
    else
        query_number(query, n, value);
}

status_t query_step(query_t *query, bool *out_row, err_t *err)
{
    int code = query->bind_code;
    if (code == SQLITE_OK)
        code = sqlite3_step(query->statement);
    query->on_row = code == SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_fail(query->store, code, err);
    *out_row = query->on_row;
    return STATUS_OK;
}

status_t query_run(query_t *query, int64_t *out_changes, err_t *err)
{
    bool more = true;
    while (more) {
        status_t status = query_step(query, &more, err);
        if (status != STATUS_OK)
            return status;
    }
    if (out_changes != NULL)
        *out_changes = sqlite3_changes64(query->store->db);
    return STATUS_OK;
}

status_t query_only_row(query_t *query, err_t *err)
{
    bool found = false;
    status_t status = query_step(query, &found, err);
    return status == STATUS_OK && !found ? STATUS_UNKNOWN : status;
}

status_t query_read_number(query_t *query, int64_t *out, err_t *err)
{
    bool found = false;
    status_t status = query_step(query, &found, err);
    if (status == STATUS_OK && found && !query_column_is_null(query, 0))
        *out = query_column_number(query, 0);
    return status;
}

/* Asked for after the text: only then is it the text's length. */
static void give_length(query_t *query, int column, size_t *out_length)
{
    if (out_length != NULL)
        *out_length = (size_t)sqlite3_column_bytes(query->statement, column);
}

const char *query_column_text(query_t *query, int column, size_t *out_length)
{
    assert(query->on_row);
    const unsigned char *text = sqlite3_column_text(query->statement, column);
    give_length(query, column, out_length);
    return (const char *)text;
}

const void *query_column_blob(query_t *query, int column, size_t *out_length)
{
    assert(query->on_row);
    const void *bytes = sqlite3_column_blob(query->statement, column);
    give_length(query, column, out_length);
    return bytes;
}

int64_t query_column_number(query_t *query, int column)
{
    assert(query->on_row);
    return sqlite3_column_int64(query->statement, column);
}

bool query_column_is_null(query_t *query, int column)
{
    assert(query->on_row);
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

status_t query_copy_text(query_t *query, int column, char *out, size_t size, err_t *err)
{
    size_t length = 0;
    const char *text = query_column_text(query, column, &length);
    if (text_copy(out, size, text == NULL ? "" : text, length) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, query->store->spec->file,
                       "a text of %zu bytes stands in column %s, made for %zu", length,
                       sqlite3_column_name(query->statement, column), size - 1);
    return STATUS_OK;
}
