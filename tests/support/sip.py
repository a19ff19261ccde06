"""Trunks for call authorization, and digests made by the test itself (RFC 7616 section 3.4)."""

import hashlib

from suite import Client

REALM = "linekeeper"
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
