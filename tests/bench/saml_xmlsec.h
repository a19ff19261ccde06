/* xmlsec1, to compare with: never part of what is shipped. */
#ifndef LK_TESTS_BENCH_SAML_XMLSEC_H
#define LK_TESTS_BENCH_SAML_XMLSEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* false: it was not there when this was built. */
bool saml_xmlsec_begin(void);

/* Decodes, parses, and verifies every signature by the key of the certificate. Aborts unless all
 * hold. Nothing else is looked at. */
void saml_xmlsec_verify(const char *base64, size_t length, const uint8_t *der, size_t der_length);

#endif
