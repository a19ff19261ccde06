"""docs/api/trunks.md, the trunks themselves."""

import pytest
from trunk_dialect import NOWHERE, check_failure, check_success, check_trunk, new_ip

TRUNKS = "/voip/trunk"


def make(suite, **body):
    return check_success(suite.call("POST", TRUNKS, body), 201)


def test_create_with_defaults(suite):
    trunk = make(suite, name="Head office")
    check_trunk(trunk)
    assert {**trunk, "uuid": 0, "created_on": 0, "updated_on": 0} == {
        "auth": [], "auth_count": 0, "auth_policy": "any", "created_on": 0, "domain": None, "name": "Head office",
        "port": 5060, "transport": "udp", "updated_on": 0, "user": None, "uuid": 0}


def test_create_with_everything(suite):
    sent = {"name": "n" * 128, "domain": "pbx.example.com", "port": 5061, "transport": "tls",
            "auth_policy": "all", "user": "u" * 64}
    trunk = make(suite, **sent, auth=[{"type": "ip"}], uuid=NOWHERE)
    assert {key: trunk[key] for key in sent} == sent
    assert trunk["auth"] == [] and trunk["uuid"] != NOWHERE
    assert check_success(suite.call("GET", f"{TRUNKS}/{trunk['uuid']}"), 200) == trunk


@pytest.mark.parametrize("domain", ["192.0.2.7", "2001:db8::7", "a", "a-b.example"])
def test_domains_taken(suite, domain):
    assert make(suite, name="x", domain=domain)["domain"] == domain


@pytest.mark.parametrize("body, fields", [
    ({}, ["name"]),
    ({"name": None}, ["name"]),
    ({"name": ""}, ["name"]),
    ({"name": "n" * 129}, ["name"]),
    ({"name": "a\nb"}, ["name"]),
    ({"name": "x", "port": 0}, ["port"]),
    ({"name": "x", "port": 65536}, ["port"]),
    ({"name": "x", "port": "5060"}, ["port"]),
    ({"name": "x", "port": 5060.0}, ["port"]),
    ({"name": "x", "transport": "UDP"}, ["transport"]),
    ({"name": "x", "auth_policy": "both"}, ["auth_policy"]),
    ({"name": "x", "domain": "a b"}, ["domain"]),
    ({"name": "x", "domain": "-a.example"}, ["domain"]),
    ({"name": "x", "domain": ""}, ["domain"]),
    ({"name": "x", "user": "u" * 65}, ["user"]),
    ({"port": 0, "transport": "x"}, ["name", "port", "transport"]),
])
def test_refused(suite, trunk, body, fields):
    check_failure(suite.call("POST", TRUNKS, body), 400, fields)
    check_failure(suite.call("PUT", f"{TRUNKS}/{trunk}", body), 400, fields)


def test_read_shows_its_methods_oldest_first(suite, trunk):
    made = [check_success(suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": new_ip()}), 201)
            for _ in range(3)]
    read = check_success(suite.call("GET", f"{TRUNKS}/{trunk}"), 200)
    assert [method["uuid"] for method in read["auth"]] == [method["uuid"] for method in made]
    assert read["auth"] == check_success(suite.call("GET", f"{TRUNKS}/{trunk}/auth"), 200)


def test_put_replaces_all_but_the_methods(suite):
    trunk = make(suite, name="before", domain="pbx.example.com", port=5070, transport="tcp",
                 auth_policy="all", user="alice")
    suite.call("POST", f"{TRUNKS}/{trunk['uuid']}/auth", {"type": "ip", "ip": new_ip()})
    replaced = check_success(suite.call("PUT", f"{TRUNKS}/{trunk['uuid']}", {"name": "after"}), 200)
    check_trunk(replaced)
    assert len(replaced["auth"]) == 1
    assert [replaced[key] for key in ("name", "domain", "port", "transport", "auth_policy", "user", "uuid")] == [
        "after", None, 5060, "udp", "any", None, trunk["uuid"]]


def test_delete_takes_the_methods_along(suite):
    trunk, other, ip = suite.make_trunk(), suite.make_trunk(), new_ip()
    made = check_success(suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": ip}), 201)
    answer = suite.call("DELETE", f"{TRUNKS}/{trunk}")
    assert (answer.status, answer.body) == (204, b"")
    check_failure(suite.call("GET", f"{TRUNKS}/{trunk}"), 404)
    check_failure(suite.call("GET", f"{TRUNKS}/{trunk}/auth"), 404)
    check_failure(suite.call("GET", f"{TRUNKS}/{trunk}/auth/{made['uuid']}"), 404)
    check_failure(suite.call("DELETE", f"{TRUNKS}/{trunk}"), 404)
    check_success(suite.call("POST", f"{TRUNKS}/{other}/auth", {"type": "ip", "ip": ip}), 201)


def test_list(suite):
    made = [suite.make_trunk(f"listed {i}") for i in range(5)]
    everything = [trunk["uuid"] for trunk in check_success(suite.call("GET", TRUNKS), 200)]
    assert everything[-5:] == made
    paged = []
    for offset in range(0, len(everything) + 2, 2):
        paged += [trunk["uuid"] for trunk in
                  check_success(suite.call("GET", f"{TRUNKS}?limit=2&offset={offset}"), 200)]
    assert paged == everything


@pytest.mark.parametrize("method, malformed", [("GET", 400), ("PUT", 404), ("DELETE", 404)])
def test_ids(suite, method, malformed):
    body = {"name": "x"} if method == "PUT" else None
    check_failure(suite.call(method, f"{TRUNKS}/{NOWHERE}", body), 404)
    check_failure(suite.call(method, f"{TRUNKS}/nonsense", body), malformed)
