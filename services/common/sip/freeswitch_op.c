/* POST /freeswitch: mod_xml_curl's questions, one binding for all of them.
 *
 * Must never: answer with a user who has no a1-hash, or without allow-empty-password=false: to
 * FreeSWITCH that user needs no password. Whatever ends without a document of ours becomes the "not
 * found" document (proto/dialect_sip.c). Next: freeswitch_acl.c. */
#include "common/text.h"
#include "services/common/sip/admit.h"
#include "services/common/sip/freeswitch_acl.h"
#include "services/common/sip/ha1.h"
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#include <sodium.h>
#include <string.h>

static void begin(document_t *out, const char *section)
{
    document_add(out, "<document type=\"freeswitch/xml\"><section name=\"");
    document_add(out, section);
    document_add(out, "\">");
}

static void end(document_t *out)
{
    document_add(out, "</section></document>");
}

static void begin_domain(document_t *out, const char *domain)
{
    begin(out, "directory");
    document_add(out, "<domain name=\"");
    document_add_xml(out, domain);
    document_add(out, "\">");
}

static void begin_users(const call_t *call, document_t *out)
{
    document_add(out, "<groups><group name=\"");
    document_add_xml(out, call->keeper->sip->family->name);
    document_add(out, "\"><users>");
}

static void end_users(document_t *out)
{
    document_add(out, "</users></group></groups>");
}

static void end_domain(document_t *out)
{
    document_add(out, "</domain>");
    end(out);
}

static void add_pair(document_t *out, const char *what, const char *name, const char *value)
{
    document_add(out, "<");
    document_add(out, what);
    document_add(out, " name=\"");
    document_add(out, name);
    document_add(out, "\" value=\"");
    document_add_xml(out, value);
    document_add(out, "\"/>");
}

typedef struct {
    const char *id, *cidr, *ha1, *subject, *auth_id, *organization_id;
    const char *only_from; /* NULL: anywhere */
} shown_user_t;

static void add_user(const call_t *call, const shown_user_t *user, document_t *out)
{
    document_add(out, "<user id=\"");
    document_add_xml(out, user->id);
    if (user->cidr != NULL) {
        document_add(out, "\" cidr=\"");
        document_add(out, user->cidr);
    }
    document_add(out, "\"><params>");
    add_pair(out, "param", "a1-hash", user->ha1);
    add_pair(out, "param", "allow-empty-password", "false");
    if (user->only_from != NULL)
        add_pair(out, "param", "auth-acl", user->only_from);
    document_add(out, "</params><variables>");
    add_pair(out, "variable", "linekeeper_subject", user->subject);
    add_pair(out, "variable", "linekeeper_auth_id", user->auth_id);
    if (call->request.principal.is_operator)
        add_pair(out, "variable", "linekeeper_organization_id", user->organization_id);
    document_add(out, "</variables></user>");
}

/* ---- One user ---- */

/* FreeSWITCH does not tell the algorithm. 64 digits are SHA-256's or SHA-512-256's: they are taken
 * for the first, and a profile that challenges with the other finds every password wrong. */
static bool algorithm_of(const char *response, digest_t *out)
{
    size_t length = strlen(response);
    *out = length == 64 ? DIGEST_SHA_256 : DIGEST_MD5;
    return length == 0 || length == 32 || length == 64;
}

static status_t open_ha1(const call_t *call, store_t *reader, const freeswitch_t *query,
                         const sip_user_t *user, const char *realm, ha1_text_t *out,
                         reason_t *out_reason, err_t *err)
{
    digest_t algorithm = DIGEST_MD5;
    if (!algorithm_of(query->sip_auth_response, &algorithm)) {
        *out_reason = REASON_ALGORITHM_NOT_AVAILABLE;
        return STATUS_OK;
    }
    status_t status =
        ha1_open(call, reader, user, user->generation, realm, algorithm, out, out_reason, err);
    return status == STATUS_UNKNOWN ? STATUS_OK : status;
}

/* The name that the digest is of. What else the request calls the user must be the same. */
static const char *name_of(const freeswitch_t *query)
{
    const char *name = query->sip_auth_username[0] != '\0' ? query->sip_auth_username : query->user;
    return query->user[0] == '\0' || strcmp(query->user, name) == 0 ? name : "";
}

static void answer_user(call_t *call, const char *domain, const sip_user_t *user,
                        const ipnet_t *source, const ha1_text_t *ha1)
{
    AUTO(document_end) document_t out = {0};
    char place[IPNET_TEXT_SIZE];
    bool bound = user->needs_source && source != NULL;
    const shown_user_t shown = {.id = user->username,
                                .cidr = bound ? document_cidr(source, place) : NULL,
                                .only_from = bound ? place : NULL,
                                .ha1 = ha1->hex,
                                .subject = user->subject,
                                .auth_id = user->auth_id,
                                .organization_id = user->organization_id};
    begin_domain(&out, domain);
    begin_users(call, &out);
    add_user(call, &shown, &out);
    end_users(&out);
    end_domain(&out);
    document_answer(call, MEDIA_XML, &out);
}

/* A guessed name is a failure here: FreeSWITCH reports none. */
static void deny(call_t *call, const freeswitch_t *query, const sip_about_t *about, reason_t reason)
{
    const sip_t *sip = call->keeper->sip;
    if (reason == REASON_UNKNOWN_USER && about->source != NULL &&
        strcmp(query->action, "sip_auth") == 0)
        sip_lockout_fail(sip->memory, sip_asker(call), about->username, about->source,
                         call->now_utc_ms);
    sip_deny(call, about, reason);
}

static void look_up_user(call_t *call, store_t *reader, const freeswitch_t *query,
                         const char *domain)
{
    const char *realm = query->sip_auth_realm[0] != '\0' ? query->sip_auth_realm : domain;
    const char *name = name_of(query);
    ipnet_t source;
    bool has_source = false;
    bool readable = admit_source(query->ip, &source, &has_source);
    sip_about_t about = {.username = name, .source = has_source && readable ? &source : NULL};
    err_t err = {0};
    sip_user_t user = {0};
    AUTO(ha1_wipe) ha1_text_t ha1 = {{0}};
    reason_t reason = readable ? REASON_UNKNOWN_USER : REASON_UNKNOWN_SOURCE;
    status_t status = STATUS_OK;
    if (readable && name[0] != '\0' && document_xml_can_say(name))
        status = admit_user(call, reader, name, about.source, &user, &reason, &err);
    if (status == STATUS_OK && reason == REASON_NONE) {
        about.subject = user.subject;
        status = open_ha1(call, reader, query, &user, realm, &ha1, &reason, &err);
    }
    if (status != STATUS_OK)
        call_fail(call, &err);
    else if (reason != REASON_NONE)
        deny(call, query, &about, reason);
    else
        answer_user(call, domain, &user, about.source, &ha1);
}

/* ---- Lists ---- */

/* For <node type="allow" domain="..."/>, which takes the users' cidr. A range has no password: what
 * stands for one is known to nobody. */
typedef struct {
    const call_t *call;
    document_t *out;
} listing_t;

static status_t add_range(void *context, const sip_range_t *range, err_t *err)
{
    const listing_t *listing = context;
    char cidr[IPNET_TEXT_SIZE];
    uint8_t random[16];
    ha1_text_t nobodys;
    (void)err;
    if (range->port != 0) /* a cidr would let every port in */
        return STATUS_OK;
    randombytes_buf(random, sizeof(random));
    text_hex(nobodys.hex, random, sizeof(random));
    const shown_user_t shown = {.id = range->subject,
                                .cidr = document_cidr(&range->range, cidr),
                                .ha1 = nobodys.hex,
                                .subject = range->subject,
                                .auth_id = range->auth_id,
                                .organization_id = range->organization_id};
    add_user(listing->call, &shown, listing->out);
    return STATUS_OK;
}

static void answer_list(call_t *call, status_t status, const document_t *out, const err_t *err)
{
    if (status != STATUS_OK)
        call_fail(call, err);
    else
        document_answer(call, MEDIA_XML, out);
}

static void list_networks(call_t *call, store_t *reader, const char *domain)
{
    AUTO(document_end) document_t out = {0};
    listing_t listing = {call, &out};
    err_t err = {0};
    if (call_defer(call))
        return;
    begin_domain(&out, domain);
    begin_users(call, &out);
    status_t status =
        call->keeper->sip->family->each_range(call, reader, add_range, &listing, &err);
    end_users(&out);
    end_domain(&out);
    answer_list(call, status, &out, &err);
}

static void list_acl(call_t *call, store_t *reader)
{
    AUTO(document_end) document_t out = {0};
    err_t err = {0};
    if (call_defer(call))
        return;
    begin(&out, "configuration");
    status_t status = freeswitch_acl_add(call, reader, &out, &err);
    end(&out);
    answer_list(call, status, &out, &err);
}

/* We have none; and say so, since FreeSWITCH else looks for the domain in its own files. */
static void answer_gateways(call_t *call, const char *domain)
{
    AUTO(document_end) document_t out = {0};
    begin_domain(&out, domain);
    end_domain(&out);
    document_answer(call, MEDIA_XML, &out);
}

/* The domain that must stand in the answer, as it was asked for; NULL: none of a directory's. */
static const char *domain_of(const freeswitch_t *query)
{
    bool directory = strcmp(query->section, "directory") == 0 &&
                     strcmp(query->tag_name, "domain") == 0 && strcmp(query->key_name, "name") == 0;
    return directory && query->key_value[0] != '\0' && document_xml_can_say(query->key_value)
               ? query->key_value
               : NULL;
}

void sip_freeswitch(call_t *call, store_t *reader)
{
    const freeswitch_t *query = call->body;
    const char *domain = domain_of(query);
    bool named = query->user[0] != '\0' || query->sip_auth_username[0] != '\0';
    bool served = domain != NULL && ha1_serves_realm(call->keeper, domain);
    if (strcmp(query->section, "configuration") == 0 && strcmp(query->key_value, "acl.conf") == 0)
        list_acl(call, reader);
    else if (domain != NULL && named)
        look_up_user(call, reader, query, domain);
    else if (served && strcmp(query->purpose, "network-list") == 0)
        list_networks(call, reader, domain);
    else if (served && strcmp(query->purpose, "gateways") == 0)
        answer_gateways(call, domain);
    else
        call_refuse(call, OUTCOME_UNKNOWN, NULL);
}
