"""Source-only trunks from a list: kamailio.cfg with LK_SOURCES_FILE, which acl.sh keeps."""

import os
import subprocess

import pytest
from kamailio import REALM, Kamailio, Unpacked, need
from sip_uac import Core, Uac
from suite import ROOT, SLOW, Suite, await_that

need()


class List:
    def __init__(self, suite, directory):
        self.suite, self.kamailio, self.file = suite, None, directory / "sources"
        self.key = suite.make_key("--organization", "default", "--scope", "sip")
        self.url = f"http://kamailio:{self.key}@127.0.0.1:{suite.port}"

    def fetch(self, **settings):
        """acl.sh's exit code."""
        reload = "true"
        environment = os.environ | {}
        if self.kamailio is not None:
            environment |= self.kamailio.environment
            reload = f"{Unpacked('kamailio', 'kamcmd').path} -s unixs:{self.kamailio.directory}/kamailio_ctl"
        environment |= {"LK_URL": self.url, "LK_FAMILY": "trunks", "LK_SOURCES": str(self.file), "KAMCMD": reload, **settings}
        # Its own libraries are for kamcmd, not for curl.
        environment["KAMCMD"] = f"env LD_LIBRARY_PATH={environment.pop('LD_LIBRARY_PATH', '')} {environment['KAMCMD']}"
        return subprocess.run([ROOT / "deploy/kamailio/acl.sh"], env=environment, timeout=60 * SLOW, check=False).returncode

    def calls(self):
        """Statuses of calls from two addresses of a range, one alone, and one that nobody has."""
        statuses = []
        for host in ("127.0.0.17", "127.0.0.18", "127.0.0.9", "127.0.0.10"):
            with Uac(self.kamailio.port, host=host) as uac:
                statuses.append(uac.ask("INVITE", "sip:100@127.0.0.1", f"list-{host}-{id(uac)}", 1).status)
        return statuses


@pytest.fixture(scope="module", name="world")
def fixture_world(tmp_path_factory):
    with Suite(worker_settings={"LK_SIP_REALMS": REALM}) as suite, Core() as core:
        trunk = suite.make_trunk()
        methods = [suite.call("POST", f"/voip/trunk/{trunk}/auth", {"type": "ip", "ip": ip}).result["uuid"] for ip in ("127.0.0.16/30", "127.0.0.9")]
        sources = List(suite, tmp_path_factory.mktemp("sources"))
        assert sources.fetch() == 0
        # Whatever the suite would say of a source, the list is what counts.
        with Kamailio(tmp_path_factory.mktemp("sip"), sources.url, core.uri, defines=["LK_SOURCES_FILE"], settings={"LK_SOURCES": str(sources.file)}) as kamailio:
            sources.kamailio = kamailio
            yield sources, core, trunk, methods


def test_the_list(world):
    sources, core, trunk, methods = world
    suite = sources.suite
    assert sources.calls() == [200, 200, 200, 407]
    assert {request.get("X-Linekeeper-Subject") for request in core.requests if request.method == "INVITE"} == {trunk}
    for method in methods:
        assert suite.call("PATCH", f"/voip/trunk/{trunk}/auth/{method}", {"enabled": False}).status == 200
    # Kamailio takes one reload in a few seconds.
    await_that(lambda: sources.fetch() == 0, 30, "the list is fetched and reloaded")
    assert sources.file.read_text() == ""
    await_that(lambda: sources.calls() == [407] * 4, 20, "the list is in force")
    for method in methods:
        assert suite.call("PATCH", f"/voip/trunk/{trunk}/auth/{method}", {"enabled": True}).status == 200
    await_that(lambda: sources.fetch() == 0, 30, "the list is fetched and reloaded")
    await_that(lambda: sources.calls() == [200, 200, 200, 407], 20, "the list is in force")


def test_a_list_that_can_not_be_had(world):
    sources, _, _, _ = world
    before = sources.file.read_text()
    assert before and sources.calls()[0] == 200
    gone = sources.url.rpartition(":")[0] + ":9"
    assert sources.fetch(LK_URL=gone) == 1 and sources.file.read_text() == before
    assert sources.fetch(LK_URL=sources.url.replace(sources.key, "lk_" + "x" * 43)) == 1 and sources.file.read_text() == before
    # When that has lasted too long.
    os.utime(sources.file, (1, 1))
    await_that(lambda: sources.fetch(LK_URL=gone) == 1 and sources.calls() == [407] * 4, 30, "nobody calls on an old word")
    assert sources.file.read_text() == ""
