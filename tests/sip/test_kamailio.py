"""Calls and registrations through Kamailio with deploy/kamailio/kamailio.cfg, authorized by the real suite."""

import datetime

import pytest
from kamailio import CALL_ANSWER_MS, PATIENT, REALM, Kamailio, need
from sip_uac import Core, Uac
from suite import Suite, await_that

need()


@pytest.fixture(scope="module", name="authority")
def fixture_authority():
    settings = {"LK_SIP_REALMS": REALM, "LK_SIP_LOCKOUT_EXEMPT": "127.0.0.0/8"}
    with Suite(gateway_settings={"LK_CALL_ANSWER_MS": CALL_ANSWER_MS}, worker_settings=settings) as suite:
        suite.sip_key = suite.make_key("--organization", "default", "--scope", "sip")
        yield suite


@pytest.fixture(scope="module", name="core")
def fixture_core():
    with Core() as core:
        yield core


@pytest.fixture(scope="module", name="kamailio", params=["MD5", "SHA-256"])
def fixture_kamailio(request, authority, core, tmp_path_factory):
    defines = [PATIENT, *(["LK_SHA256"] if request.param == "SHA-256" else [])]
    url = f"http://kamailio:{authority.sip_key}@127.0.0.1:{authority.port}"
    with Kamailio(tmp_path_factory.mktemp("sip"), url, core.uri, defines=defines) as kamailio:
        kamailio.name = request.param.lower()
        yield kamailio


@pytest.fixture(name="trunk")
def fixture_trunk(authority, core, kamailio):
    core.requests.clear()
    trunk = Trunk(authority, kamailio)
    yield trunk
    authority.call("DELETE", f"/voip/trunk/{trunk.uuid}")


class Trunk:
    """A trunk, and calls that would be its."""

    count = 0

    def __init__(self, suite, kamailio):
        Trunk.count += 1
        self.suite, self.port, self.user = suite, kamailio.port, f"{kamailio.name}-{Trunk.count}"
        self.uuid = suite.make_trunk(self.user)
        self.path = f"/voip/trunk/{self.uuid}"

    def change(self, method, path, body=None, wanted=200):
        answer = self.suite.call(method, f"{self.path}{path}", body)
        assert answer.status == wanted, answer.body
        return answer

    def add_user(self, password="correct horse"):
        return self.change("POST", "/auth", {"type": "sipuser", "username": self.user, "password": password}, 201).result["uuid"]

    def add_ip(self, ip):
        return self.change("POST", "/auth", {"type": "ip", "ip": ip}, 201).result["uuid"]

    def call(self, password=None, host="127.0.0.1", user=None):
        """The status of a call. Without a password the challenge is not answered."""
        with Uac(self.port, user or self.user, password or "", host=host) as uac:
            uri = f"sip:100@127.0.0.1:{self.port}"
            return uac.invite().status if password else uac.ask("INVITE", uri, f"{self.user}-{host}-{id(uac)}", 1).status

    def register(self, password, host="127.0.0.1"):
        with Uac(self.port, self.user, password, host=host) as uac:
            return uac.register().status


def soon(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_user_and_password(trunk, core):
    trunk.add_user()
    assert trunk.call("correct horse") == 200 and trunk.register("correct horse") == 200
    assert trunk.call("correct horses") == 403 and trunk.register("correct horses") == 403
    assert trunk.call("correct horse", user=trunk.user + "x") == 403
    assert trunk.call("correct horse", user=trunk.user.upper()) == 403, "a digest is of bytes"
    assert trunk.call() == 407
    assert core.count() == 1 and core.requests[0].get("X-Linekeeper-Subject") == trunk.uuid


def test_user_names_of_bytes(trunk, core):
    trunk.user = f"bj\u00f6rn+{trunk.user}&=?%41"
    trunk.add_user()
    assert trunk.call("correct horse") == 200
    assert trunk.call("correct horse", user=trunk.user.replace("%41", "A")) == 403
    assert core.count() == 1


def test_source_only(trunk, core):
    trunk.add_ip("127.0.0.16/30")
    assert [trunk.call(host=f"127.0.0.{last}") for last in (15, 16, 19, 20)] == [407, 200, 200, 407]
    assert core.count() == 2 and core.requests[0].get("X-Linekeeper-Subject") == trunk.uuid
    assert trunk.register("whatever", host="127.0.0.16") == 403, "a registration takes a password"


def test_either_suffices(trunk):
    trunk.add_ip("127.0.0.24")
    trunk.add_user()
    assert trunk.call(host="127.0.0.24") == 200
    assert trunk.call("correct horse", host="127.0.0.25") == 200


def test_policy_all(trunk, core):
    trunk.add_ip("127.0.0.32")
    trunk.add_user()
    trunk.change("PUT", "", {"name": "needs both", "auth_policy": "all"})
    assert trunk.call(host="127.0.0.32") == 407
    assert trunk.call("correct horse", host="127.0.0.33") == 403
    assert trunk.call("wrong horse", host="127.0.0.32") == 403
    assert core.count() == 0
    assert trunk.call("correct horse", host="127.0.0.32") == 200
    assert trunk.register("correct horse", host="127.0.0.32") == 200
    assert core.count() == 1


def test_policy_all_of_one_kind_authorizes_nobody(trunk, core):
    method = trunk.add_ip("127.0.0.40")
    trunk.change("PUT", "", {"name": "needs both", "auth_policy": "all"})
    assert trunk.call(host="127.0.0.40") == 407
    trunk.change("DELETE", f"/auth/{method}", wanted=204)
    trunk.add_user()
    assert trunk.call("correct horse", host="127.0.0.40") == 403
    assert core.count() == 0


def test_rotation(trunk, core):
    method = trunk.add_user("the first one")
    trunk.change("POST", f"/auth/{method}/rotate", {"password": "the second one"})
    for password in ("the first one", "the second one"):
        assert trunk.call(password) == 200 and trunk.register(password) == 200
    assert trunk.call("the third one") == 403
    trunk.change("POST", f"/auth/{method}/rotate", {"password": "the third one"})
    assert [trunk.call(f"the {which} one") for which in ("first", "second", "third")] == [403, 200, 200]
    trunk.change("POST", f"/auth/{method}/rotate", {"password": "the fourth one", "grace_seconds": 0})
    assert [trunk.call(f"the {which} one") for which in ("first", "second", "third", "fourth")] == [403, 403, 403, 200]
    assert core.count() == 5


def test_the_end_of_a_rotation(trunk):
    method = trunk.add_user("the first one")
    trunk.change("POST", f"/auth/{method}/rotate", {"password": "the second one", "grace_seconds": 2})
    await_that(lambda: trunk.call("the first one") == 403, 20, "the old password is refused")
    assert trunk.call("the second one") == 200


def test_disabled(trunk, core):
    """From the change on, not some time later."""
    user, source = trunk.add_user(), trunk.add_ip("127.0.0.48")
    for _ in range(3):
        assert trunk.call("correct horse") == 200 and trunk.call(host="127.0.0.48") == 200
        for method in (user, source):
            trunk.change("PATCH", f"/auth/{method}", {"enabled": False})
        core.requests.clear()
        assert trunk.call("correct horse") == 403 and trunk.register("correct horse") == 403
        assert trunk.call(host="127.0.0.48") == 407
        assert core.count() == 0
        for method in (user, source):
            trunk.change("PATCH", f"/auth/{method}", {"enabled": True})
    for method in (user, source):
        trunk.change("DELETE", f"/auth/{method}", wanted=204)
    assert trunk.call("correct horse") == 403 and trunk.call(host="127.0.0.48") == 407


def test_expired(trunk, core):
    user, source = trunk.add_user(), trunk.add_ip("127.0.0.56")
    for method in (user, source):
        trunk.change("PATCH", f"/auth/{method}", {"expires_at": soon(2)})
    await_that(lambda: trunk.call("correct horse") == 403 and trunk.call(host="127.0.0.56") == 407, 20, "both have expired")
    core.requests.clear()
    assert trunk.register("correct horse") == 403 and core.count() == 0
    trunk.change("PATCH", f"/auth/{user}", {"expires_at": soon(3600)})
    assert trunk.call("correct horse") == 200


def test_a_password_that_is_set_again(trunk):
    method = trunk.add_user("the first one")
    assert trunk.call("the first one") == 200
    trunk.change("PATCH", f"/auth/{method}", {"password": "the second one"})
    assert trunk.call("the first one") == 403 and trunk.call("the second one") == 200
