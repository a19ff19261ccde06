/* Metadata of an identity provider. Must never: fetch, or decide whether a certificate is good.
 * Next: fetch.c. */
#include "services/auth-provider/metadata.h"

#include "common/clock.h"
#include "proto/checks.h"
#include "services/auth-provider/xml.h"

#include <assert.h>
#include <string.h>

static const char md[] = "urn:oasis:names:tc:SAML:2.0:metadata";
static const char ds[] = "http://www.w3.org/2000/09/xmldsig#";
static const char saml2[] = "urn:oasis:names:tc:SAML:2.0:protocol";
static const char redirect[] = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

static status_t refuse(err_t *err, status_t status, const char *text)
{
    return err_set(err, status, "metadata", "%s", text);
}

/* Looking for the one IDPSSODescriptor. */
typedef struct {
    const char *entity_id; /* NULL: any */
    size_t wanted, all;    /* those of entity_id, those of any entity */
    xmlNode *wanted_role;  /* of the first of these */
    xmlNode *first_role;
} search_t;

static const char blanks[] = " \t\r\n";

/* Whether the blank-separated list holds the word. */
static bool lists(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (*list != '\0') {
        list += strspn(list, blanks);
        size_t next = strcspn(list, blanks);
        if (next == length && memcmp(list, word, length) == 0)
            return true;
        list += next;
    }
    return false;
}

static void search_entity(xmlNode *entity, search_t *search)
{
    AUTO(xml_release) char *id = xml_attribute(entity, "entityID");
    bool wanted = search->entity_id != NULL && id != NULL && strcmp(id, search->entity_id) == 0;
    xmlNode *role = xml_first(entity, md, "IDPSSODescriptor");
    for (; role != NULL; role = xml_next(role, md, "IDPSSODescriptor")) {
        AUTO(xml_release) char *protocols = xml_attribute(role, "protocolSupportEnumeration");
        if (protocols == NULL || !lists(protocols, saml2))
            continue;
        if (search->all++ == 0)
            search->first_role = role;
        if (wanted && search->wanted++ == 0)
            search->wanted_role = role;
    }
}

/* Recursion is bounded by XML_DEPTH_MAX. */
static void search_entities(xmlNode *node, search_t *search)
{
    if (xml_is(node, md, "EntityDescriptor"))
        search_entity(node, search);
    else if (xml_is(node, md, "EntitiesDescriptor"))
        for (xmlNode *child = node->children; child != NULL; child = child->next)
            search_entities(child, search);
}

static status_t find_role(xmlDoc *document, const char *entity_id, xmlNode **out, err_t *err)
{
    search_t search = {.entity_id = entity_id};
    xmlNode *root = xmlDocGetRootElement(document);
    if (!xml_is(root, md, "EntityDescriptor") && !xml_is(root, md, "EntitiesDescriptor"))
        return refuse(err, STATUS_INVALID, "the document is not SAML 2.0 metadata");
    search_entities(root, &search);
    if (search.all == 0)
        return refuse(err, STATUS_UNKNOWN, "the metadata holds no identity provider for SAML 2.0");
    if ((search.wanted > 0 ? search.wanted : search.all) > 1)
        return refuse(err, STATUS_INVALID, "the metadata holds several identity providers");
    *out = search.wanted > 0 ? search.wanted_role : search.first_role;
    return STATUS_OK;
}

/* xs:dateTime of XML Schema: blanks around it count for nothing, and 24:00:00 is the end of a day.
 * Without a zone it is UTC: saml-core-2.0-os, section 1.3.3. */
static status_t read_time(const char *text, int64_t *out_utc_ms)
{
    static const char end_of_day[] = "T24:00:00";
    enum { TIME_SIZE = 48, CLOCK_AT = 10 /* behind the date */, DAY_MS = 24 * 60 * 60 * 1000 };
    char time[TIME_SIZE];
    text += strspn(text, blanks);
    size_t length = strcspn(text, blanks);
    if (text[length + strspn(text + length, blanks)] != '\0' || length <= CLOCK_AT)
        return STATUS_INVALID;
    bool has_zone = strcspn(text + CLOCK_AT, "Zz+-") < length - CLOCK_AT;
    if (text_format(time, sizeof(time), "%.*s%s", (int)length, text, has_zone ? "" : "Z") !=
        STATUS_OK)
        return STATUS_INVALID;
    bool is_end = strncmp(time + CLOCK_AT, end_of_day, sizeof(end_of_day) - 1) == 0;
    if (is_end)
        time[CLOCK_AT + 1] = time[CLOCK_AT + 2] = '0';
    status_t status = clock_parse_time(time, strlen(time), out_utc_ms);
    if (status != STATUS_OK || !is_end)
        return status;
    const char *fraction = time + CLOCK_AT + sizeof(end_of_day) - 1;
    if (*fraction == '.')
        fraction += 1 + strspn(fraction + 1, "0");
    if (*fraction >= '1' && *fraction <= '9')
        return STATUS_INVALID;
    *out_utc_ms += DAY_MS;
    return STATUS_OK;
}

/* A number and its unit, such as "15M", of one part of an xs:duration. */
static status_t read_part(const char **at, const char *units, const int64_t *seconds, int64_t *sum)
{
    enum { DIGITS_MAX = 9 };
    int64_t number = 0;
    size_t digits = 0;
    for (; **at >= '0' && **at <= '9'; digits++, (*at)++)
        if (digits < DIGITS_MAX)
            number = 10 * number + (**at - '0');
    if (**at == '.') /* fractions of a second don't matter */
        *at += 1 + strspn(*at + 1, "0123456789");
    const char *unit = **at == '\0' ? NULL : strchr(units, **at);
    if (digits == 0 || digits > DIGITS_MAX || unit == NULL)
        return STATUS_INVALID;
    *sum += number * seconds[unit - units];
    (*at)++;
    return STATUS_OK;
}

/* xs:duration of XML Schema, "P1DT12H"; a year has 365 days here, a month 30. */
static status_t read_duration(const char *text, int64_t *out_ms)
{
    enum { MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S };
    static const int64_t dates[] = {365 * (int64_t)DAY_S, 30 * (int64_t)DAY_S, DAY_S};
    static const int64_t times[] = {HOUR_S, MINUTE_S, 1};
    int64_t seconds = 0;
    const char *at = text + strspn(text, blanks);
    status_t status = *at++ == 'P' ? STATUS_OK : STATUS_INVALID;
    while (status == STATUS_OK && *at >= '0' && *at <= '9')
        status = read_part(&at, "YMD", dates, &seconds);
    if (status == STATUS_OK && *at == 'T')
        for (at++; status == STATUS_OK && *at >= '0' && *at <= '9';)
            status = read_part(&at, "HMS", times, &seconds);
    if (status != STATUS_OK || at[strspn(at, blanks)] != '\0')
        return STATUS_INVALID;
    *out_ms = 1000 * seconds;
    return STATUS_OK;
}

static void bound(int64_t *time, int64_t by)
{
    if (by < *time)
        *time = by;
}

/* How long the metadata is good for. What holds for an element holds for all within it: sections
 * 2.3.1, 2.3.2, 2.4.1. A cacheDuration that is none bounds nothing. */
static status_t read_validity(const xmlNode *role, int64_t now_utc_ms, metadata_t *out, err_t *err)
{
    out->fresh_until_ms = INT64_MAX;
    for (const xmlNode *node = role; node != NULL && node->type == XML_ELEMENT_NODE;
         node = node->parent) {
        int64_t until_ms = 0, lasts_ms = 0;
        AUTO(xml_release) char *until = xml_attribute(node, "validUntil");
        AUTO(xml_release) char *lasts = xml_attribute(node, "cacheDuration");
        if (lasts != NULL && read_duration(lasts, &lasts_ms) == STATUS_OK)
            bound(&out->fresh_until_ms, now_utc_ms + lasts_ms);
        if (until == NULL)
            continue;
        if (read_time(until, &until_ms) != STATUS_OK)
            return refuse(err, STATUS_INVALID, "the metadata's validUntil is not a time");
        if (until_ms <= now_utc_ms)
            return refuse(err, STATUS_INVALID, "the metadata has expired: validUntil has passed");
        bound(&out->fresh_until_ms, until_ms);
    }
    return STATUS_OK;
}

static status_t read_entity_id(const xmlNode *entity, metadata_t *out, err_t *err)
{
    AUTO(xml_release) char *id = xml_attribute(entity, "entityID");
    size_t length = id == NULL ? 0 : strlen(id);
    if (length == 0)
        return refuse(err, STATUS_INVALID, "the metadata names no entityID");
    if (text_utf8_length(id, length) > METADATA_ENTITY_ID_MAX ||
        text_copy(out->entity_id, sizeof(out->entity_id), id, length) != STATUS_OK)
        return refuse(err, STATUS_TOO_LARGE, "the metadata's entityID is too long");
    if (check_printable(id, length) != NULL)
        return refuse(err, STATUS_INVALID, "the metadata's entityID holds control characters");
    return STATUS_OK;
}

/* The Location of the first endpoint of this name with the HTTP-Redirect binding; out stays empty
 * if there is none. what: for the text of an error. */
static status_t read_endpoint(const xmlNode *role, const char *name, const char *what,
                              char out[TEXT_SIZE(METADATA_URL_MAX)], err_t *err)
{
    xmlNode *endpoint = xml_first(role, md, name);
    for (; endpoint != NULL; endpoint = xml_next(endpoint, md, name)) {
        AUTO(xml_release) char *binding = xml_attribute(endpoint, "Binding");
        if (binding == NULL || strcmp(binding, redirect) != 0)
            continue;
        AUTO(xml_release) char *location = xml_attribute(endpoint, "Location");
        size_t length = location == NULL ? 0 : strlen(location);
        if (length == 0 || check_http_url(location, length) != NULL)
            return err_set(err, STATUS_INVALID, "metadata",
                           "the metadata's %s location is not an http or https URL", what);
        if (text_utf8_length(location, length) > METADATA_URL_MAX ||
            text_copy(out, TEXT_SIZE(METADATA_URL_MAX), location, length) != STATUS_OK)
            return err_set(err, STATUS_TOO_LARGE, "metadata",
                           "the metadata's %s location is too long", what);
        return STATUS_OK;
    }
    return STATUS_OK;
}

static bool is_known(const metadata_t *metadata, const certificate_t *certificate)
{
    for (size_t i = 0; i < metadata->certificate_count; i++) {
        const certificate_t *known = &metadata->certificates[i];
        if (known->length == certificate->length &&
            memcmp(known->der, certificate->der, known->length) == 0)
            return true;
    }
    return false;
}

static status_t add_certificate(const xmlNode *element, metadata_t *out, err_t *err)
{
    certificate_t certificate;
    AUTO(xml_release) char *text = xml_text(element);
    if (text == NULL || certificate_from_base64(text, strlen(text), &certificate) != STATUS_OK)
        return refuse(err, STATUS_INVALID,
                      "a signing certificate in the metadata is not X.509 in base64");
    bool known = is_known(out, &certificate);
    bool full = out->certificate_count == METADATA_CERTIFICATES_MAX;
    if (known || full)
        certificate_clear(&certificate);
    else
        out->certificates[out->certificate_count++] = certificate;
    if (full && !known)
        return refuse(err, STATUS_TOO_LARGE,
                      "the metadata holds more than 16 signing certificates");
    return STATUS_OK;
}

/* Those of one ds:X509Data. */
static status_t add_certificates(const xmlNode *data, metadata_t *out, err_t *err)
{
    status_t status = STATUS_OK;
    xmlNode *element = xml_first(data, ds, "X509Certificate");
    for (; element != NULL && status == STATUS_OK;
         element = xml_next(element, ds, "X509Certificate"))
        status = add_certificate(element, out, err);
    return status;
}

/* A key without a use is for signing too: section 2.4.1.1. */
static bool is_for_signing(const xmlNode *key)
{
    AUTO(xml_release) char *use = xml_attribute(key, "use");
    return use == NULL || strcmp(use, "signing") == 0;
}

static status_t read_keys(const xmlNode *role, metadata_t *out, err_t *err)
{
    status_t status = STATUS_OK;
    xmlNode *key = xml_first(role, md, "KeyDescriptor");
    for (; key != NULL && status == STATUS_OK; key = xml_next(key, md, "KeyDescriptor")) {
        xmlNode *info = is_for_signing(key) ? xml_first(key, ds, "KeyInfo") : NULL;
        xmlNode *data = info == NULL ? NULL : xml_first(info, ds, "X509Data");
        for (; data != NULL && status == STATUS_OK; data = xml_next(data, ds, "X509Data"))
            status = add_certificates(data, out, err);
    }
    if (status == STATUS_OK && out->certificate_count == 0)
        return refuse(err, STATUS_INVALID, "the metadata holds no signing certificate");
    return status;
}

static status_t read_role(const xmlNode *role, metadata_t *out, err_t *err)
{
    assert(role != NULL);
    status_t status = read_entity_id(role->parent, out, err);
    if (status == STATUS_OK)
        status = read_endpoint(role, "SingleSignOnService", "sign-on", out->sso_url, err);
    if (status == STATUS_OK && out->sso_url[0] == '\0')
        status =
            refuse(err, STATUS_INVALID, "the metadata names no sign-on location for HTTP-Redirect");
    if (status == STATUS_OK)
        status = read_endpoint(role, "SingleLogoutService", "log-out", out->slo_url, err);
    if (status == STATUS_OK)
        status = read_keys(role, out, err);
    return status;
}

status_t metadata_read(const char *bytes, size_t length, const char *entity_id, int64_t now_utc_ms,
                       metadata_t *out, err_t *err)
{
    AUTO(xml_free) xmlDoc *document = NULL;
    xmlNode *role = NULL;
    metadata_t read = {0};
    status_t status = xml_parse(bytes, length, &document, err);
    if (status == STATUS_OK)
        status = find_role(document, entity_id, &role, err);
    if (status == STATUS_OK)
        status = read_validity(role, now_utc_ms, &read, err);
    if (status == STATUS_OK)
        status = read_role(role, &read, err);
    if (status == STATUS_OK)
        *out = read;
    else
        metadata_clear(&read);
    return status;
}

void metadata_clear(metadata_t *metadata)
{
    if (metadata == NULL)
        return;
    for (size_t i = 0; i < metadata->certificate_count; i++)
        certificate_clear(&metadata->certificates[i]);
    *metadata = (metadata_t){0};
}
