#include "services/auth-provider/sql.h"

#include "common/compiler.h"

#include "auth_provider_migrations.h"

/* Columns in the order in which provider_store reads and binds them. */
#define COLUMNS                                                                                    \
    "id, organization_id, name, short_name, active, settings_url, idp_attribute_names, "           \
    "idp_cert_fingerprint, idp_cert_fingerprint_algorithm, idp_certificate, idp_entity_id, "       \
    "idp_slo_target_url, idp_sso_target_url, name_identifier_format, provision_groups, "           \
    "activated_at, created_at, updated_at, idp_certificate_differs"

/* In the order in which certificate_rows reads them. */
#define CERTIFICATES                                                                               \
    "SELECT id, source, der, sha256, not_before, not_after, retired_at FROM certificate "

#define PAGES(sort, order, reverse)                                                                \
    PAGE_SQL(SQL_PAGES + PAGE_STATEMENTS * (sort), COLUMNS, "provider", order, reverse)

/* Both directions of sorting by a column; equal ones stand in the order of their ids. */
#define SORTS(up, down, column)                                                                    \
    PAGES(up, column ", id", column " DESC, id DESC"),                                             \
        PAGES(down, column " DESC, id DESC", column ", id")

static const char *const statements[] = {
    [SQL_PROVIDER_ADD] = "INSERT INTO provider (" COLUMNS ", name_key) VALUES ($1, $2, $3, $4, $5, "
                         "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    [SQL_PROVIDER_GET] = "SELECT " COLUMNS " FROM provider WHERE id = $1",
    [SQL_PROVIDER_NAMED] = "SELECT id FROM provider WHERE short_name = $1",
    [SQL_PROVIDER_CHANGE] =
        "UPDATE provider SET name = $1, short_name = $2, active = $3, settings_url = $4, "
        "idp_attribute_names = $5, idp_cert_fingerprint = $6, "
        "idp_cert_fingerprint_algorithm = $7, idp_certificate = $8, idp_entity_id = $9, "
        "idp_slo_target_url = $10, idp_sso_target_url = $11, name_identifier_format = $12, "
        "provision_groups = $13, activated_at = $14, updated_at = $15, "
        "idp_certificate_differs = $16, name_key = $17 WHERE id = $18",
    [SQL_PROVIDER_DELETE] = "DELETE FROM provider WHERE id = $1",
    [SQL_PROVIDER_LATEST] = "SELECT MAX(created_at) FROM provider",
    [SQL_PAGE_TOTAL] = PAGE_TOTAL_SQL,
    [SQL_PAGE_COUNT] = PAGE_COUNT_SQL,
    [SQL_CERTIFICATE_ADD] =
        "INSERT INTO certificate (id, provider_id, source, der, sha256, not_before, not_after) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) "
        "ON CONFLICT (provider_id, sha256) DO UPDATE SET source = excluded.source, "
        "retired_at = NULL",
    [SQL_CERTIFICATE_LIST] = "SELECT id, der, retired_at FROM certificate "
                             "WHERE provider_id = $1 ORDER BY id",
    [SQL_CERTIFICATE_RETIRE] = "UPDATE certificate SET retired_at = $1 WHERE id = $2",
    /* The latest of those that are retired are kept. */
    [SQL_CERTIFICATE_FORGET] =
        "DELETE FROM certificate WHERE id IN (SELECT id FROM certificate WHERE provider_id = $1 "
        "AND retired_at IS NOT NULL ORDER BY retired_at DESC, id DESC LIMIT $2 OFFSET $3)",
    [SQL_CERTIFICATE_SHOW] = CERTIFICATES "WHERE provider_id = $1 ORDER BY id",
    [SQL_CERTIFICATE_GET] = CERTIFICATES "WHERE provider_id = $1 AND id = $2",
    [SQL_CERTIFICATE_NAMED] = CERTIFICATES "WHERE provider_id = $1 AND sha256 = $2",
    [SQL_CERTIFICATE_LIVE] =
        "SELECT COUNT(*) FROM certificate WHERE provider_id = $1 AND retired_at IS NULL",
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
    .migration_count = 5, /* a test compares it with auth_provider_migration_count */
    .statements = statements,
    .statement_count = SQL_COUNT,
};
