/* libxml2, tamed. Must never: read a DTD, open a file or a socket, print. Next: metadata.c. */
#include "services/auth-provider/xml.h"

#include "common/mem.h"
#include "common/text.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What our own hooks keep of a document; stands in the context's _private. */
typedef struct {
    status_t status; /* why they stopped the parser */
    const char *text;
    int namespaces[XML_DEPTH_MAX + 1]; /* declared by the elements around, by depth */
} watch_t;

static void stop(xmlParserCtxt *context, status_t status, const char *text)
{
    watch_t *watch = context->_private;
    watch->status = status;
    watch->text = text;
    xmlStopParser(context);
}

/* Called before anything within the DTD is read. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    (void)name, (void)public_id, (void)system_id;
    stop(context, STATUS_INVALID, "holds a DOCTYPE");
}

static void on_element(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                       int space_count, const xmlChar **spaces, int attribute_count,
                       int defaulted_count, const xmlChar **attributes)
{
    xmlParserCtxt *context = user;
    watch_t *watch = context->_private;
    int depth = context->nodeNr;
    if (depth >= XML_DEPTH_MAX) {
        stop(context, STATUS_TOO_LARGE, "is nested too deeply");
        return;
    }
    /* libxml2 goes through all of them at every element and attribute. */
    watch->namespaces[depth + 1] = watch->namespaces[depth] + space_count;
    if (watch->namespaces[depth + 1] > XML_NAMESPACES_MAX)
        stop(context, STATUS_TOO_LARGE, "has too many namespaces within one another");
    else
        xmlSAX2StartElementNs(user, name, prefix, space, space_count, spaces, attribute_count,
                              defaulted_count, attributes);
}

/* libxml2 compares each attribute of an element with all others before any hook sees them: 100,000
 * in one megabyte would cost minutes.
 *
 * However malformed the document, this must not take for text what libxml2 takes for attributes. So
 * a tag is looked for behind every '<', even within a comment: none goes on behind another '<', and
 * up to its first mistake, where libxml2 leaves it, it ends where we see its end. */
static bool has_many_attributes(const char *bytes, size_t length)
{
    bool in_tag = false;
    char quote = '\0';
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '<') {
            in_tag = i + 1 < length && strchr("!?/", bytes[i + 1]) == NULL;
            quote = '\0';
            count = 0;
        } else if (in_tag && c == quote) {
            quote = '\0';
        } else if (in_tag && quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
            if (++count > XML_ATTRIBUTES_MAX)
                return true;
        } else if (quote == '\0' && c == '>') {
            in_tag = false;
        }
    }
    return false;
}

static const char *flaw_of(const char *bytes, size_t length, status_t *out)
{
    *out = STATUS_TOO_LARGE;
    if (length > XML_BYTES_MAX)
        return "is larger than 1 MiB";
    *out = STATUS_INVALID;
    if (length == 0)
        return "is empty";
    if (text_has_nul(bytes, length) || text_utf8_length(bytes, length) < 0)
        return "is not UTF-8";
    *out = STATUS_TOO_LARGE;
    return has_many_attributes(bytes, length) ? "has an element with too many attributes" : NULL;
}

static void free_context(xmlParserCtxt **context)
{
    if (*context != NULL && (*context)->myDoc != NULL)
        xmlFreeDoc((*context)->myDoc);
    xmlFreeParserCtxt(*context);
}

status_t xml_parse(const char *bytes, size_t length, xmlDoc **out, err_t *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, xmlInitParser);
    watch_t watch = {0};
    watch.text = flaw_of(bytes, length, &watch.status);
    if (watch.text != NULL)
        return err_set(err, watch.status, "XML", "the XML %s", watch.text);
    AUTO(free_context) xmlParserCtxt *context = xmlNewParserCtxt();
    if (context == NULL)
        abort();
    context->_private = &watch;
    context->sax->internalSubset = on_doctype;
    context->sax->startElementNs = on_element;
    watch.status = STATUS_OK;
    /* The encoding is given, so that the document's own word on it is not believed. */
    xmlDoc *document = xmlCtxtReadMemory(context, bytes, (int)length, NULL, "UTF-8",
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document == NULL && context->lastError.code == XML_ERR_NO_MEMORY)
        abort();
    if (watch.status == STATUS_OK && document != NULL && xmlDocGetRootElement(document) != NULL) {
        *out = document;
        return STATUS_OK;
    }
    xml_free(&document);
    if (watch.status != STATUS_OK)
        return err_set(err, watch.status, "XML", "the XML %s", watch.text);
    return err_set(err, STATUS_INVALID, "XML", "the XML is malformed, line %d",
                   context->lastError.line);
}

void xml_free(xmlDoc **document)
{
    if (*document != NULL)
        xmlFreeDoc(*document);
    *document = NULL;
}

bool xml_is(const xmlNode *node, const char *space, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns != NULL && node->ns->href != NULL &&
           strcmp((const char *)node->name, name) == 0 &&
           strcmp((const char *)node->ns->href, space) == 0;
}

static xmlNode *search(xmlNode *from, const char *space, const char *name)
{
    while (from != NULL && !xml_is(from, space, name))
        from = from->next;
    return from;
}

xmlNode *xml_first(const xmlNode *parent, const char *space, const char *name)
{
    return search(parent->children, space, name);
}

xmlNode *xml_next(const xmlNode *sibling, const char *space, const char *name)
{
    return search(sibling->next, space, name);
}

char *xml_attribute(const xmlNode *element, const char *name)
{
    return (char *)xmlGetNoNsProp(element, (const xmlChar *)name);
}

char *xml_text(const xmlNode *element)
{
    return (char *)xmlNodeGetContent(element);
}

void xml_release(char **text)
{
    if (*text != NULL)
        xmlFree(*text);
    *text = NULL;
}
