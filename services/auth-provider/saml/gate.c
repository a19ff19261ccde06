/* The gate. Must never: look into a signature (signature.c), believe a value. Next: response.c. */
#include "services/auth-provider/saml/gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char xml_space[] = "http://www.w3.org/XML/1998/namespace";

/* What the walk has met so far. */
typedef struct {
    size_t nodes;
    size_t id_count;
    const xmlChar *ids[GATE_IDS_MAX];
} census_t;

static bool same(const xmlChar *a, const char *b)
{
    return a != NULL && strcmp((const char *)a, b) == 0;
}

static saml_reason_t reason_of(xml_flaw_t flaw)
{
    switch (flaw) {
    case XML_SOUND:
        return SAML_NONE;
    case XML_TOO_LARGE:
        return SAML_MESSAGE_TOO_LARGE;
    case XML_NOT_UTF8:
        return SAML_XML_ENCODING;
    case XML_DOCTYPE:
        return SAML_XML_DOCTYPE;
    case XML_TOO_DEEP:
        return SAML_XML_TOO_DEEP;
    case XML_TOO_MANY_ATTRIBUTES:
    case XML_TOO_MANY_NAMESPACES:
    case XML_TOO_MANY_ELEMENTS:
        return SAML_XML_TOO_MANY_NODES;
    case XML_EMPTY:
    case XML_MALFORMED:
        break;
    }
    return SAML_XML_MALFORMED;
}

/* An absolute URI (RFC 3986) of characters that canonicalization writes as they are. */
static bool is_namespace(const xmlChar *name)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char scheme[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.";
    const char *text = name == NULL ? "" : (const char *)name;
    size_t length = strlen(text);
    if (length > GATE_NAMESPACE_MAX || strspn(text, first) == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"'<>&\\^`{|}", text[i]) != NULL)
            return false;
    size_t colon = strspn(text, scheme);
    return text[colon] == ':' && text[colon + 1] != '\0';
}

static bool is_within_value(const xmlNode *element)
{
    for (const xmlNode *at = element->parent; at != NULL; at = at->parent)
        if (xml_is(at, SAML_NS_ASSERTION, "AttributeValue"))
            return true;
    return false;
}

/* Elements without a namespace: identity providers put them into attribute values, and nobody
 * reads them there. */
static saml_reason_t check_namespaces(const xmlNode *element, census_t *census)
{
    for (const xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next) {
        census->nodes++;
        if (!is_namespace(ns->href))
            return SAML_XML_NAMESPACE;
    }
    return element->ns != NULL || is_within_value(element) ? SAML_NONE : SAML_XML_NAMESPACE;
}

static bool is_forbidden(const xmlAttr *attribute)
{
    if (attribute->ns == NULL)
        return false;
    const xmlChar *space = attribute->ns->href;
    if (same(space, xml_space))
        return !same(attribute->name, "lang") && !same(attribute->name, "space");
    return same(space, SAML_NS_PROTOCOL) || same(space, SAML_NS_ASSERTION) ||
           same(space, SAML_NS_DSIG);
}

/* The attribute's value: one text node, or none. */
static const xmlChar *value_of(const xmlAttr *attribute)
{
    static const xmlChar none[] = "";
    const xmlNode *text = attribute->children;
    return text == NULL || text->content == NULL ? none : text->content;
}

static saml_reason_t check_attributes(const xmlNode *element, census_t *census)
{
    for (const xmlAttr *at = element->properties; at != NULL; at = at->next) {
        census->nodes++;
        if (is_forbidden(at))
            return SAML_XML_FORBIDDEN_ATTRIBUTE;
        if (at->children != NULL && (at->children->type != XML_TEXT_NODE || at->children->next))
            return SAML_XML_FORBIDDEN_NODE;
        if (strcasecmp((const char *)at->name, "ID") != 0)
            continue;
        const xmlChar *id = value_of(at);
        for (size_t i = 0; i < census->id_count; i++)
            if (xmlStrEqual(census->ids[i], id))
                return SAML_XML_DUPLICATE_ID;
        if (census->id_count == GATE_IDS_MAX)
            return SAML_XML_TOO_MANY_NODES;
        census->ids[census->id_count++] = id;
    }
    return SAML_NONE;
}

static saml_reason_t check_node(const xmlNode *node, census_t *census)
{
    switch ((int)node->type) {
    case XML_ELEMENT_NODE:
        break;
    case XML_TEXT_NODE:
    case XML_CDATA_SECTION_NODE:
        return SAML_NONE;
    default: /* of libxml2's many kinds no other is wanted */
        return SAML_XML_FORBIDDEN_NODE;
    }
    census->nodes++;
    saml_reason_t reason = check_namespaces(node, census);
    if (reason == SAML_NONE)
        reason = check_attributes(node, census);
    return reason == SAML_NONE && census->nodes > GATE_NODES_MAX ? SAML_XML_TOO_MANY_NODES : reason;
}

/* The node behind in the order of the document, of those below root. */
static xmlNode *following(const xmlNode *node, const xmlNode *root)
{
    if (node->type == XML_ELEMENT_NODE && node->children != NULL)
        return node->children;
    while (node != root && node->next == NULL)
        node = node->parent;
    return node == root ? NULL : node->next;
}

static saml_reason_t check_nodes(xmlDoc *document)
{
    census_t census = {0};
    const xmlNode *root = xmlDocGetRootElement(document);
    for (const xmlNode *at = document->children; at != NULL; at = at->next)
        if (at != root)
            return SAML_XML_FORBIDDEN_NODE;
    saml_reason_t reason = SAML_NONE;
    for (const xmlNode *at = root; at != NULL && reason == SAML_NONE; at = following(at, root))
        reason = check_node(at, &census);
    return reason;
}

/* The encoding that the document itself claims, in its first tag: none, or UTF-8. */
static bool claims_utf8(const char *bytes, size_t length)
{
    static const char mark[] = "\xef\xbb\xbf", word[] = "encoding", utf8[] = "UTF-8";
    static const char blanks[] = " \t\r\n";
    if (length >= sizeof(mark) - 1 && memcmp(bytes, mark, sizeof(mark) - 1) == 0) {
        bytes += sizeof(mark) - 1;
        length -= sizeof(mark) - 1;
    }
    const char *end = memchr(bytes, '>', length);
    if (length < 5 || memcmp(bytes, "<?xml", 5) != 0 || end == NULL)
        return true;
    const char *at = memmem(bytes, (size_t)(end - bytes), word, sizeof(word) - 1);
    if (at == NULL)
        return true;
    at += sizeof(word) - 1;
    at += strspn(at, blanks); /* ends at '>' at the latest */
    at += *at == '=';
    at += strspn(at, blanks);
    return (*at == '"' || *at == '\'') && strncasecmp(at + 1, utf8, sizeof(utf8) - 1) == 0 &&
           at[sizeof(utf8)] == *at;
}

saml_reason_t gate_read(const char *bytes, size_t length, xmlDoc **out)
{
    int line = 0;
    AUTO(xml_free) xmlDoc *document = NULL;
    saml_reason_t reason = reason_of(xml_read(bytes, length, GATE_NODES_MAX, &document, &line));
    if (reason == SAML_NONE && !claims_utf8(bytes, length))
        reason = SAML_XML_ENCODING;
    if (reason == SAML_NONE && !same(document->version, "1.0"))
        reason = SAML_XML_MALFORMED;
    if (reason == SAML_NONE)
        reason = check_nodes(document);
    if (reason == SAML_NONE)
        *out = TAKE(document);
    return reason;
}
