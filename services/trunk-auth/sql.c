#include "services/trunk-auth/sql.h"

#include "common/compiler.h"
#include "services/common/page.h"
#include "services/common/reseal.h"

#include "trunk_auth_migrations.h"

#define TRUNK_COLUMNS                                                                              \
    "uuid, organization_id, name, domain, port, transport, auth_policy, owner, created_at, "       \
    "updated_at"

/* Columns in the order in which method_store reads them; whether there is a password is all that
 * ever leaves of it. */
#define METHOD_COLUMNS                                                                             \
    "m.uuid, m.type, m.ip, m.username, m.label, m.enabled, m.expires_at, "                         \
    "CASE WHEN m.password_hash IS NULL THEN 0 ELSE 1 END, "                                        \
    "m.created_at, m.updated_at, m.last_used_at"

/* Call authorization: as sip_family reads them. */
#define SIP_USER_SQL                                                                               \
    "SELECT m.uuid, m.trunk_uuid, t.organization_id, m.username, m.enabled, m.expires_at, "        \
    "t.auth_policy, m.generation, m.previous_generation, m.previous_until, m.password_hash, "      \
    "m.previous_hash FROM method m JOIN trunk t ON t.uuid = m.trunk_uuid "
#define SIP_USERS_LIVE                                                                             \
    "WHERE m.username_key IS NOT NULL AND m.enabled = 1 "                                          \
    "AND (m.expires_at IS NULL OR m.expires_at > $1) "
#define SIP_USERS_ORDER "ORDER BY m.username_key"
#define SIP_RANGE_SQL                                                                              \
    "SELECT m.range_first, m.prefix, m.uuid, m.trunk_uuid, t.organization_id "                     \
    "FROM method m JOIN trunk t ON t.uuid = m.trunk_uuid WHERE m.range_first IS NOT NULL "         \
    "AND m.claimed_until > $1 AND m.enabled = 1 AND t.auth_policy = 'any' "
#define SIP_RANGE_ORDER "ORDER BY m.range_first, m.prefix"

static const char *const statements[] = {
    [SQL_TRUNK_ADD] = "INSERT INTO trunk (" TRUNK_COLUMNS ") "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [SQL_TRUNK_GET] = "SELECT " TRUNK_COLUMNS " FROM trunk WHERE uuid = $1",
    PAGE_STARTS_SQL(SQL_TRUNK_LIST, TRUNK_COLUMNS, "trunk", "uuid"),
    [SQL_TRUNK_ORGANIZATION] = "SELECT organization_id FROM trunk WHERE uuid = $1",
    [SQL_TRUNK_REPLACE] = "UPDATE trunk SET name = $1, domain = $2, port = $3, transport = $4, "
                          "auth_policy = $5, owner = $6, updated_at = $7 WHERE uuid = $8",
    [SQL_TRUNK_DELETE] = "DELETE FROM trunk WHERE uuid = $1",
    [SQL_METHOD_ADD] =
        "INSERT INTO method (uuid, trunk_uuid, type, ip, range_first, prefix, range_last, "
        "claimed_until, username, username_key, label, enabled, expires_at, password_hash, "
        "generation, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
        "$12, $13, $14, $15, $16, $17)",
    [SQL_METHOD_GET] = "SELECT " METHOD_COLUMNS ", t.organization_id, m.generation "
                       "FROM method m JOIN trunk t ON t.uuid = m.trunk_uuid "
                       "WHERE m.uuid = $1 AND m.trunk_uuid = $2",
    [SQL_METHOD_LIST] = "SELECT " METHOD_COLUMNS " FROM method m WHERE m.trunk_uuid = $1 "
                        "ORDER BY m.uuid LIMIT $2 OFFSET $3",
    [SQL_METHOD_COUNT] = "SELECT COUNT(*) FROM method WHERE trunk_uuid = $1",
    [SQL_METHOD_CHANGE] =
        "UPDATE method SET ip = $1, range_first = $2, prefix = $3, range_last = $4, "
        "claimed_until = $5, label = $6, enabled = $7, expires_at = $8, updated_at = $9 "
        "WHERE uuid = $10",
    [SQL_METHOD_SET_PASSWORD] =
        "UPDATE method SET password_hash = $1, generation = $2, previous_hash = NULL, "
        "previous_until = NULL, previous_generation = NULL WHERE uuid = $3",
    [SQL_METHOD_ROTATE] = "UPDATE method SET previous_hash = password_hash, previous_until = $1, "
                          "previous_generation = generation, password_hash = $2, generation = $3 "
                          "WHERE uuid = $4",
    [SQL_METHOD_DELETE] = "DELETE FROM method WHERE uuid = $1",
    [SQL_USERNAME_GET] = "SELECT uuid FROM method WHERE username_key = $1",
    [SQL_DIGEST_ADD] = "INSERT INTO digest (method_uuid, generation, realm, algorithm, sealed) "
                       "VALUES ($1, $2, $3, $4, $5)",
    [SQL_DIGEST_STALE] =
        SEALED_STALE("method_uuid, generation, realm, algorithm, sealed", "digest", "sealed"),
    [SQL_DIGEST_RENEW] = "UPDATE digest SET sealed = $1 WHERE method_uuid = $2 AND generation = $3 "
                         "AND realm = $4 AND algorithm = $5",
    [SQL_DIGEST_DROP] = "DELETE FROM digest WHERE method_uuid = $1 AND generation <> $2",
    /* Of equal blocks the one whose claim lasts longest: if that has ended, all have. */
    [SQL_RANGE_BELOW] =
        "SELECT range_first, prefix, claimed_until, trunk_uuid FROM method "
        "WHERE range_first IS NOT NULL AND (range_first, prefix) <= ($1, $2) AND uuid <> $3 "
        "ORDER BY range_first DESC, prefix DESC, claimed_until DESC LIMIT 1",
    [SQL_RANGE_INSIDE] =
        "SELECT 1 FROM method WHERE range_first IS NOT NULL AND range_first >= $1 "
        "AND range_first <= $2 AND claimed_until > $3 AND trunk_uuid <> $4 LIMIT 1",
    [SQL_RANGE_OUTWARD] = "SELECT range_first, prefix FROM method "
                          "WHERE range_first IS NOT NULL AND (range_first, prefix) <= ($1, $2) "
                          "ORDER BY range_first DESC, prefix DESC LIMIT 1",
    /* What lives comes first; of the dead some are enough to tell why they don't. */
    [SQL_RANGE_CLAIMS] =
        "SELECT m.uuid, m.trunk_uuid, t.organization_id, m.enabled, m.claimed_until, t.auth_policy "
        "FROM method m JOIN trunk t ON t.uuid = m.trunk_uuid WHERE m.range_first IS NOT NULL "
        "AND m.range_first = $1 AND m.prefix = $2 ORDER BY m.claimed_until DESC LIMIT 8",
    [SQL_SIP_USER] = SIP_USER_SQL "WHERE m.username_key = $1",
    [SQL_SIP_DIGEST] = "SELECT sealed FROM digest WHERE method_uuid = $1 AND generation = $2 "
                       "AND realm = $3 AND algorithm = $4",
    [SQL_SIP_REALM] = "SELECT 1 FROM digest WHERE method_uuid = $1 AND generation = $2 "
                      "AND realm = $3 LIMIT 1",
    [SQL_SIP_RANGES] = SIP_RANGE_SQL SIP_RANGE_ORDER,
    [SQL_SIP_RANGES_OF] = SIP_RANGE_SQL "AND t.organization_id = $2 " SIP_RANGE_ORDER,
    [SQL_SIP_USERS] = SIP_USER_SQL SIP_USERS_LIVE SIP_USERS_ORDER,
    [SQL_SIP_USERS_OF] = SIP_USER_SQL SIP_USERS_LIVE "AND t.organization_id = $2 " SIP_USERS_ORDER,
    [SQL_SIP_USE] = "UPDATE method SET last_used_at = $1 "
                    "WHERE uuid = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
};
_Static_assert(ARRAY_LEN(statements) == SQL_COUNT, "one text for each");

const store_spec_t trunk_auth_store = {
    .file = "trunk-auth.db",
    .migrations = trunk_auth_migrations,
    .migration_count = 5, /* a test compares it with trunk_auth_migration_count */
    .statements = statements,
    .statement_count = SQL_COUNT,
};
