"""The suite is down, slow, or lies, while calls come through Kamailio: each is refused with 503, none gets through;
and it is served again as soon as the suite is there."""

import json

import pytest
from cable import Cable
from kamailio import REALM, Kamailio, need
from sip_uac import Core, Uac
from suite import Suite, await_that

need()


class World:
    def __init__(self, suite, core, kamailio, cable):
        self.suite, self.core, self.kamailio, self.cable = suite, core, kamailio, cable

    def statuses(self):
        """Of a call with a password, a registration, and a call from a source that suffices."""
        with Uac(self.kamailio.port, "trunk1", "secret1") as uac:
            digest = uac.attempt("INVITE", f"sip:100@127.0.0.1:{self.kamailio.port}")
            registered = uac.register().status
        with Uac(self.kamailio.port, host="127.0.0.8") as uac:
            return digest[1].status, registered, uac.invite().status  # challenged, it answers as nobody

    def refuses(self):
        self.core.requests.clear()
        assert set(self.statuses()) == {503}
        assert self.core.count() == 0

    def serves(self):
        await_that(lambda: self.statuses() == (200, 200, 200), 20, "it is served again")


@pytest.fixture(scope="module", name="world")
def fixture_world(tmp_path_factory):
    with Suite(worker_settings={"LK_SIP_REALMS": REALM, "LK_SIP_LOCKOUT_EXEMPT": "127.0.0.0/8"}) as suite, Core() as core:
        trunk = suite.make_trunk()
        for method in ({"type": "sipuser", "username": "trunk1", "password": "secret1"}, {"type": "ip", "ip": "127.0.0.8"}):
            assert suite.call("POST", f"/voip/trunk/{trunk}/auth", method).status == 201
        suite.sip_key = suite.make_key("--organization", "default", "--scope", "sip")
        cable = Cable(suite.port)
        with Kamailio(tmp_path_factory.mktemp("sip"), f"http://kamailio:{suite.sip_key}@127.0.0.1:{cable.port}", core.uri) as kamailio:
            world = World(suite, core, kamailio, cable)
            world.serves()
            yield world
        cable.close()


def test_the_gateway_is_killed(world):
    world.suite.gateway.kill()
    world.refuses()
    world.suite.start_gateway()
    world.serves()


def test_the_worker_is_killed(world):
    world.suite.workers[0].kill()
    world.refuses()
    world.suite.start_worker()
    world.serves()


def test_answers_that_come_too_late(world):
    world.cable.cut(to_here=True)
    world.refuses()
    world.cable.heal()
    world.serves()
    # What came late was nobody's: a wrong password is still wrong.
    with Uac(world.kamailio.port, "trunk1", "secret2") as uac:
        assert uac.invite().status == 403


def test_a_key_that_is_revoked(world, tmp_path):
    key = world.suite.make_key("--organization", "default", "--scope", "sip")
    with Kamailio(tmp_path, f"http://kamailio:{key}@127.0.0.1:{world.suite.port}", world.core.uri) as kamailio:
        other = World(world.suite, world.core, kamailio, None)
        other.serves()
        made = json.loads(world.suite.key_command("list", "--json").stdout)[-1]
        assert made["scope"] == "sip" and world.suite.key_command("revoke", made["id"]).returncode == 0
        await_that(lambda: set(other.statuses()) == {503}, 20, "the key is refused")
        other.refuses()


def test_keys_that_may_not_ask(world, tmp_path):
    wrong = {"a key of another scope": world.suite.make_key("--organization", "default", "--scope", "read"), "no key": "lk_" + "x" * 43}
    for name, key in wrong.items():
        with Kamailio(tmp_path, f"http://kamailio:{key}@127.0.0.1:{world.suite.port}", world.core.uri) as kamailio:
            print(name)
            World(world.suite, world.core, kamailio, None).refuses()


def test_a_key_of_another_organization(world, tmp_path):
    key = world.suite.make_key("--organization", "stranger", "--scope", "sip")
    world.core.requests.clear()
    with Kamailio(tmp_path, f"http://kamailio:{key}@127.0.0.1:{world.suite.port}", world.core.uri) as kamailio:
        assert World(world.suite, world.core, kamailio, None).statuses() == (403, 403, 403)
    assert world.core.count() == 0
