/* What logins came to, for administrators: the latest of each provider. */
#ifndef LK_AUTH_PROVIDER_SSO_EVENT_STORE_H
#define LK_AUTH_PROVIDER_SSO_EVENT_STORE_H

#include "proto/sso.h"
#include "services/common/store.h"

enum { EVENTS_KEPT = 1000 }; /* of a provider; the oldest go */

typedef struct {
    const char *provider_id;
    sso_event_kind_t kind;
    saml_reason_t reason; /* SAML_NONE: it succeeded */
    const char *client;   /* "" if it is not known */
    const char *name_id;  /* "" but for successes */
    const char *detail;   /* "": nothing; what is too long is cut */
} event_note_t;

/* out_id: for the page. STATUS_CONFLICT: there is no such provider. */
status_t event_store_add(store_t *writer, const event_note_t *note, int64_t now_utc_ms,
                         char out_id[UUID_SIZE], err_t *err) MUST_CHECK;

/* Those with a reason, or all (SAML_NONE). */
status_t event_store_total(store_t *store, const char *provider_id, saml_reason_t reason,
                           int64_t *out, err_t *err) MUST_CHECK;
/* Page `number` of pages of `size` rows, the latest first. The caller ends the query. */
query_t *event_store_page(store_t *store, const char *provider_id, saml_reason_t reason,
                          int64_t number, int64_t size);
status_t event_store_read(query_t *page, sso_event_t *out, err_t *err) MUST_CHECK;

#endif
