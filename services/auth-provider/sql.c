#include "services/auth-provider/sql.h"

#include "common/compiler.h"

#include "auth_provider_migrations.h"

/* Columns in the order in which provider_store reads and binds them. */
#define COLUMNS                                                                                    \
    "id, organization_id, name, short_name, active, settings_url, idp_attribute_names, "           \
    "idp_cert_fingerprint, idp_cert_fingerprint_algorithm, idp_certificate, idp_entity_id, "       \
    "idp_slo_target_url, idp_sso_target_url, name_identifier_format, provision_groups, "           \
    "activated_at, created_at, updated_at, idp_certificate_differs, allow_idp_initiated, "         \
    "allow_sha1_signatures"

#define SESSION_COLUMNS                                                                            \
    "s.id, s.attributes, s.authenticated_at, s.expires_at, s.groups, s.name_id, "                  \
    "s.name_id_format, p.organization_id, s.provider_id, p.short_name, s.name_qualifier, "         \
    "s.sp_name_qualifier, s.session_index, s.created_at"
/* One that holds at $2: of a provider that is active, and since it last ended all of its own. With
 * the + the provider is found by its key, so that what comes of it stands in one order. */
#define SESSION_FROM                                                                               \
    "FROM sso_session AS s JOIN provider AS p ON p.id = s.provider_id "                            \
    "AND p.session_epoch = s.session_epoch AND +p.active = 1 "
/* Those of a provider; $3: of one person, "": of everybody. */
#define SESSIONS_OF                                                                                \
    SESSION_FROM                                                                                   \
    "WHERE s.provider_id = $1 AND s.expires_at > $2 AND ($3 = '' OR s.name_id = $3)"
#define EVENT_COLUMNS "SELECT id, at, client, detail, kind, name_id, reason FROM sso_event "

/* The next number within $2's rows; and those that are more than $2 behind the latest. */
#define NEXT_NUMBER(table)                                                                         \
    "(SELECT COALESCE(MAX(number), 0) + 1 FROM " table " WHERE provider_id = $2)"
#define FORGET_SQL(table)                                                                          \
    "DELETE FROM " table " WHERE provider_id = $1 AND number <= "                                  \
    "(SELECT MAX(number) FROM " table " WHERE provider_id = $1) - $2"
#define EXPIRED_SQL(table) "SELECT 1 FROM " table " WHERE expires_at <= $1 LIMIT 1"
#define EXPIRE_SQL(table, key, columns)                                                            \
    "DELETE FROM " table " WHERE " key " IN (SELECT " columns " FROM " table                       \
    " WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)"

/* In the order in which certificate_rows reads them. */
#define CERTIFICATES                                                                               \
    "SELECT id, source, der, sha256, not_before, not_after, retired_at FROM certificate "

/* Those that active providers still use. */
#define EXPIRING                                                                                   \
    "WHERE retired_at IS NULL AND missing_since IS NULL AND EXISTS "                               \
    "(SELECT 1 FROM provider WHERE provider.id = c.provider_id AND active = 1) "

/* With when the first of its certificates expires that it still uses. */
#define SHOWN                                                                                      \
    COLUMNS                                                                                        \
    ", (SELECT MIN(ends) FROM (SELECT provider_id AS holder, not_after AS ends FROM certificate "  \
    "WHERE retired_at IS NULL AND missing_since IS NULL) AS live WHERE holder = id)"

#define PAGES(sort, order, reverse)                                                                \
    PAGE_SQL(SQL_PAGES + PAGE_STATEMENTS * (sort), SHOWN, "provider", order, reverse)

/* Both directions of sorting by a column; equal ones stand in the order of their ids. */
#define SORTS(up, down, column)                                                                    \
    PAGES(up, column ", id", column " DESC, id DESC"),                                             \
        PAGES(down, column " DESC, id DESC", column ", id")

static const char *const statements[] = {
    [SQL_PROVIDER_ADD] =
        "INSERT INTO provider (" COLUMNS ", name_key) VALUES ($1, $2, $3, $4, $5, "
        "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
    [SQL_PROVIDER_GET] = "SELECT " SHOWN " FROM provider WHERE id = $1",
    [SQL_PROVIDER_NAMED] = "SELECT id FROM provider WHERE short_name = $1",
    [SQL_PROVIDER_CHANGE] =
        "UPDATE provider SET name = $1, short_name = $2, active = $3, settings_url = $4, "
        "idp_attribute_names = $5, idp_cert_fingerprint = $6, "
        "idp_cert_fingerprint_algorithm = $7, idp_certificate = $8, idp_entity_id = $9, "
        "idp_slo_target_url = $10, idp_sso_target_url = $11, name_identifier_format = $12, "
        "provision_groups = $13, activated_at = $14, updated_at = $15, "
        "idp_certificate_differs = $16, allow_idp_initiated = $17, allow_sha1_signatures = $18, "
        "name_key = $19 WHERE id = $20",
    [SQL_PROVIDER_DELETE] = "DELETE FROM provider WHERE id = $1",
    [SQL_PROVIDER_LATEST] = "SELECT MAX(created_at) FROM provider",
    [SQL_PAGE_TOTAL] = PAGE_TOTAL_SQL,
    [SQL_PAGE_COUNT] = PAGE_COUNT_SQL,
    [SQL_CERTIFICATE_ADD] =
        "INSERT INTO certificate (id, provider_id, source, der, sha256, not_before, not_after) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) "
        "ON CONFLICT (provider_id, sha256) DO UPDATE SET source = excluded.source, "
        "retired_at = NULL, missing_since = NULL",
    [SQL_CERTIFICATE_LIST] = "SELECT id, der, retired_at FROM certificate "
                             "WHERE provider_id = $1 ORDER BY id",
    [SQL_CERTIFICATE_RETIRE] = "UPDATE certificate SET retired_at = $1, missing_since = NULL "
                               "WHERE id = $2",
    /* Of those that are retired $2 is kept, then those that no refresh has retired, then the
     * latest.
     */
    [SQL_CERTIFICATE_FORGET] =
        "DELETE FROM certificate WHERE id IN (SELECT id FROM certificate WHERE provider_id = $1 "
        "AND retired_at IS NOT NULL ORDER BY (id = $2) DESC, (missing_since IS NULL) DESC, "
        "retired_at DESC, id DESC LIMIT $3 OFFSET $4)",
    [SQL_CERTIFICATE_SHOW] = CERTIFICATES "WHERE provider_id = $1 ORDER BY id",
    [SQL_CERTIFICATE_GET] = CERTIFICATES "WHERE provider_id = $1 AND id = $2",
    [SQL_CERTIFICATE_NAMED] = CERTIFICATES "WHERE provider_id = $1 AND sha256 = $2",
    [SQL_CERTIFICATE_LIVE] =
        "SELECT COUNT(*) FROM certificate WHERE provider_id = $1 AND retired_at IS NULL",
    [SQL_CERTIFICATE_STANDING] =
        "SELECT retired_at FROM certificate WHERE provider_id = $1 AND sha256 = $2",
    [SQL_PROVIDER_END_SESSIONS] =
        "UPDATE provider SET session_epoch = session_epoch + 1 WHERE id = $1",
    [SQL_REQUEST_ADD] =
        "INSERT INTO authn_request (id, provider_id, number, kind, relay_state, browser, "
        "return_to, expires_at) "
        "VALUES ($1, $2, " NEXT_NUMBER("authn_request") ", $3, $4, $5, $6, $7)",
    [SQL_REQUEST_FORGET] = FORGET_SQL("authn_request"),
    [SQL_REQUEST_GET] = "SELECT provider_id, relay_state, browser, return_to, expires_at, used_at "
                        "FROM authn_request WHERE id = $1 AND kind = $2",
    [SQL_REQUEST_USE] = "UPDATE authn_request SET used_at = $1 WHERE id = $2 AND used_at IS NULL",
    [SQL_REQUEST_EXPIRED] = EXPIRED_SQL("authn_request"),
    [SQL_REQUEST_EXPIRE] = EXPIRE_SQL("authn_request", "id", "id"),
    [SQL_ASSERTION_USE] =
        "INSERT INTO assertion_used (short_name, assertion_id, expires_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (short_name, assertion_id) DO NOTHING",
    [SQL_ASSERTION_EXPIRED] = EXPIRED_SQL("assertion_used"),
    [SQL_ASSERTION_GET] =
        "SELECT expires_at FROM assertion_used WHERE short_name = $1 AND assertion_id = $2",
    [SQL_ASSERTION_EXPIRE] =
        EXPIRE_SQL("assertion_used", "(short_name, assertion_id)", "short_name, assertion_id"),
    [SQL_SESSION_ADD] =
        "INSERT INTO sso_session (id, token, provider_id, name_id, name_id_format, "
        "name_qualifier, sp_name_qualifier, session_index, attributes, groups, authenticated_at, "
        "created_at, expires_at, session_epoch) "
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, session_epoch "
        "FROM provider WHERE id = $3 AND active = 1",
    [SQL_SESSION_GET] =
        "SELECT " SESSION_COLUMNS " " SESSION_FROM "WHERE s.token = $1 AND s.expires_at > $2",
    [SQL_SESSION_SHOW] = "SELECT " SESSION_COLUMNS " " SESSION_FROM
                         "WHERE s.provider_id = $1 AND s.expires_at > $2 AND s.id = $3",
    [SQL_SESSION_TOTAL] = "SELECT COUNT(*) " SESSIONS_OF,
    [SQL_SESSION_PAGE] =
        "SELECT " SESSION_COLUMNS " " SESSIONS_OF " ORDER BY s.id DESC LIMIT $4 OFFSET $5",
    [SQL_SESSION_END] = "DELETE FROM sso_session WHERE id = $1",
    [SQL_SESSION_END_NAMED] =
        "DELETE FROM sso_session WHERE provider_id = $1 AND name_id = $2 "
        "AND ($3 = '' OR session_index = $3) "
        "AND ($4 = $5 OR COALESCE(NULLIF(name_id_format, ''), $4) IN ($4, $5)) "
        "AND COALESCE(NULLIF(name_qualifier, ''), $6) = $7 "
        "AND COALESCE(NULLIF(sp_name_qualifier, ''), $8) = $9",
    [SQL_SESSION_EXPIRED] = EXPIRED_SQL("sso_session"),
    [SQL_SESSION_EXPIRE] = EXPIRE_SQL("sso_session", "id", "id"),
    [SQL_EVENT_ADD] =
        "INSERT INTO sso_event (id, provider_id, number, at, kind, reason, client, name_id, "
        "detail) VALUES ($1, $2, " NEXT_NUMBER("sso_event") ", $3, $4, $5, $6, $7, $8)",
    [SQL_EVENT_FORGET] = FORGET_SQL("sso_event"),
    [SQL_EVENT_TOTAL] = "SELECT COUNT(*) FROM sso_event WHERE provider_id = $1",
    [SQL_EVENT_TOTAL_REASON] =
        "SELECT COUNT(*) FROM sso_event WHERE provider_id = $1 AND reason = $2",
    [SQL_EVENT_PAGE] =
        EVENT_COLUMNS "WHERE provider_id = $1 ORDER BY number DESC LIMIT $2 OFFSET $3",
    [SQL_EVENT_PAGE_REASON] = EVENT_COLUMNS "WHERE provider_id = $1 AND reason = $2 "
                                            "ORDER BY number DESC LIMIT $3 OFFSET $4",
    [SQL_CERTIFICATE_SEE] = "SELECT id, source, sha256, retired_at, missing_since, der "
                            "FROM certificate WHERE provider_id = $1 ORDER BY id",
    [SQL_CERTIFICATE_MISS] =
        "UPDATE certificate SET missing_since = $1, retired_at = NULL WHERE id = $2",
    [SQL_CERTIFICATE_LAPSE] = "UPDATE certificate SET retired_at = $1 WHERE id = $2",
    [SQL_CERTIFICATE_EXPIRY] = "SELECT MIN(not_after) FROM certificate WHERE provider_id = $1 "
                               "AND retired_at IS NULL AND missing_since IS NULL",
    [SQL_CERTIFICATE_EXPIRING] = "SELECT COUNT(CASE WHEN not_after <= $1 THEN 1 END), "
                                 "COUNT(CASE WHEN not_after > $1 AND not_after <= $2 THEN 1 END), "
                                 "COUNT(CASE WHEN not_after > $1 AND not_after <= $3 THEN 1 END), "
                                 "COUNT(CASE WHEN not_after > $1 AND not_after <= $4 THEN 1 END) "
                                 "FROM (SELECT not_after FROM certificate AS c " EXPIRING
                                 "AND not_after <= $4 ORDER BY not_after DESC LIMIT $5) AS page",
    [SQL_CERTIFICATE_FIRST] = "SELECT not_after FROM certificate AS c " EXPIRING
                              "AND not_after > $1 ORDER BY not_after LIMIT 1",
    [SQL_PROVIDER_DUE] = "SELECT id FROM provider WHERE refresh_at <= $1 "
                         "ORDER BY refresh_at, id LIMIT $2",
    [SQL_PROVIDER_PUT_OFF] = "UPDATE provider SET refresh_at = $1 WHERE id = $2",
    [SQL_PROVIDER_CLAIMED] = "SELECT COUNT(*) FROM provider WHERE id = $1 AND refresh_at = $2",
    [SQL_PROVIDER_REFRESHED] = "UPDATE provider SET refresh_at = $1, refreshed_at = $2, "
                               "refresh_failed = NULL WHERE id = $3",
    [SQL_PROVIDER_REFRESH_FAILED] =
        "UPDATE provider SET refresh_at = $1, refresh_failed = $2 WHERE id = $3",
    [SQL_PROVIDER_REFRESHED_AT] = "SELECT refreshed_at FROM provider WHERE id = $1",
    SORTS(PROVIDER_BY_NAME, PROVIDER_BY_NAME_DOWN, "name_key"),
    SORTS(PROVIDER_BY_SHORT_NAME, PROVIDER_BY_SHORT_NAME_DOWN, "short_name"),
    SORTS(PROVIDER_BY_ACTIVE, PROVIDER_BY_ACTIVE_DOWN, "active"),
    SORTS(PROVIDER_BY_CREATED_AT, PROVIDER_BY_CREATED_AT_DOWN, "created_at"),
    SORTS(PROVIDER_BY_UPDATED_AT, PROVIDER_BY_UPDATED_AT_DOWN, "updated_at"),
};
_Static_assert(ARRAY_LEN(statements) == SQL_COUNT, "one text for each");

const store_spec_t auth_provider_store = {
    .file = "auth-provider.db",
    .migrations = auth_provider_migrations,
    .migration_count = 7, /* a test compares it with auth_provider_migration_count */
    .statements = statements,
    .statement_count = SQL_COUNT,
};
