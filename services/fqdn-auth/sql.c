#include "services/fqdn-auth/sql.h"

#include "services/common/reseal.h"

#include "fqdn_auth_migrations.h"

#define CONNECTION_COLUMNS                                                                         \
    "id, organization_id, connection_name, active, auth_type, transport_protocol, tags, inbound, " \
    "outbound, created_at, updated_at"

/* Whether there is a password or a token is all that ever leaves of them. */
#define AUTH_COLUMNS                                                                               \
    "connection_id, user_name, CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END, digest_ready, "  \
    "ip_authentication_method, outbound_authentication, tech_prefix, "                             \
    "CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END, p_charge_info, webhook_url, failover_url, "   \
    "created_at, updated_at, generation"

/* 0 is no port. */
#define FQDN_COLUMNS                                                                               \
    "id, connection_id, fqdn, dns_record_type, CASE WHEN port = 0 THEN NULL ELSE port END, "       \
    "created_at, updated_at, organization_id"

/* Each parameter is named in every statement of a kind, so that all are bound alike. */
#define OWN              "organization_id = $1"
#define ANYBODYS         "CAST($1 AS TEXT) IS NULL"
#define WITH_FQDN(owner) "id IN (SELECT connection_id FROM fqdn WHERE " owner " AND fqdn = $2)"
#define ANY_FQDN(owner)  owner " AND CAST($2 AS TEXT) IS NULL"
#define NAMED_LIKE       "(CAST($3 AS TEXT) IS NULL OR connection_key LIKE $3 ESCAPE '\\')"

/* Whose a connection's FQDNs are must not lead to them: their owner may have more. */
#define OF_CONNECTION                                                                              \
    "(CAST($1 AS TEXT) IS NULL OR organization_id = $1) AND connection_id = $2 "                   \
    "AND (CAST($3 AS TEXT) IS NULL OR fqdn = $3)"
#define OF_NAME  "CAST($2 AS TEXT) IS NULL AND fqdn = $3"
#define OF_OWNER "CAST($2 AS TEXT) IS NULL AND CAST($3 AS TEXT) IS NULL"
#define ON_PORT_BY_DNS                                                                             \
    " AND (CAST($4 AS BIGINT) IS NULL OR port = $4) "                                              \
    "AND (CAST($5 AS TEXT) IS NULL OR dns_record_type = $5)"

/* Of call authorization. Each has who it is first. */
#define SIP_USER_COLUMNS                                                                           \
    "a.connection_id, c.organization_id, a.user_name, c.active, a.outbound_authentication, "       \
    "a.digest_ready, a.generation, a.password_hash"
#define SIP_CLAIM_COLUMNS                                                                          \
    "c.id, c.organization_id, c.active, a.outbound_authentication, a.ip_authentication_method, "   \
    "a.tech_prefix, a.token_hash, a.p_charge_info"
#define SIP_BY(condition)                                                                          \
    "SELECT " SIP_CLAIM_COLUMNS " FROM authentication a JOIN connection c "                        \
    "ON c.id = a.connection_id WHERE " condition " LIMIT $2"
#define LEADS_TO                                                                                   \
    "fqdn f JOIN address d ON d.fqdn = f.fqdn AND d.dns_record_type = f.dns_record_type"

#define FQDN_FILTERS(lead, of_organization, of_all)                                                \
    FQDN_FILTER(2 * (lead), of_organization ON_PORT_BY_DNS),                                       \
        FQDN_FILTER(2 * (lead) + 1, of_all ON_PORT_BY_DNS)
#define FQDN_FILTER(i, condition)                                                                  \
    [SQL_FQDN_FOUND + (i)] = "SELECT COUNT(*) FROM fqdn WHERE " condition,                         \
                      [SQL_FQDN_FILTER + (i)] = PAGE_FROM_START_SQL(                               \
                          FQDN_COLUMNS, "fqdn WHERE " condition, AGE_DOWN, "LIMIT $6 OFFSET $7")

#define CONNECTION_FOUND(i, condition)                                                             \
    [SQL_CONNECTION_FOUND + (i)] =                                                                 \
        "SELECT COUNT(*) FROM connection WHERE " condition " AND " NAMED_LIKE
#define CONNECTION_FILTER(i, condition, order)                                                     \
    [SQL_CONNECTION_FILTER + (i)] =                                                                \
        PAGE_FROM_START_SQL(CONNECTION_COLUMNS, "connection WHERE " condition " AND " NAMED_LIKE,  \
                            order, "LIMIT $4 OFFSET $5")
#define CONNECTION_FILTERS(i, order)                                                               \
    CONNECTION_FILTER(CONNECTION_LEADS *(i), ANY_FQDN(OWN), order),                                \
        CONNECTION_FILTER(CONNECTION_LEADS *(i) + 1, ANY_FQDN(ANYBODYS), order),                   \
        CONNECTION_FILTER(CONNECTION_LEADS *(i) + 2, WITH_FQDN(OWN), order),                       \
        CONNECTION_FILTER(CONNECTION_LEADS *(i) + 3, WITH_FQDN(ANYBODYS), order)

#define CONNECTION_LIST(i, order, reverse)                                                         \
    PAGE_SQL(SQL_CONNECTION_LIST + PAGE_STATEMENTS * (i), CONNECTION_COLUMNS, "connection", order, \
             reverse)
#define CONNECTION_LISTS(by, up, down)                                                             \
    CONNECTION_LIST(2 * (by), up, down), CONNECTION_LIST(2 * (by) + 1, down, up)

/* No two rows have the same created_at, so no order has ties. */
#define AGE_UP        "created_at"
#define AGE_DOWN      "created_at DESC"
#define THEN_UP(by)   by ", created_at"
#define THEN_DOWN(by) by " DESC, created_at DESC"

static const char *const statements[] = {
    [SQL_CONNECTION_ADD] = "INSERT INTO connection (" CONNECTION_COLUMNS ", connection_key) "
                           "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    [SQL_CONNECTION_GET] = "SELECT " CONNECTION_COLUMNS " FROM connection WHERE id = $1",
    [SQL_CONNECTION_CHANGE] =
        "UPDATE connection SET connection_name = $1, active = $2, auth_type = $3, "
        "transport_protocol = $4, tags = $5, inbound = $6, outbound = $7, updated_at = $8, "
        "connection_key = $9 WHERE id = $10",
    [SQL_CONNECTION_DELETE] = "DELETE FROM connection WHERE id = $1",
    [SQL_CONNECTION_LATEST] = "SELECT MAX(created_at) FROM connection",
    [SQL_AUTH_ADD] =
        "INSERT INTO authentication (connection_id, user_name, user_name_key, digest_ready, "
        "ip_authentication_method, outbound_authentication, tech_prefix, p_charge_info, "
        "webhook_url, failover_url, token_hash, token_sealed, password_hash, generation, "
        "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
        "COALESCE($14, 0), $15, $16)",
    [SQL_AUTH_GET] = "SELECT " AUTH_COLUMNS " FROM authentication WHERE connection_id = $1",
    [SQL_AUTH_CHANGE] =
        "UPDATE authentication SET user_name = $1, user_name_key = $2, digest_ready = $3, "
        "ip_authentication_method = $4, outbound_authentication = $5, tech_prefix = $6, "
        "p_charge_info = $7, webhook_url = $8, failover_url = $9, "
        "token_hash = CASE WHEN $10 = 0 THEN NULL ELSE COALESCE($11, token_hash) END, "
        "token_sealed = CASE WHEN $10 = 0 THEN NULL ELSE COALESCE($12, token_sealed) END, "
        "password_hash = COALESCE($13, password_hash), generation = COALESCE($14, generation), "
        "updated_at = $15 WHERE connection_id = $16",
    [SQL_AUTH_DROP] = "DELETE FROM authentication WHERE connection_id = $1",
    [SQL_AUTH_BY_USER_NAME] = "SELECT connection_id FROM authentication WHERE user_name_key = $1",
    [SQL_AUTH_BY_TECH_PREFIX] = "SELECT connection_id FROM authentication WHERE tech_prefix = $1",
    [SQL_AUTH_BY_TOKEN] = "SELECT connection_id FROM authentication WHERE token_hash = $1",
    [SQL_DIGEST_ADD] = "INSERT INTO digest (connection_id, generation, realm, algorithm, sealed) "
                       "VALUES ($1, $2, $3, $4, $5)",
    [SQL_DIGEST_STALE] =
        SEALED_STALE("connection_id, generation, realm, algorithm, sealed", "digest", "sealed"),
    [SQL_DIGEST_RENEW] =
        "UPDATE digest SET sealed = $1 WHERE connection_id = $2 AND generation = $3 "
        "AND realm = $4 AND algorithm = $5",
    [SQL_TOKEN_STALE] = SEALED_STALE("connection_id, 0, '', 'token', token_sealed",
                                     "authentication", "token_sealed"),
    [SQL_TOKEN_RENEW] =
        "UPDATE authentication SET token_sealed = $1, token_hash = $2 WHERE connection_id = $3",
    [SQL_DIGEST_DROP] = "DELETE FROM digest WHERE connection_id = $1 AND generation <> $2",
    [SQL_FQDN_ADD] =
        "INSERT INTO fqdn (id, connection_id, organization_id, fqdn, dns_record_type, port, "
        "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    [SQL_FQDN_GET] = "SELECT " FQDN_COLUMNS " FROM fqdn WHERE id = $1",
    [SQL_FQDN_CHANGE] = "UPDATE fqdn SET connection_id = $1, organization_id = $2, fqdn = $3, "
                        "dns_record_type = $4, port = $5, updated_at = $6 WHERE id = $7",
    [SQL_FQDN_DELETE] = "DELETE FROM fqdn WHERE id = $1",
    [SQL_FQDN_LATEST] = "SELECT MAX(created_at) FROM fqdn",
    [SQL_FQDN_OF_CONNECTION] =
        "SELECT " FQDN_COLUMNS " FROM fqdn WHERE connection_id = $1 ORDER BY created_at LIMIT $2",
    [SQL_FQDN_COUNT] = "SELECT COUNT(*) FROM fqdn WHERE connection_id = $1",
    [SQL_SIP_USER] = "SELECT " SIP_USER_COLUMNS " FROM authentication a JOIN connection c "
                     "ON c.id = a.connection_id WHERE a.user_name_key = $1",
    [SQL_SIP_USERS] = "SELECT " SIP_USER_COLUMNS " FROM authentication a JOIN connection c "
                      "ON c.id = a.connection_id WHERE a.user_name_key > $1 AND +c.active = 1 "
                      "AND a.outbound_authentication = 'credential-authentication' "
                      "AND (CAST($2 AS TEXT) IS NULL OR c.organization_id = $2) "
                      "ORDER BY a.user_name_key LIMIT $3",
    [SQL_SIP_DIGEST] = "SELECT sealed FROM digest WHERE connection_id = $1 AND generation = $2 "
                       "AND realm = $3 AND algorithm = $4",
    [SQL_SIP_HAS_REALM] = "SELECT 1 FROM digest WHERE connection_id = $1 AND generation = $2 "
                          "AND realm = $3 LIMIT 1",
    [SQL_SIP_BY_TECH_PREFIX] = SIP_BY("a.tech_prefix = $1"),
    [SQL_SIP_BY_TOKEN] = SIP_BY("a.token_hash = $1"),
    [SQL_SIP_BY_CHARGE] = SIP_BY("a.p_charge_info = $1"),
    [SQL_SIP_COMES_FROM] = "SELECT 1 FROM " LEADS_TO " WHERE f.connection_id = $1 "
                           "AND d.address = $2 LIMIT 1",
    [SQL_SIP_CLAIMS] = "SELECT " SIP_CLAIM_COLUMNS " FROM (SELECT f.connection_id FROM " LEADS_TO
                       " WHERE d.address = $1 LIMIT $2) AS page JOIN connection c "
                       "ON c.id = page.connection_id LEFT JOIN authentication a "
                       "ON a.connection_id = c.id",
    [SQL_ADDRESS_WANTED] = "SELECT f.fqdn, f.dns_record_type FROM fqdn f JOIN connection c "
                           "ON c.id = f.connection_id WHERE +c.active = 1 "
                           "ORDER BY f.fqdn, f.created_at LIMIT $1",
    [SQL_ADDRESS_OF] = "SELECT service, target, address FROM address WHERE fqdn = $1 "
                       "AND dns_record_type = $2 ORDER BY service, target, address LIMIT $3",
    [SQL_ADDRESS_ADD] = "INSERT INTO address (fqdn, dns_record_type, service, target, address) "
                        "SELECT $1, $2, $3, $4, $5 WHERE EXISTS (SELECT 1 FROM fqdn "
                        "WHERE fqdn = $1 AND dns_record_type = $2)",
    [SQL_ADDRESS_DROP] = "DELETE FROM address WHERE fqdn = $1 AND dns_record_type = $2",
    [SQL_ADDRESS_FORGET] = "DELETE FROM address WHERE fqdn = $1 AND dns_record_type = $2 "
                           "AND NOT EXISTS (SELECT 1 FROM fqdn WHERE fqdn = $1 "
                           "AND dns_record_type = $2)",
    [SQL_ADDRESS_ORPHANS] = "SELECT DISTINCT d.fqdn, d.dns_record_type FROM address d "
                            "WHERE NOT EXISTS (SELECT 1 FROM fqdn f WHERE f.fqdn = d.fqdn "
                            "AND f.dns_record_type = d.dns_record_type) "
                            "ORDER BY d.fqdn, d.dns_record_type LIMIT $1",
    [SQL_PAGE_TOTAL] = PAGE_TOTAL_SQL,
    [SQL_PAGE_COUNT] = PAGE_COUNT_SQL,
    PAGE_SQL(SQL_FQDN_LIST, FQDN_COLUMNS, "fqdn", AGE_DOWN, AGE_UP),
    FQDN_FILTERS(FQDN_BY_CONNECTION, OF_CONNECTION, OF_CONNECTION),
    FQDN_FILTERS(FQDN_BY_NAME, OWN " AND " OF_NAME, ANYBODYS " AND " OF_NAME),
    FQDN_FILTERS(FQDN_BY_OWNER, OWN " AND " OF_OWNER, ANYBODYS " AND " OF_OWNER),
    CONNECTION_FOUND(0, ANY_FQDN(OWN)),
    CONNECTION_FOUND(1, ANY_FQDN(ANYBODYS)),
    CONNECTION_FOUND(2, WITH_FQDN(OWN)),
    CONNECTION_FOUND(3, WITH_FQDN(ANYBODYS)),
    CONNECTION_FILTERS(2 * ORDER_CREATED_AT, AGE_UP),
    CONNECTION_FILTERS(2 * ORDER_CREATED_AT + 1, AGE_DOWN),
    CONNECTION_FILTERS(2 * ORDER_CONNECTION_NAME, THEN_UP("connection_key")),
    CONNECTION_FILTERS(2 * ORDER_CONNECTION_NAME + 1, THEN_DOWN("connection_key")),
    CONNECTION_FILTERS(2 * ORDER_ACTIVE, THEN_UP("active")),
    CONNECTION_FILTERS(2 * ORDER_ACTIVE + 1, THEN_DOWN("active")),
    CONNECTION_LISTS(ORDER_CREATED_AT, AGE_UP, AGE_DOWN),
    CONNECTION_LISTS(ORDER_CONNECTION_NAME, THEN_UP("connection_key"), THEN_DOWN("connection_key")),
    CONNECTION_LISTS(ORDER_ACTIVE, THEN_UP("active"), THEN_DOWN("active")),
    CONNECTION_LISTS(ORDER_AUTH_TYPE, THEN_UP("auth_type"), THEN_DOWN("auth_type")),
};
_Static_assert(ARRAY_LEN(statements) == SQL_COUNT, "one text for each");

static size_t number_of(order_t order)
{
    return 2 * (size_t)order.by + (order.falls ? 1 : 0);
}

size_t sql_connection_list(order_t order)
{
    return SQL_CONNECTION_LIST + PAGE_STATEMENTS * number_of(order);
}

static size_t connection_lead(bool all, bool by_fqdn)
{
    return (by_fqdn ? 2U : 0U) + (all ? 1U : 0U);
}

size_t sql_connection_filter(order_t order, bool all, bool by_fqdn)
{
    return SQL_CONNECTION_FILTER + CONNECTION_LEADS * number_of(order) +
           connection_lead(all, by_fqdn);
}

size_t sql_connection_found(bool all, bool by_fqdn)
{
    return SQL_CONNECTION_FOUND + connection_lead(all, by_fqdn);
}

size_t sql_fqdn_filter(bool all, fqdn_lead_t lead)
{
    return SQL_FQDN_FILTER + 2 * (size_t)lead + (all ? 1 : 0);
}

size_t sql_fqdn_found(bool all, fqdn_lead_t lead)
{
    return SQL_FQDN_FOUND + 2 * (size_t)lead + (all ? 1 : 0);
}

const store_spec_t fqdn_auth_store = {
    .file = "fqdn-auth.db",
    .migrations = fqdn_auth_migrations,
    .migration_count = 6, /* a test compares it with fqdn_auth_migration_count */
    .statements = statements,
    .statement_count = SQL_COUNT,
};
