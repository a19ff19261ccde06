/* Must never: search for a name and take what is found. Next: signature.c. */
#include "services/auth-provider/saml/response.h"

#include <string.h>

static const char check[] = "response";

/* How often a name stands in the document, whatever its namespace: who reads by names must find
 * nothing else than who reads by places. */
typedef struct {
    size_t responses, assertions, encrypted, signatures;
} names_t;

static void count_names(const xmlNode *element, names_t *names)
{
    const char *name = (const char *)element->name;
    names->responses += strcmp(name, "Response") == 0;
    names->assertions += strcmp(name, "Assertion") == 0;
    names->encrypted += strcmp(name, "EncryptedAssertion") == 0;
    names->signatures += strcmp(name, "Signature") == 0;
    for (const xmlNode *at = element_first(element); at != NULL; at = element_next(at))
        count_names(at, names);
}

static bool is_one_of(const xmlNode *element, const char *space, const char *const *names)
{
    for (; *names != NULL; names++)
        if (xml_is(element, space, *names))
            return true;
    return false;
}

/* What an element may hold besides its issuer and its signature. */
typedef struct {
    const char *space;
    const char *once[4], *often[5]; /* NULL at the end */
} children_t;

static bool is_child(const xmlNode *element, const children_t *children)
{
    return xml_is(element, SAML_NS_DSIG, "Signature") ||
           xml_is(element, SAML_NS_ASSERTION, "Issuer") ||
           xml_is(element, SAML_NS_ASSERTION, "Assertion") ||
           is_one_of(element, children->space, children->once) ||
           is_one_of(element, children->space, children->often);
}

static bool holds_only(const xmlNode *parent, const children_t *children)
{
    if (!element_is_frame(parent) || element_count(parent, SAML_NS_ASSERTION, "Issuer") > 1)
        return false;
    for (const xmlNode *at = element_first(parent); at != NULL; at = element_next(at))
        if (!is_child(at, children))
            return false;
    for (const char *const *name = children->once; *name != NULL; name++)
        if (element_count(parent, children->space, *name) > 1)
            return false;
    return true;
}

static bool is_id(const xmlNode *element)
{
    static const char characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:";
    AUTO(xml_release) char *id = xml_attribute(element, "ID");
    size_t length = id == NULL ? 0 : strlen(id);
    return length > 0 && strspn(id, characters) == length;
}

/* An identity provider that refuses sends no assertion; its word explains more than that. */
static saml_reason_t why_no_assertion(const xmlNode *response)
{
    const xmlNode *status = xml_first(response, SAML_NS_PROTOCOL, "Status");
    const xmlNode *code = status == NULL ? NULL : xml_first(status, SAML_NS_PROTOCOL, "StatusCode");
    bool refused = code != NULL && !element_has(code, "Value", SAML_STATUS_SUCCESS);
    return refused ? SAML_STATUS : SAML_ASSERTION_MISSING;
}

static saml_reason_t find_parts(xmlNode *root, const names_t *names, response_t *out)
{
    if (!xml_is(root, SAML_NS_PROTOCOL, "Response") || names->responses != 1)
        return SAML_NOT_A_RESPONSE;
    if (names->encrypted > 0)
        return SAML_ASSERTION_ENCRYPTED;
    if (names->assertions == 0)
        return why_no_assertion(root);
    if (names->assertions > 1)
        return SAML_ASSERTION_COUNT;
    out->element = root;
    out->assertion = xml_first(root, SAML_NS_ASSERTION, "Assertion");
    if (out->assertion == NULL)
        return SAML_ASSERTION_PLACE;
    out->signature = xml_first(root, SAML_NS_DSIG, "Signature");
    out->assertion_signature = xml_first(out->assertion, SAML_NS_DSIG, "Signature");
    size_t signatures = 0;
    signatures += out->signature != NULL;
    signatures += out->assertion_signature != NULL;
    if (names->signatures == 0)
        return SAML_SIGNATURE_MISSING;
    return signatures == names->signatures ? SAML_NONE : SAML_SIGNATURE_PLACE;
}

/* What the schemas say (saml-schema-protocol-2.0, saml-schema-assertion-2.0), their order aside.
 * Assertions and signatures have been counted. */
static const char *flaw_of(const response_t *response)
{
    static const children_t of_response = {SAML_NS_PROTOCOL, {"Extensions", "Status"}, {NULL}};
    static const children_t of_assertion = {
        SAML_NS_ASSERTION,
        {"Subject", "Conditions", "Advice"},
        {"Statement", "AuthnStatement", "AuthzDecisionStatement", "AttributeStatement"}};
    if (!holds_only(response->element, &of_response))
        return "the Response holds text, an element twice, or one that is none of its own";
    if (!holds_only(response->assertion, &of_assertion))
        return "the assertion holds text, an element twice, or one that is none of its own";
    if (!is_id(response->element) || !is_id(response->assertion))
        return "an ID is missing or malformed";
    return NULL;
}

bool response_read(xmlDoc *document, saml_verdict_t *verdict, response_t *out)
{
    response_t found = {0};
    names_t names = {0};
    xmlNode *root = xmlDocGetRootElement(document);
    count_names(root, &names);
    saml_reason_t reason = find_parts(root, &names, &found);
    if (reason != SAML_NONE)
        return steps_add(verdict, check, reason, NULL);
    const char *flaw = flaw_of(&found);
    if (flaw != NULL)
        return steps_add(verdict, check, SAML_NOT_A_RESPONSE, "%s", flaw);
    *out = found;
    return steps_add(verdict, check, SAML_NONE, NULL);
}
