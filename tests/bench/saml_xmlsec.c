#include "tests/bench/saml_xmlsec.h"

#ifdef WITH_XMLSEC

#include <libxml/parser.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

bool saml_xmlsec_begin(void)
{
    return xmlSecInit() == 0 && xmlSecCryptoAppInit(NULL) == 0 && xmlSecCryptoInit() == 0;
}

static void verify_all(xmlDoc *document, xmlNode *node, const uint8_t *der, size_t der_length)
{
    for (; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (xmlSecCheckNodeName(node, xmlSecNodeSignature, xmlSecDSigNs)) {
            xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);
            if (context == NULL)
                abort();
            context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
            context->signKey = xmlSecCryptoAppKeyLoadMemory(
                der, (xmlSecSize)der_length, xmlSecKeyDataFormatCertDer, NULL, NULL, NULL);
            must(context->signKey != NULL && xmlSecDSigCtxVerify(context, node) == 0 &&
                 context->status == xmlSecDSigStatusSucceeded);
            xmlSecDSigCtxDestroy(context);
        } else {
            verify_all(document, node->children, der, der_length);
        }
    }
}

void saml_xmlsec_verify(const char *base64, size_t length, const uint8_t *der, size_t der_length)
{
    static const xmlChar *ids[] = {(const xmlChar *)"ID", NULL};
    size_t size = 0;
    unsigned char *bytes = malloc(length);
    must(bytes != NULL && sodium_base642bin(bytes, length, base64, length, " \r\n", &size, NULL,
                                            sodium_base64_VARIANT_ORIGINAL) == 0);
    xmlDoc *document = xmlReadMemory((const char *)bytes, (int)size, NULL, NULL, XML_PARSE_NONET);
    must(document != NULL);
    xmlSecAddIDs(document, xmlDocGetRootElement(document), ids);
    verify_all(document, xmlDocGetRootElement(document), der, der_length);
    xmlFreeDoc(document);
    free(bytes);
}

#else

bool saml_xmlsec_begin(void)
{
    return false;
}

void saml_xmlsec_verify(const char *base64, size_t length, const uint8_t *der, size_t der_length)
{
    (void)base64, (void)length, (void)der, (void)der_length;
}

#endif
