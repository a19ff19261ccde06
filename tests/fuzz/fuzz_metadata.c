/* Metadata of an identity provider; and the same bytes as the text of a certificate. What is read
 * stands within its bounds, and is read again when it is asked for by name. */
#include "common/mem.h"
#include "services/auth-provider/metadata.h"
#include "tests/fuzz/replay.h"

#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1750000000000)

static void must(int holds)
{
    if (!holds)
        abort();
}

static void check_certificate(const certificate_t *certificate)
{
    AUTO(certificate_clear) certificate_t again = {0};
    AUTO(mem_release) char *pem = certificate_to_pem(certificate);
    must(certificate_from_text(pem, strlen(pem), &again) == STATUS_OK);
    must(again.length == certificate->length &&
         memcmp(again.der, certificate->der, again.length) == 0);
    must(certificate_matches(&again, FINGERPRINT_SHA256, certificate->fingerprint,
                             strlen(certificate->fingerprint)));
}

static void check_metadata(const metadata_t *found)
{
    must(found->entity_id[0] != '\0' && strncmp(found->sso_url, "javascript:", 11) != 0);
    must(strstr(found->sso_url, "://") != NULL);
    must(text_utf8_length(found->entity_id, strlen(found->entity_id)) > 0);
    must(found->certificate_count > 0 && found->certificate_count <= METADATA_CERTIFICATES_MAX);
    for (size_t i = 0; i < found->certificate_count; i++)
        check_certificate(&found->certificates[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(metadata_clear) metadata_t found = {0}, again = {0};
    AUTO(certificate_clear) certificate_t certificate = {0};
    err_t err = {0};
    const char *text = (const char *)bytes;
    if (metadata_read(text, size, NULL, NOW, &found, &err) == STATUS_OK) {
        check_metadata(&found);
        must(metadata_read(text, size, found.entity_id, NOW, &again, &err) == STATUS_OK);
        must(again.certificate_count == found.certificate_count);
    } else {
        must(err.text[0] != '\0' && found.certificate_count == 0);
    }
    if (certificate_from_text(text, size, &certificate) == STATUS_OK)
        check_certificate(&certificate);
    return 0;
}
