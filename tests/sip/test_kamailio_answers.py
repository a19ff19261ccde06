"""deploy/kamailio/kamailio.cfg against an authority that answers what it should not, late, or not at all: nothing but
an HA1 of the right length with a subject, in a 200, authorizes a call."""

import json
import threading

import pytest
from fake_authority import FakeAuthority
from kamailio import REALM, Kamailio, need
from sip_uac import Core, Uac, digest_hash

need()
CHILDREN = 8  # kamailio.cfg
HA1 = digest_hash("MD5", f"trunk1:{REALM}:secret")
GOOD = {"ha1": HA1, "algorithm": "MD5", "subject": "the-trunk", "auth_id": "the-method", "ttl": 5}


def said(**changed):
    members = GOOD | changed
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


@pytest.fixture(scope="module", name="world")
def fixture_world(tmp_path_factory):
    with FakeAuthority() as fake, Core() as core, Kamailio(tmp_path_factory.mktemp("sip"), fake.url, core.uri) as kamailio:
        yield fake, core, kamailio


def invite(kamailio, user="trunk1", password="secret", **named):
    with Uac(kamailio.port, user, password, **named) as uac:
        return uac.invite().status


def test_what_a_good_answer_does(world):
    fake, core, kamailio = world
    fake.answers["/ha1"] = 200, said()
    fake.asked.clear()
    core.requests.clear()
    assert invite(kamailio) == 200
    assert core.count() == 1 and core.requests[0].get("X-Linekeeper-Subject") == "the-trunk"
    asked, = fake.questions("/ha1")
    assert asked[1] == "/v1/sip/trunks/ha1"
    assert asked[2] == {"username": "trunk1", "realm": REALM, "algorithm": "MD5", "source_ip": "127.0.0.1"}
    assert asked[4]["Authorization"].startswith("Basic "), "the key comes at once, not after a 401"


REFUSED = {
    "an HA1 that is too long for Kamailio": (200, said(ha1="a" * 5000)),
    "an HA1 of 300": (200, said(ha1=HA1 + "a" * 268)),
    "an HA1 of 33": (200, said(ha1=HA1 + "a")),
    "an HA1 of 31": (200, said(ha1=HA1[:31])),
    "one of another algorithm": (200, said(ha1="a" * 64)),
    "an empty HA1": (200, said(ha1="")),
    "no HA1": (200, said(ha1=None)),
    "an HA1 that is null": (200, b'{"ha1": null, "subject": "the-trunk"}'),
    "an HA1 that is a number": (200, b'{"ha1": 1, "subject": "the-trunk"}'),
    "no subject": (200, said(subject=None)),
    "a list": (200, b"[]"),
    "no JSON": (200, HA1.encode()),
    "half of it": (200, said()[:-9]),
    "nothing": (200, b""),
    "201": (201, said()),
    "204": (204, b""),
    "302": (302, said()),
    "403 without a reason": (403, said()),
    "400": (400, said()),
    "401": (401, said()),
    "429": (429, said()),
    "500": (500, said()),
    "503": (503, said()),
    "599": (599, said()),
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_503(world, answer):
    fake, core, kamailio = world
    fake.answers["/ha1"] = 200, said()
    assert invite(kamailio) == 200
    core.requests.clear()
    fake.answers["/ha1"] = answer
    # Often enough that each child has one, with what the good call left in its variables.
    assert {invite(kamailio) for _ in range(2)} == {503}
    assert core.count() == 0


def test_variables_of_the_call_before_are_not_looked_at(world):
    fake, core, kamailio = world
    fake.answers["/ha1"] = 200, said()
    assert [invite(kamailio) for _ in range(4 * CHILDREN)] == [200] * 4 * CHILDREN
    core.requests.clear()
    fake.answers["/ha1"] = 200, b"{}"
    assert {invite(kamailio) for _ in range(4 * CHILDREN)} == {503}
    fake.answers["/ha1"] = 404, b"{}"
    assert {invite(kamailio) for _ in range(2 * CHILDREN)} == {403}
    assert core.count() == 0


def test_403_is_403(world):
    fake, core, kamailio = world
    core.requests.clear()
    fake.answers["/ha1"] = 403, b'{"errors": [{"meta": {"reason": "locked_out"}}]}'
    assert invite(kamailio) == 403
    assert core.count() == 0


def test_unknown_and_wrong_look_alike(world):
    fake, core, kamailio = world
    core.requests.clear()
    answers = []
    for answer in ((200, said()), (404, b"{}")):
        fake.answers["/ha1"] = answer
        with Uac(kamailio.port, "trunk1", "wrong") as uac:
            last = uac.invite()
            answers.append((last.start, [name for name, _ in last.headers]))
    assert answers[0] == answers[1]
    # What stands in for an unknown user's HA1 is no password.
    with Uac(kamailio.port, "trunk1") as uac:
        first = uac.ask("INVITE", "sip:100@127.0.0.1", "guess", 1).challenge
        stand_in = digest_hash("MD5", "trunk1")
        ha2 = digest_hash("MD5", "INVITE:sip:100@127.0.0.1")
        response = digest_hash("MD5", f"{stand_in}:{first['nonce']}:00000001:c:auth:{ha2}")
        value = (f'Digest username="trunk1", realm="{REALM}", nonce="{first["nonce"]}", uri="sip:100@127.0.0.1", response="{response}", '
                 'algorithm=MD5, qop=auth, nc=00000001, cnonce="c"')
        assert uac.ask("INVITE", "sip:100@127.0.0.1", "guess", 2, [("Proxy-Authorization", value)]).status == 403
    assert core.count() == 0


def test_source_fails_closed(world):
    fake, core, kamailio = world
    core.requests.clear()
    statuses = {}
    for status, body in ((200, b"{}"), (200, b'{"subject": ""}'), (200, b"x"), (204, b""), (302, b"{}"), (401, b"{}"), (429, b"{}"), (500, b"{}"), (503, b"{}"),
                         (403, b'{"subject": "a"}'), (404, b'{"subject": "a"}'),
                         (403, b'{"subject": "a", "errors": [{"meta": {"reason": "policy_needs_both"}}]}')):
        fake.answers["/source"] = status, body
        with Uac(kamailio.port) as uac:
            statuses[status, body] = uac.ask("INVITE", "sip:100@127.0.0.1", "source", 1).status
    challenged = {asked for asked, answer in statuses.items() if answer == 407}
    assert challenged == {asked for asked in statuses if asked[0] == 404 or b"reason" in asked[1]}, statuses
    assert {statuses[asked] for asked in set(statuses) - challenged} == {503}, statuses
    assert core.count() == 0
    fake.answers["/source"] = 200, b'{"subject": "by-source", "auth_id": "x", "group": 1}'
    with Uac(kamailio.port) as uac:
        assert uac.ask("INVITE", "sip:100@127.0.0.1", "source", 2).status == 200
    assert core.requests[0].get("X-Linekeeper-Subject") == "by-source"
    del fake.answers["/source"]


def test_an_answer_that_is_late(world):
    fake, core, kamailio = world
    core.requests.clear()
    open_again = threading.Event()

    def late(_):
        open_again.wait(30)
        return 200, said()

    fake.answers["/ha1"] = late
    try:
        assert invite(kamailio) == 503
        assert core.count() == 0
    finally:
        open_again.set()
    # The answer that nobody waits for any more is not taken for the next question's.
    fake.answers["/ha1"] = 404, b"{}"
    assert {invite(kamailio) for _ in range(CHILDREN)} == {403}
    assert core.count() == 0


def test_nobody_there(tmp_path, world):
    _, core, _ = world
    core.requests.clear()
    with Kamailio(tmp_path, "http://kamailio:key@127.0.0.1:9", core.uri) as alone:
        assert invite(alone) == 503
        with Uac(alone.port, "trunk1", "secret") as uac:
            assert uac.register().status == 503
    assert core.count() == 0


def test_what_is_defined(tmp_path, world):
    """A longer wait, and no question before the challenge."""
    fake, core, kamailio = world
    core.requests.clear()
    fake.asked.clear()

    def slow(_):
        threading.Event().wait(4)
        return 200, said()

    fake.answers["/ha1"] = slow
    with Kamailio(tmp_path, fake.url, core.uri, defines=["LK_TIMEOUT=60", "LK_SOURCES_NONE"]) as patient:
        assert invite(patient) == 200
        assert core.count() == 1 and not fake.questions("/source")
    assert invite(kamailio) == 503
    assert core.count() == 1 and fake.questions("/source")
