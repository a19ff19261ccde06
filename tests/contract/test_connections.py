"""docs/api/connections.md, /security: byte-exact envelopes, what is set, changed, taken and listed."""

import concurrent.futures
import json

import pytest
from suite import Client
from trunk_dialect import NOWHERE, UUID, dump

SERVICES = ["fqdn-auth"]
CONNECTIONS, FQDNS = "/security/connections", "/security/fqdns"
CONNECTION_KEYS = ["active", "auth_type", "connection_name", "created_at", "fqdn_authentication", "fqdns", "id",
                   "outbound_usable", "updated_at"]
AUTH_KEYS = ["connection_id", "created_at", "digest_ready", "failover_url", "fqdn_outbound_authentication", "id",
             "ip_authentication_method", "ip_authentication_token", "outbound_usable", "p_charge_info", "password",
             "record_type", "tech_prefix", "updated_at", "user_name", "webhook_url"]
PAIR = {"user_name": "", "password": "correct horse"}


def path(connection, *more):
    return "/".join([CONNECTIONS, connection, *more])


def auth(connection):
    return path(connection, "fqdn_authentication")


def new_name(start=[0]):
    start[0] += 1
    return f"pbx-{start[0]}"


def bare(answer):
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json


def done(answer):
    """A success by words alone: all three members, always."""
    body = bare(answer)
    assert body["message"]
    assert answer.body == dump({"success": True, "message": body["message"], "reasons": {}})
    return body["message"]


def refused(answer, status, reasons=None):
    assert answer.status == status, answer.body
    body = answer.json
    assert list(body) == ["success", "message", "reasons"]
    assert body["success"] is False and body["message"]
    assert all(isinstance(told, list) and told for told in body["reasons"].values())
    if reasons is not None:
        assert sorted(body["reasons"]) == sorted(reasons), body
    return body


@pytest.fixture
def connection(suite):
    return bare(suite.call("POST", CONNECTIONS, {"connection_name": "a connection"}))["id"]


def show(suite, connection):
    shown = bare(suite.call("GET", auth(connection)))
    assert list(shown) == AUTH_KEYS
    return shown


# ---- connections ----

def test_create_and_read(suite):
    made = bare(suite.call("POST", CONNECTIONS, {"connection_name": "Büro ☎", "id": "x", "unknown": 1}))
    assert list(made) == CONNECTION_KEYS
    assert UUID.match(made["id"]) and made["created_at"] == made["updated_at"]
    assert made["created_at"].endswith("Z") and "T" in made["created_at"]
    assert (made["connection_name"], made["active"], made["auth_type"], made["fqdn_authentication"], made["fqdns"],
            made["outbound_usable"]) == ("Büro ☎", True, None, None, [], False)
    assert bare(suite.call("GET", path(made["id"]))) == made


def test_put_changes_what_is_sent(suite, connection):
    changed = bare(suite.call("PUT", path(connection), {"active": False}))
    assert (changed["active"], changed["connection_name"]) == (False, "a connection")
    changed = bare(suite.call("PUT", path(connection), {"connection_name": "b"}))
    assert (changed["active"], changed["connection_name"]) == (False, "b")
    assert bare(suite.call("PUT", path(connection), {})) == changed


def test_delete_takes_all_along(suite, connection):
    name = new_name()
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=name)))
    fqdn = bare(suite.call("POST", FQDNS, {"connection_id": connection, "fqdn": "a.example", "dns_record_type": "srv"}))
    gone = bare(suite.call("DELETE", path(connection)))
    assert list(gone) == CONNECTION_KEYS
    assert (gone["id"], gone["auth_type"], gone["fqdns"]) == (connection, "fqdn", [fqdn])
    for where in (path(connection), auth(connection), f"{FQDNS}/{fqdn['id']}"):
        refused(suite.call("GET", where), 404, [])
    other = bare(suite.call("POST", CONNECTIONS, {"connection_name": "next"}))["id"]
    done(suite.call("POST", auth(other), dict(PAIR, user_name=name)))  # the name is free again


@pytest.mark.parametrize("body, fields", [
    ({}, ["connection_name"]), ({"connection_name": ""}, ["connection_name"]),
    ({"connection_name": "x" * 129}, ["connection_name"]), ({"connection_name": None, "active": "yes"}, ["connection_name", "active"]),
    ({"connection_name": "a", "active": None}, ["active"])])
def test_create_refused(suite, body, fields):
    refused(suite.call("POST", CONNECTIONS, body), 400, fields)


def test_statuses(suite, connection):
    for method, where in (("GET", path(NOWHERE)), ("PUT", path(NOWHERE)), ("DELETE", path(NOWHERE)), ("GET", path("no-uuid")),
                          ("POST", auth(NOWHERE)), ("PUT", auth(NOWHERE)), ("PUT", auth(connection)),
                          ("GET", auth(connection)), ("DELETE", auth(connection))):
        answer = suite.call(method, where, {} if method in ("PUT", "POST") else None)
        assert answer.status == 404 and answer.body == dump({"success": False, "message": "Record Not Found", "reasons": {}})
    for method, where in (("GET", CONNECTIONS), ("POST", auth(connection)), ("PUT", auth(connection))):
        answer = suite.call(method, where, key="lk_unknown")
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.body == dump({"success": False, "message": "Unauthorized", "reasons": {}})
    refused(suite.call("POST", auth(connection), raw=b"{"), 400)
    refused(suite.call("PATCH", auth(connection), {}), 405)
    refused(suite.call("GET", "/security/nothing"), 404)


def test_organizations(suite, connection):
    stranger = suite.make_key("--organization", "strangers", "--scope", "admin")
    for method, where in (("GET", path(connection)), ("PUT", path(connection)), ("DELETE", path(connection)),
                          ("POST", auth(connection))):
        refused(suite.call(method, where, {}, key=stranger), 404)
    assert bare(suite.call("GET", CONNECTIONS, key=stranger)) == []
    reader = suite.make_key("--organization", "strangers", "--scope", "read")
    refused(suite.call("POST", CONNECTIONS, {"connection_name": "x"}, key=reader), 403)


def test_list(suite):
    key = suite.make_key("--organization", "lists", "--scope", "admin")
    ids = [bare(suite.call("POST", CONNECTIONS, {"connection_name": name, "active": name != "b"}, key=key))["id"]
           for name in "cab"]

    def ask(query):
        return suite.call("GET", f"{CONNECTIONS}?{query}", key=key)

    def listed(query):
        return [row["id"] for row in bare(ask(query))]

    c, a, b = ids
    assert listed("") == listed("order_by=created_at") == [b, a, c]
    assert listed("sort_direction=reverse") == [c, a, b]
    assert listed("order_by=connection_name") == [a, b, c]
    assert listed("order_by=connection_name&sort_direction=reverse") == [c, b, a]
    assert listed("order_by=active")[0] == b
    done(suite.call("POST", auth(a), {}, key=key))
    assert listed("order_by=auth_type")[-1] == a
    plain = bare(ask("limit=1"))[0]
    assert "fqdns" not in plain and "fqdn_authentication" not in plain
    whole = {row["id"]: row for row in bare(ask("with_auth=true&with_fqdns=true"))}
    assert list(whole[a]) == CONNECTION_KEYS
    assert list(whole[a]["fqdn_authentication"]) == AUTH_KEYS
    assert whole[b]["fqdn_authentication"] is None and whole[b]["fqdns"] == []
    first = ask("limit=2")
    assert first.headers["Link"].endswith('rel="next"') and "offset=2" in first.headers["Link"]
    assert ask("limit=2&offset=2").headers["Link"] is None
    for query, field in (("order_by=id", "order_by"), ("sort_direction=up", "sort_direction"), ("with_fqdns=2", "with_fqdns"),
                         ("limit=0", "limit")):
        refused(ask(query), 422, [field])


# ---- FQDN authentication ----

def test_documented_set(suite, connection):
    name = new_name()
    message = done(suite.call("POST", auth(connection), {
        "user_name": name, "password": "a password", "ip_authentication_method": "tech-prefix",
        "fqdn_outbound_authentication": "ip-authentication", "webhook_url": "https://example.com/hook",
        "failover_url": "http://backup.example.com/hook"}))
    assert "unusable" not in message
    shown = show(suite, connection)
    assert (shown["user_name"], shown["password"], shown["ip_authentication_method"], shown["fqdn_outbound_authentication"],
            shown["webhook_url"], shown["failover_url"], shown["outbound_usable"], shown["digest_ready"]) == (
                name, "********", "tech-prefix", "ip-authentication", "https://example.com/hook",
                "http://backup.example.com/hook", True, True)
    assert bare(suite.call("GET", path(connection)))["auth_type"] == "fqdn"


def test_set_without_credentials(suite, connection):
    assert "unusable" in done(suite.call("POST", auth(connection), {}))
    shown = show(suite, connection)
    assert (shown["user_name"], shown["password"], shown["outbound_usable"]) == (None, None, False)


def test_set_again_replaces_whole(suite, connection):
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=new_name(), webhook_url="https://a.example/",
                                                   ip_authentication_method="token")))
    done(suite.call("POST", auth(connection), {"failover_url": "https://b.example/"}))
    shown = show(suite, connection)
    assert (shown["user_name"], shown["webhook_url"], shown["failover_url"], shown["ip_authentication_method"]) == (
        None, None, "https://b.example/", "tech-prefix")


def test_put_leaves_the_rest(suite, connection):
    name = new_name()
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=name, webhook_url="https://a.example/")))
    before = show(suite, connection)
    done(suite.call("PUT", auth(connection), {}))
    assert show(suite, connection) == before
    done(suite.call("PUT", auth(connection), {"fqdn_outbound_authentication": "ip-authentication"}))
    after = show(suite, connection)
    assert after["updated_at"] > before["updated_at"]
    assert after == dict(before, fqdn_outbound_authentication="ip-authentication", updated_at=after["updated_at"])
    done(suite.call("PUT", auth(connection), {"webhook_url": None}))
    assert show(suite, connection)["webhook_url"] is None


def test_another_name_needs_the_password_again(suite, connection):
    name = new_name()
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=name)))
    assert "password is needed again" in done(suite.call("PUT", auth(connection), {"user_name": name.upper()}))
    shown = show(suite, connection)
    assert (shown["user_name"], shown["digest_ready"], shown["password"]) == (name.upper(), False, "********")
    done(suite.call("PUT", auth(connection), {"password": "correct horse"}))
    assert show(suite, connection)["digest_ready"] is True


def test_every_faulty_field_is_listed(suite, connection):
    body = refused(suite.call("POST", auth(connection), {
        "user_name": "a:b", "password": "short", "ip_authentication_method": "ip", "fqdn_outbound_authentication": 1,
        "webhook_url": "example.com", "failover_url": "ftp://example.com/"}), 400,
        ["user_name", "password", "ip_authentication_method", "fqdn_outbound_authentication", "webhook_url", "failover_url"])
    assert body["reasons"]["password"] == ["is too short (minimum is 8 characters)"]


@pytest.mark.parametrize("body, fields", [
    ({"user_name": "x"}, ["password"]), ({"password": "long enough"}, ["user_name"]), ({"user_name": None}, ["user_name"]),
    ({"user_name": "x" * 65}, ["user_name"]), ({"user_name": 'a"b'}, ["user_name"]), ({"user_name": "a\\b"}, ["user_name"]),
    ({"password": "x" * 129}, ["password"]), ({"password": "ü" * 65}, ["password"]), ({"password": "tab\tinside"}, ["password"]),
    ({"password": "*********"}, ["password"]), ({"ip_authentication_method": None}, ["ip_authentication_method"]),
    ({"webhook_url": "https://example.com/" + "x" * 2030}, ["webhook_url"]), ({"webhook_url": "/relative"}, ["webhook_url"]),
    ({"tech_prefix": "12345"}, ["tech_prefix"]), ({"ip_authentication_token": "eleven char"}, ["ip_authentication_token"]),
    ({"p_charge_info": "not a user"}, ["p_charge_info"])])
def test_refused(suite, connection, body, fields):
    refused(suite.call("POST", auth(connection), body), 400, fields)
    done(suite.call("POST", auth(connection), {}))
    refused(suite.call("PUT", auth(connection), body), 400, fields)


def test_code_points_and_bytes(suite, connection):
    done(suite.call("POST", auth(connection), {"user_name": new_name(), "password": "ü" * 8}))
    done(suite.call("POST", auth(connection), {"user_name": "ü" + new_name(), "password": "ü" * 64}))


def test_taken_by_any_organization(suite, connection):
    name = new_name()
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=name, tech_prefix="7001")))
    key = suite.make_key("--organization", "takers", "--scope", "admin")
    other = bare(suite.call("POST", CONNECTIONS, {"connection_name": "x"}, key=key))["id"]
    body = refused(suite.call("POST", auth(other), dict(PAIR, user_name=name.upper(), tech_prefix="7001"), key=key), 400)
    assert body["reasons"] == {"user_name": ["has already been taken"], "tech_prefix": ["has already been taken"]}
    refused(suite.call("PUT", auth(other), {}, key=key), 404)
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=name, tech_prefix="7001")))  # its own is no hindrance


def test_parallel_sets_of_one_name(suite):
    """Whoever comes first has it; nobody else does."""
    ids = [bare(suite.call("POST", CONNECTIONS, {"connection_name": "racer"}))["id"] for _ in range(8)]
    name = new_name()

    def race(connection):
        return Client(suite.port, suite.admin).call("POST", auth(connection), dict(PAIR, user_name=name))

    with concurrent.futures.ThreadPoolExecutor(len(ids)) as pool:
        answers = list(pool.map(race, ids))
    assert sorted(answer.status for answer in answers) == [200] + [400] * (len(ids) - 1)
    for answer in answers:
        if answer.status == 400:
            assert refused(answer, 400)["reasons"] == {"user_name": ["has already been taken"]}
    owners = [connection for connection in ids if bare(suite.call("GET", path(connection)))["outbound_usable"]]
    assert len(owners) == 1


def test_remove(suite, connection):
    done(suite.call("POST", auth(connection), dict(PAIR, user_name=new_name())))
    done(suite.call("DELETE", auth(connection)))
    refused(suite.call("GET", auth(connection)), 404)
    refused(suite.call("DELETE", auth(connection)), 404)
    assert bare(suite.call("GET", path(connection)))["auth_type"] is None


def test_no_secret_comes_back(suite, connection):
    secret, token = "a secret of mine", "a token of mine"
    done(suite.call("POST", auth(connection), {"user_name": new_name(), "password": secret, "ip_authentication_token": token}))
    refused(suite.call("PUT", auth(connection), {"password": secret, "webhook_url": secret}), 400, ["webhook_url"])
    for where in (auth(connection), path(connection), f"{CONNECTIONS}?with_auth=true"):
        text = suite.call("GET", where).body
        assert secret.encode() not in text and token.encode() not in text
    assert not suite.grep_logs(f"{secret}|{token}".encode())


def test_idempotency(suite, connection):
    body = dict(PAIR, user_name=new_name())
    headers = {"Idempotency-Key": f"set-{connection}"}
    first = suite.call("POST", auth(connection), body, headers=headers)
    again = suite.call("POST", auth(connection), body, headers=headers)
    assert first.body == again.body and again.headers["Idempotent-Replayed"] == "true"
    refused(suite.call("POST", auth(connection), {}, headers=headers), 422)


# ---- FQDNs ----

def test_fqdns(suite, connection):
    made = bare(suite.call("POST", FQDNS, {"connection_id": connection.upper(), "fqdn": "PBX.Example.com", "dns_record_type": "a"}))
    assert (made["fqdn"], made["port"], made["dns_record_type"], made["connection_id"]) == ("pbx.example.com", 5060, "a", connection)
    where = f"{FQDNS}/{made['id']}"
    assert bare(suite.call("GET", where)) == made
    assert bare(suite.call("PUT", where, {"port": 5061}))["port"] == 5061
    refused(suite.call("PUT", where, {"dns_record_type": "srv", "port": 5061}), 400, ["port"])
    assert bare(suite.call("PUT", where, {"dns_record_type": "srv"}))["port"] is None
    assert made["id"] in [row["id"] for row in bare(suite.call("GET", FQDNS))]
    assert bare(suite.call("DELETE", where))["id"] == made["id"]
    refused(suite.call("GET", where), 404, [])


@pytest.mark.parametrize("change, fields", [
    ({"fqdn": "192.0.2.1"}, ["fqdn"]), ({"fqdn": "https://a.example"}, ["fqdn"]), ({"fqdn": "a.example/"}, ["fqdn"]),
    ({"dns_record_type": "mx"}, ["dns_record_type"]), ({"port": "5060"}, ["port"]), ({"port": 65536}, ["port"]),
    ({"connection_id": NOWHERE}, ["connection_id"]), ({"connection_id": "x"}, ["connection_id"]),
    ({"dns_record_type": "srv", "port": 5060}, ["port"])])
def test_fqdn_refused(suite, connection, change, fields):
    body = {"connection_id": connection, "fqdn": "a.example", "dns_record_type": "a"}
    refused(suite.call("POST", FQDNS, dict(body, **change)), 400, fields)


def test_fqdn_twice(suite, connection):
    body = {"connection_id": connection, "fqdn": "a.example", "dns_record_type": "srv"}
    bare(suite.call("POST", FQDNS, body))
    told = refused(suite.call("POST", FQDNS, body), 400)
    assert told["reasons"] == {"fqdn": ["has already been taken"]}, json.dumps(told)
