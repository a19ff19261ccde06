"""A browser and an identity provider for tests of single sign-on: cookies are kept as browsers keep them, answers are
signed by tests/saml."""

import base64
import dataclasses
import datetime
import html.parser
import pathlib
import sys
import urllib.parse
import zlib

from lxml import etree
from suite import Client

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "saml"))

import dsig  # noqa: E402 (the path above comes first)
import keys  # noqa: E402
import message  # noqa: E402

IDP = "https://idp.example/metadata"
TARGET = "https://idp.example/sso"
FORM = "application/x-www-form-urlencoded"
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NAMES = {"samlp": message.P, "saml": message.A, "md": "urn:oasis:names:tc:SAML:2.0:metadata"}


def new_settings(key=None, **more):
    """Of a provider whose answers that key signs."""
    return {"idp_entity_id": IDP, "idp_sso_target_url": TARGET, "idp_cert_fingerprint": (key or keys.key()).fingerprint(),
            "idp_cert_fingerprint_algorithm": "sha256", **more}


@dataclasses.dataclass
class Sent:
    """Where a login sends the browser."""

    url: str
    request: etree.Element
    relay_state: str
    parameters: dict

    @property
    def id(self):
        return self.request.get("ID")


def read_redirect(location):
    parameters = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    xml = zlib.decompress(base64.b64decode(parameters["SAMLRequest"][0], validate=True), -zlib.MAX_WBITS)
    return Sent(location.split("?")[0], etree.fromstring(xml), parameters.get("RelayState", [None])[0], parameters)


def at(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_message(base, name, request_id, **changes):
    """A good answer of now, as tests/saml/message.py has it, but for the changes. IDs are new."""
    number = base64.b16encode(hash_of(request_id, changes)).decode()
    return message.Message(issuer=IDP, audience=f"{base}/sso/saml/metadata/{name}", recipient=f"{base}/sso/saml/auth/{name}",
                           destination=f"{base}/sso/saml/auth/{name}", in_response_to=request_id, response_id=f"_r{number}",
                           assertion_id=f"_a{number}", issued=at(-5), not_before=at(-30), not_on_or_after=at(300),
                           confirmed_until=at(300), session_until=at(3600), authn_instant=at(-6)).but(**changes)


def hash_of(request_id, changes):
    return base64.b85encode(repr((request_id, sorted(changes), at(0), next(COUNTER))).encode())[-16:]


COUNTER = iter(range(1 << 30))


def encode(text):
    return base64.b64encode(text.encode()).decode()


class Browser:
    """Keeps cookies by name; follows nothing by itself. Its own site is that of the suite: what stands in a page of the
    identity provider's is posted with post(), without a Lax cookie."""

    def __init__(self, suite, accept=PAGE):
        self.client, self.accept = Client(suite.port, key=""), accept
        self.cookies, self.set = {}, {}

    def call(self, method, path, raw=None, headers=None, cross_site=False):
        sent = {"Accept": self.accept} | (headers or {})
        cookies = [f"{name}={value}" for name, value in self.cookies.items()
                   if not (cross_site and self.set[name].get("samesite") in ("Lax", "Strict"))]
        if cookies:
            sent["Cookie"] = "; ".join(cookies)
        answer = self.client.call(method, path, raw=raw, headers=sent)
        self.set_now = []
        for header in answer.headers.get_all("Set-Cookie") or ():
            self._keep(header)
        return answer

    def _keep(self, header):
        pair, *attributes = header.split("; ")
        name, value = pair.split("=", 1)
        kept = {key.lower(): rest[0] if rest else True for key, *rest in (one.split("=", 1) for one in attributes)}
        self.set_now.append((name, value, kept))
        if kept.get("max-age") == "0":
            self.cookies.pop(name, None)
        else:
            self.cookies[name], self.set[name] = value, kept

    def get(self, path, **named):
        return self.call("GET", path, **named)

    def login(self, name, query=""):
        """To the identity provider."""
        answer = self.get(f"/sso/{name}{query}")
        assert answer.status == 303, (answer.status, answer.body)
        return read_redirect(answer.headers["Location"])

    def post(self, name, response, relay_state=None, **named):
        """What the identity provider's page has the browser send."""
        form = {"SAMLResponse": response} | ({} if relay_state is None else {"RelayState": relay_state})
        return self.call("POST", f"/sso/saml/auth/{name}", raw=urllib.parse.urlencode(form).encode(),
                         headers={"Content-Type": FORM}, cross_site=True, **named)

    def answer(self, base, name, sent, what="assertion", recipe=None, **changes):
        """A whole answer to what was sent."""
        text = make_message(base, name, sent.id, **changes).signed(what, recipe or dsig.Recipe())
        return self.post(name, encode(text), sent.relay_state)

    def close(self):
        self.client.close()


class Page(html.parser.HTMLParser):
    """A page's outline: elements by name, and texts."""

    def __init__(self, answer):
        super().__init__()
        assert answer.headers["Content-Type"].startswith("text/html"), answer.headers["Content-Type"]
        self.elements, self.texts, self.inside = [], {}, []
        self.source = answer.body.decode()
        self.feed(self.source)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "input", "br", "link"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag

    def handle_data(self, data):
        self.texts[self.inside[-1] if self.inside else ""] = self.texts.get(self.inside[-1] if self.inside else "", "") + data

    def attributes(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]
