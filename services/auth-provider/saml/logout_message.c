/* Must never: read a message that nobody has signed, or guess at what it leaves out. Next:
 * ../sso/logout_ops.c. */
#include "services/auth-provider/saml/logout_message.h"

#include "services/auth-provider/saml/claims.h"
#include "services/auth-provider/saml/gate.h"
#include "services/auth-provider/saml/times.h"

#include <string.h>

/* What stands in either, beside what is its own. A signature has its place in the URL (Bindings
 * 3.4.4.1), and whoever reads one in here as well might read something else. */
typedef struct {
    const char *name;
    const char *once; /* of the protocol's namespace */
    const char *often;
} form_t;

static const form_t request_form = {"LogoutRequest", NULL, "SessionIndex"};
static const form_t response_form = {"LogoutResponse", "Status", NULL};

static bool is_in_form(const xmlNode *element, const form_t *form)
{
    return xml_is(element, SAML_NS_ASSERTION, "Issuer") ||
           xml_is(element, SAML_NS_ASSERTION, "NameID") ||
           xml_is(element, SAML_NS_PROTOCOL, "Extensions") ||
           (form->once != NULL && xml_is(element, SAML_NS_PROTOCOL, form->once)) ||
           (form->often != NULL && xml_is(element, SAML_NS_PROTOCOL, form->often));
}

static bool has_form(const xmlNode *root, const form_t *form)
{
    if (!xml_is(root, SAML_NS_PROTOCOL, form->name) || !element_is_frame(root))
        return false;
    for (const xmlNode *at = element_first(root); at != NULL; at = element_next(at))
        if (!is_in_form(at, form))
            return false;
    return element_count(root, SAML_NS_ASSERTION, "NameID") == (form->often != NULL ? 1 : 0) &&
           (form->once == NULL || element_count(root, SAML_NS_PROTOCOL, form->once) == 1);
}

/* An attribute that must be there. */
static saml_reason_t take_id(const xmlNode *root, const char *name, char out[SAML_ID_MAX + 1])
{
    AUTO(xml_release) char *text = xml_attribute(root, name);
    saml_reason_t reason = claims_take(text, SAML_ID_MAX, out, SAML_ID_MAX + 1);
    return reason == SAML_NONE && out[0] == '\0' ? SAML_LOGOUT_MESSAGE : reason;
}

static saml_reason_t check_parties(const logout_expect_t *expect, const xmlNode *root)
{
    const xmlNode *issuer = xml_first(root, SAML_NS_ASSERTION, "Issuer");
    AUTO(xml_release) char *destination = xml_attribute(root, "Destination");
    if (!element_has(root, "Version", "2.0"))
        return SAML_VERSION;
    if (element_count(root, SAML_NS_ASSERTION, "Issuer") != 1 ||
        !element_says(issuer, expect->idp_entity_id))
        return SAML_ISSUER_MISMATCH;
    if (destination == NULL)
        return SAML_DESTINATION_MISSING;
    return strcmp(destination, expect->destination) == 0 ? SAML_NONE : SAML_DESTINATION_MISMATCH;
}

/* NotOnOrAfter may shorten what IssueInstant gives it, not prolong it. */
static saml_reason_t check_times(const logout_expect_t *expect, const xmlNode *root,
                                 logout_message_t *out)
{
    int64_t issued_ms = 0, until_ms = 0;
    status_t limit = times_of(root, "NotOnOrAfter", &until_ms);
    if (times_of(root, "IssueInstant", &issued_ms) != STATUS_OK || limit == STATUS_INVALID)
        return SAML_TIME_MALFORMED;
    int64_t end_ms = issued_ms + LOGOUT_MESSAGE_MS;
    if (limit == STATUS_OK && until_ms < end_ms)
        end_ms = until_ms;
    if (issued_ms > expect->now_utc_ms + expect->skew_ms ||
        end_ms + expect->skew_ms <= expect->now_utc_ms)
        return SAML_LOGOUT_EXPIRED;
    out->until_utc_ms = issued_ms + LOGOUT_MESSAGE_MS + expect->skew_ms;
    return SAML_NONE;
}

static saml_reason_t take_qualifiers(const xmlNode *name_id, logout_message_t *out)
{
    enum { CHARACTERS_MAX = 255 };
    const struct {
        const char *attribute;
        char *out;
    } rows[] = {{"Format", out->name_id_format},
                {"NameQualifier", out->name_qualifier},
                {"SPNameQualifier", out->sp_name_qualifier}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(xml_release) char *text = xml_attribute(name_id, rows[i].attribute);
        saml_reason_t reason =
            claims_take(text, CHARACTERS_MAX, rows[i].out, TEXT_SIZE(CHARACTERS_MAX));
        if (reason != SAML_NONE)
            return reason;
    }
    return SAML_NONE;
}

static saml_reason_t take_name(const xmlNode *root, logout_message_t *out)
{
    const xmlNode *name_id = xml_first(root, SAML_NS_ASSERTION, "NameID");
    AUTO(xml_release) char *text = element_text(name_id);
    if (text == NULL || text[strspn(text, " \t\r\n")] == '\0')
        return SAML_NAME_ID_MISSING;
    saml_reason_t reason = claims_take(text, SAML_NAME_ID_MAX, out->name_id, sizeof(out->name_id));
    return reason == SAML_NONE ? take_qualifiers(name_id, out) : reason;
}

/* An index that can't be read must not become none, which stands for all sessions. */
static saml_reason_t take_indexes(const xmlNode *root, logout_message_t *out)
{
    const xmlNode *at = xml_first(root, SAML_NS_PROTOCOL, "SessionIndex");
    for (; at != NULL; at = xml_next(at, SAML_NS_PROTOCOL, "SessionIndex")) {
        AUTO(xml_release) char *text = element_text(at);
        if (out->index_count == LOGOUT_INDEXES_MAX || text == NULL || text[0] == '\0')
            return SAML_LOGOUT_MESSAGE;
        saml_reason_t reason =
            claims_take(text, SAML_ID_MAX, out->indexes[out->index_count++], SAML_ID_MAX + 1);
        if (reason != SAML_NONE)
            return reason;
    }
    return SAML_NONE;
}

static saml_reason_t take_status(const xmlNode *root, logout_message_t *out)
{
    const xmlNode *status = xml_first(root, SAML_NS_PROTOCOL, "Status");
    const xmlNode *code = xml_first(status, SAML_NS_PROTOCOL, "StatusCode");
    if (element_count(status, SAML_NS_PROTOCOL, "StatusCode") != 1)
        return SAML_LOGOUT_MESSAGE;
    out->success = element_has(code, "Value", SAML_STATUS_SUCCESS);
    return take_id(root, "InResponseTo", out->in_response_to);
}

static saml_reason_t read_root(const logout_expect_t *expect, bool is_request, const xmlNode *root,
                               logout_message_t *out)
{
    if (!has_form(root, is_request ? &request_form : &response_form))
        return SAML_LOGOUT_MESSAGE;
    saml_reason_t reason = check_parties(expect, root);
    if (reason == SAML_NONE)
        reason = check_times(expect, root, out);
    if (reason == SAML_NONE)
        reason = take_id(root, "ID", out->id);
    if (reason == SAML_NONE)
        reason = is_request ? take_name(root, out) : take_status(root, out);
    return reason == SAML_NONE && is_request ? take_indexes(root, out) : reason;
}

saml_reason_t logout_message_read(const logout_expect_t *expect, bool is_request, const char *xml,
                                  size_t length, logout_message_t *out)
{
    AUTO(xml_free) xmlDoc *document = NULL;
    logout_message_t message = {0};
    saml_reason_t reason = gate_read(xml, length, &document);
    if (reason == SAML_NONE)
        reason = read_root(expect, is_request, xmlDocGetRootElement(document), &message);
    if (reason == SAML_NONE)
        *out = message;
    return reason;
}
