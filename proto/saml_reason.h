/* Why a login failed: one enumeration for checks, events, log lines and metrics. Browsers are never
 * told; they get an event's id. */
#ifndef LK_PROTO_SAML_REASON_H
#define LK_PROTO_SAML_REASON_H

typedef enum {
    SAML_NONE = -1, /* nothing stands against it. Not 0: what was never checked has failed */
    /* The bytes, and the XML that they are: */
    SAML_MESSAGE_MISSING,
    SAML_MESSAGE_NOT_BASE64,
    SAML_MESSAGE_TOO_LARGE,
    SAML_XML_MALFORMED,
    SAML_XML_DOCTYPE,
    SAML_XML_ENCODING,
    SAML_XML_FORBIDDEN_NODE,      /* comment, processing instruction, entity reference */
    SAML_XML_FORBIDDEN_ATTRIBUTE, /* xml:id, xml:base, one of SAML's or XML Signature's namespace */
    SAML_XML_NAMESPACE,           /* relative or empty */
    SAML_XML_DUPLICATE_ID,
    SAML_XML_TOO_MANY_NODES,
    SAML_XML_TOO_DEEP,
    /* The shape of the message: */
    SAML_NOT_A_RESPONSE,
    SAML_ASSERTION_MISSING,
    SAML_ASSERTION_COUNT,
    SAML_ASSERTION_PLACE,
    SAML_ASSERTION_ENCRYPTED,
    SAML_SIGNATURE_MISSING,
    SAML_SIGNATURE_PLACE,
    SAML_SIGNATURE_SHAPE,
    SAML_CANONICALIZATION_METHOD,
    SAML_SIGNATURE_ALGORITHM,
    SAML_SHA1_REFUSED,
    SAML_REFERENCE_MISMATCH,
    SAML_TRANSFORMS,
    SAML_DIGEST_ALGORITHM,
    /* Whose signature it is: */
    SAML_CERTIFICATE_MISSING,
    SAML_CERTIFICATE_MALFORMED,
    SAML_CERTIFICATE_UNKNOWN,
    SAML_CERTIFICATE_RETIRED,
    SAML_FINGERPRINT_LENGTH, /* the stored one has not the length of its algorithm */
    SAML_KEY_TOO_WEAK,
    SAML_KEY_TYPE,
    SAML_CANONICALIZATION_FAILED,
    SAML_DIGEST_MISMATCH,
    SAML_SIGNATURE_INVALID,
    /* What it says: */
    SAML_VERSION,
    SAML_STATUS, /* the identity provider itself says no */
    SAML_ISSUER_MISMATCH,
    SAML_DESTINATION_MISMATCH,
    SAML_DESTINATION_MISSING,
    SAML_SUBJECT_MISSING,
    SAML_NAME_ID_MISSING,
    SAML_CONFIRMATION_MISSING, /* no bearer */
    SAML_RECIPIENT_MISMATCH,
    SAML_CONFIRMATION_EXPIRED,
    SAML_CONFIRMATION_NOT_YET,
    SAML_IN_RESPONSE_TO_MISMATCH,
    SAML_CONDITIONS_MISSING,
    SAML_CONDITIONS_NOT_YET,
    SAML_CONDITIONS_EXPIRED,
    SAML_CONDITION_UNKNOWN,
    SAML_AUDIENCE_MISSING,
    SAML_AUDIENCE_MISMATCH,
    SAML_AUTHN_STATEMENT_MISSING,
    SAML_SESSION_EXPIRED, /* SessionNotOnOrAfter */
    SAML_TIME_MALFORMED,
    SAML_VALUE_TOO_LONG, /* an identifier or attribute beyond what is stored */
    /* What we remember: */
    SAML_REQUEST_UNKNOWN,
    SAML_REQUEST_EXPIRED,
    SAML_REQUEST_USED,
    SAML_BROWSER_MISMATCH, /* the login was begun by another browser */
    SAML_RELAY_STATE_MISMATCH,
    SAML_IDP_INITIATED, /* not asked for, and the provider does not allow that */
    SAML_ASSERTION_REPLAYED,
    SAML_PROVIDER_INACTIVE,
    /* Logging out: */
    SAML_LOGOUT_MESSAGE,
    SAML_LOGOUT_UNSIGNED,
    SAML_LOGOUT_EXPIRED,
    /* Refreshing metadata: */
    SAML_METADATA_UNUSABLE,
    SAML_METADATA_ENTITY_ID,
    SAML_REASON_COUNT,
} saml_reason_t;

/* The words, such as "issuer_mismatch", in the enumeration's order and NULL at the end. */
extern const char *const saml_reason_words[SAML_REASON_COUNT + 1];

/* What to tell an administrator. Static; "" for SAML_NONE. */
const char *saml_reason_message(saml_reason_t reason);

#endif
