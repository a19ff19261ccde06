/* XML of strangers, by libxml2 with nearly all of it switched off: no DTD, no entities, no files,
 * no network, UTF-8 only, and a bound on everything. Nothing is ever printed. Any thread. */
#ifndef LK_AUTH_PROVIDER_XML_H
#define LK_AUTH_PROVIDER_XML_H

#include "common/status.h"

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    XML_BYTES_MAX = 1 << 20,
    XML_DEPTH_MAX = 32,      /* elements within elements */
    XML_ATTRIBUTES_MAX = 64, /* of one element, namespaces counted in */
    XML_NAMESPACES_MAX = 64, /* declared by an element and those around it */
};

typedef enum {
    XML_SOUND,
    XML_TOO_LARGE,
    XML_EMPTY,
    XML_NOT_UTF8,
    XML_DOCTYPE,
    XML_TOO_DEEP,
    XML_TOO_MANY_ATTRIBUTES,
    XML_TOO_MANY_NAMESPACES,
    XML_TOO_MANY_ELEMENTS,
    XML_MALFORMED,
} xml_flaw_t;

/* Reads a document of at most so many elements. The caller frees with xml_free. *out_line is set
 * with XML_MALFORMED. From then on libxml2 prints nothing in this thread. */
xml_flaw_t xml_read(const char *bytes, size_t length, size_t elements_max, xmlDoc **out,
                    int *out_line) MUST_CHECK;

/* The same, of any number of elements. The caller frees with xml_free. STATUS_TOO_LARGE over a
 * bound; STATUS_INVALID for what is malformed or holds a DOCTYPE; the text of err can be shown to
 * clients. */
status_t xml_parse(const char *bytes, size_t length, xmlDoc **out, err_t *err) MUST_CHECK;

/* For AUTO. NULL-safe. */
void xml_free(xmlDoc **document);

/* Whether the node is the element of this namespace and name. */
bool xml_is(const xmlNode *node, const char *space, const char *name);

/* The first such element among the children of parent, or behind a sibling; NULL if there is none.
 */
xmlNode *xml_first(const xmlNode *parent, const char *space, const char *name);
xmlNode *xml_next(const xmlNode *sibling, const char *space, const char *name);

/* The value of an attribute without a namespace, or NULL; the text within an element. The caller
 * frees with xml_release. */
char *xml_attribute(const xmlNode *element, const char *name);
char *xml_text(const xmlNode *element);

/* For AUTO: frees a text and clears it. */
void xml_release(char **text);

#endif
