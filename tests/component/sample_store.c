#include "tests/component/sample_store.h"

#include "sample_migrations.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const statements[] = {
    [PARENT_INSERT] =
        "INSERT INTO parent (id, name, note, bytes, number) VALUES ($1, $2, $3, $4, $5)",
    [PARENT_GET] = "SELECT id, name, note, bytes, number FROM parent WHERE id = $1",
    [PARENT_LIST] = "SELECT id FROM parent ORDER BY id",
    [PARENT_RENAME] = "UPDATE parent SET name = $1 WHERE id = $2",
    [PARENT_DELETE] = "DELETE FROM parent WHERE id = $1 RETURNING name",
    [CHILD_INSERT] = "INSERT INTO child (id, parent_id, place) VALUES ($1, $2, $3)",
    [WRITTEN_INSERT] = "INSERT INTO written (writer, number, padding) VALUES ($1, $2, $3)",
    [WRITTEN_COUNT] =
        "SELECT count(*) FROM written WHERE writer = $1 AND number >= $2 AND number <= $3",
    [DATA_VERSION] = "PRAGMA data_version",
};
_Static_assert(ARRAY_LEN(statements) == SAMPLE_STATEMENT_COUNT, "one text for each");

const store_spec_t sample_spec = {
    .file = "sample.db",
    .migrations = sample_migrations,
    .migration_count = sample_migration_count,
    .statements = statements,
    .statement_count = SAMPLE_STATEMENT_COUNT,
};

status_t sample_insert(store_t *store, const char *id, err_t *err)
{
    AUTO(query_end) query_t *query = store_query(store, PARENT_INSERT);
    query_text(query, 1, id);
    query_text(query, 2, id);
    query_blob(query, 4, id, 1);
    query_number(query, 5, 7);
    return query_run(query, NULL, err);
}

bool sample_has(store_t *store, const char *id)
{
    AUTO(query_end) query_t *query = store_query(store, PARENT_GET);
    query_text(query, 1, id);
    bool found = false;
    err_t err = {0};
    if (query_step(query, &found, &err) != STATUS_OK) {
        (void)fprintf(stderr, "sample_has: %s: %s\n", err.where, err.text);
        abort();
    }
    return found;
}
