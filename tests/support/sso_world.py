"""auth-provider with real identity providers and a browser in front: tests/sso. Screenshots are kept below the build
directory, in screenshots/sso.

    with World() as world:           # plain HTTP on loopback, one site
    with World(tls=True) as world:   # through the load balancer of deploy/, the identity providers on another site
        world.provider("samlp", mode="expired")
        page = world.browser.page()
        world.log_in(page, "samlp", "samlp-expired")
"""

import base64
import contextlib
import hashlib
import subprocess
import urllib.parse

from balancer import Balancer
from chromium import Browser
from identity import KINDS, IdentityProvider, key_pair
from suite import BIN, Suite, await_that, free_port

SCREENSHOTS = BIN.parent / "screenshots/sso"


def spki_of(certificate):
    """What Chromium knows a key by."""
    public = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, capture_output=True, timeout=60).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, check=True, capture_output=True, timeout=60).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class World(contextlib.ExitStack):
    def __init__(self, tls=False):
        super().__init__()
        self.tls, self.name = tls, "tls" if tls else "plain"

    def __enter__(self):
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self):
        self.suite = Suite(services=["auth-provider"], gateway_settings={"LK_CALL_ANSWER_MS": "8000"})
        front, trust = free_port(), None
        self.base = f"https://localhost:{front}" if self.tls else f"http://127.0.0.1:{self.suite.port}"
        settings = {"LK_PUBLIC_URL": self.base, "LK_METADATA_ALLOW_PRIVATE": "on"}
        if self.tls:
            key, certificate = key_pair(self.suite.directory, "ours")
            both = self.suite.directory / "saml.pem"
            both.touch(mode=0o600)
            both.write_text(key.read_text() + certificate.read_text())
            settings["LK_SAML_KEY_FILE"] = str(both)
        self.suite.worker_settings = settings
        self.enter_context(self.suite)
        if self.tls:
            balancer = self.enter_context(Balancer(self.suite, ["127.0.0.1"], port=front))
            trust = balancer.trust
        self.idps = {kind: self.enter_context(IdentityProvider(kind, self.suite.directory, trust)) for kind in KINDS}
        self.browser = self.enter_context(Browser(self.suite.directory, spki_of(trust) if trust else None))
        self.providers = {}

    def provider(self, kind, mode="assertion"):
        """Its short name: KIND-MODE. It is made once."""
        name = f"{kind}-{mode}"
        if name not in self.providers:
            body = {"name": name, "short_name": name, "settings": self.idps[kind].settings(mode)}
            answer = self.suite.call("POST", "/v2/authentication_providers", body)
            assert answer.status == 200, answer.body
            self.providers[name] = answer.json["data"]["id"]
        return name

    def change(self, name, **settings):
        answer = self.suite.call("PATCH", f"/v2/authentication_providers/{self.providers[name]}", {"settings": settings})
        assert answer.status == 200, answer.body

    def events(self, name):
        answer = self.suite.call("GET", f"/v2/authentication_providers/{self.providers[name]}/events")
        assert answer.status == 200, answer.body
        return answer.json["data"]

    def event(self, name, identifier):
        """The one with that id."""
        return await_that(lambda: next((one for one in self.events(name) if one["id"] == identifier), None), 10, f"event {identifier}")

    def log_in(self, page, kind, name, user="amelia", return_to="/sso/session"):
        """By the keyboard, as far as the identity provider's answer."""
        page.go(f"{self.base}/sso/{name}?return_to={urllib.parse.quote(return_to)}")
        page.await_that(f"document.title == '{kind} login'")
        self.type_password(page, user)

    def type_password(self, page, user):
        page.await_that("document.activeElement.name == 'user'")
        page.type(user)
        page.press("Tab")
        page.type("correct horse")
        page.press("Enter")

    def asks_for_password(self, page, kind, name):
        """Whether the identity provider does: nobody is logged in there."""
        page.go(f"{self.base}/sso/{name}")
        page.await_that(f"document.title == '{kind} login' || location.href.startsWith('{self.base}')")
        return page.evaluate(f"document.title == '{kind} login'")

    def session(self, token):
        """What a program that has the token is told."""
        return self.suite.call("GET", "/sso/session", key=token)

    def shoot(self, page, what):
        page.screenshot(SCREENSHOTS / f"{self.name}-{what}.png")

    def assert_clean(self, page):
        """Nothing of ours makes the browser complain; nothing was asked of anybody but us and the identity providers."""
        ours = [one for one in page.complaints if one[0].startswith(self.base)]
        assert not ours, ours
        places = (self.base, *(idp.base for idp in self.idps.values()), "about:blank", "data:,")
        others = [url for _, url in page.requests if not url.startswith(places)]
        assert not others, others
