"""People log in and out by a real browser and two real identity providers, over plain HTTP on loopback, and over TLS with
the identity providers on another site."""

import contextlib
import re

import pytest
from balancer import HAPROXY
from chromium import CHROMIUM
from identity import KINDS
from sso_world import World

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
FAILURES = [("samlp", "expired", "confirmation_expired"), ("samlp", "forged", "certificate_unknown"), ("samlp", "tampered", "digest_mismatch"),
            ("samlp", "audience", "audience_mismatch"), ("samlp", "recipient", "recipient_mismatch"), ("samlp", "unsigned", "signature_missing"),
            ("samlp", "issuer", "issuer_mismatch"), ("samlp", "sha1", "sha1_refused"), ("samlp", "stranger", "request_unknown"),
            ("samlp", "unasked", "idp_initiated"), ("samlp", "denied", "status"),
            ("lasso", "expired", "confirmation_expired"), ("lasso", "forged", "certificate_unknown"), ("lasso", "audience", "audience_mismatch")]


WORLDS = ("plain", "tls")
SOME = ("expired", "forged", "tampered")  # by TLS these will do


class Worlds(dict):
    """Each is started when it is first asked for."""

    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def __missing__(self, name):
        self[name] = self.stack.enter_context(World(tls=name == "tls"))
        return self[name]


@pytest.fixture(scope="module")
def worlds():
    with contextlib.ExitStack() as stack:
        yield Worlds(stack)


@pytest.fixture
def world(worlds, request):
    if request.param == "tls" and HAPROXY.path is None:
        pytest.skip("no haproxy")
    return worlds[request.param]


def session_cookie(world, page):
    return page.cookies().get("__Host-lk-session" if world.tls else "lk-session")


def assert_accessible(page):
    tree = page.tree()
    assert [role for role, _ in tree].count("main") == 1
    headings = [name for role, name in tree if role == "heading"]
    assert len(headings) == 1 and headings[0], tree
    assert page.evaluate("document.documentElement.lang") == "en" and page.evaluate("document.title")
    assert all(name for role, name in tree if role in ("button", "link", "textbox"))
    assert not page.evaluate("document.scripts.length")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def focus_button(page):
    """By Tab alone; where the focus is can be seen."""
    for _ in range(10):
        page.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
            return
    raise AssertionError(f"no button is reached: {page.text()}")


def assert_cookies(world, page):
    """As docs/api/sso.md promises them; and the token is in no URL."""
    cookie = session_cookie(world, page)
    assert cookie["httpOnly"] and cookie["path"] == "/" and cookie["secure"] == world.tls and cookie["sameSite"] == "Lax", cookie
    assert cookie["domain"] == ("localhost" if world.tls else "127.0.0.1") and cookie["session"]
    begun = next(text for text in page.cookies_set if "lk-login=" in text)
    assert "HttpOnly" in begun and "Path=/" in begun and "Domain" not in begun
    assert ("Secure" in begun and "SameSite=None" in begun and begun.startswith("__Host-")) == world.tls
    assert not [url for _, url in page.requests if cookie["value"] in url]
    return cookie["value"]


@pytest.mark.parametrize("world", WORLDS, indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_in_and_out(world, kind):
    name = world.provider(kind)
    page = world.browser.page()
    world.log_in(page, kind, name)
    page.await_url(f"{world.base}/sso/session")
    assert "amelia@example.com" in page.text()
    assert_accessible(page)
    world.shoot(page, f"{kind}-success")
    token = assert_cookies(world, page)
    told = world.session(token)
    assert (told.status, told.json["name_id"], told.json["provider"]) == (200, "amelia@example.com", name)
    assert not world.asks_for_password(page, kind, name)  # it knows them; that was another login
    page.await_url(world.base)
    page.go(f"{world.base}/sso/session")
    page.await_url(f"{world.base}/sso/session")
    token = session_cookie(world, page)["value"]
    focus_button(page)
    world.shoot(page, f"{kind}-focus")
    page.press("Enter")
    page.await_url(f"{world.base}/sso/logged-out")
    assert_accessible(page)
    world.shoot(page, f"{kind}-logged-out")
    assert session_cookie(world, page) is None
    assert world.session(token).status == 401
    assert any(url.startswith(f"{world.base}/sso/saml/logout/{name}") for _, url in page.requests)  # by way of them
    assert world.asks_for_password(page, kind, name)  # they were logged out there, too
    world.assert_clean(page)


@pytest.mark.parametrize("world,kind,mode,reason", [(world, *failure) for world in WORLDS for failure in FAILURES
                                                    if world == "plain" or failure[1] in SOME], indirect=["world"])
def test_failure(world, kind, mode, reason):
    name = world.provider(kind, mode)
    page = world.browser.page()
    world.log_in(page, kind, name)
    page.await_url(f"{world.base}/sso/saml/auth/{name}")
    assert_accessible(page)
    found = UUID.findall(page.text())
    assert len(found) == 1, page.text()
    assert page.statuses[page.url()] == 403
    assert reason not in page.evaluate("document.documentElement.outerHTML") and "amelia" not in page.text()
    world.shoot(page, f"{kind}-{mode}")
    assert session_cookie(world, page) is None
    event = world.event(name, found[0])
    assert (event["reason"], event["succeeded"], event["kind"], event["name_id"]) == (reason, False, "login", None)
    page.complaints = [one for one in page.complaints if "status of 403" not in one[1]]  # that is what it was
    world.assert_clean(page)


@pytest.mark.parametrize("world", WORLDS, indirect=True)
@pytest.mark.parametrize("mode", ["response", "both"])
def test_whatever_is_signed(world, mode):
    name = world.provider("samlp", mode)
    page = world.browser.page()
    world.log_in(page, "samlp", name, user="o'brien")
    page.await_url(f"{world.base}/sso/session")
    assert "o'brien+ü@example.com" in page.text()
    assert world.session(session_cookie(world, page)["value"]).json["name_id"] == "o'brien+ü@example.com"
    world.assert_clean(page)


@pytest.mark.parametrize("world", WORLDS, indirect=True)
def test_another_browser(world):
    """What one browser has begun another can't end, though somebody logs in there: nobody is given another's session."""
    name = world.provider("samlp")
    ours, theirs = world.browser.page(), world.browser.page()
    ours.go(f"{world.base}/sso/{name}")
    ours.await_that("document.title == 'samlp login'")
    theirs.go(ours.url())
    theirs.await_that("document.title == 'samlp login'")
    world.type_password(theirs, "amelia")
    theirs.await_url(f"{world.base}/sso/saml/auth/{name}")
    assert world.event(name, UUID.findall(theirs.text())[0])["reason"] == "browser_mismatch"
    assert session_cookie(world, theirs) is None
    world.type_password(ours, "amelia")
    ours.await_url(f"{world.base}/sso/session")


@pytest.mark.parametrize("world", WORLDS, indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_out_from_there(world, kind):
    """Who logs out at the identity provider is logged out here."""
    name = world.provider(kind)
    page = world.browser.page()
    world.log_in(page, kind, name)
    page.await_url(f"{world.base}/sso/session")
    token = session_cookie(world, page)["value"]
    page.go(f"{world.idps[kind].base}/slo")
    page.await_url(f"{world.idps[kind].base}/slo")
    assert world.session(token).status == 401
    world.assert_clean(page)


@pytest.mark.parametrize("world", ["plain"], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_by_metadata(world, kind):
    """The identity provider is known by nothing but its metadata; two tabs of one browser; the user is shown as they are."""
    made = world.suite.call("POST", "/v2/authentication_providers", {"name": kind, "short_name": f"{kind}-url", "settings_url": world.idps[kind].entity})
    assert made.status == 200, made.body
    page = world.browser.page()
    page.go(f"{world.base}/sso/{kind}-url?return_to=/sso/session%3Ftab=2")  # this one is left
    page.await_that(f"document.title == '{kind} login'")
    left = page.url()
    world.log_in(page, kind, f"{kind}-url", user="o'brien", return_to="/sso/session?tab=1")
    page.await_url(f"{world.base}/sso/session?tab=1")
    assert "o'brien+ü@example.com" in page.text()
    page.go(left)
    page.await_url(f"{world.base}/sso/session?tab=2")
    world.assert_clean(page)


@pytest.mark.parametrize("world", ["tls"], indirect=True)
def test_unasked(world):
    """An identity provider's own tile: refused, until the provider allows it."""
    name = world.provider("samlp")
    page = world.browser.page()
    start = f"{world.idps['samlp'].base}/start?relay=/sso/session&sp={world.base}/sso/saml/metadata/{name}"
    page.go(start)
    page.await_url(f"{world.base}/sso/saml/auth/{name}")
    assert world.event(name, UUID.findall(page.text())[0])["reason"] == "idp_initiated"
    world.change(name, allow_idp_initiated=True)
    page.go(start)
    page.await_url(f"{world.base}/sso/session")
    assert "amelia@example.com" in page.text()
    world.change(name, allow_idp_initiated=False)
