/* What auth-provider has beyond every worker: settings of its own, who fetches metadata, and the
 * key that signs what we send.
 *
 * Nobody logs in over plain HTTP but on loopback: a cookie that anybody on the way can read is
 * nobody's. A public URL like that is no wrong setting, though: all but /sso works with it. */
#ifndef LK_SERVICES_AUTH_PROVIDER_SETUP_H
#define LK_SERVICES_AUTH_PROVIDER_SETUP_H

#include "common/config.h"
#include "proto/sso.h"
#include "services/auth-provider/fetch.h"
#include "services/auth-provider/saml/sign.h"
#include "services/common/call.h"

enum { SETUP_URL_SIZE = 512, SETUP_PATH_SIZE = 1024 };

typedef struct {
    char public_url[SETUP_URL_SIZE];
    char sso_return_to[SSO_RETURN_TO_MAX + 1];
    int64_t sso_session_seconds;
    char saml_key_file[SETUP_PATH_SIZE];
    bool metadata_allow_private;
    int64_t metadata_refresh_s; /* 0: never */
    int64_t metadata_grace_s;
} setup_t;

enum { SETUP_ROWS = 7 };
extern const setting_t setup_rows[SETUP_ROWS];

/* STATUS_INVALID: LK_PUBLIC_URL is no base of URLs, LK_SSO_RETURN_TO no local path. */
status_t setup_check(const void *setup, err_t *err) MUST_CHECK;

/* Over what browsers reach us. */
typedef enum {
    REACH_PLAIN,    /* HTTP from other hosts: nobody logs in */
    REACH_LOOPBACK, /* HTTP on this host: to try things out */
    REACH_TLS,
} reach_t;

/* Of a URL that setup_check takes. */
reach_t setup_reach_of(const char *public_url);

/* Warns if nobody can log in. Makes what is asked for below, as worker_spec_t has it.
 * STATUS_UNKNOWN, STATUS_INVALID and STATUS_REFUSED: LK_SAML_KEY_FILE, as signer_open has it. */
status_t setup_open(const void *setup, void **out_own, err_t *err) MUST_CHECK;
/* NULL-safe. */
void setup_close(void **own);

/* Of the process that answers the call: */
const char *setup_public_url(const call_t *call);
reach_t setup_reach(const call_t *call);
/* Where a browser goes on after a login that had no return_to: a local path. */
const char *setup_return_to(const call_t *call);
int64_t setup_session_ms(const call_t *call); /* how long a session lasts */
const fetcher_t *setup_fetcher(const call_t *call);
/* The same, of what setup_open has made. */
const fetcher_t *setup_fetcher_of(const void *own);
const signer_t *setup_signer(const call_t *call); /* NULL: we sign nothing */

#endif
