#include "services/auth-provider/saml/element.h"

#include <sodium.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

static xmlNode *element_from(xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xmlNode *element_first(const xmlNode *parent)
{
    return element_from(parent->children);
}

xmlNode *element_next(const xmlNode *sibling)
{
    return element_from(sibling->next);
}

size_t element_count(const xmlNode *parent, const char *space, const char *name)
{
    size_t count = 0;
    for (const xmlNode *at = xml_first(parent, space, name); at != NULL;
         at = xml_next(at, space, name))
        count++;
    return count;
}

bool element_is_frame(const xmlNode *element)
{
    for (const xmlNode *at = element->children; at != NULL; at = at->next) {
        const char *text = (const char *)at->content;
        if (at->type != XML_ELEMENT_NODE && !is_text(at))
            return false;
        if (is_text(at) && text != NULL && text[strspn(text, blanks)] != '\0')
            return false;
    }
    return true;
}

bool element_is_leaf(const xmlNode *element)
{
    for (const xmlNode *at = element->children; at != NULL; at = at->next)
        if (!is_text(at))
            return false;
    return true;
}

char *element_text(const xmlNode *element)
{
    return element_is_leaf(element) ? xml_text(element) : NULL;
}

bool element_says(const xmlNode *element, const char *text)
{
    AUTO(xml_release) char *found = element_text(element);
    return found != NULL && strcmp(found, text) == 0;
}

bool element_has(const xmlNode *element, const char *attribute, const char *value)
{
    AUTO(xml_release) char *found = xml_attribute(element, attribute);
    return found != NULL && strcmp(found, value) == 0;
}

status_t element_base64(const xmlNode *element, uint8_t *out, size_t size, size_t *out_length)
{
    AUTO(xml_release) char *text = element_text(element);
    if (text == NULL)
        return STATUS_INVALID;
    size_t length = strlen(text);
    if (length > 4 * size + 64) /* more blanks than anybody writes */
        return STATUS_TOO_LARGE;
    return sodium_base642bin(out, size, text, length, blanks, out_length, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0
               ? STATUS_OK
               : STATUS_INVALID;
}
