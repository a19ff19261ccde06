#include "gateway/client.h"

#include "common/text.h"

#include <string.h>

status_t proxies_parse(const char *text, ipnets_t *out, err_t *err)
{
    return ipnets_parse(text, "LK_TRUSTED_PROXIES", out, err);
}

void client_address(const ipnets_t *proxies, const char *peer, const char *forwarded_for,
                    char out[IPNET_TEXT_SIZE])
{
    ipnet_t address;
    text_cut(out, IPNET_TEXT_SIZE, peer);
    size_t left = forwarded_for == NULL ? 0 : strlen(forwarded_for);
    while (left > 0 && ipnet_parse(out, strlen(out), &address) == STATUS_OK &&
           ipnets_contain(proxies, &address)) {
        const char *comma = memrchr(forwarded_for, ',', left);
        size_t start = comma == NULL ? 0 : (size_t)(comma + 1 - forwarded_for);
        if (ipnets_parse_one(forwarded_for + start, left - start, &address) != STATUS_OK)
            return;
        ipnet_format(&address, out);
        left = comma == NULL ? 0 : start - 1;
    }
}
