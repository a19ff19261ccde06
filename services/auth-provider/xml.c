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
    xml_flaw_t flaw; /* why they stopped the parser */
    size_t elements_left;
    int namespaces[XML_DEPTH_MAX + 1]; /* declared by the elements around, by depth */
} watch_t;

static const struct {
    status_t status;
    const char *text;
} flaws[] = {
    [XML_SOUND] = {STATUS_OK, ""},
    [XML_TOO_LARGE] = {STATUS_TOO_LARGE, "is larger than 1 MiB"},
    [XML_EMPTY] = {STATUS_INVALID, "is empty"},
    [XML_NOT_UTF8] = {STATUS_INVALID, "is not UTF-8"},
    [XML_DOCTYPE] = {STATUS_INVALID, "holds a DOCTYPE"},
    [XML_TOO_DEEP] = {STATUS_TOO_LARGE, "is nested too deeply"},
    [XML_TOO_MANY_ATTRIBUTES] = {STATUS_TOO_LARGE, "has an element with too many attributes"},
    [XML_TOO_MANY_NAMESPACES] = {STATUS_TOO_LARGE, "has too many namespaces within one another"},
    [XML_TOO_MANY_ELEMENTS] = {STATUS_TOO_LARGE, "has too many elements"},
    [XML_MALFORMED] = {STATUS_INVALID, "is malformed"},
};

static void stop(xmlParserCtxt *context, xml_flaw_t flaw)
{
    watch_t *watch = context->_private;
    watch->flaw = flaw;
    xmlStopParser(context);
}

/* Called before anything within the DTD is read. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    (void)name, (void)public_id, (void)system_id;
    stop(context, XML_DOCTYPE);
}

static void on_element(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                       int space_count, const xmlChar **spaces, int attribute_count,
                       int defaulted_count, const xmlChar **attributes)
{
    xmlParserCtxt *context = user;
    watch_t *watch = context->_private;
    int depth = context->nodeNr;
    if (depth >= XML_DEPTH_MAX) {
        stop(context, XML_TOO_DEEP);
        return;
    }
    if (watch->elements_left-- == 0) {
        stop(context, XML_TOO_MANY_ELEMENTS);
        return;
    }
    /* libxml2 goes through all of them at every element and attribute. */
    watch->namespaces[depth + 1] = watch->namespaces[depth] + space_count;
    if (watch->namespaces[depth + 1] > XML_NAMESPACES_MAX)
        stop(context, XML_TOO_MANY_NAMESPACES);
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

static xml_flaw_t flaw_of(const char *bytes, size_t length)
{
    if (length > XML_BYTES_MAX)
        return XML_TOO_LARGE;
    if (length == 0)
        return XML_EMPTY;
    if (text_has_nul(bytes, length) || text_utf8_length(bytes, length) < 0)
        return XML_NOT_UTF8;
    return has_many_attributes(bytes, length) ? XML_TOO_MANY_ATTRIBUTES : XML_SOUND;
}

/* libxml2 asks this thread's hook about what no parser reports: canonicalization. */
static void on_error(void *context, xmlError *error)
{
    (void)context, (void)error;
}

static void free_context(xmlParserCtxt **context)
{
    if (*context != NULL && (*context)->myDoc != NULL)
        xmlFreeDoc((*context)->myDoc);
    xmlFreeParserCtxt(*context);
}

xml_flaw_t xml_read(const char *bytes, size_t length, size_t elements_max, xmlDoc **out,
                    int *out_line)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, xmlInitParser);
    xmlSetStructuredErrorFunc(NULL, on_error);
    watch_t watch = {.elements_left = elements_max};
    watch.flaw = flaw_of(bytes, length);
    if (watch.flaw != XML_SOUND)
        return watch.flaw;
    AUTO(free_context) xmlParserCtxt *context = xmlNewParserCtxt();
    if (context == NULL)
        abort();
    context->_private = &watch;
    context->sax->internalSubset = on_doctype;
    context->sax->startElementNs = on_element;
    /* The encoding is given. The document's own word on it would have iconv load a module of the
     * document's choice. */
    xmlDoc *document = xmlCtxtReadMemory(context, bytes, (int)length, NULL, "UTF-8",
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                             XML_PARSE_IGNORE_ENC);
    if (document == NULL && context->lastError.code == XML_ERR_NO_MEMORY)
        abort();
    /* libxml2 makes a tree of it even if prefixes are unbound or two attributes are the same one.
     */
    if (watch.flaw == XML_SOUND && document != NULL && context->nsWellFormed == 1 &&
        xmlDocGetRootElement(document) != NULL) {
        *out = document;
        return XML_SOUND;
    }
    xml_free(&document);
    *out_line = context->lastError.line;
    return watch.flaw != XML_SOUND ? watch.flaw : XML_MALFORMED;
}

status_t xml_parse(const char *bytes, size_t length, xmlDoc **out, err_t *err)
{
    int line = 0;
    xml_flaw_t flaw = xml_read(bytes, length, SIZE_MAX, out, &line);
    if (flaw == XML_SOUND)
        return STATUS_OK;
    if (flaw == XML_MALFORMED)
        return err_set(err, STATUS_INVALID, "XML", "the XML is malformed, line %d", line);
    return err_set(err, flaws[flaw].status, "XML", "the XML %s", flaws[flaw].text);
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
