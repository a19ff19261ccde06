"""/verify on several replicas that are killed: what one of them has seen, all know, and those after them."""

import threading

import pytest
from sip import Caller, decided, denied, form_client
from suite import Client, Suite, await_that

ROUNDS, THREADS = 5, 4


@pytest.fixture(scope="module")
def suite():
    with Suite(workers=2) as running:
        running.server = form_client(running)
        yield running


def kill(suite, worker):
    worker.kill()
    suite.workers.remove(worker)
    suite.await_left(worker)


def replace(suite, worker):
    """Kills it; another one takes its place."""
    kill(suite, worker)
    suite.await_joined(suite.start_worker())


def test_a_captured_response_fails_everywhere(suite):
    caller = Caller(suite, "replica-one")
    captured = [caller.body(), caller.body(qop=None, nc=None, cnonce=None), caller.body(algorithm="SHA-256")]
    for body in captured:
        assert decided(suite.server, body) == caller.passes()
    for worker in list(suite.workers):  # each is alone for a while, and none is left of those that were asked first
        kill(suite, worker)
        for body in captured:
            denied(suite.server, body, "replayed")
        suite.await_joined(suite.start_worker())
        for body in captured:
            denied(suite.server, body, "replayed")
    assert decided(suite.server, caller.body()) == caller.passes()


def test_a_nonce_is_every_replicas(suite):
    caller = Caller(suite, "replica-two")
    nonces = [decided(suite.server, None, "/v1/sip/trunks/nonce")["nonce"] for _ in range(4)]
    assert decided(suite.server, caller.body(nonce=nonces[0])) == caller.passes()
    for nonce, worker in zip(nonces[1:], list(suite.workers)):
        kill(suite, worker)
        assert decided(suite.server, caller.body(nonce=nonce)) == caller.passes()
        suite.await_joined(suite.start_worker())
    assert decided(suite.server, caller.body(nonce=nonces[3])) == caller.passes()


def test_a_killed_worker_uses_up_no_response(suite):
    """The gateway sends again what it held. The worker may have remembered the response before it died."""
    caller = Caller(suite, "replica-three")
    over = threading.Event()
    answers = []

    def ask():
        client = Client(suite.port, suite.server.key)
        while not over.is_set():
            answer = client.call("POST", "/v1/sip/trunks/verify", caller.body())
            answers.append((answer.status, answer.json["reason"] if answer.status == 200 else None))

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(ROUNDS):
            seen = len(answers)
            await_that(lambda: len(answers) > seen + 20, 30, "calls are answered")
            replace(suite, suite.workers[0])
    finally:
        over.set()
        for thread in threads:
            thread.join()
    given = [reason for status, reason in answers if status == 200]
    assert len(given) > 20 * ROUNDS and set(given) == {None}
    assert {status for status, _ in answers} <= {200, 503, 504}  # a loaded machine may be late for a call's 1.5 s
