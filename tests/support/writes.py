"""Every write that the services know, as chains of steps: each step is sent the answer of the one before, and
the last ones remove all that the first have made.

A chain is given a dict, things, in which it keeps what is there for sure and how it must be shown:
{(kind, path): members}. A step that says "hash" keeps a password, which is hashed before its turn to write
comes. The last member of a body may be changed freely."""

import dataclasses
import http.client
import itertools
import json
import uuid

from provider_dialect import PROVIDERS, SETTINGS

TRUNKS = "/voip/trunk"
SECURITY = "/security/connections"
CONNECTIONS = "/v2/fqdn_connections"
FQDNS = "/v2/fqdns"
_numbers = itertools.count(1)
_mark = uuid.uuid4().hex[:8]  # others may have written before


def new_number():
    return next(_numbers)


def trunk_chain(things):
    n = new_number()
    made = yield "trunk", "POST", TRUNKS, {"name": f"trunk {n}"}, 201
    trunk = f"{TRUNKS}/{made.result['uuid']}"
    things["trunk", trunk] = {"name": f"trunk {n}"}
    yield "change trunk", "PUT", trunk, {"name": f"trunk {n} again"}, 200
    things["trunk", trunk] = {"name": f"trunk {n} again"}
    network = f"fd{_mark[:2]}:{_mark[2:6]}:{n >> 16:x}:{n & 0xffff:x}::/64"
    made = yield "address", "POST", f"{trunk}/auth", {"type": "ip", "ip": network, "label": "-"}, 201
    address = "method", f"{trunk}/auth/{made.result['uuid']}"
    things[address] = {"type": "ip", "label": "-"}
    yield "change address", "PATCH", address[1], {"label": f"{n}"}, 200
    things[address] = {"type": "ip", "label": f"{n}"}
    name = f"user-{_mark}-{n}"
    body = {"type": "sipuser", "username": name, "password": "correct horse"}
    made = yield "hash user", "POST", f"{trunk}/auth", body, 201
    user = f"{trunk}/auth/{made.result['uuid']}"
    things["method", user] = {"type": "sipuser", "username": name}
    yield "hash change", "PATCH", user, {"password": "battery staple"}, 200
    yield "hash rotate", "POST", f"{user}/rotate", {"password": "another one"}, 200
    yield "remove user", "DELETE", user, None, 204
    del things["method", user]
    yield "remove trunk", "DELETE", trunk, None, 204
    del things["trunk", trunk], things[address]


def connection_chain(things):
    n = new_number()
    made = yield "connection", "POST", SECURITY, {"connection_name": f"connection {_mark} {n}"}, 200
    connection = "connection", f"{SECURITY}/{made.json['id']}"
    things[connection] = {"connection_name": f"connection {_mark} {n}"}
    yield "change connection", "PUT", connection[1], {"connection_name": f"{_mark} {n} again"}, 200
    things[connection] = {"connection_name": f"{_mark} {n} again"}
    auth = f"{connection[1]}/fqdn_authentication"
    yield "hash authentication", "POST", auth, {"user_name": f"pbx-{_mark}-{n}", "password": "correct horse"}, 200
    things["authentication", auth] = {"user_name": f"pbx-{_mark}-{n}"}
    yield "hash change", "PUT", auth, {"password": "battery staple"}, 200
    v2 = f"{CONNECTIONS}/{made.json['id']}"
    body = {"connection_id": made.json["id"], "fqdn": f"pbx{n}.example.com", "dns_record_type": "a", "port": 5060}
    made = yield "fqdn", "POST", "/security/fqdns", body, 200
    fqdn = "fqdn", f"/security/fqdns/{made.json['id']}"
    things[fqdn] = {"fqdn": f"pbx{n}.example.com", "port": 5060}
    yield "change fqdn", "PUT", fqdn[1], {"port": 5080}, 200
    things[fqdn] = {"fqdn": f"pbx{n}.example.com", "port": 5080}
    yield "remove fqdn", "DELETE", fqdn[1], None, 200
    del things[fqdn]
    yield "v2 hash change", "PATCH", f"{v2}/fqdn_authentication", {"password": "another one"}, 200
    yield "v2 change", "PATCH", v2, {"connection_name": f"{_mark} {n} at last"}, 200
    things[connection] = {"connection_name": f"{_mark} {n} at last"}
    yield "remove authentication", "DELETE", auth, None, 200
    del things["authentication", auth]
    yield "remove connection", "DELETE", connection[1], None, 200
    del things[connection]
    made = yield "v2 connection", "POST", CONNECTIONS, {"connection_name": f"v2 {_mark} {n}"}, 201
    connection = "connection", f"{CONNECTIONS}/{made.json['data']['id']}"
    things[connection] = {"connection_name": f"v2 {_mark} {n}"}
    body = {"connection_id": made.json["data"]["id"], "dns_record_type": "srv", "fqdn": f"v2-{n}.example.com"}
    made = yield "v2 fqdn", "POST", FQDNS, body, 201
    fqdn = "fqdn", f"{FQDNS}/{made.json['data']['id']}"
    things[fqdn] = {"fqdn": f"v2-{n}.example.com", "port": None}
    yield "v2 remove fqdn", "DELETE", fqdn[1], None, 200
    del things[fqdn]
    yield "v2 remove connection", "DELETE", connection[1], None, 200
    del things[connection]


def provider_chain(things):
    n = new_number()
    body = {"settings": SETTINGS, "short_name": f"p-{_mark}-{n}", "name": f"provider {n}"}
    made = yield "provider", "POST", PROVIDERS, body, 200
    provider = "provider", f"{PROVIDERS}/{made.json['data']['id']}"
    things[provider] = {"name": f"provider {n}", "active": True}
    yield "change provider", "PATCH", provider[1], {"active": False, "name": f"provider {n} again"}, 200
    things[provider] = {"name": f"provider {n} again", "active": False}
    yield "remove provider", "DELETE", provider[1], None, 200
    del things[provider]


CHAINS = {"trunk-auth": trunk_chain, "fqdn-auth": connection_chain, "auth-provider": provider_chain}
STEPS = 9 + 15 + 3  # of all chains: none may get lost


@dataclasses.dataclass
class Step:
    what: str
    method: str
    path: str
    body: dict
    wanted: int
    key: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    answer: object = None
    told: list = dataclasses.field(default_factory=list)  # the line's

    def send(self, line, client, body=None):
        """Notes in the line of the outcome log what the client is told. With a key if the line has one."""
        self.told = line.told
        headers = {"Idempotency-Key": line.key} if line.key else None
        try:
            answer = client.call(self.method, self.path, body or self.body, headers)
        except (OSError, http.client.HTTPException):
            line.told.append("cut")
            return None
        line.told.append(answer.status)
        if answer.status == self.wanted:
            self.answer = answer
        return answer

    def raw(self, key):
        """The same as bytes."""
        body = json.dumps(self.body or {}).encode()
        head = (f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
                f"Idempotency-Key: {self.key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        return head.encode() + body

    def other_body(self):
        """Valid as well, and another; None for one that has none."""
        if self.body is None:
            return None
        last, value = list(self.body.items())[-1]
        return self.body | {last: value + (1 if isinstance(value, int) else "x")}


def walk(service, things=None):
    """The steps of one chain: each is to be answered before the next is asked for."""
    chain = CHAINS[service](things if things is not None else {})
    step = Step(*next(chain))
    while True:
        yield step
        assert step.answer is not None, step
        try:
            step = Step(*chain.send(step.answer))
        except StopIteration:
            return


def shown(answer):
    """The thing or list of an answer, in whichever dialect."""
    body = answer.json
    return next((body[name] for name in ("result", "data") if name in body), body)
