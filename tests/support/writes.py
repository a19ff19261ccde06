"""Every write that the services know, as chains: each yields (what, method, path, body, status) and is sent
the answer. What says "hash" keeps a password, which is hashed before its turn to write comes. The last member of
a body may be changed freely."""

import itertools

from provider_dialect import PROVIDERS, SETTINGS

TRUNKS = "/voip/trunk"
SECURITY = "/security/connections"
CONNECTIONS = "/v2/fqdn_connections"
_numbers = itertools.count(1)


def trunk_chain():
    n = next(_numbers)
    made = yield "trunk", "POST", TRUNKS, {"name": f"trunk {n}"}, 201
    trunk = f"{TRUNKS}/{made.result['uuid']}"
    yield "change trunk", "PUT", trunk, {"name": f"trunk {n} again"}, 200
    made = yield "address", "POST", f"{trunk}/auth", {"type": "ip", "ip": f"fd00:{n:x}::/64", "label": "-"}, 201
    yield "change address", "PATCH", f"{trunk}/auth/{made.result['uuid']}", {"label": f"{n}"}, 200
    user = {"type": "sipuser", "username": f"user-{n}", "password": "correct horse"}
    made = yield "hash user", "POST", f"{trunk}/auth", user, 201
    user = f"{trunk}/auth/{made.result['uuid']}"
    yield "hash change", "PATCH", user, {"password": "battery staple"}, 200
    yield "hash rotate", "POST", f"{user}/rotate", {"password": "another one"}, 200
    yield "remove user", "DELETE", user, None, 204
    yield "remove trunk", "DELETE", trunk, None, 204


def connection_chain():
    n = next(_numbers)
    made = yield "connection", "POST", SECURITY, {"connection_name": f"connection {n}"}, 200
    identity = made.json["id"]
    auth = f"{SECURITY}/{identity}/fqdn_authentication"
    yield "change connection", "PUT", f"{SECURITY}/{identity}", {"connection_name": f"connection {n} again"}, 200
    yield "hash authentication", "POST", auth, {"user_name": f"pbx-{n}", "password": "correct horse"}, 200
    yield "hash change", "PUT", auth, {"password": "battery staple"}, 200
    fqdn = {"connection_id": identity, "fqdn": f"pbx{n}.example.com", "dns_record_type": "a", "port": 5060}
    made = yield "fqdn", "POST", "/security/fqdns", fqdn, 200
    fqdn = f"/security/fqdns/{made.json['id']}"
    yield "change fqdn", "PUT", fqdn, {"port": 5080}, 200
    yield "remove fqdn", "DELETE", fqdn, None, 200
    yield "v2 hash change", "PATCH", f"{CONNECTIONS}/{identity}/fqdn_authentication", {"password": "another one"}, 200
    yield "v2 change", "PATCH", f"{CONNECTIONS}/{identity}", {"connection_name": f"connection {n} at last"}, 200
    yield "remove authentication", "DELETE", auth, None, 200
    yield "remove connection", "DELETE", f"{SECURITY}/{identity}", None, 200
    made = yield "v2 connection", "POST", CONNECTIONS, {"connection_name": f"v2 connection {n}"}, 201
    identity = made.json["data"]["id"]
    made = yield "v2 fqdn", "POST", "/v2/fqdns", {"connection_id": identity, "dns_record_type": "srv",
                                                  "fqdn": f"v2-{n}.example.com"}, 201
    yield "v2 remove fqdn", "DELETE", f"/v2/fqdns/{made.json['data']['id']}", None, 200
    yield "v2 remove connection", "DELETE", f"{CONNECTIONS}/{identity}", None, 200


def provider_chain():
    n = next(_numbers)
    made = yield "provider", "POST", PROVIDERS, {"settings": SETTINGS, "short_name": f"p-{n}", "name": f"p {n}"}, 200
    provider = f"{PROVIDERS}/{made.json['data']['id']}"
    yield "change provider", "PATCH", provider, {"active": False, "name": f"p {n} again"}, 200
    yield "remove provider", "DELETE", provider, None, 200


CHAINS = {"trunk-auth": trunk_chain, "fqdn-auth": connection_chain, "auth-provider": provider_chain}
STEPS = 9 + 15 + 3  # of all chains: none may get lost
