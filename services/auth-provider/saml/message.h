/* The XML that we send: AuthnRequest and log-out messages (SAML V2.0 Core 3.4, 3.7), and our
 * metadata (SAML V2.0 Metadata 2.4.4). Values are escaped; texts are complete documents.
 *
 * STATUS_TOO_LARGE: it does not fit; STATUS_INVALID: a value holds what no XML can. */
#ifndef LK_AUTH_PROVIDER_SAML_MESSAGE_H
#define LK_AUTH_PROVIDER_SAML_MESSAGE_H

#include "common/status.h"
#include "services/auth-provider/certificate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_SIZE = 48 * 1024,          /* holds any AuthnRequest, and metadata with a certificate */
    MESSAGE_LOGOUT_MS = 5 * 60 * 1000, /* how long a LogoutRequest of ours is good for */
};

/* A fresh ID: '_' and 40 hexadecimal digits, 160 bits (Core 1.3.4 asks for 128). */
enum { MESSAGE_ID_SIZE = 1 + 40 + 1 };
void message_new_id(char out[MESSAGE_ID_SIZE]);

typedef struct {
    const char *id; /* of the request: '_' and 40 hexadecimal digits */
    int64_t now_utc_ms;
    const char *destination;
    const char *acs_url;
    const char *sp_entity_id;
    const char *name_id_format; /* the bare prefix that the documentation's sample has is taken for
                                   unspecified */
} authn_request_t;

status_t message_authn_request(const authn_request_t *request, char *out, size_t size) MUST_CHECK;

/* Who is to be logged out; "" stands for what there is not. */
typedef struct {
    const char *id;
    int64_t now_utc_ms;
    const char *destination;
    const char *sp_entity_id;
    const char *name_id, *name_id_format, *name_qualifier, *sp_name_qualifier;
    const char *session_index;
} logout_request_t;

status_t message_logout_request(const logout_request_t *request, char *out, size_t size) MUST_CHECK;

/* in_response_to: the request's ID; "": it had none that could be read. success: whether it was
 * done. */
status_t message_logout_response(const char *id, int64_t now_utc_ms, const char *destination,
                                 const char *sp_entity_id, const char *in_response_to, bool success,
                                 char *out, size_t size) MUST_CHECK;

/* certificate: NULL if we sign nothing; slo_url: NULL without log-out. */
status_t message_metadata(const char *sp_entity_id, const char *acs_url, const char *slo_url,
                          const char *name_id_format, const certificate_t *certificate, char *out,
                          size_t size) MUST_CHECK;

#endif
