"""Settings from settings_url: fetched from hosts that are good, bad, silent or our own."""

import socket
import threading
import time

import pytest
from idp import CERTIFICATES, Host, key, metadata
from provider_dialect import PROVIDERS, check_data, check_errors, check_provider, new_provider
from suite import SLOW, Client, Suite, await_that

DOCTYPE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
BAD = {
    "/missing": "404",
    "/huge": "1 MiB",
    "/text": "XML",
    "/doctype": "XML",
    "/nobody": "identity provider",
    "/keyless": "certificate",
    "/expired": "validUntil",
    "/elsewhere": "another scheme",
    "/circle": "redirects",
}


def make_pages():
    both = key(CERTIFICATES[0]) + key(CERTIFICATES[1], "") + key("junk", "encryption")
    return {
        "/good": metadata(keys=both),
        "/next": metadata("https://next.example/"),
        "/moved": (302, {"Location": "/good"}, b""),
        "/silent": None,
        "/huge": b"<a>" + b"x" * (1 << 20) + b"</a>",
        "/text": b"hello",
        "/doctype": metadata(head=DOCTYPE),
        "/nobody": b'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>',
        "/keyless": metadata(keys=""),
        "/expired": metadata(attributes='validUntil="2001-01-01T00:00:00Z"'),
        "/elsewhere": (302, {"Location": "file:///etc/passwd"}, b""),
        "/circle": (302, {"Location": "/circle"}, b""),
    }


@pytest.fixture(scope="module")
def host():
    with Host(make_pages()) as running:
        yield running


@pytest.fixture(scope="module")
def suite():
    settings = {"LK_METADATA_ALLOW_PRIVATE": "on", "LK_PUBLIC_URL": "https://voice.example/"}
    with Suite(["auth-provider"], worker_settings=settings) as running:
        yield running


def unfilled(**other):
    sent = new_provider(**other)
    del sent["settings"]
    return sent


def create(suite, url, client=None, **other):
    return (client or suite).call("POST", PROVIDERS, unfilled(settings_url=url, **other))


def total(suite):
    return suite.call("GET", PROVIDERS).json["meta"]["total_results"]


@pytest.mark.parametrize("path", ["/good", "/moved"])
def test_metadata_fills_the_settings(suite, host, path):
    made = check_provider(check_data(create(suite, host.url(path))), "https://voice.example")
    settings = made["settings"]
    assert settings["idp_entity_id"] == "https://idp.example/"
    assert settings["idp_sso_target_url"] == "https://idp.example/in"
    assert settings["idp_slo_target_url"] == "https://idp.example/out"
    assert settings["idp_cert_fingerprint_algorithm"] == "sha256"
    assert len(settings["idp_cert_fingerprint"].replace(":", "")) == 64
    assert settings["idp_certificate"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert settings["idp_certificate"].replace("\n", "")[27:60] == CERTIFICATES[0][:33]
    assert made["settings_url"] == host.url(path) and made["warnings"] == []


def test_a_changed_url_replaces_the_settings(suite, host):
    made = check_data(create(suite, host.url("/good")))
    at, asked = f"{PROVIDERS}/{made['id']}", len(host.asked)
    check_data(suite.call("PATCH", at, {"settings": {"provision_groups": True}}))
    check_data(suite.call("PATCH", at, {"settings_url": host.url("/good")}))
    assert len(host.asked) == asked
    changed = check_data(suite.call("PATCH", at, {"settings_url": host.url("/next")}))
    assert host.asked[asked:] == ["/next"]
    assert changed["settings"]["idp_entity_id"] == "https://next.example/"
    assert changed["settings"]["provision_groups"] is None
    cleared = check_data(suite.call("PATCH", at, {"settings_url": None}))
    assert cleared["settings_url"] is None and cleared["settings"] == changed["settings"]


@pytest.mark.parametrize("path", BAD)
def test_failures_name_the_step_and_store_nothing(suite, host, path):
    before, made = total(suite), make_provider_here(suite)
    errors = check_errors(create(suite, host.url(path)), 422, {"/settings_url": "10015"})
    assert BAD[path] in errors[0]["detail"], errors
    assert "127.0.0.1" not in errors[0]["detail"]
    at = f"{PROVIDERS}/{made['id']}"
    check_errors(suite.call("PATCH", at, {"name": "x", "settings_url": host.url(path)}), 422,
                 {"/settings_url": "10015"})
    assert check_data(suite.call("GET", at)) == made
    assert total(suite) == before + 1


def make_provider_here(suite):
    return check_data(suite.call("POST", PROVIDERS, new_provider()))


def test_nobody_there(suite):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        check_errors(create(suite, url), 422, {"/settings_url": "10015"})


def test_our_own_network_is_refused(host):
    asked = len(host.asked)
    with Suite(["auth-provider"]) as careful:
        port = host.url("").rsplit(":", 1)[1]
        for name in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "192.168.0.1",
                     "169.254.169.254", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]"):
            errors = check_errors(create(careful, f"http://{name}:{port}/good"), 422, {"/settings_url": "10015"})
            assert "address is not allowed" in errors[0]["detail"], (name, errors)
        assert total(careful) == 0
    assert len(host.asked) == asked


class Hanging:
    """One fetch of a silent host for each of the clients, each in a thread of its own.

    answers: (answer, seconds) of those that have ended. The hosts' 5 s are real ones, however slow this machine is:
    what is to come about meanwhile must be little."""

    def __init__(self, suite, host, keys):
        self.suite, self.host, self.answers = suite, host, []
        self.before = host.asked.count("/silent")
        self.threads = [threading.Thread(target=self.wait, args=(key,)) for key in keys]
        for thread in self.threads:
            thread.start()

    def wait(self, key):
        client = Client(self.suite.port, key, timeout=30 * SLOW)
        began = time.monotonic()
        answer = create(self.suite, self.host.url("/silent"), client)
        self.answers.append((answer, time.monotonic() - began))
        client.close()

    def await_at_host(self, count):
        await_that(lambda: self.host.asked.count("/silent") >= self.before + count, 10, f"{count} fetches hang")

    def end(self):
        for thread in self.threads:
            thread.join(60 * SLOW)
        assert len(self.answers) == len(self.threads)
        for answer, seconds in self.answers:
            if answer.status == 422:
                check_errors(answer, 422, {"/settings_url": "10015"})
                assert seconds > 4
            else:  # had to wait for those before it, and had less than its 5 s
                check_errors(answer, 503, {None: "10007"})


def test_a_silent_host_delays_nobody(suite, host):
    """While an organization's fetches hang, others fetch, and all read."""
    made, before, reads = make_provider_here(suite), total(suite) + 1, 0
    stranger = Client(suite.port, suite.make_key("--organization", "impatient", "--scope", "admin"))
    hanging = Hanging(suite, host, [suite.admin] * 6)
    hanging.await_at_host(3)
    check_data(create(suite, host.url("/good"), stranger))
    while reads < 100 and not hanging.answers:
        assert check_data(suite.call("GET", f"{PROVIDERS}/{made['id']}")) == made
        reads += 1
    assert reads >= 5
    hanging.end()
    assert total(suite) == before
    stranger.close()


def test_all_threads_may_hang():
    """4 organizations keep all 16 threads of the waiting pool busy: reads, writes and hashing go on."""
    settings = {"LK_METADATA_ALLOW_PRIVATE": "on"}
    with Host(make_pages()) as host, Suite(["auth-provider", "trunk-auth"], worker_settings=settings) as suite:
        keys = [suite.make_key("--organization", f"slow-{n}", "--scope", "admin") for n in range(4)]
        at = f"{PROVIDERS}/{make_provider_here(suite)['id']}"
        trunk = suite.make_trunk()
        hanging = Hanging(suite, host, keys * 4)
        hanging.await_at_host(16)
        assert check_data(suite.call("PATCH", at, {"name": "while all hang"}))["name"] == "while all hang"
        assert check_data(suite.call("GET", at))["name"] == "while all hang"
        assert total(suite) == 1
        make_provider_here(suite)
        hashed = {"type": "sipuser", "username": "hashed", "password": "correct horse"}
        assert suite.call("POST", f"/voip/trunk/{trunk}/auth", hashed).status == 201
        assert not hanging.answers, "a fetch gave up early"
        hanging.end()
        assert {answer.status for answer, _ in hanging.answers} == {422}


def test_less_time_than_a_fetch_may_take(host):
    """With a short LK_ANSWER_MS too, a silent host is the client's fault, and no 504."""
    settings = {"LK_METADATA_ALLOW_PRIVATE": "on"}
    with Suite(["auth-provider"], gateway_settings={"LK_ANSWER_MS": "4000"}, worker_settings=settings) as suite:
        errors = check_errors(create(suite, host.url("/silent")), 422, {"/settings_url": "10015"})
        assert "no answer within 3." in errors[0]["detail"]


def test_a_public_url_that_is_none():
    for url in ("voice.example", "https://", "https://voice.example/?a", "https://u@voice.example/"):
        with Suite(["auth-provider"], workers=0, worker_settings={"LK_PUBLIC_URL": url}) as wrong:
            worker = wrong.start_worker()
            worker.expected_end = True
            assert worker.popen.wait(20 * SLOW) == 78
            assert b"LK_PUBLIC_URL" in worker.log.read_bytes()
            wrong.processes.remove(worker)
