/* Messages in URLs. The first byte says what the others are: a query as it comes, the bytes that a
 * signed message inflates from, or its XML. What nobody has signed is never read; what is read
 * stands within its bounds. */
#define ZLIB_CONST /* its input is const */
#include "common/mem.h"
#include "common/text.h"
#include "services/auth-provider/saml/key.h"
#include "services/auth-provider/saml/logout_message.h"
#include "services/auth-provider/saml/redirect.h"
#include "tests/fuzz/replay.h"
#include "tests/support/issuer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define NOW INT64_C(1750000000000)
#define ALGORITHM                                                                                  \
    "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23ecdsa-sha256&Signature="

enum { BYTES_MAX = 8 * 1024, QUERY_SIZE = 8 * BYTES_MAX };

static issued_t issued;
static const key_algorithm_t *algorithm;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void begin(void)
{
    if (algorithm != NULL)
        return;
    issuer_make("idp.example", 1, 2, &issued);
    must(key_algorithm("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", false, &algorithm) ==
         SAML_NONE);
}

static saml_reason_t read_query(const char *query, redirect_message_t *out)
{
    const saml_certificate_t known = {issued.der, issued.length, false};
    return redirect_read(query, &known, 1, false, out);
}

/* Behind what is in query already; escaped wholly. */
static void append(char *query, const uint8_t *bytes, size_t length)
{
    static char base64[4 * BYTES_MAX];
    size_t used = strlen(query);
    must(sodium_bin2base64(base64, sizeof(base64), bytes, length, sodium_base64_VARIANT_ORIGINAL) !=
         NULL);
    for (const char *at = base64; *at != '\0'; at++) {
        bool is_plain = strchr("+/=", *at) == NULL;
        must(text_format(query + used, QUERY_SIZE - used, is_plain ? "%c" : "%%%02X", *at) ==
             STATUS_OK);
        used += is_plain ? 1 : 3;
    }
}

/* A query that carries these bytes, signed. */
static char *sign(const uint8_t *bytes, size_t length)
{
    uint8_t made[KEY_SIGNATURE_MAX];
    size_t made_length = 0;
    char *query = mem_zalloc(QUERY_SIZE);
    must(text_format(query, QUERY_SIZE, "SAMLRequest=") == STATUS_OK);
    append(query, bytes, length);
    size_t used = strlen(query), signed_length = used + strlen(ALGORITHM) - strlen("&Signature=");
    must(text_copy(query + used, QUERY_SIZE - used, ALGORITHM, strlen(ALGORITHM)) == STATUS_OK);
    must(key_sign(algorithm, issued.key, query, signed_length, made, sizeof(made), &made_length) ==
         STATUS_OK);
    append(query, made, made_length);
    return query;
}

static void check_message(const redirect_message_t *came)
{
    const logout_expect_t expect = {.idp_entity_id = "https://idp.example/",
                                    .destination = "https://lk.example/slo",
                                    .now_utc_ms = NOW,
                                    .skew_ms = 60000};
    logout_message_t message;
    for (int is_request = 0; is_request < 2; is_request++) {
        if (logout_message_read(&expect, is_request == 1, came->xml, came->length, &message) !=
            SAML_NONE)
            continue;
        must(message.id[0] != '\0' && message.index_count <= LOGOUT_INDEXES_MAX);
        must(message.until_utc_ms > NOW);
        must((message.name_id[0] != '\0') == (is_request == 1));
        must((message.in_response_to[0] != '\0') == (is_request == 0));
        for (size_t i = 0; i < message.index_count; i++)
            must(message.indexes[i][0] != '\0');
    }
}

static void check_bytes(const uint8_t *bytes, size_t size, const char *xml, size_t length)
{
    AUTO(redirect_clear) redirect_message_t came = {0};
    AUTO(mem_release) char *query = sign(bytes, size);
    saml_reason_t reason = read_query(query, &came);
    must((reason == SAML_NONE) == (came.xml != NULL) && came.length <= REDIRECT_XML_MAX);
    must(reason == SAML_NONE || reason == SAML_LOGOUT_MESSAGE || reason == SAML_MESSAGE_TOO_LARGE ||
         reason == SAML_MESSAGE_NOT_BASE64);
    if (xml != NULL && strlen(query) <= SSO_QUERY_MAX)
        must(reason == SAML_NONE && came.length == length && memcmp(came.xml, xml, length) == 0);
    if (reason == SAML_NONE)
        check_message(&came);
}

static void check_xml(const char *xml, size_t length)
{
    static uint8_t deflated[BYTES_MAX + 1024];
    z_stream stream = {.next_in = (const Bytef *)xml,
                       .avail_in = (uInt)length,
                       .next_out = deflated,
                       .avail_out = sizeof(deflated)};
    must(deflateInit2(&stream, 1, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    must(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    check_bytes(deflated, stream.total_out, xml, length);
    (void)deflateEnd(&stream);
}

/* No certificate of a stranger's signature is ours: whatever comes, nobody has signed it. */
static void check_query(const uint8_t *bytes, size_t size)
{
    redirect_message_t came = {0};
    AUTO(mem_release) char *query = mem_copy(bytes, size);
    must(read_query(query, &came) != SAML_NONE && came.xml == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    begin();
    if (size < 2 || size > BYTES_MAX)
        return 0;
    switch (bytes[0] % 3) {
    case 0:
        check_query(bytes + 1, size - 1);
        break;
    case 1:
        check_bytes(bytes + 1, size - 1, NULL, 0);
        break;
    case 2:
        check_xml((const char *)bytes + 1, size - 1);
        break;
    }
    return 0;
}
