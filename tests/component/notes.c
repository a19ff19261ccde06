#include "tests/component/notes.h"

#include "notes_migrations.h"
#include "tests/support/await.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    presence_t fields;
    char id[TEXT_SIZE(36)];
    char text[TEXT_SIZE(64)];
    char secret[33];
} note_t;

enum { NOTE_ID, NOTE_TEXT, NOTE_SECRET };

typedef struct {
    presence_t fields;
    char id[TEXT_SIZE(36)];
} note_path_t;

typedef struct {
    presence_t fields;
    int64_t limit;
} note_query_t;

static const char *check_id(const char *bytes, size_t length)
{
    return memchr(bytes, ' ', length) == NULL ? NULL : "must not hold a blank";
}

static const field_t note_rows[] = {
    [NOTE_ID] = FIELD_TEXT_ROW(note_t, id, 1, 36, .flags = FIELD_REQUIRED),
    [NOTE_TEXT] = FIELD_TEXT_ROW(note_t, text, 1, 64, .flags = FIELD_REQUIRED),
    [NOTE_SECRET] = FIELD_TEXT_ROW(note_t, secret, 6, 32, .flags = FIELD_SECRET),
};
static const field_t path_rows[] = {
    FIELD_TEXT_ROW(note_path_t, id, 1, 36, .flags = FIELD_REQUIRED, .check = check_id)};
static const field_t query_rows[] = {
    FIELD_NUMBER_ROW(note_query_t, limit, 1, 100, .flags = FIELD_DEFAULT, .dflt_number = 10)};

typedef struct {
    presence_t fields;
    char cookie[17];
    char client[41];
} note_head_t;

static const field_t head_rows[] = {
    FIELD_TEXT_ROW_AS("Cookie", note_head_t, cookie, 0, 16, .flags = FIELD_BYTES),
    FIELD_TEXT_ROW_AS(":client", note_head_t, client, 0, 40, .flags = FIELD_BYTES)};

static const schema_t head_schema = SCHEMA("NoteHead", note_head_t, head_rows, .rule = NULL);
static const schema_t note_schema = SCHEMA("Note", note_t, note_rows, .rule = NULL);
static const schema_t path_schema = SCHEMA("NotePath", note_path_t, path_rows, .rule = NULL);
static const schema_t query_schema = SCHEMA("NoteQuery", note_query_t, query_rows, .rule = NULL);

#define READS(name_, flags_)                                                                       \
    {                                                                                              \
        .name = (name_), .method = "GET", .path = "/" name_ "/{id}", .path_schema = &path_schema,  \
        .result = &note_schema, .dialect = &dialect_v2, .success = OUTCOME_OK, .flags = (flags_),  \
        .doc = "Reads a note."                                                                     \
    }
#define MAKES(name_)                                                                               \
    {                                                                                              \
        .name = (name_), .method = "POST", .path = "/" name_, .body = &note_schema,                \
        .result = &note_schema, .dialect = &dialect_v2, .success = OUTCOME_CREATED,                \
        .flags = OPERATION_WRITES, .doc = "Makes a note."                                          \
    }

static const operation_t operations[NOTE_OPERATIONS] = {
    [NOTE_READ] = READS("note_read", 0),
    [NOTE_READ_SLOWLY] = READS("note_read_slowly", OPERATION_BAD_ID),
    [NOTE_LIST] = {.name = "note_list",
                   .method = "GET",
                   .path = "/notes",
                   .query = &query_schema,
                   .result = &note_schema,
                   .dialect = &dialect_v2,
                   .success = OUTCOME_OK,
                   .flags = OPERATION_LIST,
                   .doc = "Lists notes."},
    [NOTE_CREATE] = MAKES("note_create"),
    [NOTE_HASH] = MAKES("note_hash"),
    [NOTE_FETCH] = MAKES("note_fetch"),
    [NOTE_CLASH] = MAKES("note_clash"),
    [NOTE_BREAK] = MAKES("note_break"),
    [NOTE_ENTER] = {.name = "note_enter",
                    .method = "POST",
                    .path = "/sso/note",
                    .head = &head_schema,
                    .body = &note_schema,
                    .result = &note_schema,
                    .documents = MEDIA_BIT(MEDIA_HTML),
                    .dialect = &dialect_sso,
                    .success = OUTCOME_OK,
                    .flags = OPERATION_WRITES | OPERATION_OPEN,
                    .doc = "Makes a note for anybody."},
};

static const service_t notes = {.name = "notes",
                                .operations = operations,
                                .operation_count = NOTE_OPERATIONS,
                                .doc = "Keeps notes."};

/* ---- store ---- */

enum { SQL_GET, SQL_INSERT, SQL_ALL, SQL_COUNT };

static const char *const statements[SQL_COUNT] = {
    [SQL_GET] = "SELECT text FROM note WHERE id = $1",
    [SQL_INSERT] = "INSERT INTO note (id, text) VALUES ($1, $2)",
    [SQL_ALL] = "SELECT id, text FROM note ORDER BY id LIMIT $1",
};

static const store_spec_t notes_store = {.file = "notes.db",
                                         .migrations = notes_migrations,
                                         .migration_count = 3,
                                         .statements = statements,
                                         .statement_count = SQL_COUNT};

/* ---- handlers ---- */

static bool exists(void *path)
{
    return access(path, F_OK) == 0;
}

static void wait_for_file(const char *name)
{
    char path[512];
    const char *directory = getenv("LK_DATA_DIR");
    (void)snprintf(path, sizeof(path), "%s/%s", directory == NULL ? "." : directory, name);
    (void)await(exists, path, 10000);
}

static void read_note(call_t *call, store_t *reader)
{
    const note_path_t *path = call->path;
    AUTO(query_end) query_t *query = store_query(reader, SQL_GET);
    query_text(query, 1, path->id);
    bool found = false;
    err_t err;
    if (query_step(query, &found, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    if (!found) {
        call_refuse(call, OUTCOME_UNKNOWN, NULL);
        return;
    }
    note_t note = {0};
    record_give_text(&note_schema, &note, NOTE_ID, path->id);
    record_give_text(&note_schema, &note, NOTE_TEXT, query_column_text(query, 0, NULL));
    call_answer(call, &note);
}

static void read_slowly(call_t *call, store_t *reader)
{
    wait_for_file("release");
    read_note(call, reader);
}

static void list_notes(call_t *call, store_t *reader)
{
    const note_query_t *asked = call->query;
    AUTO(query_end) query_t *query = store_query(reader, SQL_ALL);
    query_number(query, 1, asked->limit);
    call_list_begin(call);
    bool found = false;
    err_t err;
    status_t status = STATUS_OK;
    while ((status = query_step(query, &found, &err)) == STATUS_OK && found) {
        note_t note = {0};
        record_give_text(&note_schema, &note, NOTE_ID, query_column_text(query, 0, NULL));
        record_give_text(&note_schema, &note, NOTE_TEXT, query_column_text(query, 1, NULL));
        call_list_add(call, &note);
    }
    if (status == STATUS_OK)
        call_list_end(call, -1);
    else
        call_fail(call, &err);
}

static bool insert(call_t *call, store_t *writer)
{
    const note_t *note = call->body;
    AUTO(query_end) query_t *query = store_query(writer, SQL_INSERT);
    query_text(query, 1, note->id);
    query_text(query, 2, note->text);
    err_t err;
    status_t status = query_run(query, NULL, &err);
    if (status == STATUS_CONFLICT) {
        call_fault(call, FAULT_TAKEN, FAULT_IN_BODY, "/id", "is taken");
        call_refuse(call, OUTCOME_CONFLICT, NULL);
    } else if (status != STATUS_OK) {
        call_fail(call, &err);
    }
    return status == STATUS_OK;
}

static void create(call_t *call, store_t *writer)
{
    if (insert(call, writer))
        call_answer(call, call->body);
}

static void clash(call_t *call, store_t *writer)
{
    if (insert(call, writer))
        call_refuse(call, OUTCOME_CONFLICT, "after all");
}

static void break_down(call_t *call, store_t *writer)
{
    err_t err;
    (void)err_set(&err, STATUS_SYSTEM, "note_break", "is broken");
    if (insert(call, writer))
        call_fail(call, &err);
}

static void set_cookie(call_t *call)
{
    if (call_header(call, "Set-Cookie", "session=SECRET") != STATUS_OK)
        abort();
}

static void enter(call_t *call, store_t *writer)
{
    const note_t *note = call->body;
    const note_head_t *head = call->head;
    if (!insert(call, writer))
        return;
    if (strcmp(note->text, "cookie") == 0) {
        call_say(call, head->cookie);
        call_refuse(call, OUTCOME_DENIED, NULL);
        return;
    }
    set_cookie(call);
    if (strcmp(note->text, "in") == 0 && call_elsewhere(call, "/here?a=b") != STATUS_OK)
        abort();
    else if (strcmp(note->text, "denied") == 0)
        call_document_as(call, OUTCOME_DENIED, MEDIA_HTML, "<p>", 3);
    else if (strcmp(note->text, "undone") == 0)
        call_refuse(call, OUTCOME_INVALID, NULL);
}

static bool always(const call_t *call)
{
    (void)call;
    return true;
}

static void hash(call_t *call, store_t *reader)
{
    (void)call;
    (void)reader;
    wait_for_file("release");
    char path[512];
    const char *directory = getenv("LK_DATA_DIR");
    (void)snprintf(path, sizeof(path), "%s/hashed", directory == NULL ? "." : directory);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, ".", 1) != 1)
        abort();
    (void)close(file);
}

static void fetch(call_t *call, store_t *reader)
{
    (void)reader;
    const note_t *note = call->body;
    wait_for_file(note->text);
}

static const handler_t handlers[NOTE_OPERATIONS] = {
    [NOTE_READ] = {.read = read_note},
    [NOTE_READ_SLOWLY] = {.is_slow = always, .read = read_slowly},
    [NOTE_LIST] = {.read = list_notes},
    [NOTE_CREATE] = {.write = create},
    [NOTE_HASH] = {.is_slow = always, .prepare = hash, .write = create},
    [NOTE_FETCH] = {.waits = always, .prepare = fetch, .write = create},
    [NOTE_CLASH] = {.write = clash},
    [NOTE_BREAK] = {.write = break_down},
    [NOTE_ENTER] = {.write = enter},
};

const worker_spec_t notes_spec = {.contract = &notes,
                                  .handlers = handlers,
                                  .handler_count = NOTE_OPERATIONS,
                                  .store = &notes_store};
