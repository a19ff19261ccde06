"""Logins over the plain HTTP API, step by step, with an identity provider that is nothing but a key (tests/saml signs).

    suite = single_sign_on(workers=3)       # not started yet
    idp = Idp(suite, "acme")                # makes the provider
    login = idp.begin(client)               # GET /sso/acme
    answer = login.post(client)             # POST of a good Response to it
    answer.json["token"]
"""

import base64
import datetime
import itertools
import re
import secrets
import sys
import urllib.parse
import zlib

from suite import ROOT, Suite

sys.path.insert(0, str(ROOT / "tests/saml"))
import dsig  # noqa: E402 (the path above comes first)
import keys  # noqa: E402
from message import Message  # noqa: E402

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NUMBERS = itertools.count(1)


def single_sign_on(kind=Suite, services=("auth-provider",), worker_settings=None, gateway_settings=None, **named):
    """A suite, not started, that knows where it is reached."""
    suite = kind(services=services, gateway_settings={"LK_CALL_ANSWER_MS": "8000", "LK_SSO_RATE_LIMIT": "0"} | (gateway_settings or {}), **named)
    suite.worker_settings = {"LK_PUBLIC_URL": f"http://127.0.0.1:{suite.port}"} | (worker_settings or {})
    return suite


def instant(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def fresh_id():
    return "_" + secrets.token_hex(20)


class Idp:
    def __init__(self, suite, name, **settings):
        self.suite, self.name, self.base = suite, name, suite.worker_settings["LK_PUBLIC_URL"]
        self.key, self.entity = keys.key(), f"https://{name}.idp.example/metadata"
        self.clock = 0  # seconds that its clock is ahead
        answer = suite.call("POST", "/v2/authentication_providers", {"name": name, "short_name": name, "settings": {
            "idp_entity_id": self.entity, "idp_sso_target_url": f"https://{name}.idp.example/sso",
            "idp_cert_fingerprint": self.key.fingerprint(), "idp_cert_fingerprint_algorithm": "sha256"} | settings})
        assert answer.status == 200, answer.body
        self.id = answer.json["data"]["id"]

    def begin(self, client, return_to=None):
        query = f"?return_to={urllib.parse.quote(return_to)}" if return_to else ""
        answer = client.call("GET", f"/sso/{self.name}{query}", key="", headers={"Accept": "text/html"})
        assert answer.status == 303, (answer.status, answer.body)
        return Login(self, answer)

    def message(self, request=None, lifetime=300, **changes):
        """A good Response to a request, but for the changes."""
        now, until = instant(self.clock - 1), instant(self.clock + lifetime)
        given = {"name_id": f"person{next(NUMBERS)}@example.com", "response_id": fresh_id(), "assertion_id": fresh_id(), "issuer": self.entity,
                 "audience": f"{self.base}/sso/saml/metadata/{self.name}", "recipient": f"{self.base}/sso/saml/auth/{self.name}",
                 "destination": f"{self.base}/sso/saml/auth/{self.name}", "in_response_to": request, "issued": now, "not_before": now,
                 "not_on_or_after": until, "confirmed_until": until, "session_until": instant(self.clock + 3600), "authn_instant": now}
        return Message(**given | changes)

    def events(self, client=None):
        """What its logins came to, the latest first."""
        answer = (client or self.suite.client).call("GET", f"/v2/authentication_providers/{self.id}/events?page[size]=250")
        assert answer.status == 200, answer.body
        return [one for one in answer.json["data"] if one["kind"] == "login"]

    def reasons(self):
        """Of the logins that failed."""
        return [one["reason"] for one in self.events() if not one["succeeded"]]


class Login:
    """One that has begun: what the browser was sent away with."""

    def __init__(self, idp, answer):
        self.idp = idp
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)
        self.relay_state = query["RelayState"][0]
        request = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15).decode()
        self.id = re.search(r' ID="([^"]*)"', request)[1]
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def form(self, text=None):
        """The body that the identity provider's page would post."""
        text = self.idp.message(self.id).signed(recipe=dsig.Recipe(key=self.idp.key)) if text is None else text
        encoded = base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
        return urllib.parse.urlencode({"SAMLResponse": encoded, "RelayState": self.relay_state}).encode()

    def post(self, client, form=None, cookie=None, **headers):
        """Sent as a program would: what comes back is JSON. cookie="" sends none."""
        cookie = self.cookie if cookie is None else cookie
        return client.call("POST", f"/sso/saml/auth/{self.idp.name}", raw=form or self.form(), key="",
                           headers=FORM | ({"Cookie": cookie} if cookie else {}) | headers)


def whose(client, token):
    """The name id of a session; None: there is no such session."""
    answer = client.call("GET", "/sso/session", key=token)
    assert answer.status in (200, 401), (answer.status, answer.body)
    return answer.json["name_id"] if answer.status == 200 else None
