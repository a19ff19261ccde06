"""Trunks for call authorization, and digests made by the test itself (RFC 7616 section 3.4)."""

import hashlib
import secrets

from suite import Client

REALM = "linekeeper"
VERIFY = "/v1/sip/trunks/verify"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def ha1(username, password, algorithm="MD5", realm=REALM):
    return hashlib.new(HASHES[algorithm], f"{username}:{realm}:{password}".encode()).hexdigest()


def result(answer, status):
    assert answer.status == status, answer.body
    return answer.result


class Trunk:
    """One with methods, made through the API."""

    def __init__(self, suite, policy="any", client=None):
        self.client = client or suite.client
        self.uuid = result(self.client.call("POST", "/voip/trunk", {"name": "sip", "auth_policy": policy}), 201)["uuid"]

    @property
    def methods(self):
        return f"/voip/trunk/{self.uuid}/auth"

    def user(self, username, password, **more):
        """Its method's uuid."""
        body = {"type": "sipuser", "username": username, "password": password} | more
        return result(self.client.call("POST", self.methods, body), 201)["uuid"]

    def source(self, ip, **more):
        return result(self.client.call("POST", self.methods, {"type": "ip", "ip": ip} | more), 201)["uuid"]

    def change(self, method, **fields):
        result(self.client.call("PATCH", f"{self.methods}/{method}", fields), 200)


def form_client(suite, *arguments):
    """A SIP server's: its key is of scope sip, for the organization `default` unless said otherwise."""
    return Client(suite.port, suite.make_key("--scope", "sip", *(arguments or ("--organization", "default"))))


def h(algorithm, *parts):
    return hashlib.new(HASHES[algorithm], ":".join(parts).encode()).hexdigest()


def respond(username, password, *, algorithm="MD5", realm=REALM, nonce, uri, method, qop=None, nc=None, cnonce=None,
            session=False):
    """RFC 7616 section 3.4.1; without qop RFC 2069."""
    first = ha1(username, password, algorithm, realm)
    if session:
        first = h(algorithm, first, nonce, cnonce)
    second = h(algorithm, method, uri)
    return h(algorithm, first, nonce, nc, cnonce, qop, second) if qop else h(algorithm, first, nonce, second)


class Caller:
    """Who has a user name and its password."""

    def __init__(self, suite, username, password="correct horse", policy="any"):
        self.username, self.password = username, password
        self.trunk = Trunk(suite, policy)
        self.auth_id = self.trunk.user(username, password)

    def body(self, password=None, algorithm="MD5", session=False, **more):
        """A call's digest, as new as can be."""
        fields = {"realm": REALM, "nonce": secrets.token_hex(16), "uri": "sip:+4930123456@sip.example.com", "method": "INVITE",
                  "qop": "auth", "nc": "00000001", "cnonce": secrets.token_hex(8)} | more
        fields = {name: value for name, value in fields.items() if value is not None}
        made = {name: value for name, value in fields.items() if name != "source_address"}
        response = respond(self.username, password or self.password, algorithm=algorithm, session=session, **made)
        return {"scheme": "digest", "username": self.username, "algorithm": algorithm + ("-sess" if session else ""),
                "response": response} | fields

    def passes(self):
        return {"status": "ok", "reason": None, "message": None, "subject": self.trunk.uuid, "auth_id": self.auth_id}


def decided(client, body, path=VERIFY):
    answer = client.call("POST", path, body)
    assert answer.status == 200, answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json


def denied(client, body, reason):
    answer = decided(client, body)
    assert (answer["status"], answer["reason"]) == ("fail", reason)
    return answer
