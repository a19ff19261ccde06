/* A text that grows, for answers that are no records of ours (call_document): XML, lines. Bounded,
 * and wiped: it may hold HA1 values. */
#ifndef LK_SERVICES_COMMON_SIP_DOCUMENT_H
#define LK_SERVICES_COMMON_SIP_DOCUMENT_H

#include "common/ipnet.h"
#include "services/common/call.h"

enum { DOCUMENT_MAX = 15 * 1024 * 1024 }; /* bytes: a message must have room for it */

/* All zero: an empty one. Ends with document_end, by AUTO. */
typedef struct {
    char *bytes;
    size_t length, room;
    bool too_large; /* over DOCUMENT_MAX: what came then is not in it */
} document_t;

void document_end(document_t *document);

/* Adds the text as it is; the number in decimal. */
void document_add(document_t *document, const char *text);
void document_add_number(document_t *document, int64_t number);
/* As the value of an XML attribute or text: & < > " ' and line ends escaped. The text must be one
 * that document_xml_can_say. */
void document_add_xml(document_t *document, const char *text);
/* With all but letters, digits and -._~ as %XX (RFC 3986 section 2). */
void document_add_percent(document_t *document, const char *text);
/* A range with its prefix always: "192.0.2.1/32". Returns the text. */
const char *document_cidr(const ipnet_t *range, char out[IPNET_TEXT_SIZE]);

/* Whether XML 1.0 has all characters of the text (valid UTF-8). */
bool document_xml_can_say(const char *text);

/* Ends the call with the document; fails it if that is too large. */
void document_answer(call_t *call, media_t media, const document_t *document);

#endif
