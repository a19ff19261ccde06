/* Rows of certificates, one by one; which of them are to be is for others to say:
 * certificate_store.h after a change of settings, sso/certificate_ops.c by hand, sso/refresh.h by
 * metadata.
 *
 * err->where names what failed; statuses are those of query_step. */
#ifndef LK_SERVICES_AUTH_PROVIDER_CERTIFICATE_ROWS_H
#define LK_SERVICES_AUTH_PROVIDER_CERTIFICATE_ROWS_H

#include "proto/sso.h"
#include "services/auth-provider/metadata.h"
#include "services/common/store.h"

enum {
    CERTIFICATES_GIVEN_MAX = 16, /* to which some can be added by hand: live ones, of any source */
    CERTIFICATES_LIVE_MAX = 48,  /* with those of metadata, those that have vanished from it, and
                                    the one learned */
    CERTIFICATES_RETIRED_MAX = 32, /* kept */
};

/* Adds it; one that is there is from that source now, and is live, retired or not before. */
status_t certificate_rows_add(store_t *writer, const char *provider_id, certificate_source_t source,
                              const certificate_t *certificate, err_t *err) MUST_CHECK;

status_t certificate_rows_retire(store_t *writer, const char *id, int64_t now_utc_ms, err_t *err)
    MUST_CHECK;
/* It is retired no more. */
status_t certificate_rows_revive(store_t *writer, const char *id, err_t *err) MUST_CHECK;
/* Deletes those over CERTIFICATES_RETIRED_MAX: first those that metadata has left out, of them and
 * of the others those that were retired first; never kept_id. For certificate_store_forget. */
status_t certificate_rows_forget(store_t *writer, const char *provider_id, const char *kept_id,
                                 err_t *err) MUST_CHECK;

typedef enum { CERTIFICATE_NONE, CERTIFICATE_LIVE, CERTIFICATE_IS_RETIRED } certificate_standing_t;

/* How the certificate of that SHA-256 ("AB:CD:...") stands with the provider. */
status_t certificate_rows_standing(store_t *store, const char *provider_id, const char *sha256,
                                   certificate_standing_t *out, err_t *err) MUST_CHECK;

/* ---- As answers show them ---- */

/* A provider's, the oldest first. The caller ends the query. */
query_t *certificate_rows_all(store_t *store, const char *provider_id);
/* The one it stands on. */
status_t certificate_rows_read(query_t *rows, idp_certificate_t *out, err_t *err) MUST_CHECK;

/* STATUS_UNKNOWN: the provider has none of that id, or of that SHA-256 ("AB:CD:..."); err is not
 * set then. */
status_t certificate_rows_get(store_t *store, const char *provider_id, const char *id,
                              idp_certificate_t *out, err_t *err) MUST_CHECK;
status_t certificate_rows_named(store_t *store, const char *provider_id, const char *sha256,
                                idp_certificate_t *out, err_t *err) MUST_CHECK;

/* How many are not retired. */
status_t certificate_rows_live(store_t *store, const char *provider_id, int64_t *out, err_t *err)
    MUST_CHECK;

#endif
