"""docs/api/README.md: API keys, scopes, organizations."""

import json
import time

import pytest
from suite import SLOW, Client, await_that, basic
from trunk_dialect import NOWHERE, check_failure, check_success, new_ip

TRUNKS = "/voip/trunk"


def get(suite, headers, path=TRUNKS):
    return suite.call("GET", path, headers=headers, key="")


def refused(answer):
    check_failure(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_every_form_of_the_key(suite):
    key = suite.admin
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer {key}"},
                    {"Authorization": f"Token {key}"}, {"Authorization": basic("anyone", key)},
                    {"Authorization": basic("", key)}, {"x-api-token": key}, {"X-Auth-Password": key},
                    {"X-Auth-Password": key, "X-Auth-User": "reseller"},
                    {"Authorization": f"Bearer {key}", "x-api-token": key}):
        assert get(suite, headers).status == 200, headers


def test_what_is_no_key(suite):
    key = suite.admin
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    for headers in ({}, {"Authorization": ""}, {"Authorization": key}, {"Authorization": "Bearer"},
                    {"Authorization": "Bearer null"}, {"Authorization": f"Bearer {wrong}"},
                    {"Authorization": f"Bearer {key}x"}, {"Authorization": f"Bearer {key[:-1]}"},
                    {"Authorization": f"Digest {key}"}, {"Authorization": "Basic !!!"},
                    {"Authorization": basic(key, "")}, {"x-api-token": "lk_"}, {"X-Auth-Password": " "},
                    {"Authorization": "Bearer " + "x" * 4000}):
        refused(get(suite, headers))


def test_credentials_that_differ(suite):
    other = suite.make_key("--organization", "default", "--scope", "read")
    refused(get(suite, {"Authorization": f"Bearer {suite.admin}", "x-api-token": other}))
    refused(get(suite, {"x-api-token": suite.admin, "X-Auth-Password": other}))
    refused(get(suite, {"Authorization": f"Bearer {suite.admin}", "x-api-token": "junk"}))


def test_refused_in_the_dialect_of_the_route(suite):
    refused(suite.call("POST", f"{TRUNKS}/{NOWHERE}/auth", {"type": "ip"}, key="x"))
    refused(suite.call("DELETE", f"{TRUNKS}/{NOWHERE}", key="x"))


@pytest.mark.parametrize("scope, reads, writes", [("admin", 200, 201), ("read", 200, 403), ("sip", 403, 403)])
def test_scopes(suite, scope, reads, writes):
    key = suite.make_key("--organization", "scopes", "--scope", scope)
    read = suite.call("GET", TRUNKS, key=key)
    wrote = suite.call("POST", TRUNKS, {"name": "x"}, key=key)
    assert (read.status, wrote.status) == (reads, writes)
    for answer in (read, wrote):
        if answer.status == 403:
            check_failure(answer, 403)


def test_organizations_do_not_see_each_other(suite):
    one, two = (suite.make_key("--organization", name, "--scope", "admin") for name in ("one", "two"))
    trunk = suite.make_trunk("of one", key=one)
    made = check_success(suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": new_ip()}, key=one), 201)
    method = f"{TRUNKS}/{trunk}/auth/{made['uuid']}"
    for verb, path, body in (
            ("GET", f"{TRUNKS}/{trunk}", None), ("PUT", f"{TRUNKS}/{trunk}", {"name": "x"}),
            ("DELETE", f"{TRUNKS}/{trunk}", None), ("GET", f"{TRUNKS}/{trunk}/auth", None),
            ("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": new_ip()}), ("GET", method, None),
            ("PATCH", method, {"label": "x"}), ("DELETE", method, None),
            ("POST", method + "/rotate", {"password": "battery staple"})):
        check_failure(suite.call(verb, path, body, key=two), 404)
    assert trunk not in [row["uuid"] for row in suite.call("GET", TRUNKS, key=two).result]
    assert trunk in [row["uuid"] for row in suite.call("GET", TRUNKS, key=one).result]
    # An operator's key sees all.
    assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
    assert trunk in [row["uuid"] for row in suite.call("GET", TRUNKS).result]
    # A second key of the same organization is no stranger.
    third = suite.make_key("--organization", "one", "--scope", "read")
    assert suite.call("GET", method, key=third).status == 200


# ---- their life, by the command line, while the gateway runs ----

def test_a_new_key_works_and_a_revoked_one_does_not_within_a_second(suite):
    key = suite.make_key("--organization", "default", "--scope", "read", "--name", "short-lived")
    client = Client(suite.port, key)
    await_that(lambda: client.call("GET", TRUNKS).status == 200, 1, "the new key works")
    listed = json.loads(suite.key_command("list", "--json").stdout)
    row = next(row for row in listed if row["name"] == "short-lived")
    assert (row["scope"], row["operator"], row["state"]) == ("read", False, "live")
    assert suite.key_command("revoke", row["id"]).returncode == 0
    begun = time.monotonic()
    await_that(lambda: client.call("GET", TRUNKS).status == 401, 1, "the revoked key is refused")
    print(f"revoked after {time.monotonic() - begun:.3f} s")
    assert suite.key_command("revoke", row["id"]).returncode == 0  # twice is fine


def test_a_key_that_expires(suite):
    key = suite.make_key("--organization", "default", "--scope", "read", "--expires", f"{int(3 * SLOW)}s")
    client = Client(suite.port, key)
    await_that(lambda: client.call("GET", TRUNKS).status == 200, 1, "the new key works")
    await_that(lambda: client.call("GET", TRUNKS).status == 401, 10, "the expired key is refused")


def test_the_store_holds_no_key(suite):
    for path in suite.data.glob("gateway.db*"):
        assert suite.admin.encode() not in path.read_bytes()
        assert suite.admin[3:].encode() not in path.read_bytes()
    assert suite.admin not in suite.key_command("list").stdout


@pytest.mark.parametrize("arguments", [
    ("create",), ("create", "--organization", "x"), ("create", "--scope", "admin"),
    ("create", "--organization", "x", "--scope", "root"), ("create", "--organization", "x", "--scope", "read", "--expires", "0d"),
    ("create", "--organization", "x", "--scope", "read", "--frob"), ("revoke",), ("frob",), (),
])
def test_wrong_arguments(suite, arguments):
    done = suite.key_command(*arguments)
    assert done.returncode == 64
    assert done.stderr and not done.stdout


def test_revoking_what_is_not_there(suite):
    assert suite.key_command("revoke", NOWHERE).returncode == 1
