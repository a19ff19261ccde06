/* LogoutRequest and LogoutResponse of an identity provider (SAML V2.0 Core 3.7, Profiles 4.4), out
 * of bytes that were found signed. A pure function of them and of what is expected; any thread. */
#ifndef LK_AUTH_PROVIDER_SAML_LOGOUT_MESSAGE_H
#define LK_AUTH_PROVIDER_SAML_LOGOUT_MESSAGE_H

#include "services/auth-provider/saml/verify.h"

enum {
    LOGOUT_INDEXES_MAX = 16,           /* SessionIndex elements of a request */
    LOGOUT_MESSAGE_MS = 5 * 60 * 1000, /* how long a message is good for after its IssueInstant */
};

/* All borrowed. */
typedef struct {
    const char *idp_entity_id;
    const char *destination; /* our log-out URL */
    int64_t now_utc_ms;
    int64_t skew_ms;
} logout_expect_t;

typedef struct {
    char id[SAML_ID_MAX + 1];
    int64_t until_utc_ms; /* until then it could come again: skew counted in */
    /* Of a request: whom to log out, "" where it does not say; and of which sessions, none: all. */
    char name_id[TEXT_SIZE(SAML_NAME_ID_MAX)];
    char name_id_format[TEXT_SIZE(255)];
    char name_qualifier[TEXT_SIZE(255)], sp_name_qualifier[TEXT_SIZE(255)];
    size_t index_count;
    char indexes[LOGOUT_INDEXES_MAX][SAML_ID_MAX + 1];
    /* Of an answer: */
    char in_response_to[SAML_ID_MAX + 1];
    bool success; /* they were logged out there */
} logout_message_t;

/* SAML_NONE, or what is wrong: the XML (gate.h), LOGOUT_MESSAGE (another element; an ID, a name or
 * an index that is missing, encrypted or malformed; more than LOGOUT_INDEXES_MAX of them), VERSION,
 * ISSUER_MISMATCH, DESTINATION_MISSING, DESTINATION_MISMATCH, TIME_MALFORMED, LOGOUT_EXPIRED,
 * NAME_ID_MISSING, VALUE_TOO_LONG. */
saml_reason_t logout_message_read(const logout_expect_t *expect, bool is_request, const char *xml,
                                  size_t length, logout_message_t *out) MUST_CHECK;

#endif
