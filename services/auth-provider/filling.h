/* Settings from settings_url: fetched and read in the waiting pool (`prepare`), used in `write`. */
#ifndef LK_SERVICES_AUTH_PROVIDER_FILLING_H
#define LK_SERVICES_AUTH_PROVIDER_FILLING_H

#include "proto/auth_provider.h"
#include "services/auth-provider/metadata.h"
#include "services/common/prepared.h"

typedef struct {
    prepared_t head;
    char url[PROVIDER_URL_MAX + 1]; /* where it is from */
    idp_settings_t settings;        /* whole: what metadata does not say has its default */
    metadata_t metadata;            /* for its certificates */
    char message[160];
} filling_t;

/* Makes call->state, a filling_t, from the body's settings_url. A failure becomes the verdict that
 * prepared_passes refuses with: INVALID, a fault at /settings_url that names the step. entity_id:
 * which provider to take where there are several; NULL: there must be one. */
void filling_prepare(call_t *call, const char *settings_url, const char *entity_id);

/* The settings that follow from metadata. Errors as metadata_read. */
status_t filling_settings(const metadata_t *metadata, idp_settings_t *out, err_t *err) MUST_CHECK;

/* What was prepared, or NULL. */
const filling_t *filling_of(const call_t *call);

#endif
