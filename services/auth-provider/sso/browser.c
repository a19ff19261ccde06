#include "services/auth-provider/sso/browser.h"

#include "common/mem.h"
#include "common/text.h"
#include "proto/dialect.h"
#include "proto/sso_style.h"
#include "services/auth-provider/markup.h"
#include "services/auth-provider/setup.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

enum {
    COOKIE_HEADER_SIZE = 256,
    PAGE_FRAME = sizeof(SSO_STYLE) + 1024, /* what stands around a page's words */
    REFERENCE = 6,                         /* bytes that a byte becomes at most: "&quot;" */
};

static const char token_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const sso_head_t *head_of(const call_t *call)
{
    static const sso_head_t none;
    return call->head == NULL ? &none : call->head;
}

/* ---- cookies ---- */

static const char *name_of(const call_t *call, cookie_t cookie)
{
    static const char *const names[][2] = {[COOKIE_LOGIN] = {"lk-login", "__Host-lk-login"},
                                           [COOKIE_SESSION] = {"lk-session", "__Host-lk-session"}};
    return names[cookie][setup_reach(call) == REACH_TLS];
}

static bool read_token(const char *bytes, size_t length, char out[SSO_TOKEN_SIZE])
{
    if (length != SSO_TOKEN_SIZE - 1 || strspn(bytes, token_characters) < length)
        return false;
    memcpy(out, bytes, length);
    out[length] = '\0';
    return true;
}

/* How many there are; *out: the last one's value. Pairs stand apart by "; " (RFC 6265 section
 * 4.2.1). */
static size_t find_cookies(const call_t *call, cookie_t cookie, const char **out)
{
    const char *name = name_of(call, cookie);
    size_t name_length = strlen(name), count = 0;
    for (const char *at = head_of(call)->cookie; *at != '\0';) {
        at += strspn(at, "; ");
        if (strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
            *out = at + name_length + 1;
            count++;
        }
        at += strcspn(at, ";");
    }
    return count;
}

bool browser_cookie(const call_t *call, cookie_t cookie, char out[SSO_TOKEN_SIZE])
{
    const char *value = NULL;
    return find_cookies(call, cookie, &value) == 1 && read_token(value, strcspn(value, "; "), out);
}

void browser_set_cookie(call_t *call, cookie_t cookie, const char *value)
{
    char header[COOKIE_HEADER_SIZE], age[32] = "";
    bool secure = setup_reach(call) == REACH_TLS;
    status_t status = STATUS_OK;
    if (value[0] == '\0')
        status = text_format(age, sizeof(age), "; Max-Age=0");
    else if (cookie == COOKIE_LOGIN)
        status = text_format(age, sizeof(age), "; Max-Age=%d", LOGIN_REQUEST_MS / 1000);
    const char *same_site = cookie == COOKIE_SESSION ? "; SameSite=Lax"
                            : secure                 ? "; SameSite=None"
                                                     : "";
    if (status == STATUS_OK)
        status =
            text_format(header, sizeof(header), "%s=%s; Path=/%s; HttpOnly%s%s",
                        name_of(call, cookie), value, age, secure ? "; Secure" : "", same_site);
    if (status == STATUS_OK)
        status = call_header(call, "Set-Cookie", header);
    assert(status == STATUS_OK);
    (void)status;
    sodium_memzero(header, sizeof(header));
}

void browser_take_session(call_t *call)
{
    const char *value = NULL;
    if (find_cookies(call, COOKIE_SESSION, &value) > 0)
        browser_set_cookie(call, COOKIE_SESSION, "");
}

bool browser_token(const call_t *call, char out[SSO_TOKEN_SIZE])
{
    static const char scheme[] = "Bearer ";
    const char *given = head_of(call)->authorization;
    if (strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
        return browser_cookie(call, COOKIE_SESSION, out);
    given += sizeof(scheme) - 1;
    return read_token(given, strlen(given), out);
}

bool browser_wants_page(const call_t *call)
{
    return dialect_wants_page(head_of(call)->accept);
}

/* ---- pages ---- */

void browser_page(call_t *call, outcome_t outcome, const char *title, const char *sentence,
                  const char *more)
{
    const char *rest = more == NULL ? "" : more;
    size_t size = PAGE_FRAME + REFERENCE * (2 * strlen(title) + strlen(sentence)) + strlen(rest);
    AUTO(mem_release) char *text = mem_zalloc(size);
    markup_t page = markup_begin(text, size);
    markup_raw(&page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                      "<meta name=\"robots\" content=\"noindex\">\n<title>");
    markup_value(&page, title);
    markup_raw(&page, "</title>\n<style>" SSO_STYLE "</style></head>\n<body><main>\n<h1>");
    markup_value(&page, title);
    markup_raw(&page, "</h1>\n<p>");
    markup_value(&page, sentence);
    markup_raw(&page, "</p>\n");
    markup_raw(&page, rest);
    markup_raw(&page, "</main></body></html>\n");
    if (markup_end(&page) != STATUS_OK)
        call_refuse(call, OUTCOME_INTERNAL, NULL);
    else
        call_document_as(call, outcome, MEDIA_HTML, text, page.length);
}

static void answer(call_t *call, outcome_t outcome, const char *title, const char *sentence,
                   const char *more)
{
    char message[REPLY_MESSAGE_SIZE];
    if (browser_wants_page(call))
        browser_page(call, outcome, title, sentence, more);
    else if (text_format(message, sizeof(message), "%s. %s", title, sentence) == STATUS_OK)
        call_refuse(call, outcome, message);
    else
        call_refuse(call, outcome, title);
}

void browser_refuse(call_t *call, outcome_t outcome, const char *title, const char *sentence)
{
    answer(call, outcome, title, sentence, NULL);
}

void browser_refuse_unknown(call_t *call)
{
    browser_refuse(call, OUTCOME_UNKNOWN, "No such login",
                   "Nobody logs in by this address. Is it spelled as you were told?");
}

void browser_refuse_inactive(call_t *call)
{
    browser_refuse(call, OUTCOME_FORBIDDEN, "This login is switched off",
                   "Nobody can log in by it at present.");
}

void browser_fail(call_t *call, outcome_t outcome, const char *title, const char *event_id)
{
    char sentence[160];
    if (text_format(sentence, sizeof(sentence),
                    "Whoever looks after your logins can find out why by this number: %s",
                    event_id) != STATUS_OK)
        sentence[0] = '\0';
    answer(call, outcome, title, sentence, NULL);
}

bool browser_may_log_in(call_t *call)
{
    err_t err = {0};
    if (setup_reach(call) != REACH_PLAIN)
        return true;
    (void)err_set(&err, STATUS_INVALID, "LK_PUBLIC_URL",
                  "is plain HTTP beyond loopback: nobody can log in over it");
    call_fail(call, &err);
    return false;
}
