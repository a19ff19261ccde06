#include "tests/support/login_desk.h"

#include "common/text.h"
#include "proto/auth_provider.h"
#include "proto/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool worked, const char *what)
{
    if (worked)
        return;
    (void)fprintf(stderr, "login_desk: %s\n", what);
    abort();
}

void login_desk_change(login_desk_t *desk, const char *body)
{
    must(desk_ask(&desk->desk, PROVIDER_CHANGE, desk->provider_id, NULL, body) == OUTCOME_OK, body);
}

static void give_fingerprint(login_desk_t *desk)
{
    certificate_t certificate = {0};
    char body[512];
    must(certificate_from_der(desk->issued.der, desk->issued.length, &certificate) == STATUS_OK &&
             text_format(body, sizeof(body),
                         "{'settings': {'idp_cert_fingerprint': '%s', "
                         "'idp_cert_fingerprint_algorithm': 'sha256'}}",
                         certificate.fingerprint) == STATUS_OK,
         "no fingerprint");
    certificate_clear(&certificate);
    login_desk_change(desk, body);
}

static void fill_claims(login_desk_t *desk)
{
    saml_claims_t *claims = &desk->claims;
    static const char *const groups[] = {"admins", "staff"};
    *claims = (saml_claims_t){.name_id = LOGIN_NAME,
                              .name_id_format = "urn:format",
                              .name_qualifier = "q",
                              .sp_name_qualifier = "s",
                              .session_index = "index",
                              .authn_instant_utc_ms = desk->desk.now_utc_ms - 1000,
                              .replay_until_utc_ms = desk->desk.now_utc_ms + 300000,
                              .certificate = desk->issued.der,
                              .certificate_length = desk->issued.length,
                              .by_fingerprint = true};
    packed_set_texts(groups, ARRAY_LEN(groups), &claims->groups);
}

void login_desk_open(login_desk_t *desk)
{
    err_t err = {0};
    provider_desk_open(&desk->desk);
    desk_provider(&desk->desk, "okta", desk->provider_id);
    issuer_make("idp.example", 1600000000, 2000000000, &desk->issued);
    give_fingerprint(desk);
    must(trust_by_name(desk->desk.reader, "okta", "https://lk.example", desk->desk.now_utc_ms,
                       &desk->trust, &err) == STATUS_OK,
         err.text);
    fill_claims(desk);
    login_hash("browser", 7, desk->browser);
    desk->login = (login_t){.trust = &desk->trust,
                            .claims = &desk->claims,
                            .browser = desk->browser,
                            .relay_state = desk->request.relay_state,
                            .client = "192.0.2.7",
                            .now_utc_ms = desk->desk.now_utc_ms,
                            .session_ms = 3600000};
    login_desk_ask(desk);
}

void login_desk_close(login_desk_t *desk)
{
    trust_clear(&desk->trust);
    issuer_free(&desk->issued);
    provider_desk_close(&desk->desk);
}

void login_desk_ask(login_desk_t *desk)
{
    err_t err = {0};
    login_request_t *request = &desk->request;
    store_t *writer = desk->desk.writer;
    *request = (login_request_t){.kind = REQUEST_LOGIN,
                                 .return_to = "/portal",
                                 .expires_utc_ms = desk->desk.now_utc_ms + LOGIN_REQUEST_MS};
    text_cut(request->provider_id, UUID_SIZE, desk->provider_id);
    login_secret(request->relay_state);
    request->id[0] = '_';
    login_secret(request->id + 1);
    memcpy(request->browser, desk->browser, LOGIN_HASH_SIZE);
    must(store_begin(writer, &err) == STATUS_OK &&
             login_store_ask(writer, request, &err) == STATUS_OK &&
             store_commit(writer, &err) == STATUS_OK,
         err.text);
    text_cut(desk->claims.in_response_to, sizeof(desk->claims.in_response_to), request->id);
    desk->claims.assertion_id[0] = '_';
    login_secret(desk->claims.assertion_id + 1);
}

saml_reason_t login_desk_commit(login_desk_t *desk)
{
    err_t err = {0};
    store_t *writer = desk->desk.writer;
    desk->result = (login_result_t){.reason = SAML_REASON_COUNT};
    status_t status = store_begin(writer, &err);
    if (status == STATUS_OK) {
        status = login_commit(writer, &desk->login, &desk->result, &err);
        if (status == STATUS_OK)
            status = store_commit(writer, &err);
        else
            store_rollback(writer);
    }
    desk->desk.status = status;
    return status == STATUS_OK ? desk->result.reason : SAML_REASON_COUNT;
}

bool login_desk_is_in(login_desk_t *desk)
{
    err_t err = {0};
    uint8_t hash[LOGIN_HASH_SIZE];
    login_session_t session;
    const char *token = desk->result.session.shown.token;
    login_hash(token, strlen(token), hash);
    status_t status =
        login_store_seek(desk->desk.reader, hash, desk->desk.now_utc_ms, &session, &err);
    must(status == STATUS_OK || status == STATUS_UNKNOWN, err.text);
    return status == STATUS_OK;
}
