"""SIPp, a client that others have written, through Kamailio with deploy/kamailio/kamailio.cfg and the real suite."""

import os
import pathlib
import re
import subprocess

import pytest
from kamailio import CALL_ANSWER_MS, PATIENT, REALM, Kamailio, need
from sip_uac import Core
from suite import ROOT, SLOW, Suite, await_that, free_port
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


def run(kamailio, directory, scenario, passwords, calls=CALLS):
    """SIPp's exit code: 0 when all calls went as the scenario says."""
    rows = [f"pbx{number};[authentication username=pbx{number} password={password}];{100 + number}" for number, password in enumerate(passwords)]
    (directory / "users.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
    done = subprocess.run([SIPP.path, f"127.0.0.1:{kamailio.port}", "-sf", HERE / scenario, "-inf", directory / "users.csv", "-m", str(calls), "-l", "10", "-r", "200",
                           "-i", "127.0.0.1", "-p", str(free_port()), "-nostdin", "-timeout", f"{int(40 * SLOW)}s", "-timeout_error"],
                          env=os.environ | SIPP.environment, cwd=directory, capture_output=True, text=True, timeout=60 * SLOW, check=False)
    print(done.stderr[-2000:])
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


def test_both_ends_are_sipps(world, tmp_path):
    """As README.md of deploy/kamailio tells to try it: SIPp's own server, which rings before it answers."""
    url, port, environment = world[1].environment["LK_URL"], free_port(), os.environ | SIPP.environment
    edit = re.search(r"^sipp -sd uas \| (sed .*?) >core.xml", (ROOT / "deploy/kamailio/README.md").read_text(), re.M)[1]
    (tmp_path / "uas.xml").write_bytes(subprocess.run([SIPP.path, "-sd", "uas"], env=environment, capture_output=True, check=False).stdout)
    subprocess.run(["bash", "-c", f"{edit} <uas.xml >core.xml"], cwd=tmp_path, check=True)
    with subprocess.Popen([SIPP.path, "-sf", "core.xml", "-i", "127.0.0.1", "-p", str(port), "-nostdin"], env=environment, cwd=tmp_path,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as core:
        try:
            await_that(lambda: f":{port:04X} " in pathlib.Path("/proc/net/udp").read_text(), 20, "SIPp listens")
            with Kamailio(tmp_path, url, f"sip:127.0.0.1:{port}", defines=[PATIENT]) as kamailio:
                assert run(kamailio, tmp_path, "call.xml", ["secret-0"], calls=3) == 0
        finally:
            core.kill()
