"""Whoever guesses passwords through Kamailio is locked out, nobody else is, and it ends."""

import json

import pytest
from kamailio import CALL_ANSWER_MS, PATIENT, REALM, Kamailio, need
from sip_uac import Core, Uac
from suite import Suite, await_that

need()
FAILURES = 3
SECONDS = 4


@pytest.fixture(name="world")
def fixture_world(tmp_path):
    settings = {"LK_SIP_REALMS": REALM, "LK_SIP_LOCKOUT_FAILURES": str(FAILURES), "LK_SIP_LOCKOUT_SOURCE_FAILURES": "8",
                "LK_SIP_LOCKOUT_SECONDS": str(SECONDS), "LK_SIP_LOCKOUT_MAX_SECONDS": str(SECONDS), "LK_SIP_LOCKOUT_WINDOW_SECONDS": "600"}
    with Suite(gateway_settings={"LK_CALL_ANSWER_MS": CALL_ANSWER_MS}, worker_settings=settings) as suite, Core() as core:
        trunk = suite.make_trunk()
        for user in ("trunk1", "trunk2"):
            assert suite.call("POST", f"/voip/trunk/{trunk}/auth", {"type": "sipuser", "username": user, "password": f"the {user}"}).status == 201
        key = suite.make_key("--organization", "default", "--scope", "sip")
        with Kamailio(tmp_path, f"http://kamailio:{key}@127.0.0.1:{suite.port}", core.uri, defines=[PATIENT]) as kamailio:
            yield suite, core, kamailio


def invite(kamailio, user, password, host):
    with Uac(kamailio.port, user, password, host=host) as uac:
        return uac.invite().status


def reasons(suite, **wanted):
    """Of the denials that are remembered, latest first."""
    answer = suite.call("GET", "/v1/sip/trunks/decisions")
    assert answer.status == 200, answer.body
    return [one["reason"] for one in json.loads(answer.body) if all(one.get(name) == value for name, value in wanted.items())]


def test_one_who_guesses(world):
    suite, _, kamailio = world
    for _ in range(FAILURES):
        assert invite(kamailio, "trunk1", "a guess", "127.0.0.66") == 403
    # Reports are on their way for a moment: until then the right password is.
    await_that(lambda: invite(kamailio, "trunk1", "the trunk1", "127.0.0.66") == 403, 20, "the guesser is locked out")
    assert "locked_out" in reasons(suite, username="trunk1", source_ip="127.0.0.66")
    # The owner calls from elsewhere, and others from there: one guesser locks out one pair.
    assert invite(kamailio, "trunk1", "the trunk1", "127.0.0.67") == 200
    assert invite(kamailio, "trunk2", "the trunk2", "127.0.0.66") == 200
    await_that(lambda: invite(kamailio, "trunk1", "the trunk1", "127.0.0.66") == 200, 30, "the lock-out has ended")


def test_one_who_guesses_names(world):
    suite, _, kamailio = world
    for number in range(9):
        assert invite(kamailio, f"name{number}", "a guess", "127.0.0.68") == 403
    await_that(lambda: invite(kamailio, "trunk1", "the trunk1", "127.0.0.68") == 403, 20, "the address is locked out")
    assert invite(kamailio, "trunk1", "the trunk1", "127.0.0.69") == 200


def test_challenges_are_no_failures(world):
    _, _, kamailio = world
    for number in range(4 * FAILURES):
        with Uac(kamailio.port, "trunk1", host="127.0.0.70") as uac:
            assert uac.ask("INVITE", "sip:100@127.0.0.1", f"challenge-{number}", 1).status == 407
    for _ in range(2 * FAILURES):
        assert invite(kamailio, "trunk1", "the trunk1", "127.0.0.70") == 200
