#include "tests/support/logout_desk.h"

#include "common/clock.h"
#include "common/text.h"
#include "common/uuid.h"
#include "proto/auth_provider.h"
#include "proto/packed.h"
#include "proto/record.h"
#include "services/auth-provider/saml/redirect.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static signer_t *make_signer(const logout_desk_t *f, const issued_t *issued)
{
    static char pem[16384];
    signer_t *signer = NULL;
    err_t err = {0};
    issuer_pem(issued, true, pem, sizeof(pem));
    scratch_write(&f->desk.scratch, "idp.pem", pem, 0600);
    must(signer_open(scratch_file(&f->desk.scratch, "idp.pem"), &signer, &err) == STATUS_OK);
    return signer;
}

static void make_provider(logout_desk_t *f, const char *name, const issued_t *issued,
                          char out_id[UUID_SIZE])
{
    static char body[16384];
    must(text_format(body, sizeof(body),
                     "{'name': '%s', 'short_name': '%s', 'settings': {" SETTINGS_NEEDED
                     ", 'idp_slo_target_url': '" LOGOUT_SLO "', 'idp_certificate': '%s'}}",
                     name, name, issued->base64) == STATUS_OK);
    must(desk_ask(&f->desk, PROVIDER_CREATE, NULL, NULL, body) == OUTCOME_OK);
    text_cut(out_id, UUID_SIZE, desk_text(&f->desk, "id"));
}

void logout_desk_open(logout_desk_t *f)
{
    *f = (logout_desk_t){0};
    provider_desk_open(&f->desk);
    static issued_t issued, foreign; /* made once: that takes long */
    if (issued.key == NULL) {
        issuer_make_rsa(2048, "idp.example", 1600000000, 2000000000, &issued);
        issuer_make("idp.example", 1600000000, 2000000000, &foreign);
    }
    f->issued = &issued;
    f->foreign = &foreign;
    make_provider(f, "myorg", f->issued, f->provider_id);
    make_provider(f, "other", f->foreign, f->other_id);
    f->idp = make_signer(f, f->issued);
    f->stranger = make_signer(f, f->foreign);
}

void logout_desk_close(logout_desk_t *f)
{
    signer_close(&f->idp);
    signer_close(&f->stranger);
    provider_desk_close(&f->desk);
}

static void token_of(char letter, char out[SSO_TOKEN_SIZE])
{
    memset(out, letter, SSO_TOKEN_SIZE - 1);
    out[SSO_TOKEN_SIZE - 1] = '\0';
}

void logout_desk_begin(logout_desk_t *f, const char *provider_id, char letter,
                       const login_name_t *name, const char *session_index)
{
    char token[SSO_TOKEN_SIZE];
    uint8_t hash[LOGIN_HASH_SIZE];
    err_t err = {0};
    login_session_t session = {.created_utc_ms = f->desk.now_utc_ms};
    sso_session_t *shown = &session.shown;
    uuid_new(shown->id);
    text_cut(shown->provider_id, UUID_SIZE, provider_id);
    record_give_text(&sso_session_schema, shown, SSO_SESSION_NAME_ID, name->name_id);
    if (name->format[0] != '\0')
        record_give_text(&sso_session_schema, shown, SSO_SESSION_NAME_ID_FORMAT, name->format);
    text_cut(session.name_qualifier, sizeof(session.name_qualifier), name->name_qualifier);
    text_cut(session.sp_name_qualifier, sizeof(session.sp_name_qualifier), name->sp_name_qualifier);
    text_cut(session.session_index, sizeof(session.session_index), session_index);
    packed_set_texts(NULL, 0, &shown->groups);
    const msgpack_object empty = {.type = MSGPACK_OBJECT_MAP};
    must(packed_set(&empty, &shown->attributes) == STATUS_OK);
    shown->authenticated_at = f->desk.now_utc_ms;
    shown->expires_at = f->desk.now_utc_ms + INT64_C(3600000);
    token_of(letter, token);
    login_hash(token, strlen(token), hash);
    must(store_begin(f->desk.writer, &err) == STATUS_OK);
    must(login_store_begin(f->desk.writer, &session, hash, &err) == STATUS_OK);
    must(store_commit(f->desk.writer, &err) == STATUS_OK);
}

void logout_desk_ann(logout_desk_t *f, char letter)
{
    const login_name_t ann = {"ann", "", "", "", "", ""};
    logout_desk_begin(f, f->provider_id, letter, &ann, "_s1");
}

outcome_t logout_desk_ask(logout_desk_t *f, unsigned operation, char letter)
{
    char token[SSO_TOKEN_SIZE];
    token_of(letter, token);
    must(text_format(f->head, sizeof(f->head),
                     letter == '\0' ? "{'Accept': 'text/html'}"
                                    : "{'Accept': 'text/html', 'Cookie': '__Host-lk-session=%s'}",
                     token) == STATUS_OK);
    f->desk.head = f->head;
    outcome_t outcome = desk_ask(&f->desk, operation, NULL, NULL, NULL);
    f->desk.head = NULL;
    return outcome;
}

outcome_t logout_desk_send(logout_desk_t *f, const char *name, bool is_request, const char *xml,
                           const char *relay_state, const signer_t *signer)
{
    static char url[2 * SSO_QUERY_MAX];
    err_t err = {0};
    must(redirect_url("https://x/", is_request, xml, relay_state, signer, url, sizeof(url), &err) ==
         STATUS_OK);
    must(text_format(f->head, sizeof(f->head), "{'Accept': 'text/html', ':query': '%s'}",
                     strchr(url, '?') + 1) == STATUS_OK);
    f->desk.head = f->head;
    outcome_t outcome = desk_ask(&f->desk, SSO_LOGOUT_MESSAGE, name, NULL, NULL);
    f->desk.head = NULL;
    return outcome;
}

const char *logout_desk_request(const logout_desk_t *f, const char *id, const char *inside)
{
    static char xml[4096];
    char now[CLOCK_RFC3339_SIZE];
    clock_format_time(f->desk.now_utc_ms, now);
    must(text_format(xml, sizeof(xml),
                     "<p:LogoutRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
                     "xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" Version=\"2.0\" "
                     "IssueInstant=\"%s\" Destination=\"" LOGOUT_DESTINATION "\">"
                     "<Issuer>https://idp.example/</Issuer>%s</p:LogoutRequest>",
                     id, now, inside) == STATUS_OK);
    return xml;
}

int64_t logout_desk_sessions(const logout_desk_t *f)
{
    return desk_query(&f->desk, "SELECT COUNT(*) FROM sso_session");
}

const char *logout_desk_reason(const logout_desk_t *f)
{
    static char reason[64];
    desk_text_of(&f->desk, "SELECT COALESCE(reason, '') FROM sso_event ORDER BY rowid DESC LIMIT 1",
                 reason, sizeof(reason));
    return reason;
}

const char *logout_desk_message(const char *url)
{
    static char xml[REDIRECT_XML_MAX + 1];
    char base64[16384];
    uint8_t bytes[16384];
    size_t length = 0;
    const char *at = strstr(url, "SAMLRe");
    must(at != NULL);
    at = strchr(at, '=') + 1;
    must(text_percent_decode(base64, sizeof(base64), at, strcspn(at, "&"), false) == STATUS_OK);
    must(sodium_base642bin(bytes, sizeof(bytes), base64, strlen(base64), NULL, &length, NULL,
                           sodium_base64_VARIANT_ORIGINAL) == 0);
    z_stream stream = {.next_in = bytes,
                       .avail_in = (uInt)length,
                       .next_out = (unsigned char *)xml,
                       .avail_out = sizeof(xml) - 1};
    must(inflateInit2(&stream, -MAX_WBITS) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END);
    xml[stream.total_out] = '\0';
    (void)inflateEnd(&stream);
    return xml;
}
