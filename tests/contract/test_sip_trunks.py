"""docs/api/sip.md, what a server asks before it verifies by itself: /ha1, /source, /acl of trunks."""

import datetime
import hashlib
import json
from urllib.parse import quote

import pytest
from suite import Client, Suite, await_that, basic
from trunk_dialect import new_ip, new_user

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
REALMS = ["sip.example.com", "linekeeper", "Büro '1'"]
BASE = "/v1/sip/trunks"


@pytest.fixture(scope="module")
def suite():
    with Suite(worker_settings={"LK_SIP_REALMS": ",".join(REALMS)}) as running:
        running.organization = "o-" + new_user()
        admin = running.make_key("--organization", running.organization, "--scope", "admin")
        running.operator, running.client = running.client, Client(running.port, admin)
        running.server = Client(running.port, running.make_key("--organization", running.organization, "--scope", "sip"))
        yield running


@pytest.fixture
def trunk(suite):
    return suite.make_trunk()


def ha1(username, password, realm=REALMS[0], algorithm="MD5"):
    return hashlib.new(HASHES[algorithm], f"{username}:{realm}:{password}".encode()).hexdigest()


def add(suite, trunk, **body):
    answer = suite.call("POST", f"/voip/trunk/{trunk}/auth", body)
    assert answer.status == 201, answer.body
    return answer.result


def add_user(suite, trunk, username=None, password="correct horse", **more):
    return add(suite, trunk, type="sipuser", username=username or new_user(), password=password, **more)


def add_ip(suite, trunk, ip, **more):
    return add(suite, trunk, type="ip", ip=ip, **more)


def change(suite, trunk, method, **body):
    answer = suite.call("PATCH", f"/voip/trunk/{trunk}/auth/{method['uuid']}", body)
    assert answer.status == 200, answer.body


def want_both(suite, trunk):
    answer = suite.call("PUT", f"/voip/trunk/{trunk}", {"name": "a trunk", "auth_policy": "all"})
    assert answer.status == 200, answer.body


def ask(suite, what, client=None, headers=None, **query):
    words = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
    return (client or suite.server).call("GET", f"{BASE}/{what}?{words}", headers=headers)


def given(suite, what, **query):
    answer = ask(suite, what, **query)
    assert answer.status == 200, answer.body
    return answer


def denied(suite, what, status, reason, **query):
    answer = ask(suite, what, **query)
    assert answer.status == status, answer.body
    assert answer.json["errors"][0]["meta"]["reason"] == reason


def new_block(start=[0]):
    """A /24 without its last octet that no test has used."""
    start[0] += 1
    return f"100.127.{start[0]}"


def until(seconds):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# ---- /ha1 ----

@pytest.mark.parametrize("realm", REALMS)
@pytest.mark.parametrize("algorithm", HASHES)
def test_ha1_of_every_realm_and_algorithm(suite, trunk, realm, algorithm):
    user = add_user(suite, trunk)
    name = user["username"]
    answer = given(suite, "ha1", username=name, realm=realm, algorithm=algorithm)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json == {"algorithm": algorithm, "auth_id": user["uuid"], "subject": trunk, "ttl": 60,
                           "ha1": ha1(name, "correct horse", realm, algorithm)}


@pytest.mark.parametrize("password", ["sixsix", "ein Paßwort ☎", " blanks ", 'q"uo\\te:s', "x" * 128])
def test_ha1_hashes_bytes(suite, trunk, password):
    name = "Office.PBX-" + new_user()
    add_user(suite, trunk, name, password)
    assert given(suite, "ha1", username=name).json["ha1"] == ha1(name, password)
    denied(suite, "ha1", 404, "unknown_user", username=name.lower())
    denied(suite, "ha1", 404, "unknown_user", username=name + " ")


def test_ha1_as_text_and_for_freeradius(suite, trunk):
    name = add_user(suite, trunk)["username"]
    first = ha1(name, "correct horse").encode()
    answer = given(suite, "ha1", username=name, format="text")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.body == first + b"\n"
    answer = given(suite, "ha1", username=name, format="freeradius")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.body == b'{"control:Digest-HA1":"' + first + b'"}'


def test_ha1_while_two_passwords_live(suite, trunk):
    user = add_user(suite, trunk)
    name, rotate = user["username"], f"/voip/trunk/{trunk}/auth/{user['uuid']}/rotate"
    assert suite.call("POST", rotate, {"password": "battery staple", "grace_seconds": 3600}).status == 200
    old, new = ha1(name, "correct horse"), ha1(name, "battery staple")
    answer = given(suite, "ha1", username=name).json
    assert (answer["ha1"], answer["previous"]) == (new, old)
    assert given(suite, "ha1", username=name, format="text").body == f"{new}\n{old}\n".encode()
    answer = given(suite, "ha1", username=name, generation="previous").json
    assert answer["ha1"] == old and "previous" not in answer
    assert given(suite, "ha1", username=name, format="text", generation="previous").body == f"{old}\n".encode()
    assert given(suite, "ha1", username=name, algorithm="SHA-256").json["previous"] == ha1(name, "correct horse", algorithm="SHA-256")
    # At once: the old one is gone with the answer to that.
    assert suite.call("POST", rotate, {"password": "third one", "grace_seconds": 0}).status == 200
    answer = given(suite, "ha1", username=name).json
    assert answer["ha1"] == ha1(name, "third one") and "previous" not in answer
    denied(suite, "ha1", 403, "expired", username=name, generation="previous")


def test_a_grace_ends(suite, trunk):
    user = add_user(suite, trunk)
    rotate = f"/voip/trunk/{trunk}/auth/{user['uuid']}/rotate"
    assert suite.call("POST", rotate, {"password": "battery staple", "grace_seconds": 2}).status == 200
    before = ask(suite, "ha1", username=user["username"]).json
    assert before["ttl"] <= 2
    await_that(lambda: "previous" not in given(suite, "ha1", username=user["username"]).json, 10, "the grace ends")


def test_ha1_of_whom_nobody_knows(suite, trunk):
    denied(suite, "ha1", 404, "unknown_user", username=new_user())
    other = Client(suite.port, suite.make_key("--organization", "o-" + new_user(), "--scope", "sip"))
    name = add_user(suite, trunk)["username"]
    denied(suite, "ha1", 404, "unknown_user", username=name, client=other)
    denied(suite, "ha1", 404, "unknown_user", username=name + "-")


def test_ha1_of_what_is_not_served(suite, trunk):
    name = add_user(suite, trunk)["username"]
    denied(suite, "ha1", 403, "realm_not_served", username=name, realm="example.net")
    denied(suite, "ha1", 403, "realm_not_served", username=name, realm=REALMS[0].upper())


def test_a_deleted_user_is_gone_with_the_answer(suite, trunk):
    user = add_user(suite, trunk)
    given(suite, "ha1", username=user["username"])
    assert suite.call("DELETE", f"/voip/trunk/{trunk}/auth/{user['uuid']}").status in (200, 204)
    denied(suite, "ha1", 404, "unknown_user", username=user["username"])


def test_disabled_and_expired(suite, trunk):
    user, ip = add_user(suite, trunk), new_ip()
    method = add_ip(suite, trunk, ip)
    given(suite, "source", ip=ip)
    for one, what, query in ((user, "ha1", {"username": user["username"]}), (method, "source", {"ip": ip})):
        change(suite, trunk, one, enabled=False)
        denied(suite, what, 403, "disabled", **query)
        change(suite, trunk, one, enabled=True, expires_at=until(-1))
        denied(suite, what, 403, "expired", **query)
        change(suite, trunk, one, expires_at=until(30))
        given(suite, what, **query)
    assert given(suite, "ha1", username=user["username"]).json["ttl"] <= 30


def test_policy_all_needs_both(suite, trunk):
    name, ip = add_user(suite, trunk)["username"], new_ip()
    add_ip(suite, trunk, ip)
    want_both(suite, trunk)
    denied(suite, "ha1", 403, "policy_needs_both", username=name)
    denied(suite, "ha1", 403, "source_not_allowed", username=name, source_ip=new_ip())
    assert given(suite, "ha1", username=name, source_ip=ip).json["ha1"] == ha1(name, "correct horse")
    assert given(suite, "ha1", username=name, source_ip="::ffff:" + ip).json["subject"] == trunk
    denied(suite, "source", 403, "policy_needs_both", ip=ip)
    assert ip not in given(suite, "acl", format="kamailio").body.decode().split()


@pytest.mark.parametrize("query", ["", "username=", "username=a&algorithm=MD5-sess", "username=a&source_ip=example.com",
                                   "username=a&source_ip=10.0.0.0/8", "username=a&format=xml", "username=a&generation=next",
                                   "username=a&username=b", "username=a%00b"])
def test_ha1_of_a_wrong_question(suite, query):
    answer = suite.server.call("GET", f"{BASE}/ha1?{query}")
    assert answer.status == 400, answer.body


# ---- /source ----

def test_source_by_the_narrowest_range(suite, trunk):
    net = new_block()
    ip, block = net + ".7", add_ip(suite, trunk, net + ".0/24")
    assert given(suite, "source", ip=ip).json == {"auth_id": block["uuid"], "group": 1, "subject": trunk}
    one = add_ip(suite, trunk, ip)
    for text in (ip, "::ffff:" + ip, "::FFFF:" + ip):
        assert given(suite, "source", ip=text, port=5060, transport="udp").json["auth_id"] == one["uuid"]
    change(suite, trunk, one, enabled=False)
    assert given(suite, "source", ip=ip).json["auth_id"] == block["uuid"]


def test_source_by_ipv6(suite, trunk):
    method = add_ip(suite, trunk, "2001:db8:41::/48")
    assert given(suite, "source", ip="2001:0DB8:41:ffff::1").json["auth_id"] == method["uuid"]
    denied(suite, "source", 404, "unknown_source", ip="2001:db8:42::")


def test_source_that_nobody_of_ours_claims(suite, trunk):
    ip = new_ip()
    denied(suite, "source", 404, "unknown_source", ip=ip)
    add_ip(suite, trunk, ip)
    other = Client(suite.port, suite.make_key("--organization", "o-" + new_user(), "--scope", "sip"))
    denied(suite, "source", 404, "unknown_source", ip=ip, client=other)


@pytest.mark.parametrize("query", ["", "ip=", "ip=10.0.0.0/8", "ip=example.com", "ip=010.0.0.1", "ip=10.0.0.1&port=70000",
                                   "ip=fe80::1%25eth0", "ip=10.0.0.1%20"])
def test_source_of_a_wrong_question(suite, query):
    assert suite.server.call("GET", f"{BASE}/source?{query}").status == 400


def test_a_call_is_a_use_and_a_look_up_is_none(suite, trunk):
    ip, user = new_ip(), add_user(suite, trunk)
    method, other = add_ip(suite, trunk, ip), add_ip(suite, trunk, new_ip())
    given(suite, "source", ip=ip)
    given(suite, "ha1", username=user["username"])
    suite.workers[-1].stop()  # what it has noted is written down then
    suite.await_joined(suite.start_worker())
    used = [suite.call("GET", f"/voip/trunk/{trunk}/auth/{one['uuid']}").result["last_used_at"] for one in (method, other, user)]
    assert used[0] is not None and used[1:] == [None, None]


# ---- /acl ----

@pytest.fixture
def others(suite):
    """Another organization, whose lists are its own: (admin, server) and a trunk."""
    name = "o-" + new_user()
    admin = Client(suite.port, suite.make_key("--organization", name, "--scope", "admin"))
    server = Client(suite.port, suite.make_key("--organization", name, "--scope", "sip"))
    made = admin.call("POST", "/voip/trunk", {"name": "theirs"})
    return admin, server, made.result["uuid"]


def test_acl_in_every_format(suite, others):
    admin, server, trunk = others
    one, block, wide = new_ip(), new_block() + ".0/24", "2001:db8:51::/48"
    ips = [one, block, wide]
    for ip in ips:
        answer = admin.call("POST", f"/voip/trunk/{trunk}/auth", {"type": "ip", "ip": ip})
        assert answer.status == 201, answer.body
    answer = given(suite, "acl", client=server)
    assert answer.headers["Content-Type"].startswith("application/json")
    wanted = [{"cidr": ip if "/" in ip else ip + "/32", "subject": trunk} for ip in ips]
    assert sorted(answer.json, key=json.dumps) == sorted(wanted, key=json.dumps)
    assert answer.json[-1]["cidr"] == wide  # IPv4 stands before 2000::/3
    answer = given(suite, "acl", client=server, format="kamailio")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = [f"1 {one} 32 0 {trunk}\n", f"1 {block[:-3]} 24 0 {trunk}\n", f"1 2001:db8:51:: 48 0 {trunk}\n"]
    assert sorted(answer.body.decode().splitlines(keepends=True)) == sorted(lines)
    answer = given(suite, "acl", client=server, format="freeswitch")
    assert answer.headers["Content-Type"].startswith("text/xml")
    text = answer.body.decode()
    start = '<configuration name="acl.conf"><network-lists><list name="trunks" default="deny">'
    end = "</list></network-lists></configuration>\n"
    assert text.startswith(start) and text.endswith(end)
    nodes = [f'<node type="allow" cidr="{ip if "/" in ip else ip + "/32"}"/>' for ip in ips]
    assert sorted(text[len(start):-len(end)].replace("><", ">\n<").splitlines()) == sorted(nodes)


def test_acl_is_unchanged_until_it_changes(suite, others):
    admin, server, trunk = others
    first = given(suite, "acl", client=server, format="kamailio")
    assert first.body == b""
    tag = first.headers["ETag"]
    assert tag
    again = ask(suite, "acl", client=server, format="kamailio", headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    made = admin.call("POST", f"/voip/trunk/{trunk}/auth", {"type": "ip", "ip": new_ip()})
    assert made.status == 201
    now = ask(suite, "acl", client=server, format="kamailio", headers={"If-None-Match": tag})
    assert now.status == 200 and now.headers["ETag"] != tag
    admin.call("PATCH", f"/voip/trunk/{trunk}/auth/{made.result['uuid']}", {"enabled": False})
    after = given(suite, "acl", client=server, format="kamailio")
    assert (after.body, after.headers["ETag"]) == (b"", tag)


# ---- who asks ----

def test_an_operator_sees_all_organizations(suite, trunk):
    name, ip = add_user(suite, trunk)["username"], new_ip()
    add_ip(suite, trunk, ip)
    asked = given(suite, "ha1", username=name, client=suite.operator).json
    assert asked["ha1"] == ha1(name, "correct horse")
    owner = asked["organization_id"]
    assert given(suite, "source", ip=ip, client=suite.operator).json["organization_id"] == owner
    rows = [row for row in given(suite, "acl", client=suite.operator).json if row["subject"] == trunk]
    assert [(row["cidr"], row["organization_id"]) for row in rows] == [(ip + "/32", owner)]


def test_by_basic(suite, trunk):
    name = add_user(suite, trunk)["username"]
    answer = Client(suite.port).call("GET", f"{BASE}/ha1?username={name}&format=text",
                                     headers={"Authorization": basic("kamailio", suite.server.key)})
    assert answer.body == ha1(name, "correct horse").encode() + b"\n"


@pytest.mark.parametrize("what", ["ha1?username=a", "source?ip=10.0.0.1", "acl"])
def test_a_key_that_only_reads_is_refused(suite, what):
    reader = suite.make_key("--organization", suite.organization, "--scope", "read")
    assert Client(suite.port, reader).call("GET", f"{BASE}/{what}").status == 403
    assert Client(suite.port).call("GET", f"{BASE}/{what}").status == 401
    assert suite.call("GET", f"{BASE}/{what}").status in (200, 404)


def test_a_realm_that_is_added_serves_passwords_set_after_it(suite, trunk):
    before = add_user(suite, trunk)
    worker, realms = suite.workers[-1], ",".join(["new.example"] + REALMS[:1])
    suite.worker_settings["LK_SIP_REALMS"] = realms
    worker.stop()
    suite.await_joined(suite.start_worker())
    denied(suite, "ha1", 403, "realm_not_served", username=before["username"], realm="new.example")
    denied(suite, "ha1", 403, "realm_not_served", username=before["username"])
    denied(suite, "ha1", 403, "realm_not_served", username=before["username"], realm=REALMS[1])
    name = add_user(suite, trunk)["username"]
    assert given(suite, "ha1", username=name).json["ha1"] == ha1(name, "correct horse", "new.example")
    change(suite, trunk, before, password="set again")
    assert given(suite, "ha1", username=before["username"]).json["ha1"] == ha1(before["username"], "set again", "new.example")
