/* The SAML 2.0 service provider's words that several files need. */
#ifndef LK_AUTH_PROVIDER_SAML_SAML_H
#define LK_AUTH_PROVIDER_SAML_SAML_H

#define SAML_NS_PROTOCOL      "urn:oasis:names:tc:SAML:2.0:protocol"
#define SAML_NS_ASSERTION     "urn:oasis:names:tc:SAML:2.0:assertion"
#define SAML_NS_METADATA      "urn:oasis:names:tc:SAML:2.0:metadata"
#define SAML_NS_DSIG          "http://www.w3.org/2000/09/xmldsig#"
#define SAML_STATUS_SUCCESS   "urn:oasis:names:tc:SAML:2.0:status:Success"
#define SAML_METHOD_BEARER    "urn:oasis:names:tc:SAML:2.0:cm:bearer"
#define SAML_BINDING_REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
#define SAML_BINDING_POST     "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

#endif
