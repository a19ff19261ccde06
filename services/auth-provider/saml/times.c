#include "services/auth-provider/saml/times.h"

#include "common/clock.h"

#include <string.h>

/* What clock_parse_time takes besides, such as offsets, small letters and leap seconds, SAML has
 * not (Core 1.3.3). */
static status_t read_time(const char *text, int64_t *out_utc_ms)
{
    enum { T_AT = 10, SECONDS_AT = 17 };
    int64_t time_ms = 0;
    size_t length = strlen(text);
    if (length <= T_AT || text[T_AT] != 'T' || text[length - 1] != 'Z' ||
        clock_parse_time(text, length, &time_ms) != STATUS_OK || text[SECONDS_AT] == '6' ||
        time_ms < 0)
        return STATUS_INVALID;
    *out_utc_ms = time_ms;
    return STATUS_OK;
}

status_t times_of(const xmlNode *element, const char *attribute, int64_t *out_utc_ms)
{
    AUTO(xml_release) char *text = xml_attribute(element, attribute);
    return text == NULL ? STATUS_UNKNOWN : read_time(text, out_utc_ms);
}
