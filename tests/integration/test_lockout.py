"""Lock-outs and used responses hold in all replicas and after their death; and who is not locked out."""

import hashlib
import json

from sip import Trunk, form_client, ha1
from suite import Client, Suite, await_that

HERE, ELSEWHERE, TRUSTED = "203.0.113.7", "203.0.113.8", "192.0.2.1"
BASE = "/v1/sip/trunks"
SETTINGS = {"LK_SIP_LOCKOUT_FAILURES": "3", "LK_SIP_LOCKOUT_SOURCE_FAILURES": "6",
            "LK_SIP_LOCKOUT_SECONDS": "3600", "LK_SIP_LOCKOUT_EXEMPT": "192.0.2.0/24"}
ASKED = 8  # each time: more than there are replicas and gateways


def suite_of(**settings):
    return Suite(workers=2, gateways=2, worker_settings=SETTINGS | settings)


def clients_of(suite, key=None):
    key = key or form_client(suite).key
    return [Client(port, key, timeout=30) for port in suite.ports]


def report(client, username, outcome, source=HERE):
    answer = client.call("POST", f"{BASE}/report", {"username": username, "outcome": outcome, "source_ip": source})
    assert (answer.status, answer.body) == (204, b""), answer.body


def asked(clients, username, source=HERE, times=ASKED):
    """What all say when asked for an HA1: the value or the reason."""
    said = set()
    for number in range(times):
        answer = clients[number % len(clients)].call("GET", f"{BASE}/ha1?username={username}&source_ip={source}")
        assert answer.status in (200, 403, 404), answer.body
        body = json.loads(answer.body)
        said.add(body["ha1"] if answer.status == 200 else body["errors"][0]["meta"]["reason"])
    assert len(said) == 1, said
    return said.pop()


def kill_workers(suite):
    number = len(suite.workers)
    for worker in suite.workers:
        worker.kill()
    suite.workers = []
    for _ in range(number):
        suite.await_joined(suite.start_worker())


def test_it_holds_in_all_replicas_and_after_their_death():
    with suite_of() as suite:
        clients = clients_of(suite)
        trunk = Trunk(suite)
        for name in ("guessed", "stranger"):
            trunk.user(name, "correct horse")
        right, other = ha1("guessed", "correct horse"), ha1("stranger", "correct horse")
        assert asked(clients, "guessed") == right  # and kept, by now
        for _ in range(2):
            report(clients[0], "guessed", "failure")
        for outcome in ("challenge", "stale"):
            report(clients[1], "guessed", outcome)
        assert asked(clients, "guessed") == right
        report(clients[1], "guessed", "failure")
        for _ in range(2):
            assert asked(clients, "guessed") == "locked_out"
            # neither the name elsewhere, nor others from there
            assert asked(clients, "guessed", ELSEWHERE) == right
            assert asked(clients, "stranger") == other
            kill_workers(suite)
        for number in range(3):
            report(clients[0], f"nobody {number}", "failure")
        assert asked(clients, "stranger") == "locked_out"
        assert asked(clients, "stranger", ELSEWHERE) == other
        denied = suite.call("GET", f"{BASE}/decisions?reason=locked_out&username=guessed")
        assert denied.status == 200 and denied.json, denied.body
        assert {(one["reason"], one["source_ip"], one["username"]) for one in denied.json} == {("locked_out", HERE, "guessed")}


def test_it_ends():
    with suite_of(LK_SIP_LOCKOUT_SECONDS="1", LK_SIP_LOCKOUT_WINDOW_SECONDS="86400") as suite:
        clients = clients_of(suite)
        Trunk(suite).user("guessed", "correct horse")
        for _ in range(3):
            report(clients[0], "guessed", "failure")
        await_that(lambda: asked(clients, "guessed", times=1) == ha1("guessed", "correct horse"), 30, "it ends")
        # a success forgets what failed before
        for _ in range(4):
            report(clients[0], "guessed", "failure", ELSEWHERE)
            report(clients[1], "guessed", "success", ELSEWHERE)
        assert asked(clients, "guessed", ELSEWHERE) == ha1("guessed", "correct horse")


def test_who_is_exempt_and_whose_word_counts():
    with suite_of() as suite:
        clients = clients_of(suite)
        Trunk(suite).user("guessed", "correct horse")
        for _ in range(10):
            report(clients[0], "guessed", "failure", TRUSTED)
        assert asked(clients, "guessed", TRUSTED) == ha1("guessed", "correct horse")
        # another organization's key says what it likes, of whom it likes
        strangers = clients_of(suite, suite.make_key("--organization", "others", "--scope", "sip"))
        for _ in range(20):
            report(strangers[0], "guessed", "failure")
        assert asked(strangers, "guessed") == "locked_out"
        assert asked(clients, "guessed") == ha1("guessed", "correct horse")
        assert suite.call("GET", f"{BASE}/decisions").json
        own = clients[0].call("GET", f"{BASE}/decisions")
        assert own.status == 200 and own.json == []


def digest(username, password, nonce):
    asked_for = {"scheme": "digest", "method": "INVITE", "username": username, "realm": "linekeeper", "nonce": nonce,
                 "uri": "sip:example.org", "qop": "auth", "nc": "00000001", "cnonce": "c", "algorithm": "MD5",
                 "source_address": HERE}
    second = hashlib.md5(b"INVITE:sip:example.org").hexdigest()
    asked_for["response"] = hashlib.md5(
        f"{ha1(username, password)}:{nonce}:00000001:c:auth:{second}".encode()).hexdigest()
    return asked_for


def test_a_used_response_is_known_in_all_replicas_and_after_their_death():
    with suite_of() as suite:
        clients = clients_of(suite)
        Trunk(suite).user("caller", "correct horse")
        nonces = [json.loads(clients[0].call("POST", f"{BASE}/nonce").body)["nonce"], "not of ours"]
        for nonce in nonces:
            said = []
            for number in range(ASKED):
                body = json.loads(clients[number % 2].call("POST", f"{BASE}/verify", digest("caller", "correct horse", nonce)).body)
                said.append(body.get("reason") or body["status"])
            assert said == ["ok"] + ["replayed"] * (ASKED - 1)
        kill_workers(suite)
        for nonce in nonces:
            body = json.loads(clients[0].call("POST", f"{BASE}/verify", digest("caller", "correct horse", nonce)).body)
            assert (body["status"], body["reason"]) == ("fail", "replayed")
