"""What a caller may try against deploy/kamailio/kamailio.cfg who has no password, or another's captured credentials."""

import json
import re
import secrets

import pytest
from fake_authority import FakeAuthority
from kamailio import PATIENT, REALM, Kamailio, need
from sip_uac import Core, Uac, credentials, digest_hash
from suite import await_that

need()
USERS = {"trunk1": "secret", "other": "another", "bj\u00f6rn": "skogen"}


def ha1(query):
    password = USERS.get(query["username"])
    if password is None:
        return 404, b"{}"
    value = digest_hash(query["algorithm"], f"{query['username']}:{REALM}:{password}")
    return 200, json.dumps({"ha1": value, "subject": f"trunk of {query['username']}".encode("ascii", "replace").decode()}).encode()


@pytest.fixture(scope="module", name="world", params=["MD5", "SHA-256"])
def fixture_world(request, tmp_path_factory):
    defines = [PATIENT, *(["LK_SHA256"] if request.param == "SHA-256" else [])]
    with FakeAuthority() as fake, Core() as core, Kamailio(tmp_path_factory.mktemp("sip"), fake.url, core.uri, defines=defines) as kamailio:
        fake.answers["/ha1"] = ha1
        kamailio.algorithm = request.param
        yield fake, core, kamailio


@pytest.fixture(name="target")
def fixture_target(world):
    """Kamailio's port; whatever the test does, no call may get through but those that it counts."""
    fake, core, kamailio = world
    core.requests.clear()
    fake.asked.clear()
    return kamailio.port


def again(raw, **changed):
    """The same request in a transaction of its own."""
    raw = re.sub(rb"branch=[^;]*", b"branch=z9hG4bK" + secrets.token_hex(8).encode(), raw)
    for old, new in changed.items():
        raw = raw.replace(old.encode(), new)
    return raw


def sent_again(uac, raw):
    uac.send(raw)
    return uac.receive().status


def test_calls_and_registrations(world, target):
    _, core, kamailio = world
    for user, password in USERS.items():
        with Uac(target, user, password) as uac:
            first, last = uac.attempt("INVITE", f"sip:100@127.0.0.1:{target}")
            assert (first.status, last.status) == (407, 200)
            assert first.challenge["realm"] == REALM and first.challenge["algorithm"] == kamailio.algorithm and first.challenge["qop"] == "auth"
    assert core.count() == len(USERS)
    assert not any(request.get("Proxy-Authorization") for request in core.requests)
    with Uac(target, "trunk1", "secret") as uac:
        assert uac.register().status == 200
        answer = uac.register()
        assert f"sip:{uac.host}:{uac.port}" in answer.get("Contact")
    with Uac(target, "trunk1", "wrong") as uac:
        assert uac.invite().status == 403 and uac.register().status == 403


def test_a_registration_is_for_ones_own_name(target):
    with Uac(target, "other", "another") as uac:
        uac.address = lambda: "<sip:trunk1@example.com>"
        assert uac.register().status == 403


@pytest.mark.parametrize("qop", ["auth", None])
def test_captured_credentials(world, target, qop):
    _, core, _ = world
    with Uac(target, "trunk1", "secret", qop=qop) as uac, Uac(target, host="127.0.0.2") as thief:
        assert uac.invite().status == 200
        captured = uac.sent
        # The request itself again is answered, and does nothing: the network repeats them too.
        assert sent_again(uac, captured) == 200
        await_that(lambda: core.count("ACK") == 1, 5, "the call stands")
        assert core.count() == 1
        for raw in (again(captured), again(captured, **{"sip:100@": b"sip:900@"}), again(captured, **{"nc=00000001": b"nc=00000002"}),
                    again(captured, **{"algorithm=": b"nc=00000009, algorithm="})):
            assert sent_again(uac, raw) in (403, 407)
            assert sent_again(thief, again(raw)) in (403, 407)
    assert core.count() == 1


def test_credentials_that_never_arrived(world, target):
    """Whoever holds a request back can use its nonce for nothing else, from nowhere else."""
    _, core, _ = world
    uri = f"sip:100@127.0.0.1:{target}"
    for elsewhere, destination in (("127.0.0.2", uri), ("127.0.0.1", uri.replace("100", "900"))):
        with Uac(target) as uac, Uac(target, host=elsewhere) as thief:
            challenge = uac.ask("INVITE", uri, "held", 1).challenge
            held = credentials(challenge, "INVITE", uri, "trunk1", "secret")
            assert thief.ask("INVITE", destination, "stolen", 2, [("Proxy-Authorization", held)]).status == 407
    assert core.count() == 0


def test_nonces_of_ones_own(target, world):
    _, core, _ = world
    with Uac(target) as uac:
        real = uac.ask("INVITE", "sip:100@127.0.0.1", "nonce", 1).challenge
        made_up = [real["nonce"][:-2] + "xx", "x", "A" * len(real["nonce"]), real["nonce"][:10], "x" * 200]
        for number, nonce in enumerate(made_up, 2):
            value = credentials(real | {"nonce": nonce}, "INVITE", "sip:100@127.0.0.1", "trunk1", "secret")
            assert uac.ask("INVITE", "sip:100@127.0.0.1", "nonce", number, [("Proxy-Authorization", value)]).status in (403, 407)
    assert core.count() == 0


def test_a_realm_of_ones_own(world, target):
    """The caller can't choose the realm: of another one nothing is asked, nothing verified."""
    fake, core, _ = world
    with Uac(target) as uac:
        real = uac.ask("INVITE", "sip:100@127.0.0.1", "realm", 1).challenge
        value = credentials(real | {"realm": "elsewhere"}, "INVITE", "sip:100@127.0.0.1", "trunk1", "secret")
        assert uac.ask("INVITE", "sip:100@127.0.0.1", "realm", 2, [("Proxy-Authorization", value)]).status == 407
    assert not fake.questions("/ha1") and core.count() == 0


def test_two_sets_of_credentials(world, target):
    """With two, one user could be looked up and another one verified."""
    fake, core, _ = world
    for method, names in (("INVITE", ["Proxy-Authorization"] * 2), ("INVITE", ["Proxy-Authorization", "Authorization"]), ("REGISTER", ["Authorization"] * 2),
                          ("REGISTER", ["Proxy-Authorization", "Authorization"])):
        with Uac(target, "trunk1") as uac:
            uri = f"sip:127.0.0.1:{target}"
            real = uac.ask(method, uri, "two", 1).challenge
            mine, theirs = (credentials(real, method, uri, user, "another") for user in ("other", "trunk1"))
            for pair in ((mine, theirs), (theirs, mine)):
                fake.asked.clear()
                assert uac.ask(method, uri, secrets.token_hex(4), 2, list(zip(names, pair))).status == 400
                assert not fake.questions("/ha1")
    assert core.count() == 0


@pytest.mark.parametrize("name", ["trunk1@example.com", "trunk1&username=other", "trunk1%00", "trunk1#x", "other&realm=x", "../verify?username=trunk1", "+", "%s", "<null>"])
def test_names_are_looked_up_whole(world, target, name):
    fake, core, _ = world
    with Uac(target, name, "secret") as uac:
        assert uac.invite().status == 403
    asked, = fake.questions("/ha1")
    assert asked[2]["username"] == name and asked[2]["realm"] == REALM
    assert core.count() == 0


@pytest.mark.parametrize("name", ["", "x" * 5000])
def test_names_that_are_none(target, world, name):
    fake, core, _ = world
    with Uac(target, name, "secret") as uac:
        assert uac.invite().status in (403, 407)
    assert not fake.questions("/ha1") and core.count() == 0


def test_a_to_tag_gets_nobody_past_the_challenge(world, target):
    _, core, _ = world
    with Uac(target) as uac:
        for method in ("INVITE", "BYE", "UPDATE", "REFER", "INFO", "MESSAGE"):
            for route in ([], [("Route", f"<sip:127.0.0.1:{target};lr>")], [("Route", f"<sip:127.0.0.1:{target};lr;did=1.1>")]):
                uac.send(uac.compose(method, core.uri, secrets.token_hex(8), 1, route, to_tag=";tag=made-up"))
                assert uac.receive().status == 481
        for method in ("MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER"):
            uac.send(uac.compose(method, core.uri, secrets.token_hex(8), 1))
            assert uac.receive().status == 405
    assert not core.requests


def test_what_is_said_of_the_caller_is_ours(world, target):
    _, core, _ = world
    with Uac(target, "trunk1", "secret", headers=[("X-Linekeeper-Subject", "trunk of other")]) as uac:
        assert uac.invite().status == 200
    assert core.requests[0].all("X-Linekeeper-Subject") == ["trunk of trunk1"]


def test_where_the_core_takes_a_call_is_ours(world, target):
    _, core, _ = world
    for routes in ("<sip:127.0.0.1:9;lr>", f"<sip:127.0.0.1:{target};lr>, <sip:127.0.0.1:9;lr>"):
        with Uac(target, "trunk1", "secret", headers=[("Route", routes)]) as uac:
            assert uac.invite().status == 200
    assert core.count() == 2 and not any(request.all("Route") for request in core.requests if request.method == "INVITE")


def test_in_a_call(world, target):
    """A call that was authorized is hung up without being asked again."""
    _, core, _ = world
    with Uac(target, "trunk1", "secret") as uac:
        answer = uac.invite()
        assert answer.status == 200
        routes = [("Route", route) for route in reversed(answer.all("Record-Route"))]
        bye = uac.compose("BYE", core.uri, uac.sent.split(b"Call-ID: ")[1].split(b"@")[0].decode(), 3, routes, to_tag=";tag=core")
        uac.send(re.sub(rb"To: [^\r]*", b"To: " + answer.get("To").encode(), bye))
        assert uac.receive().status == 200
    assert core.count("BYE") == 1


def test_reports(world, target):
    fake, _, _ = world

    def told():
        bodies = [json.loads(asked[3]) for asked in fake.questions("/report")]
        return [body for body in bodies if body["source_ip"] == "127.0.0.3"]  # others may come late

    with Uac(target, "trunk1", "wrong", host="127.0.0.3") as uac:
        assert uac.invite().status == 403
    with Uac(target, "trunk1", "secret", host="127.0.0.3") as uac:
        assert [uac.invite().status for _ in range(4)] == [200] * 4
    with Uac(target, "nobody", "secret", host="127.0.0.3") as uac:
        assert uac.invite().status == 403
    await_that(lambda: len(told()) >= 3, 10, "the reports have come")
    # Four calls are one success within the minute; and what the challenges were is nobody's failure.
    assert told() == [{"username": name, "outcome": outcome, "source_ip": "127.0.0.3"}
                      for name, outcome in (("trunk1", "failure"), ("trunk1", "success"), ("nobody", "failure"))]
    assert all(asked[4]["Authorization"].startswith("Basic ") and asked[4]["Content-Type"] == "application/json" for asked in fake.questions("/report"))
