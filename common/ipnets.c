#include "common/ipnets.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

status_t ipnets_parse_one(const char *text, size_t length, ipnet_t *out)
{
    for (; length > 0 && is_blank(*text); length--)
        text++;
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    return ipnet_parse(text, length, out);
}

status_t ipnets_parse(const char *text, const char *setting, ipnets_t *out, err_t *err)
{
    ipnets_t list = {0};
    const char *at = text;
    while (*at != '\0') {
        size_t length = strcspn(at, ",");
        if (list.count == IPNETS_MAX)
            return err_set(err, STATUS_TOO_LARGE, setting, "names more than %d", IPNETS_MAX);
        if (ipnets_parse_one(at, length, &list.items[list.count]) != STATUS_OK)
            return err_set(err, STATUS_INVALID, setting, "\"%.*s\" is no address or CIDR range",
                           (int)length, at);
        list.count++;
        at += length + (at[length] == ',');
    }
    *out = list;
    return STATUS_OK;
}

bool ipnets_contain(const ipnets_t *list, const ipnet_t *net)
{
    for (size_t i = 0; i < list->count; i++)
        if (ipnet_contains(&list->items[i], net))
            return true;
    return false;
}
