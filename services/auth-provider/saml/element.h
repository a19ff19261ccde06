/* Elements of a tree that xml_read has made, and what they hold. */
#ifndef LK_AUTH_PROVIDER_SAML_ELEMENT_H
#define LK_AUTH_PROVIDER_SAML_ELEMENT_H

#include "services/auth-provider/saml/saml.h"
#include "services/auth-provider/xml.h"

/* The first element within, or behind; NULL if there is none. */
xmlNode *element_first(const xmlNode *parent);
xmlNode *element_next(const xmlNode *sibling);

/* How many of its children are this element. */
size_t element_count(const xmlNode *parent, const char *space, const char *name);

/* Whether there is no text within but blanks, children not looked at; whether there is nothing but
 * text. */
bool element_is_frame(const xmlNode *element);
bool element_is_leaf(const xmlNode *element);

/* The text of a leaf; NULL if it is none. The caller frees with xml_release. */
char *element_text(const xmlNode *element);

/* Whether it is a leaf with exactly this text. */
bool element_says(const xmlNode *element, const char *text);

/* Whether the attribute (without a namespace) is there with exactly this value. */
bool element_has(const xmlNode *element, const char *attribute, const char *value);

/* The base64 of a leaf, blanks skipped. STATUS_INVALID, STATUS_TOO_LARGE. */
status_t element_base64(const xmlNode *element, uint8_t *out, size_t size, size_t *out_length)
    MUST_CHECK;

#endif
