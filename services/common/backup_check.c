/* What is in a copy of a store, and whether it can be worked with. Next: restore.c. */
#include "services/common/backup.h"

#include "common/text.h"
#include "services/common/migrate.h"
#include "services/common/sqlite.h"

#include <string.h>

/* Sealed values begin with their key's id (seal.h), and stand in columns of these names. */
const char backup_sealed_columns[] =
    "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c"
    " WHERE m.type = 'table' AND (c.name = 'sealed' OR c.name LIKE '%\\_sealed' ESCAPE '\\')";
static const char table_names[] = "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                  " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

typedef struct {
    sqlite3 *db;
    const store_spec_t *spec;
    const char *name; /* in errors */
    backup_facts_t facts;
} looking_t;

static void free_text(char **text)
{
    sqlite3_free(*text);
}

static status_t prepare(const looking_t *looking, const char *sql, sqlite3_stmt **out, err_t *err)
{
    if (sql == NULL)
        return err_set(err, STATUS_SYSTEM, looking->name, "no memory for a query");
    int code = sqlite3_prepare_v3(looking->db, sql, -1, 0, out, NULL);
    return code == SQLITE_OK ? STATUS_OK : sqlite_fail(looking->db, code, looking->name, err);
}

/* Calls `each` for every row. */
static status_t for_each(looking_t *looking, const char *sql,
                         status_t (*each)(looking_t *looking, sqlite3_stmt *row, err_t *err),
                         err_t *err)
{
    AUTO(sqlite_finalize) sqlite3_stmt *statement = NULL;
    status_t status = prepare(looking, sql, &statement, err);
    while (status == STATUS_OK) {
        int code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            return STATUS_OK;
        status = code == SQLITE_ROW ? each(looking, statement, err)
                                    : sqlite_fail(looking->db, code, looking->name, err);
    }
    return status;
}

static const char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "" : text;
}

static status_t refuse_wal(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    if (strcmp(text_of(row, 0), "wal") != 0)
        return STATUS_OK;
    return err_set(err, STATUS_REFUSED, looking->name,
                   "is a database in use, or was copied by other means than a backup");
}

static status_t want_ok(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    const char *found = text_of(row, 0);
    return strcmp(found, "ok") == 0
               ? STATUS_OK
               : err_set(err, STATUS_CORRUPT, looking->name, "is damaged: %s", found);
}

static status_t refuse_orphan(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    return err_set(err, STATUS_CORRUPT, looking->name,
                   "is damaged: a row of table %s lacks its parent", text_of(row, 0));
}

static status_t count_rows(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    backup_facts_t *facts = &looking->facts;
    if (facts->table_count == BACKUP_TABLES_MAX)
        return err_set(err, STATUS_REFUSED, looking->name,
                       "has more tables than any store of ours");
    size_t i = facts->table_count++;
    const char *table = text_of(row, 0);
    if (text_copy(facts->tables[i].name, BACKUP_NAME_SIZE, table, strlen(table)) != STATUS_OK)
        return err_set(err, STATUS_REFUSED, looking->name, "has a table that is not ours");
    AUTO(free_text) char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", table);
    return sqlite_number(looking->db, sql, &facts->tables[i].rows, looking->name, err);
}

static status_t add_key(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    backup_facts_t *facts = &looking->facts;
    const uint8_t *bytes = sqlite3_column_blob(row, 0);
    if (sqlite3_column_bytes(row, 0) != SEAL_KEY_ID_SIZE)
        return err_set(err, STATUS_CORRUPT, looking->name,
                       "holds a sealed value that is too short");
    uint32_t id = seal_key_id(bytes);
    size_t place = 0;
    while (place < facts->key_count && facts->keys[place] < id)
        place++;
    if (place < facts->key_count && facts->keys[place] == id)
        return STATUS_OK;
    if (facts->key_count == SEAL_KEYS_MAX)
        return err_set(err, STATUS_REFUSED, looking->name,
                       "is sealed with more keys than a key file can hold");
    memmove(&facts->keys[place + 1], &facts->keys[place],
            (facts->key_count - place) * sizeof(facts->keys[0]));
    facts->keys[place] = id;
    facts->key_count++;
    return STATUS_OK;
}

static status_t add_keys_of_column(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    const char *column = text_of(row, 1);
    AUTO(free_text)
    char *sql =
        sqlite3_mprintf("SELECT DISTINCT substr(\"%w\", 1, 4) FROM \"%w\" WHERE \"%w\" IS NOT NULL",
                        column, text_of(row, 0), column);
    return for_each(looking, sql, add_key, err);
}

static status_t check_version(looking_t *looking, err_t *err)
{
    int64_t *version = &looking->facts.version;
    status_t status =
        sqlite_number(looking->db, "PRAGMA user_version", version, looking->name, err);
    return status == STATUS_OK ? migrate_known(looking->spec, *version, looking->name, err)
                               : status;
}

/* Beside what the migrations make, in main: indexes that an operator has added, and what SQLite
 * makes for itself, do no harm. */
static const char shape_differences[] =
    "WITH made AS (SELECT type, name FROM main.sqlite_schema"
    "  WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'),"
    " found AS (SELECT type, name FROM copy.sqlite_schema"
    "  WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\')"
    " SELECT 'lacks', type, name FROM (SELECT * FROM made EXCEPT SELECT * FROM found) UNION ALL"
    " SELECT 'has', type, name FROM (SELECT * FROM found EXCEPT SELECT * FROM made)"
    " WHERE type <> 'index'";

static status_t refuse_difference(looking_t *looking, sqlite3_stmt *row, err_t *err)
{
    return err_set(err, STATUS_REFUSED, looking->name, "is no copy of %s: it %s %s %s",
                   looking->spec->file, text_of(row, 0), text_of(row, 1), text_of(row, 2));
}

/* A copy of another service's store may well be sound. */
static status_t check_shape(const looking_t *looking, err_t *err)
{
    AUTO(sqlite_close) sqlite3 *model = NULL;
    const store_spec_t *spec = looking->spec;
    status_t status = sqlite_open(":memory:", 0, &model, spec->file, err);
    for (int64_t i = 0; i < looking->facts.version && status == STATUS_OK; i++)
        status = sqlite_execute(model, spec->migrations[i].sql, spec->migrations[i].name, err);
    if (status != STATUS_OK)
        return status;
    looking_t comparing = {.db = model, .spec = spec, .name = looking->name};
    AUTO(free_text)
    char *attach = sqlite3_mprintf("ATTACH %Q AS copy", sqlite3_db_filename(looking->db, "main"));
    status = attach == NULL ? err_set(err, STATUS_SYSTEM, looking->name, "no memory for a query")
                            : sqlite_execute(model, attach, looking->name, err);
    return status == STATUS_OK ? for_each(&comparing, shape_differences, refuse_difference, err)
                               : status;
}

static status_t look(looking_t *looking, err_t *err)
{
    status_t status = sqlite_execute(looking->db, "PRAGMA query_only=ON", looking->name, err);
    if (status == STATUS_OK)
        status = for_each(looking, "PRAGMA journal_mode", refuse_wal, err);
    if (status == STATUS_OK)
        status = for_each(looking, "PRAGMA integrity_check(1)", want_ok, err);
    if (status == STATUS_OK)
        status = for_each(looking, "PRAGMA foreign_key_check", refuse_orphan, err);
    if (status == STATUS_OK)
        status = check_version(looking, err);
    if (status == STATUS_OK)
        status = check_shape(looking, err);
    if (status == STATUS_OK)
        status = for_each(looking, table_names, count_rows, err);
    if (status == STATUS_OK)
        status = for_each(looking, backup_sealed_columns, add_keys_of_column, err);
    return status;
}

static bool has_key(const uint32_t *keys, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] == id)
            return true;
    return false;
}

static status_t check_keys(const looking_t *looking, const char *seal_key_file, err_t *err)
{
    AUTO(seal_close) seal_t *seal = NULL;
    uint32_t ids[SEAL_KEYS_MAX];
    if (seal_key_file[0] == '\0' || looking->facts.key_count == 0)
        return STATUS_OK;
    status_t status = seal_open_keys(seal_key_file, &seal, err);
    if (status != STATUS_OK)
        return status;
    size_t count = seal_key_ids(seal, ids);
    for (size_t i = 0; i < looking->facts.key_count; i++)
        if (!has_key(ids, count, looking->facts.keys[i]))
            return err_set(err, STATUS_REFUSED, looking->name,
                           "holds values sealed with key %u, which %s does not have",
                           (unsigned)looking->facts.keys[i], seal_key_file);
    return STATUS_OK;
}

status_t backup_check(const store_spec_t *spec, const char *path, const char *name,
                      const char *seal_key_file, backup_facts_t *out, err_t *err)
{
    AUTO(sqlite_close) sqlite3 *db = NULL;
    status_t status = sqlite_open(path, 0, &db, name, err);
    if (status != STATUS_OK)
        return status;
    looking_t looking = {.db = db, .spec = spec, .name = name};
    status = look(&looking, err);
    if (status == STATUS_OK)
        status = check_keys(&looking, seal_key_file, err);
    if (status == STATUS_OK)
        *out = looking.facts;
    return status;
}
