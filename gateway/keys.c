/* The gateway's own store: who may ask anything at all.
 *
 * Must never: keep, log or return a key's text after keys_create has handed it out; compare text.
 * A lost LK_API_KEY_HASH_FILE makes every key unknown. Next: key_cache.c. */
#include "gateway/keys_internal.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/keyfile.h"
#include "common/mem.h"
#include "gateway_migrations.h"
#include "services/common/gate.h"
#include "services/common/migrate.h"
#include "services/common/store.h"
#include "services/common/use.h"

#include <sodium.h>
#include <string.h>

enum { GATE_WAIT_MS = 5000, CHECKPOINT_PAGES = 1000, SECRET_BYTES = 32, FIRST_ROOM = 16 };

_Static_assert(KEY_HASH_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");

enum { ADD_ORGANIZATION, FIND_ORGANIZATION, ADD_KEY, REVOKE_KEY, LIST_KEYS, DATA_VERSION };

static const char *const statements[] = {
    [ADD_ORGANIZATION] = "INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3)"
                         " ON CONFLICT (name) DO NOTHING",
    [FIND_ORGANIZATION] = "SELECT id FROM organizations WHERE name = $1",
    [ADD_KEY] = "INSERT INTO api_keys (id, organization_id, label, hash, scope, is_operator,"
                " rate_limit, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [REVOKE_KEY] = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2",
    [LIST_KEYS] = "SELECT k.id, k.organization_id, o.name, k.label, k.hash, k.scope,"
                  " k.is_operator, k.rate_limit, k.created_at, k.expires_at, k.revoked_at"
                  " FROM api_keys k JOIN organizations o ON o.id = k.organization_id"
                  " ORDER BY k.created_at, k.id",
    /* Not SQL that PostgreSQL knows: its back end will answer this one otherwise. */
    [DATA_VERSION] = "PRAGMA data_version",
};

static const store_spec_t key_store = {.file = "gateway.db",
                                       .migrations = gateway_migrations,
                                       .migration_count = gateway_migration_count,
                                       .statements = statements,
                                       .statement_count = ARRAY_LEN(statements)};

const store_spec_t *keys_store(void)
{
    return &key_store;
}

struct keys {
    store_t *reader, *writer;
    gate_t *gate;
    int use;
    uint8_t hash_key[32];
};

static status_t read_hash_key(const char *path, uint8_t out[32], err_t *err)
{
    char text[128];
    size_t length = 0;
    status_t status = keyfile_read(path, text, sizeof text, &length, err);
    if (status != STATUS_OK)
        return status;
    while (length > 0 && strchr(" \r\n", text[length - 1]) != NULL)
        length--;
    status = text_unhex(out, 32, text, length);
    sodium_memzero(text, sizeof text);
    return status == STATUS_OK
               ? STATUS_OK
               : err_set(err, STATUS_INVALID, path, "does not hold 64 hexadecimal digits");
}

status_t keys_check(const char *hash_file, char out[65], err_t *err)
{
    uint8_t key[32], check[32];
    status_t status = read_hash_key(hash_file, key, err);
    if (status != STATUS_OK)
        return status;
    (void)crypto_kdf_derive_from_key(check, sizeof check, 1, "lk-check", key);
    sodium_memzero(key, sizeof key);
    text_hex(out, check, sizeof check);
    return STATUS_OK;
}

static status_t open_stores(keys_t *keys, const char *directory, err_t *err)
{
    char path[STORE_PATH_SIZE];
    status_t status = use_take(&key_store, directory, USE_SHARED, &keys->use, err);
    if (status == STATUS_OK)
        status = migrate(&key_store, directory, keys->use, NULL, err);
    if (status == STATUS_OK)
        status = store_path(&key_store, directory, path, err);
    if (status == STATUS_OK)
        status = gate_open(path, &keys->gate, err);
    if (status == STATUS_OK)
        status = store_open(&key_store, directory, STORE_READER, &keys->reader, err);
    if (status == STATUS_OK)
        status = store_open(&key_store, directory, STORE_WRITER, &keys->writer, err);
    return status;
}

status_t keys_open(const char *directory, const char *hash_file, keys_t **out, err_t *err)
{
    AUTO(keys_close) keys_t *keys = mem_zalloc(sizeof *keys);
    keys->use = -1;
    status_t status = read_hash_key(hash_file, keys->hash_key, err);
    if (status == STATUS_OK)
        status = open_stores(keys, directory, err);
    if (status == STATUS_OK)
        *out = TAKE(keys);
    return status;
}

void keys_close(keys_t **keys)
{
    keys_t *closing = *keys;
    if (closing == NULL)
        return;
    store_close(&closing->reader);
    store_close(&closing->writer);
    gate_close(&closing->gate);
    file_close(&closing->use);
    sodium_memzero(closing, sizeof *closing);
    mem_free(closing);
    *keys = NULL;
}

void keys_hash(const keys_t *keys, const char *secret, size_t length, uint8_t out[KEY_HASH_SIZE])
{
    (void)crypto_generichash(out, KEY_HASH_SIZE, (const unsigned char *)secret, length,
                             keys->hash_key, sizeof keys->hash_key);
}

static status_t check_text(const char *what, const char *text, bool needed, err_t *err)
{
    long length = text_utf8_length(text, strlen(text));
    if (length < 0 || length > 128 || (needed && length == 0))
        return err_set(err, STATUS_INVALID, what, "must be %s128 characters of UTF-8",
                       needed ? "1 to " : "at most ");
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        if (*at < 0x20 || *at == 0x7f)
            return err_set(err, STATUS_INVALID, what, "must not hold control characters");
    return STATUS_OK;
}

static status_t check_wanted(const api_key_t *wanted, int64_t now, err_t *err)
{
    status_t status = check_text("organization", wanted->organization, true, err);
    if (status == STATUS_OK)
        status = check_text("label", wanted->label, false, err);
    if (status != STATUS_OK)
        return status;
    if (wanted->expires_at != 0 && wanted->expires_at <= now)
        return err_set(err, STATUS_INVALID, "expires", "is not in the future");
    if (wanted->rate_limit < 0)
        return err_set(err, STATUS_INVALID, "rate limit", "is negative");
    return STATUS_OK;
}

static status_t add_organization(store_t *store, api_key_t *key, err_t *err)
{
    char id[UUID_SIZE];
    bool row = false;
    uuid_new(id);
    AUTO(query_end) query_t *add = store_query(store, ADD_ORGANIZATION);
    query_text(add, 1, id);
    query_text(add, 2, key->organization);
    query_number(add, 3, key->created_at);
    status_t status = query_run(add, NULL, err);
    if (status != STATUS_OK)
        return status;
    AUTO(query_end) query_t *find = store_query(store, FIND_ORGANIZATION);
    query_text(find, 1, key->organization);
    status = query_step(find, &row, err);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return err_set(err, STATUS_CORRUPT, "gateway.db", "has lost an organization");
    return query_copy_text(find, 0, key->organization_id, sizeof key->organization_id, err);
}

static status_t add_key(store_t *store, const api_key_t *key, const uint8_t *hash, err_t *err)
{
    AUTO(query_end) query_t *add = store_query(store, ADD_KEY);
    query_text(add, 1, key->id);
    query_text(add, 2, key->organization_id);
    query_text(add, 3, key->label);
    query_blob(add, 4, hash, KEY_HASH_SIZE);
    query_text(add, 5, scope_name(key->scope));
    query_number(add, 6, key->is_operator);
    query_number(add, 7, key->rate_limit);
    query_number(add, 8, key->created_at);
    query_number_or_null(add, 9, key->expires_at, key->expires_at == 0);
    return query_run(add, NULL, err);
}

static status_t begin_write(keys_t *keys, err_t *err)
{
    status_t status = gate_take(keys->gate, clock_ms() + GATE_WAIT_MS, err);
    if (status != STATUS_OK)
        return status;
    status = store_begin(keys->writer, err);
    if (status != STATUS_OK)
        gate_leave(keys->gate);
    return status;
}

static status_t end_write(keys_t *keys, status_t status, err_t *err)
{
    if (status == STATUS_OK)
        status = store_commit(keys->writer, err);
    else
        store_rollback(keys->writer);
    if (status == STATUS_OK) {
        /* A checkpoint that fails costs nothing but room: the next one does its work. */
        err_t ignored;
        status_t checkpoint = store_checkpoint(keys->writer, CHECKPOINT_PAGES, &ignored);
        (void)checkpoint;
    }
    gate_leave(keys->gate);
    return status;
}

static void make_secret(char out[KEY_SIZE])
{
    static const char prefix[] = {'l', 'k', '_'};
    uint8_t random[SECRET_BYTES];
    randombytes_buf(random, sizeof random);
    memcpy(out, prefix, sizeof prefix);
    (void)sodium_bin2base64(out + sizeof prefix, KEY_SIZE - sizeof prefix, random, sizeof random,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
}

status_t keys_create(keys_t *keys, const api_key_t *wanted, char out_secret[KEY_SIZE],
                     api_key_t *out, err_t *err)
{
    api_key_t key = *wanted;
    char secret[KEY_SIZE];
    uint8_t hash[KEY_HASH_SIZE];
    key.created_at = clock_utc_ms();
    key.revoked_at = 0;
    uuid_new(key.id);
    status_t status = check_wanted(&key, key.created_at, err);
    if (status == STATUS_OK)
        status = begin_write(keys, err);
    if (status != STATUS_OK)
        return status;
    make_secret(secret);
    keys_hash(keys, secret, KEY_SIZE - 1, hash);
    status = add_organization(keys->writer, &key, err);
    if (status == STATUS_OK)
        status = add_key(keys->writer, &key, hash, err);
    status = end_write(keys, status, err);
    if (status == STATUS_OK) {
        memcpy(out_secret, secret, sizeof secret);
        *out = key;
    }
    sodium_memzero(secret, sizeof secret);
    return status;
}

status_t keys_revoke(keys_t *keys, const char *id, err_t *err)
{
    int64_t changes = 0;
    status_t status = begin_write(keys, err);
    if (status != STATUS_OK)
        return status;
    AUTO(query_end) query_t *revoke = store_query(keys->writer, REVOKE_KEY);
    query_number(revoke, 1, clock_utc_ms());
    query_text(revoke, 2, id);
    status = query_run(revoke, &changes, err);
    if (status == STATUS_OK && changes == 0)
        status = err_set(err, STATUS_UNKNOWN, "key", "no key has the id %.36s", id);
    return end_write(keys, status, err);
}

status_t keys_version(keys_t *keys, int64_t *out, err_t *err)
{
    bool row = false;
    AUTO(query_end) query_t *query = store_query(keys->reader, DATA_VERSION);
    status_t status = query_step(query, &row, err);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return err_set(err, STATUS_SYSTEM, "gateway.db", "tells no data version");
    *out = query_column_number(query, 0);
    return STATUS_OK;
}

static status_t read_key(query_t *row, hashed_key_t *out, err_t *err)
{
    size_t length = 0;
    api_key_t *key = &out->key;
    status_t status = query_copy_text(row, 0, key->id, sizeof key->id, err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 1, key->organization_id, sizeof key->organization_id, err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 2, key->organization, sizeof key->organization, err);
    if (status == STATUS_OK)
        status = query_copy_text(row, 3, key->label, sizeof key->label, err);
    if (status != STATUS_OK)
        return status;
    const void *hash = query_column_blob(row, 4, &length);
    const char *scope = query_column_text(row, 5, NULL);
    if (hash == NULL || length != KEY_HASH_SIZE || scope == NULL ||
        scope_parse(scope, &key->scope) != STATUS_OK)
        return err_set(err, STATUS_CORRUPT, "gateway.db", "key %s is damaged", key->id);
    memcpy(out->hash, hash, KEY_HASH_SIZE);
    key->is_operator = query_column_number(row, 6) != 0;
    key->rate_limit = query_column_number(row, 7);
    key->created_at = query_column_number(row, 8);
    key->expires_at = query_column_number(row, 9);
    key->revoked_at = query_column_number(row, 10);
    return STATUS_OK;
}

static void free_hashed(hashed_key_t **keys)
{
    mem_free(*keys);
}

status_t keys_load(keys_t *keys, bool live, hashed_key_t **out, size_t *out_count, err_t *err)
{
    size_t count = 0, room = FIRST_ROOM;
    AUTO(free_hashed) hashed_key_t *found = mem_array(room, sizeof *found);
    AUTO(query_end) query_t *query = store_query(keys->reader, LIST_KEYS);
    for (;;) {
        bool row = false;
        status_t status = query_step(query, &row, err);
        if (status == STATUS_OK && row)
            status = read_key(query, &found[count], err);
        if (status != STATUS_OK)
            return status;
        if (!row)
            break;
        if (live && found[count].key.revoked_at != 0)
            continue;
        if (++count == room) {
            room *= 2;
            found = mem_resize(found, room * sizeof *found);
        }
    }
    *out_count = count;
    *out = TAKE(found);
    return STATUS_OK;
}

status_t keys_list(keys_t *keys, api_key_t **out, size_t *out_count, err_t *err)
{
    size_t count = 0;
    AUTO(free_hashed) hashed_key_t *found = NULL;
    status_t status = keys_load(keys, false, &found, &count, err);
    if (status != STATUS_OK)
        return status;
    api_key_t *list = mem_array(count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = found[i].key;
    *out = list;
    *out_count = count;
    return STATUS_OK;
}
