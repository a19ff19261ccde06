#include "services/fqdn-auth/setup.h"

#include "services/fqdn-auth/lookup.h"

const setting_t setup_rows[SETUP_ROWS] = {
    SETTING_TEXT_ROW(setup_t, dns_servers, "LK_DNS_SERVERS", "",
                     "The DNS servers that FQDNs are looked up by: ADDRESS, ADDRESS:PORT or "
                     "[IPV6]:PORT, up to 4 between commas; none: the system's."),
    SETTING_SWITCH_ROW(setup_t, dns_private, "LK_DNS_PRIVATE", "off",
                       "Whether private, loopback and link-local addresses of FQDNs count as "
                       "sources of calls."),
    SETTING_NUMBER_ROW(setup_t, dns_timeout_ms, "LK_DNS_TIMEOUT_MS", "2000", 50, 30000,
                       "How long a DNS server is waited for the first time, in milliseconds; the "
                       "second and last time, twice as long."),
    SETTING_NUMBER_ROW(setup_t, dns_ttl_min_s, "LK_DNS_TTL_MIN_SECONDS", "30", 1, 3600,
                       "FQDNs are not looked up again sooner, whatever their TTL says."),
};

status_t setup_check(const void *setup, err_t *err)
{
    const setup_t *given = setup;
    const lookup_settings_t settings = {
        .servers = given->dns_servers, .timeout_ms = given->dns_timeout_ms, .tries = 1};
    return lookup_check(&settings, err);
}
