#include "gateway/client.h"

#include "common/text.h"

#include <string.h>

/* The text without blanks around it, as a network. */
static status_t parse_trimmed(const char *text, size_t length, ipnet_t *out)
{
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return ipnet_parse(text, length, out);
}

status_t proxies_parse(const char *text, proxies_t *out, err_t *err)
{
    proxies_t proxies = {0};
    const char *at = text;
    while (*at != '\0') {
        size_t length = strcspn(at, ",");
        if (proxies.count == PROXIES_MAX)
            return err_set(err, STATUS_TOO_LARGE, "LK_TRUSTED_PROXIES", "names more than %d",
                           PROXIES_MAX);
        if (parse_trimmed(at, length, &proxies.networks[proxies.count]) != STATUS_OK)
            return err_set(err, STATUS_INVALID, "LK_TRUSTED_PROXIES",
                           "\"%.*s\" is no address or CIDR range", (int)length, at);
        proxies.count++;
        at += length + (at[length] == ',');
    }
    *out = proxies;
    return STATUS_OK;
}

static bool is_trusted(const proxies_t *proxies, const ipnet_t *address)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (ipnet_contains(&proxies->networks[i], address))
            return true;
    return false;
}

void client_address(const proxies_t *proxies, const char *peer, const char *forwarded_for,
                    char out[IPNET_TEXT_SIZE])
{
    ipnet_t address;
    text_cut(out, IPNET_TEXT_SIZE, peer);
    size_t left = forwarded_for == NULL ? 0 : strlen(forwarded_for);
    while (left > 0 && ipnet_parse(out, strlen(out), &address) == STATUS_OK &&
           is_trusted(proxies, &address)) {
        const char *comma = memrchr(forwarded_for, ',', left);
        size_t start = comma == NULL ? 0 : (size_t)(comma + 1 - forwarded_for);
        if (parse_trimmed(forwarded_for + start, left - start, &address) != STATUS_OK)
            return;
        ipnet_format(&address, out);
        left = comma == NULL ? 0 : start - 1;
    }
}
