/* What comes from DNS, and user parts of headers. The first byte picks what the rest is: an answer
 * about a name, by type; or a header. */
#include "services/fqdn-auth/dns_message.h"
#include "services/fqdn-auth/user_part.h"
#include "tests/fuzz/replay.h"

#include <stdlib.h>
#include <string.h>

static void must(int holds)
{
    if (!holds)
        abort();
}

static void run_message(dns_type_t type, const uint8_t *bytes, size_t size)
{
    dns_answer_t answer;
    if (dns_message_read(bytes, size, "pbx.example.com", type, &answer) != STATUS_OK)
        return;
    must(answer.count <= DNS_RECORDS_MAX && answer.ttl <= INT32_MAX);
    for (size_t i = 0; type == DNS_SRV && i < answer.count; i++)
        must(strlen(answer.items[i].target) > 0);
}

static void run_header(const uint8_t *bytes, size_t size)
{
    char text[600];
    const char *user = NULL;
    size_t length = 0;
    if (size >= sizeof(text))
        return;
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (user_part(text, &user, &length) == STATUS_OK)
        must(length > 0 && user >= text && user + length <= text + strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const dns_type_t types[] = {DNS_A, DNS_AAAA, DNS_SRV};
    if (size == 0)
        return 0;
    if (bytes[0] < 3)
        run_message(types[bytes[0]], bytes + 1, size - 1);
    else
        run_header(bytes + 1, size - 1);
    return 0;
}
