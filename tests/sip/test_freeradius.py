"""SIP digest over RADIUS: FreeRADIUS with deploy/freeradius asks the real suite, and one that lies."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from fake_authority import FakeAuthority
from freeradius import PROGRAM, FreeRadius, need
from kamailio import REALM
from sip_uac import digest_hash
from suite import ROOT, SLOW, Suite, await_that

need()
YES, NO = "Access-Accept", "Access-Reject"
HA1 = digest_hash("MD5", f"trunk1:{REALM}:secret1")


@pytest.fixture(scope="module", name="suite")
def fixture_suite():
    with Suite(gateway_settings={"LK_CALL_ANSWER_MS": "1900"}, worker_settings={"LK_SIP_REALMS": REALM, "LK_SIP_LOCKOUT_EXEMPT": "127.0.0.0/8"}) as suite:
        suite.sip_key = suite.make_key("--organization", "default", "--scope", "sip")
        yield suite


@pytest.fixture(scope="module", name="radius")
def fixture_radius(suite, tmp_path_factory):
    with FreeRadius(tmp_path_factory.mktemp("radius"), f"http://127.0.0.1:{suite.port}", suite.sip_key) as radius:
        yield radius


@pytest.fixture(scope="module", name="lied_to")
def fixture_lied_to(tmp_path_factory):
    with FakeAuthority() as fake, FreeRadius(tmp_path_factory.mktemp("radius"), f"http://127.0.0.1:{fake.port}", "key") as radius:
        yield fake, radius


def add(suite, trunk, **method):
    answer = suite.call("POST", f"/voip/trunk/{trunk}/auth", method)
    assert answer.status == 201, answer.body
    return f"/voip/trunk/{trunk}/auth/{answer.result['uuid']}"


@pytest.fixture(name="method")
def fixture_method(suite, trunk):
    yield add(suite, trunk, type="sipuser", username="trunk1", password="secret1")
    suite.call("DELETE", f"/voip/trunk/{trunk}")


def test_accept_and_reject(radius, method):
    assert method
    assert radius.ask("trunk1", "secret1") == YES
    assert radius.ask("trunk1", "secret1", source=None) == YES
    assert radius.ask("trunk1", "secret2") == NO
    assert radius.ask("trunk2", "secret1") == NO
    assert radius.ask("TRUNK1", "secret1") == NO
    assert radius.ask("trunk1&username=x", "secret1") == NO


def test_what_is_no_digest_of_ours(radius, method):
    assert method
    for changed in ({"Digest_Realm": "elsewhere"}, {"Digest_User_Name": "trunk2"}, {"Digest_User_Name": None}, {"User_Name": "trunk2"}, {"User_Name": None},
                    {"Digest_Algorithm": "MD5-sess"}, {"Digest_Algorithm": "SHA-256"}, {"Digest_QOP": "auth-int"}, {"Digest_Response": None},
                    {"Digest_Response": ""}, {"Digest_Response": "0" * 32}, {"Digest_Nonce": None}, {"Digest_Method": "REGISTER"}):
        assert radius.ask("trunk1", "secret1", **changed) in (NO, None), changed
    assert radius.send({"User-Name": "trunk1", "User-Password": "secret1"}) == NO
    assert radius.send({"User-Name": "trunk1", "User-Password": HA1}) == NO
    assert radius.send({"User-Name": "trunk1"}) == NO
    assert radius.ask("trunk1", "secret1") == YES


def test_rotation(suite, radius, method):
    assert suite.call("POST", f"{method}/rotate", {"password": "secret2"}).status == 200
    assert [radius.ask("trunk1", f"secret{number}") for number in (1, 2, 3)] == [YES, YES, NO]
    assert suite.call("POST", f"{method}/rotate", {"password": "secret3", "grace_seconds": 0}).status == 200
    assert [radius.ask("trunk1", f"secret{number}") for number in (1, 2, 3)] == [NO, NO, YES]


def test_disabled(suite, radius, method):
    assert suite.call("PATCH", method, {"enabled": False}).status == 200
    assert radius.ask("trunk1", "secret1") == NO
    assert suite.call("PATCH", method, {"enabled": True}).status == 200
    assert radius.ask("trunk1", "secret1") == YES
    assert suite.call("DELETE", method).status == 204
    assert radius.ask("trunk1", "secret1") == NO


def test_policy_all(suite, radius, method, trunk):
    assert method
    add(suite, trunk, type="ip", ip="198.51.100.7")
    assert suite.call("PUT", f"/voip/trunk/{trunk}", {"name": "both", "auth_policy": "all"}).status == 200
    assert [radius.ask("trunk1", "secret1", source=source) for source in ("198.51.100.7", "198.51.100.8", None)] == [YES, NO, NO]


def test_the_suite_is_down(suite, radius, method):
    assert method
    suite.workers[0].kill()
    assert radius.ask("trunk1", "secret1") == NO
    suite.start_worker()
    await_that(lambda: radius.ask("trunk1", "secret1") == YES, 20, "it is served again")
    suite.gateway.kill()
    assert radius.ask("trunk1", "secret1") == NO
    suite.start_gateway()
    await_that(lambda: radius.ask("trunk1", "secret1") == YES, 20, "it is served again")


def said(**members):
    return json.dumps({name.replace("_", ":", 1): value for name, value in members.items()}).encode()


REFUSED = {
    "401": (401, said(**{"control_Digest-HA1": HA1})),
    "403": (403, said(**{"control_Digest-HA1": HA1})),
    "404": (404, said(**{"control_Digest-HA1": HA1})),
    "429": (429, said(**{"control_Digest-HA1": HA1})),
    "500": (500, said(**{"control_Digest-HA1": HA1})),
    "503": (503, said(**{"control_Digest-HA1": HA1})),
    "204": (204, b""),
    "302": (302, said(**{"control_Digest-HA1": HA1})),
    "nothing": (200, b""),
    "no members": (200, b"{}"),
    "no JSON": (200, HA1.encode()),
    "an HA1 that is too long": (200, said(**{"control_Digest-HA1": HA1 + "a"})),
    "an HA1 that is far too long": (200, said(**{"control_Digest-HA1": HA1 * 100})),
    "an HA1 that is too short": (200, said(**{"control_Digest-HA1": HA1[:31]})),
    "an HA1 that is empty": (200, said(**{"control_Digest-HA1": ""})),
    "an HA1 in another list": (200, said(**{"reply_Digest-HA1": HA1})),
    "a password": (200, said(**{"control_Cleartext-Password": "secret1"})),
    "a password, and an HA1 of nobody": (200, said(**{"control_Cleartext-Password": "secret1", "control_Digest-HA1": "0" * 32})),
    "an acceptance": (200, said(**{"control_Auth-Type": "Accept"})),
    "an acceptance and an HA1 of nobody": (200, said(**{"control_Auth-Type": "Accept", "control_Digest-HA1": "0" * 32})),
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("source", ["127.0.0.1", None], ids=["source", "no source"])
def test_answers_that_authorize_nobody(lied_to, answer, source):
    fake, radius = lied_to
    fake.answers["/ha1"] = 200, said(**{"control_Digest-HA1": HA1})
    assert radius.ask("trunk1", "secret1", source) == YES
    fake.answers["/ha1"] = answer
    assert radius.ask("trunk1", "secret1", source) in (NO, None)


def test_reports(lied_to):
    fake, radius = lied_to

    def told():
        return [json.loads(asked[3]) for asked in fake.questions("/report")]

    fake.asked.clear()
    fake.answers["/ha1"] = 200, said(**{"control_Digest-HA1": HA1})
    assert [radius.ask("trunk1", password, "127.0.0.3") for password in ("secret1", "wrong")] == [YES, NO]
    fake.answers["/ha1"] = 404, b"{}"
    assert radius.ask("a\\\"b", "secret1", "127.0.0.3") == NO
    # Neither of these says anything of the password.
    for status in (403, 503):
        fake.answers["/ha1"] = status, b"{}"
        assert radius.ask("trunk1", "wrong", "127.0.0.3") == NO
    await_that(lambda: len(told()) >= 3, 10, "the reports have come")
    assert told() == [{"username": name, "outcome": outcome, "source_ip": "127.0.0.3"}
                      for name, outcome in (("trunk1", "success"), ("trunk1", "failure"), ('a"b', "failure"))]


# What installing freeradius-config links.
INSTALLED = ("always attr_filter chap detail detail.log digest dynamic_clients eap echo exec expiration expr files linelog logintime mschap ntlm_auth pap passwd "
             "preprocess radutmp realm replicate soh sradutmp unix unpack utf8 default inner-tunnel").split()


def test_as_debian_has_it(tmp_path):
    """What README.md says to do with a new installation gives one that starts."""
    there = tmp_path / "3.0"
    try:
        shutil.copytree(PROGRAM.under("etc/freeradius/3.0"), there, symlinks=True)
    except shutil.Error:
        pytest.skip("the configuration that is installed can't be read")
    for folder in ("mods", "sites"):
        for part in INSTALLED:
            if (there / f"{folder}-available" / part).exists() and not (there / f"{folder}-enabled" / part).is_symlink():
                (there / f"{folder}-enabled" / part).symlink_to(pathlib.Path("..") / f"{folder}-available" / part)
    deployed = ROOT / "deploy/freeradius"
    steps = re.findall(r"^(?:rm|ln|cp) .*$", (deployed / "README.md").read_text(), re.MULTILINE)
    assert len(steps) == 2
    for step in steps:
        subprocess.run(["bash", "-c", step.replace(".../", f"{deployed}/")], cwd=there, check=True)
    places = {"prefix": PROGRAM.root / "usr", "libdir": PROGRAM.under("usr/lib/freeradius"), "logdir": tmp_path, "run_dir": tmp_path, "raddbdir": there}
    radiusd = (there / "radiusd.conf").read_text()
    for name, place in places.items():
        radiusd, found = re.subn(rf"^{name} = .*$", f"{name} = {place}", radiusd, flags=re.MULTILINE)
        assert found == 1, name
    (there / "radiusd.conf").write_text(re.sub(r"^\s*(user|group) = .*$", "", radiusd, flags=re.MULTILINE))
    settings = {"LK_URL": "http://127.0.0.1:9", "LK_KEY": "key", "LK_FAMILY": "trunks", "LK_REALM": REALM, "LK_RADIUS_ADDRESS": "127.0.0.1", "LK_RADIUS_PORT": "1812"}
    done = subprocess.run([PROGRAM.path, "-C", "-X", "-n", "radiusd", "-d", there, "-D", str(PROGRAM.under("usr/share/freeradius"))],
                          env=os.environ | PROGRAM.environment | settings, capture_output=True, text=True, timeout=60 * SLOW, check=False)
    assert done.returncode == 0 and "Configuration appears to be OK" in done.stdout, done.stdout[-2000:]
