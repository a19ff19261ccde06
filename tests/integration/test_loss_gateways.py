"""Gateways that are killed, and several at once."""

import concurrent.futures
import signal
import socket

import pytest
from loss import TRUNKS, Outcomes, Writers
from metrics import total
from suite import Client, Suite, await_that


def test_killed_and_started_again():
    """Clients see their connections cut, nothing else; what was acknowledged is there; the keys work."""
    with Suite(workers=2) as suite:
        outcomes = Outcomes(suite)
        key = suite.make_key("--organization", "default", "--scope", "read")
        with Writers(outcomes, lambda _: Client(suite.port, suite.admin, strict=True, timeout=30)):
            await_that(lambda: len(outcomes.with_status(201)) >= 50, 20, "writes flow")
            suite.gateway.kill(signal.SIGKILL)
            await_that(lambda: outcomes.with_status("cut"), 10, "connections are cut")
            suite.start_gateway()
            suite.await_ready()
            for worker in suite.workers:
                suite.await_joined(worker)
            before = len(outcomes.with_status(201))
            await_that(lambda: len(outcomes.with_status(201)) >= before + 50, 20, "writes flow again")
        assert set(outcomes.told.values()) <= {201, 503, "cut"}, set(outcomes.told.values())
        assert all(worker.alive() for worker in suite.workers)
        suite.client.close()
        outcomes.check()
        outcomes.write_again()
        assert Client(suite.port, key).call("GET", TRUNKS).status == 200
        assert Client(suite.port, key).call("POST", TRUNKS, {"name": "no"}).status == 403


def test_an_open_connection_is_cut_when_the_gateway_dies():
    with Suite() as suite, socket.create_connection(("127.0.0.1", suite.port), timeout=20) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200")
        suite.gateway.kill(signal.SIGKILL)
        await_that(lambda: ended(line), 10, "the end is seen")
        suite.start_gateway()
        suite.await_ready()


def ended(line):
    try:
        return line.recv(65536) == b""
    except ConnectionResetError:
        return True


@pytest.fixture(name="two", scope="module")
def two_gateways():
    with Suite(workers=2, gateways=2) as suite:
        for gateway in suite.gateways:
            await_that(lambda it=gateway: total(suite.metrics(it), "lk_workers", state="live") == 2, 20, "each has both workers")
        yield suite


def test_a_write_through_one_is_read_through_the_other_at_once(two):
    clients = [Client(port, two.admin, strict=True) for port in two.ports]
    for number in range(60):
        writer, reader = clients[number % 2], clients[1 - number % 2]
        name = f"across {number}"
        made = writer.call("POST", TRUNKS, {"name": name})
        assert made.status == 201
        found = reader.call("GET", f"{TRUNKS}/{made.result['uuid']}")
        assert (found.status, found.result["name"]) == (200, name)


def test_the_same_key_through_both_applies_once(two):
    """At the same moment, many times: one write, one answer."""
    def ask(port, number):
        return Client(port, two.admin).call("POST", TRUNKS, {"name": f"both {number}"}, headers={"Idempotency-Key": f"both-{number}"})

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for number in range(20):
            asked = [pool.submit(ask, port, number) for port in two.ports * 4]
            answers = [one.result() for one in asked]
            assert {answer.status for answer in answers} == {201}
            assert len({answer.body for answer in answers}) == 1
            # On a busy machine the one that was first may have been sent to a second worker.
            assert sum(answer.headers["Idempotent-Replayed"] == "true" for answer in answers) >= len(answers) - 1
    names = [trunk["name"] for trunk in two.call("GET", TRUNKS).result]
    assert [names.count(f"both {number}") for number in range(20)] == [1] * 20


def test_one_dies_and_the_other_does_not_notice(two):
    """The last of this suite: one gateway is gone then."""
    outcomes, doomed = Outcomes(two), Outcomes(two)
    with Writers(outcomes, lambda _: Client(two.port, two.admin, strict=True)), \
         Writers(doomed, lambda _: Client(two.ports[1], two.admin, strict=True)):
        await_that(lambda: min(len(some.with_status(201)) for some in (outcomes, doomed)) >= 30, 20, "both write")
        two.gateways[1].kill(signal.SIGKILL)
        reached = len(outcomes.with_status(201)) + 100
        await_that(lambda: len(outcomes.with_status(201)) >= reached, 20, "the other goes on")
    assert set(outcomes.told.values()) == {201}
    assert set(doomed.told.values()) == {201, "cut"}
    outcomes.told.update(doomed.told)
    outcomes.check()
    outcomes.write_again()  # through the gateway that is left
