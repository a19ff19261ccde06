"""Single sign-on through the real gateway and worker: who is logged in, who is not, and what browsers are told."""

import base64
import hashlib
import re
import urllib.parse

import pytest
from provider_dialect import PROVIDERS, check_data, check_errors, check_page, new_provider
from sso import FORM, IDP, NAMES, TARGET, Browser, Page, dsig, encode, keys, make_message, new_settings
from suite import Client, Suite

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$")
JSON = "application/json"
SERVICES = ["auth-provider"]
HTTPS = "https://sso.example"
EVIL = ["//evil.example", "///evil.example", "https://evil.example/", "https:evil.example", "/\\evil.example", "\\/evil.example",
        "/%09/evil.example", "/%0a/evil.example", "/%0d%0aSet-Cookie:%20a=b", "%2f%2fevil.example", "javascript:alert(1)",
        "evil.example", "", "/a%5cb", "/%20x", "/%c3%a4", "/" + "a" * 1100]


def open_suite(base=None):
    suite = Suite(services=SERVICES, gateway_settings={"LK_SSO_RATE_LIMIT": "0"})
    suite.base = base or f"http://127.0.0.1:{suite.port}"
    suite.worker_settings = {"LK_PUBLIC_URL": suite.base}
    return suite


@pytest.fixture(scope="module")
def suite():
    with open_suite() as running:
        yield running


@pytest.fixture(scope="module")
def secure():
    with open_suite(HTTPS) as running:
        yield running


@pytest.fixture
def browser(suite):
    made = Browser(suite)
    yield made
    made.close()


def make(suite, settings=None, **other):
    made = check_data(suite.call("POST", PROVIDERS, new_provider(settings=settings or new_settings(), **other)))
    return made["short_name"], made["id"]


@pytest.fixture(scope="module")
def name(suite):
    return make(suite)[0]


def refused(answer):
    """The page has an event's number, and nothing that tells why; which is returned."""
    assert answer.status == 403, answer.body
    page = Page(answer)
    assert page.texts["h1"] == page.texts["title"] == "You are not logged in"
    assert answer.headers["Set-Cookie"] is None and answer.headers["Location"] is None
    found = UUID.findall(page.texts["p"])
    assert len(found) == 1
    words = page.source.replace(found[0], "").lower()
    for told in ("mismatch", "signature", "certificate", "replay", "expired", "audience", "issuer", "idp.example", "alice"):
        assert told not in words
    return found[0]


# ---- the way there ----

def test_metadata_is_what_an_identity_provider_takes(suite, browser, name):
    answer = browser.get(f"/sso/saml/metadata/{name}", headers={"Host": "evil.example"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/samlmetadata+xml"
    root = dsig.parse(answer.body)
    own = f"{suite.base}/sso/saml/metadata/{name}"
    assert root.get("entityID") == own
    role, = root.findall("md:SPSSODescriptor", NAMES)
    assert role.get("WantAssertionsSigned") == "true"
    consumer, = role.findall("md:AssertionConsumerService", NAMES)
    assert dict(consumer.attrib) == {"Binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", "index": "0", "isDefault": "true",
                                     "Location": f"{suite.base}/sso/saml/auth/{name}"}
    assert b"evil.example" not in answer.body
    again = browser.get(f"/sso/saml/metadata/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    head = browser.call("HEAD", f"/sso/saml/metadata/{name}")
    assert (head.status, head.body) == (200, b"") and head.headers["ETag"] == answer.headers["ETag"]


def test_a_login_asks_as_the_profile_says(suite, browser, name):
    answer = browser.get(f"/sso/{name}", headers={"Host": "evil.example"})
    assert answer.status == 303
    assert "no-store" in answer.headers["Cache-Control"]
    assert b"evil.example" not in answer.body
    sent = browser.login(name, "?return_to=/portal")
    assert sent.url == TARGET
    request = sent.request
    assert request.tag == f"{{{NAMES['samlp']}}}AuthnRequest"
    assert re.fullmatch(r"_[0-9a-f]{40}", sent.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", request.get("IssueInstant"))
    assert {name: request.get(name) for name in ("Version", "Destination", "AssertionConsumerServiceURL", "ProtocolBinding")} == {
        "Version": "2.0", "Destination": TARGET, "AssertionConsumerServiceURL": f"{suite.base}/sso/saml/auth/{name}",
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"}
    assert request.findtext("saml:Issuer", namespaces=NAMES) == f"{suite.base}/sso/saml/metadata/{name}"
    policy, = request.findall("samlp:NameIDPolicy", NAMES)
    assert policy.get("AllowCreate") == "true" and policy.get("Format").endswith(":unspecified")
    assert TOKEN.match(sent.relay_state) and len(sent.relay_state) <= 80
    assert "portal" not in answer.headers["Location"] + sent.relay_state
    assert set(sent.parameters) == {"SAMLRequest", "RelayState"}


def test_a_target_with_a_query_keeps_it(suite, browser):
    name, _ = make(suite, new_settings(idp_sso_target_url=TARGET + "?tenant=1&b="))
    location = browser.get(f"/sso/{name}").headers["Location"]
    assert location.startswith(TARGET + "?tenant=1&b=&SAMLRequest=")


@pytest.mark.parametrize("path", EVIL)
def test_nobody_is_sent_elsewhere(browser, name, path):
    answer = browser.get(f"/sso/{name}?return_to={path}")
    assert answer.status in (400, 414), path
    assert answer.headers["Location"] is None and answer.headers["Set-Cookie"] is None
    assert b"evil" not in answer.body
    Page(answer)


def test_head_begins_no_login(browser, name):
    answer = browser.call("HEAD", f"/sso/{name}")
    assert (answer.status, answer.body, answer.headers["Allow"]) == (405, b"", "GET") and answer.headers["Set-Cookie"] is None


def test_unknown_and_inactive_ones_log_nobody_in(suite, browser):
    name, _ = make(suite, active=False)
    for path, status in ((f"/sso/{name}", 403), ("/sso/nobody", 404), ("/sso/No.Body", 404), ("/sso/saml/metadata/nobody", 404)):
        answer = browser.get(path)
        assert answer.status == status and answer.headers["Location"] is None
        Page(answer)
    assert browser.get(f"/sso/saml/metadata/{name}").status == 200
    sent = type("Sent", (), {"id": None, "relay_state": None})
    refused(browser.answer(suite.base, name, sent))


def test_the_consumer_takes_posts_alone(browser, name):
    for method in ("GET", "PUT", "DELETE"):
        answer = browser.call(method, f"/sso/saml/auth/{name}")
        assert answer.status == 405 and answer.headers["Allow"] == "POST"
    assert browser.call("POST", f"/sso/saml/auth/{name}", raw=b"{}", headers={"Content-Type": JSON}).status == 415


# ---- the way back ----

@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_a_good_answer_logs_in(suite, browser, name, what):
    sent = browser.login(name, "?return_to=/portal?a=b")
    answer = browser.answer(suite.base, name, sent, what)
    assert (answer.status, answer.headers["Location"]) == (303, "/portal?a=b")
    assert "no-store" in answer.headers["Cache-Control"]
    token = browser.cookies["lk-session"]
    assert TOKEN.match(token) and token.encode() not in answer.body
    session = Client(suite.port, key=token).call("GET", "/sso/session")
    assert session.status == 200 and session.json["name_id"] == "alice@example.com" and session.json["provider"] == name
    assert "token" not in session.json


def test_where_to_go_on_is_a_setting(suite, browser, name):
    answer = browser.answer(suite.base, name, browser.login(name))
    assert (answer.status, answer.headers["Location"]) == (303, "/sso/session")


def test_several_tabs_log_in_in_any_order(suite, browser, name):
    tabs = [browser.login(name, f"?return_to=/tab/{number}") for number in range(3)]
    for number in (1, 0, 2):
        answer = browser.answer(suite.base, name, tabs[number])
        assert answer.headers["Location"] == f"/tab/{number}"


def test_an_answer_is_good_once(suite, browser, name):
    sent = browser.login(name)
    response = encode(make_message(suite.base, name, sent.id).signed())
    assert browser.post(name, response, sent.relay_state).status == 303
    refused(browser.post(name, response, sent.relay_state))
    again = browser.login(name)
    refused(browser.post(name, response, again.relay_state))


def test_another_browser_is_refused(suite, browser, name):
    sent = browser.login(name)
    other = Browser(suite)
    other.login(name)
    stranger = Browser(suite)
    for one in (other, stranger):
        refused(one.answer(suite.base, name, sent))
        one.close()
    assert browser.answer(suite.base, name, sent).status == 303


@pytest.mark.parametrize("state", [None, "", "x", "/portal"])
def test_a_wrong_relay_state_is_refused(suite, browser, name, state):
    sent = browser.login(name)
    response = encode(make_message(suite.base, name, sent.id).signed())
    refused(browser.post(name, response, state))
    other = browser.login(name)
    refused(browser.post(name, response, other.relay_state))


def test_what_was_not_asked_for_needs_leave(suite, browser):
    name, provider = make(suite)
    response = encode(make_message(suite.base, name, None).signed())
    refused(browser.post(name, response))
    check_data(suite.call("PATCH", f"{PROVIDERS}/{provider}", {"settings": {"allow_idp_initiated": True}}))
    for state, place in ((None, "/sso/session"), ("/portal", "/portal"), ("//evil.example", "/sso/session"),
                         ("https://evil.example/", "/sso/session"), ("/\\evil.example", "/sso/session")):
        answer = browser.post(name, encode(make_message(suite.base, name, None).signed()), state)
        assert (answer.status, answer.headers["Location"]) == (303, place)


def test_a_provider_that_is_made_anew_takes_no_answer_twice(suite, browser):
    """Nor a session: what an identity provider signs names our URLs, which are the same."""
    settings = new_settings(allow_idp_initiated=True)
    name, provider = make(suite, settings)
    response = encode(make_message(suite.base, name, None).signed())
    assert browser.post(name, response).status == 303
    assert browser.get("/sso/session").status == 200
    check_data(suite.call("DELETE", f"{PROVIDERS}/{provider}"))
    make(suite, settings, short_name=name)
    assert browser.get("/sso/session").status == 401
    refused(browser.post(name, response))


FORGED = {
    "another key": lambda base, name, sent: make_message(base, name, sent.id).signed(recipe=dsig.Recipe(key=keys.key(owner="mallory"))),
    "unsigned": lambda base, name, sent: make_message(base, name, sent.id).text(),
    "bent": lambda base, name, sent: make_message(base, name, sent.id).signed().replace("alice@", "admin@"),
    "another request": lambda base, name, sent: make_message(base, name, "_" + "0" * 40).signed(),
    "another audience": lambda base, name, sent: make_message(base, name, sent.id, audience="https://other.example").signed(),
    "another consumer": lambda base, name, sent: make_message(base, "other", sent.id).signed(),
    "another issuer": lambda base, name, sent: make_message(base, name, sent.id, issuer="https://evil.example").signed(),
    "no XML": lambda base, name, sent: "hello",
}


@pytest.mark.parametrize("how", FORGED)
def test_what_is_forged_is_refused_with_a_number_alone(suite, browser, name, how):
    sent = browser.login(name)
    first = refused(browser.post(name, encode(FORGED[how](suite.base, name, sent)), sent.relay_state))
    second = refused(browser.post(name, encode(FORGED[how](suite.base, name, sent)), sent.relay_state))
    assert first != second
    assert "lk-session" not in browser.cookies
    assert browser.answer(suite.base, name, sent).status == 303, "who posts rubbish in one's name must not keep one out"


def test_a_form_is_what_it_says(suite, browser, name):
    def post(raw):
        return browser.call("POST", f"/sso/saml/auth/{name}", raw=raw, headers={"Content-Type": FORM})
    sent = browser.login(name)
    response = urllib.parse.quote_plus(encode(make_message(suite.base, name, sent.id).signed()))
    good = f"SAMLResponse={response}&RelayState={sent.relay_state}"
    assert post(f"SAMLResponse=eA%3D%3D&{good}".encode()).status in (400, 422)
    assert post(f"{good}&RelayState=x".encode()).status in (400, 422)
    refused(post(b""))
    refused(post(b"SAMLResponse="))
    refused(post(b"SAMLResponse=%21%21"))
    assert post(b"SAMLResponse=" + b"A" * (600 * 1024)).status == 413
    assert post(good.encode()).status == 303


def test_a_program_gets_json(suite, name):
    program = Browser(suite, accept=JSON)
    sent = program.login(name)
    denied = program.post(name, encode("hello"), sent.relay_state)
    assert denied.status == 403 and list(denied.json) == ["errors"]
    assert UUID.search(denied.json["errors"][0]["detail"]) and b"base64" not in denied.body
    answer = program.answer(suite.base, name, sent)
    assert answer.status == 200 and "no-store" in answer.headers["Cache-Control"]
    assert TOKEN.match(answer.json["token"]) and answer.headers["Set-Cookie"] is None
    assert answer.json["name_id"] == "alice@example.com"
    session = Client(suite.port, key=answer.json["token"]).call("GET", "/sso/session")
    assert {**session.json, "token": answer.json["token"]} == answer.json
    program.close()


def test_a_session_ends(suite, browser, name):
    assert browser.answer(suite.base, name, browser.login(name)).status == 303
    kept = dict(browser.cookies)
    ended = browser.call("DELETE", "/sso/session", headers={"Accept": JSON})
    assert (ended.status, ended.json) == (200, {"logout_url": None})
    assert "lk-session" not in browser.cookies
    browser.cookies = kept
    answer = browser.get("/sso/session")
    assert answer.status == 401
    Page(answer)


def test_an_administrator_ends_a_session(suite, browser):
    name, identifier = make(suite)
    sessions = f"{PROVIDERS}/{identifier}/sessions"
    assert check_page(suite.call("GET", sessions), 1, 20, 0) == []
    assert browser.answer(suite.base, name, browser.login(name)).status == 303
    shown, = check_page(suite.call("GET", f"{sessions}?name_id=alice%40example.com"), 1, 20, 1)
    assert shown == browser.call("GET", "/sso/session", headers={"Accept": JSON}).json
    reader = suite.make_key("--organization", "default", "--scope", "read")
    for method, path in (("GET", sessions), ("DELETE", f"{sessions}/{shown['id']}")):
        check_errors(suite.call(method, path, key=reader), 403)
    assert check_data(suite.call("DELETE", f"{sessions}/{shown['id']}")) == shown
    assert browser.get("/sso/session").status == 401
    check_errors(suite.call("DELETE", f"{sessions}/{shown['id']}"), 404)
    assert check_page(suite.call("GET", sessions), 1, 20, 0) == []


@pytest.mark.parametrize("person", ["a b+c&d=e%41", "\u6f22" * 512], ids=["escapes", "long"])
def test_an_administrator_finds_whoever_logged_in(suite, browser, person):
    name, identifier = make(suite)
    assert browser.answer(suite.base, name, browser.login(name), name_id=person.replace("&", "&amp;")).status == 303
    wanted = urllib.parse.quote(person, safe="")
    shown, = check_page(suite.call("GET", f"{PROVIDERS}/{identifier}/sessions?name_id={wanted}&page[size]=250"), 1, 250, 1)
    assert shown["name_id"] == person


def test_a_browser_logs_out_by_its_page(suite, browser, name):
    assert browser.answer(suite.base, name, browser.login(name)).status == 303
    token, at = browser.cookies["lk-session"], "/sso/session"
    form, = Page(browser.get(at)).attributes("form")
    answer = browser.call(form["method"].upper(), urllib.parse.urljoin(at, form["action"]), raw=b"", headers={"Content-Type": FORM})
    assert answer.status == 303 and "lk-session" not in browser.cookies
    assert Page(browser.get(urllib.parse.urljoin("/sso/logout", answer.headers["Location"]))).texts["h1"] == "You are logged out"
    assert Client(suite.port, key=token).call("GET", at).status == 401


# ---- cookies and pages ----

def test_cookies_over_tls(secure):
    name, _ = make(secure)
    browser = Browser(secure)
    sent = browser.login(name)
    assert browser.set["__Host-lk-login"] == {"path": "/", "max-age": "600", "httponly": True, "secure": True, "samesite": "None"}
    first = browser.cookies["__Host-lk-login"]
    browser.login(name)
    assert browser.cookies["__Host-lk-login"] == first, "one secret for all tabs"
    assert browser.answer(HTTPS, name, sent).status == 303
    assert browser.set["__Host-lk-session"] == {"path": "/", "httponly": True, "secure": True, "samesite": "Lax"}
    assert set(browser.cookies) == {"__Host-lk-login", "__Host-lk-session"}
    browser.close()


def test_cookies_on_loopback(suite, browser, name):
    assert browser.answer(suite.base, name, browser.login(name)).status == 303
    assert browser.set == {"lk-login": {"path": "/", "max-age": "600", "httponly": True},
                           "lk-session": {"path": "/", "httponly": True, "samesite": "Lax"}}


def test_over_plain_http_nobody_logs_in():
    with open_suite("http://sso.example") as suite:
        assert suite.grep_logs(rb"level=warn .*event=sso_refused .*LK_PUBLIC_URL=")
        name, _ = make(suite)
        browser = Browser(suite)
        answer = browser.get(f"/sso/{name}")
        assert answer.status == 500 and answer.headers["Location"] is None
        assert browser.post(name, encode("hello")).status == 500
        assert suite.grep_logs(rb"event=call_failed .*LK_PUBLIC_URL")
        browser.close()


def check_outline(answer):
    page = Page(answer)
    assert page.attributes("html") == [{"lang": "en"}]
    assert page.texts["title"] and len(page.attributes("main")) == len(page.attributes("h1")) == 1
    assert any(one.get("name") == "viewport" for one in page.attributes("meta"))
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "img", "link", "iframe", "object"}
    assert not [one for _, attributes in page.elements for one in attributes if one.startswith("on") or one == "style"]
    policy = answer.headers["Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.texts["style"].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
    return page


def test_pages_are_whole_and_plain(suite, browser, name):
    sent = browser.login(name)
    pages = [browser.get("/sso/nobody"), browser.get(f"/sso/{name}?return_to=x"), browser.post(name, encode("x")),
             browser.get("/sso/logged-out")]
    assert browser.answer(suite.base, name, sent, name_id="a&lt;script&gt;&quot;&amp;b@example.org").status == 303
    session = browser.get("/sso/session")
    pages.append(session)
    for answer in pages:
        check_outline(answer)
    page = Page(session)
    assert 'a<script>"&b@example.org' in page.texts["p"]
    assert page.attributes("form") == [{"method": "post", "action": "logout"}]


def test_no_secret_is_logged(suite, browser, name):
    sent = browser.login(name, "?return_to=/portal")
    response = encode(make_message(suite.base, name, sent.id).signed())
    assert browser.post(name, response, sent.relay_state).status == 303
    logs = suite.logs()
    for secret in (*browser.cookies.values(), sent.relay_state, sent.id, response[:40], "alice@example.com", IDP):
        assert secret.encode() not in logs
