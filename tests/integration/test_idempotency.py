"""Idempotency-Key: the first committed answer, again."""

import concurrent.futures
import signal

import pytest
from suite import Client, Suite

TRUNKS = "/voip/trunk"


def ask(suite, idempotency_key, body=None, method="POST", path=TRUNKS, **named):
    return suite.call(method, path, body, headers={"Idempotency-Key": idempotency_key}, **named)


def check_replay(first, again):
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_replayed(suite):
    first = ask(suite, "create-1", {"name": "once"})
    assert first.status == 201 and first.headers["Idempotent-Replayed"] is None
    check_replay(first, ask(suite, "create-1", {"name": "once"}))
    names = [trunk["name"] for trunk in suite.call("GET", TRUNKS).result]
    assert names.count("once") == 1


def test_every_writing_method(suite, trunk):
    one = f"{TRUNKS}/{trunk}"
    made = suite.call("POST", one + "/auth", {"type": "sipuser", "username": "i", "password": "correct horse"}).result
    method = f"{one}/auth/{made['uuid']}"
    for key, verb, path, body in (("put", "PUT", one, {"name": "n"}), ("patch", "PATCH", method, {"label": "l"}),
                                  ("rotate", "POST", method + "/rotate", {"password": "battery staple"}),
                                  ("delete", "DELETE", method, None)):
        first = ask(suite, key, body, verb, path)
        assert first.status in (200, 204), first.body
        check_replay(first, ask(suite, key, body, verb, path))
    assert suite.call("DELETE", method).status == 404


def test_the_same_key_for_something_else(suite, trunk):
    assert ask(suite, "reused", {"name": "first"}).status == 201
    for answer in (ask(suite, "reused", {"name": "second"}),
                   ask(suite, "reused", {"name": "first"}, "PUT", f"{TRUNKS}/{trunk}"),
                   ask(suite, "reused", {"type": "ip", "ip": "192.0.2.1"}, "POST", f"{TRUNKS}/{trunk}/auth")):
        assert answer.status == 422
        assert answer.json["result"] == {} and answer.json["status_code"] == 422


def test_keys_belong_to_the_api_key(suite):
    other = suite.make_key("--organization", "default", "--scope", "admin")
    first, second = ask(suite, "shared", {"name": "a"}), ask(suite, "shared", {"name": "b"}, key=other)
    assert (first.status, second.status) == (201, 201)


def test_what_was_refused_is_not_kept(suite):
    assert ask(suite, "tried", {"name": ""}).status == 400
    assert ask(suite, "tried", {"name": "better"}).status == 201


def test_a_conflict_is_not_kept(suite, trunk):
    path, body = f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": "192.0.2.40"}
    standing = suite.call("POST", path, body).result
    assert ask(suite, "conflict", body, path=path).status == 409
    suite.call("DELETE", f"{path}/{standing['uuid']}")
    assert ask(suite, "conflict", body, path=path).status == 201


@pytest.mark.parametrize("key", ["", "k" * 65, "tab\tinside", "caf\xe9"])
def test_malformed_keys(suite, key):
    answer = ask(suite, key, {"name": "x"})
    assert answer.status == 400, answer.body


def test_longest_key(suite):
    first = ask(suite, "~" * 64, {"name": "x"})
    check_replay(first, ask(suite, "~" * 64, {"name": "x"}))


def test_at_the_same_time(suite):
    def one(_):
        return ask_alone()

    def ask_alone():
        return Client(suite.port, suite.admin).call("POST", TRUNKS, {"name": "race"},
                                                    headers={"Idempotency-Key": "race"})

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(one, range(24)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert [trunk["name"] for trunk in suite.call("GET", TRUNKS).result].count("race") == 1


def test_replayed_after_the_worker_died():
    with Suite() as suite:
        first = ask(suite, "kept", {"name": "kept"})
        suite.workers[0].kill(signal.SIGKILL)
        suite.await_joined(suite.start_worker())
        check_replay(first, ask(suite, "kept", {"name": "kept"}))
