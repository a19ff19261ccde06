"""SIPp, a client that others have written, through Kamailio with deploy/kamailio/kamailio.cfg and the real suite."""

import os
import pathlib
import subprocess

import pytest
from kamailio import CALL_ANSWER_MS, PATIENT, REALM, Kamailio, need
from sip_uac import Core
from suite import SLOW, Suite, free_port
from unpacked import Unpacked

need()
SIPP = Unpacked("sipp")
HERE = pathlib.Path(__file__).parent
CALLS = 60
USERS = 5
pytestmark = pytest.mark.skipif(SIPP.path is None, reason="no SIPp (tests/run.sh unpacks it)")


@pytest.fixture(scope="module", name="world")
def fixture_world(tmp_path_factory):
    settings = {"LK_SIP_REALMS": REALM, "LK_SIP_LOCKOUT_EXEMPT": "127.0.0.0/8"}
    with Suite(gateway_settings={"LK_CALL_ANSWER_MS": CALL_ANSWER_MS}, worker_settings=settings) as suite, Core() as core:
        for number in range(USERS):
            method = {"type": "sipuser", "username": f"pbx{number}", "password": f"secret-{number}"}
            assert suite.call("POST", f"/voip/trunk/{suite.make_trunk()}/auth", method).status == 201
        key = suite.make_key("--organization", "default", "--scope", "sip")
        with Kamailio(tmp_path_factory.mktemp("sip"), f"http://kamailio:{key}@127.0.0.1:{suite.port}", core.uri, defines=[PATIENT]) as kamailio:
            yield core, kamailio


def run(kamailio, directory, scenario, passwords):
    """SIPp's exit code: 0 when all calls went as the scenario says."""
    rows = [f"pbx{number};[authentication username=pbx{number} password={password}];{100 + number}" for number, password in enumerate(passwords)]
    (directory / "users.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
    done = subprocess.run([SIPP.path, f"127.0.0.1:{kamailio.port}", "-sf", HERE / scenario, "-inf", directory / "users.csv", "-m", str(CALLS), "-l", "10", "-r", "200",
                           "-i", "127.0.0.1", "-p", str(free_port()), "-nostdin", "-timeout", f"{int(40 * SLOW)}s", "-timeout_error"],
                          env=os.environ | SIPP.environment, cwd=directory, capture_output=True, text=True, timeout=60 * SLOW, check=False)
    return done.returncode


def test_calls(world, tmp_path):
    core, kamailio = world
    core.requests.clear()
    assert run(kamailio, tmp_path, "call.xml", [f"secret-{number}" for number in range(USERS)]) == 0
    calls = {method: {request.get("Call-ID") for request in core.requests if request.method == method} for method in ("INVITE", "BYE")}
    assert len(calls["INVITE"]) == CALLS and calls["INVITE"] == calls["BYE"]


def test_registrations(world, tmp_path):
    _, kamailio = world
    assert run(kamailio, tmp_path, "register.xml", [f"secret-{number}" for number in range(USERS)]) == 0


def test_wrong_passwords(world, tmp_path):
    core, kamailio = world
    core.requests.clear()
    assert run(kamailio, tmp_path, "call.xml", ["secret"] * USERS) != 0
    assert core.count() == 0
    assert run(kamailio, tmp_path, "register.xml", ["secret"] * USERS) != 0
