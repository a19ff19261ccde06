/* What verifying a Response costs: microseconds of CPU, the least of several rounds. With "xmlsec"
 * the signatures alone are verified by xmlsec1, if it was there when this was built. */
#include "common/mem.h"
#include "services/auth-provider/saml/verify.h"
#include "tests/bench/saml_xmlsec.h"
#include "tests/support/saml_signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 10, TIMES = 50 };

static issued_t rsa, p256;

static double cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

typedef struct {
    const char *name;
    const issued_t *by;
    bool response, assertion;
    size_t attributes; /* more, of 100 bytes each */
} sample_t;

static char *text_of(const sample_t *sample)
{
    static const char end[] = "</saml:AttributeStatement>";
    static const char one[] = "<saml:Attribute Name=\"urn:example:attribute\"><saml:AttributeValue>"
                              "0123456789</saml:AttributeValue></saml:Attribute>";
    char *more = mem_array(sample->attributes * sizeof(one) + sizeof(end), 1), *at = more;
    for (size_t i = 0; i < sample->attributes; i++, at += sizeof(one) - 1)
        memcpy(at, one, sizeof(one) - 1);
    memcpy(at, end, sizeof(end));
    char *text = signer_edited(signer_response, (signer_edit_t){end, more});
    const signer_how_t how = {.by = sample->by};
    char *out =
        signer_signed(text, sample->response ? &how : NULL, sample->assertion ? &how : NULL);
    mem_free(more);
    mem_free(text);
    return out;
}

static void verify(const saml_expect_t *expect, const char *base64)
{
    saml_verdict_t verdict;
    saml_verify(expect, base64, strlen(base64), &verdict);
    if (verdict.reason != SAML_NONE)
        abort();
    saml_verdict_clear(&verdict);
}

static void measure(const sample_t *sample, bool by_xmlsec)
{
    certificate_t certificate = {0};
    char *text = text_of(sample);
    char *base64 = signer_base64(text, strlen(text));
    if (certificate_from_der(sample->by->der, sample->by->length, &certificate) != STATUS_OK)
        abort();
    saml_expect_t expect = {.idp_entity_id = SIGNER_IDP,
                            .sp_entity_id = SIGNER_SP,
                            .acs_url = SIGNER_ACS,
                            .fingerprint = certificate.fingerprint,
                            .fingerprint_algorithm = FINGERPRINT_SHA256,
                            .in_response_to = SIGNER_REQUEST,
                            .now_utc_ms = SIGNER_NOW_MS,
                            .skew_ms = SAML_SKEW_MS};
    double least = 1e12;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = cpu_us();
        for (int i = 0; i < TIMES; i++)
            if (by_xmlsec)
                saml_xmlsec_verify(base64, strlen(base64), sample->by->der, sample->by->length);
            else
                verify(&expect, base64);
        double each = (cpu_us() - begin) / TIMES;
        least = each < least ? each : least;
    }
    printf("%-36s %7zu bytes %8.0f us\n", sample->name, strlen(text), least);
    certificate_clear(&certificate);
    mem_free(base64);
    mem_free(text);
}

int main(int argc, char **argv)
{
    bool by_xmlsec = argc > 1 && strcmp(argv[1], "xmlsec") == 0;
    if (by_xmlsec && !saml_xmlsec_begin()) {
        printf("built without xmlsec1\n");
        return 0;
    }
    issuer_make_rsa(2048, "idp.example.com", 1700000000, 2000000000, &rsa);
    issuer_make("idp.example.com", 1700000000, 2000000000, &p256);
    const sample_t samples[] = {
        {"RSA-2048, assertion signed", &rsa, false, true, 0},
        {"RSA-2048, Response signed", &rsa, true, false, 0},
        {"RSA-2048, both signed", &rsa, true, true, 0},
        {"P-256, assertion signed", &p256, false, true, 0},
        {"RSA-2048, assertion signed, 64 KiB", &rsa, false, true, 480},
    };
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        measure(&samples[i], by_xmlsec);
    issuer_free(&rsa);
    issuer_free(&p256);
    return 0;
}
