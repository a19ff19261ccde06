/* What XML must look like before anything in it is believed: what can be read in one way only. */
#ifndef LK_AUTH_PROVIDER_SAML_GATE_H
#define LK_AUTH_PROVIDER_SAML_GATE_H

#include "services/auth-provider/saml/element.h"
#include "services/auth-provider/saml/steps.h"

enum {
    GATE_NODES_MAX = 5000, /* elements, attributes and declared namespaces */
    GATE_IDS_MAX = 256,
    GATE_NAMESPACE_MAX = 256, /* bytes of its name, which canonicalization repeats */
};

/* SAML_NONE, or what is wrong with the XML or one of its nodes. *out: the caller frees with
 * xml_free. */
saml_reason_t gate_read(const char *bytes, size_t length, xmlDoc **out) MUST_CHECK;

#endif
