"""Log-out by redirect through the real gateway and workers: what is signed on either side is checked by another library."""

import base64
import os
import secrets
import subprocess
import threading
import urllib.parse
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from provider_dialect import PROVIDERS, check_data, new_provider
from sso import IDP, Browser, Page, at, dsig, keys, message, new_settings, read_redirect
from suite import BIN, SLOW, Suite

SLO = "https://idp.example/slo?tenant=1"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
NAMESPACES = f'xmlns:samlp="{message.P}" xmlns:saml="{message.A}"'


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    ours = keys.key("rsa", "ours")
    file = tmp_path_factory.mktemp("saml") / "saml.pem"
    file.touch(mode=0o600)
    file.write_text(ours.private_pem.decode() + ours.pem)
    running = Suite(services=["auth-provider"], workers=2, gateway_settings={"LK_SSO_RATE_LIMIT": "0"})
    running.base = f"http://127.0.0.1:{running.port}"
    running.worker_settings = {"LK_PUBLIC_URL": running.base, "LK_SAML_KEY_FILE": str(file)}
    with running:
        yield running


@pytest.fixture
def provider(suite):
    name = "p" + secrets.token_hex(8)
    settings = new_settings(idp_slo_target_url=SLO, idp_certificate=keys.key().pem)
    made = check_data(suite.call("POST", PROVIDERS, new_provider(settings=settings, short_name=name)))
    return made["id"], name


def log_in(suite, name, **changes):
    browser = Browser(suite)
    answer = browser.answer(suite.base, name, browser.login(name), **changes)
    assert answer.status == 303, answer.body
    assert browser.get("/sso/session").status == 200
    return browser


def is_in(browser):
    return browser.get("/sso/session").status == 200


def request(suite, name, identifier, inside, destination=None):
    return (f'<samlp:LogoutRequest {NAMESPACES} ID="{identifier}" Version="2.0" IssueInstant="{at(0)}" '
            f'Destination="{destination or f"{suite.base}/sso/saml/logout/{name}"}"><saml:Issuer>{IDP}</saml:Issuer>{inside}'
            "</samlp:LogoutRequest>")


def person(name, index=None):
    session = "" if index is None else f"<samlp:SessionIndex>{index}</samlp:SessionIndex>"
    return f'<saml:NameID Format="{message.EMAIL}">{name}</saml:NameID>{session}'


def query(kind, xml, relay_state=None, key=None, quote=urllib.parse.quote_plus, method="rsa-sha256"):
    """A message in a URL, signed over its own octets."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = {kind: base64.b64encode(raw.compress(xml.encode()) + raw.flush()).decode()}
    if relay_state is not None:
        parts["RelayState"] = relay_state
    parts["SigAlg"] = dsig.METHODS[method]
    signed = "&".join(f"{name}={quote(value)}" for name, value in parts.items())
    signature = dsig.signed(key or keys.key(), method, signed.encode())
    return f"{signed}&Signature={quote(base64.b64encode(signature).decode())}"


def bring(browser, name, text):
    return browser.get(f"/sso/saml/logout/{name}?{text}")


def check_signed_by_us(location):
    """The query behind SLO's own is signed by our key, over its octets."""
    assert location.startswith(SLO + "&"), location
    signed, signature = location[len(SLO) + 1:].split("&Signature=")
    assert signed.endswith("&SigAlg=" + urllib.parse.quote(RSA_SHA256, safe=""))
    certificate = x509.load_der_x509_certificate(keys.key("rsa", "ours").der)
    certificate.public_key().verify(base64.b64decode(urllib.parse.unquote(signature)), signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def message_of(location, kind):
    values = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)[kind]
    return dsig.parse(zlib.decompress(base64.b64decode(values[0]), -zlib.MAX_WBITS).decode())


def reasons(suite, provider_id):
    return [event["reason"] for event in suite.call("GET", f"{PROVIDERS}/{provider_id}/events").json["data"] if event["kind"] == "logout"]


def test_both_sides_log_out(suite, provider):
    identifier, name = provider
    browser = log_in(suite, name)
    kept = dict(browser.cookies)
    answer = browser.call("POST", "/sso/logout")
    assert answer.status == 303 and answer.headers["Cache-Control"] == "no-store"
    check_signed_by_us(answer.headers["Location"])
    sent = read_redirect(answer.headers["Location"])
    assert sent.request.get("Destination") == SLO
    assert sent.request.findtext(f"{{{message.A}}}NameID") == message.USER
    assert sent.request.findtext(f"{{{message.P}}}SessionIndex") == "_s1"
    browser.cookies = kept # a browser that does not let go of them
    assert browser.get("/sso/session").status == 401
    xml = (f'<samlp:LogoutResponse {NAMESPACES} ID="_1" Version="2.0" IssueInstant="{at(0)}" InResponseTo="{sent.id}" '
           f'Destination="{suite.base}/sso/saml/logout/{name}"><saml:Issuer>{IDP}</saml:Issuer>{message.Message().status}</samlp:LogoutResponse>')
    back = bring(browser, name, query("SAMLResponse", xml, sent.relay_state))
    assert back.status == 303, back.body
    page = browser.get(urllib.parse.urlsplit(urllib.parse.urljoin(f"{suite.base}/sso/saml/logout/{name}", back.headers["Location"]))
                       ._replace(scheme="", netloc="").geturl())
    assert page.status == 200 and "at your identity provider" in Page(page).source
    assert bring(browser, name, query("SAMLResponse", xml, sent.relay_state)).status == 403
    assert reasons(suite, identifier)[:3] == ["request_used", None, None]


def test_a_program_is_told_where_to_go(suite, provider):
    _, name = provider
    browser = log_in(suite, name)
    browser.accept = "application/json"
    answer = browser.call("DELETE", "/sso/session")
    assert answer.status == 200
    check_signed_by_us(answer.json["logout_url"])
    assert not is_in(browser)


def test_only_the_one_who_is_named_goes(suite, provider):
    _, name = provider
    other = "q" + name
    settings = new_settings(idp_slo_target_url=SLO, idp_certificate=keys.key().pem)
    check_data(suite.call("POST", PROVIDERS, new_provider(settings=settings, short_name=other)))
    ann, bob, elsewhere = log_in(suite, name), log_in(suite, name, name_id="bob@example.com"), log_in(suite, other)
    for inside in (person(message.USER, "_s2"), person(message.USER.upper()), person(message.USER).replace(message.EMAIL, message.EMAIL + "s")):
        answer = bring(ann, name, query("SAMLRequest", request(suite, name, "_" + secrets.token_hex(8), inside)))
        assert answer.status == 303 and is_in(ann)
    text = query("SAMLRequest", request(suite, name, "_" + secrets.token_hex(8), person(message.USER, "_s1")), "opaque /+ü")
    answer = bring(Browser(suite), name, text) # whoever brings it
    assert answer.status == 303
    check_signed_by_us(answer.headers["Location"])
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)["RelayState"] == ["opaque /+ü"]
    root = message_of(answer.headers["Location"], "SAMLResponse")
    assert root.find(f"{{{message.P}}}Status/{{{message.P}}}StatusCode").get("Value") == message.SUCCESS
    assert (is_in(ann), is_in(bob), is_in(elsewhere)) == (False, True, True)


def test_whoever_writes_escapes_in_another_way(suite, provider):
    """Each is what its sender signed."""
    _, name = provider

    def lower(text):
        return urllib.parse.quote(text, safe="").replace("%2F", "%2f").replace("%3D", "%3d").replace("%2B", "%2b").replace("%3A", "%3a")

    def all_of_it(text):
        return "".join(f"%{byte:02X}" for byte in text.encode())

    for quote in (lower, urllib.parse.quote, all_of_it):
        browser = log_in(suite, name)
        xml = request(suite, name, "_" + secrets.token_hex(8), person(message.USER))
        assert bring(browser, name, query("SAMLRequest", xml, "r/s", quote=quote)).status == 303, quote
        assert not is_in(browser)


def test_what_is_not_signed_ends_nothing(suite, provider):
    identifier, name = provider
    browser = log_in(suite, name)
    xml = request(suite, name, "_" + secrets.token_hex(8), person(message.USER))
    good = query("SAMLRequest", xml, "r")
    unsigned, _ = good.split("&SigAlg=")
    evil = keys.key("rsa", "evil")
    cases = [(unsigned, "logout_unsigned"), (query("SAMLRequest", xml, "r", key=evil), "signature_invalid"),
             (good.replace("RelayState=r", "RelayState=s"), "signature_invalid"), (good + "&RelayState=s", "logout_message"),
             (good + "&SAMLRequest=x", "logout_message"), (query("SAMLRequest", xml, "r", method="rsa-sha1"), "sha1_refused"),
             (query("SAMLRequest", request(suite, name, "_1", person(message.USER), f"{suite.base}/sso/saml/logout/other")),
              "destination_mismatch"), (query("SAMLRequest", " " * 200000), "message_too_large"), ("", "logout_message")]
    for text, reason in cases:
        answer = bring(browser, name, text)
        assert answer.status == 403 and "Location" not in answer.headers, reason
        source = Page(answer).source
        assert reason not in source and message.USER not in source
        event = suite.call("GET", f"{PROVIDERS}/{identifier}/events").json["data"][0]
        assert event["reason"] == reason and event["id"] in source and event["name_id"] is None
    assert bring(browser, "no" + name, good).status == 404
    assert bring(browser, name, "SAMLRequest=" + "A" * 20000).status in (403, 414, 422)
    assert is_in(browser)
    assert bring(browser, name, good).status == 303 # none of them has used it up
    assert not is_in(browser)


def test_a_request_works_once_on_any_worker(suite, provider):
    identifier, name = provider
    text = query("SAMLRequest", request(suite, name, "_" + secrets.token_hex(8), person(message.USER)))
    statuses, start = [], threading.Barrier(16)

    def run():
        browser = Browser(suite)
        start.wait(60)
        statuses.append(bring(browser, name, text).status)
        browser.close()

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 * SLOW)
    assert sorted(statuses) == [303] + [403] * 15
    assert sorted(filter(None, reasons(suite, identifier))) == ["assertion_replayed"] * 15


@pytest.mark.parametrize(("mode", "content"), [(0o644, True), (0o600, False), (None, False)])
def test_a_key_that_can_not_be_read_ends_the_start(tmp_path, mode, content):
    file = tmp_path / "saml.pem"
    ours = keys.key("rsa", "ours")
    if mode is not None:
        file.write_text(ours.private_pem.decode() + ours.pem if content else ours.private_pem.decode())
        file.chmod(mode)
    run = subprocess.run([BIN / "auth-provider"], env={**os.environ, "LK_SAML_KEY_FILE": str(file), "LK_DATA_DIR": str(tmp_path),
                                                       "LK_GATEWAYS": "tcp://127.0.0.1:9", "LK_DIGEST": "off"},
                         capture_output=True, text=True, timeout=60 * SLOW, check=False)
    assert run.returncode == 78, run.stderr
    assert str(file) in run.stdout + run.stderr
    assert "PRIVATE KEY" not in run.stdout + run.stderr


def test_metadata_shows_log_out_and_our_key(suite, provider):
    _, name = provider
    root = dsig.parse(suite.call("GET", f"/sso/saml/metadata/{name}").body.decode())
    md = "{urn:oasis:names:tc:SAML:2.0:metadata}"
    role = root.find(f"{md}SPSSODescriptor")
    assert role.get("AuthnRequestsSigned") == "true"
    assert role.find(f"{md}SingleLogoutService").get("Location") == f"{suite.base}/sso/saml/logout/{name}"
    shown = role.find(f"{md}KeyDescriptor").findtext(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    assert base64.b64decode(shown) == keys.key("rsa", "ours").der
    sent = Browser(suite).get(f"/sso/{name}").headers["Location"]
    signed, signature = sent.split("?", 1)[1].split("&Signature=")
    public = x509.load_der_x509_certificate(base64.b64decode(shown)).public_key()
    public.verify(base64.b64decode(urllib.parse.unquote(signature)), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
