"""Workers that are killed or stopped in the middle of something."""

import concurrent.futures
import signal
import time

from loss import TRUNKS, Outcomes, Writers, gate_holder, gate_taken
from metrics import total
from suite import POLL, SLOW, Client, Suite, await_that


def held_by(suite, worker):
    return total(suite.metrics(worker), "lk_worker_held")


def holder(suite, number=1):
    """The worker that holds so many calls."""
    return await_that(lambda: next((worker for worker in suite.workers if worker.alive() and held_by(suite, worker) == number),
                                   None), 15, f"a worker holds {number} calls")


def both_joined(suite):
    for worker in suite.workers:
        suite.await_joined(worker)


def resume(worker):
    worker.kill(signal.SIGCONT)
    worker.expected_end = False


def resent(suite):
    return total(suite.metrics(suite.gateway), "lk_requests_resent_total")


def test_killed_while_it_reads():
    """Both stopped first, so that requests are with the one for certain when it is killed."""
    with Suite(workers=2, gateway_settings={"LK_ANSWER_MS": "60000"}) as suite, concurrent.futures.ThreadPoolExecutor(8) as pool:
        both_joined(suite)
        trunk = suite.make_trunk()
        sent = lambda: total(suite.metrics(suite.gateway), "lk_requests_sent_total")  # noqa: E731
        before = sent()
        victim, other = suite.workers
        for worker in suite.workers:
            worker.kill(signal.SIGSTOP)
        clients = [Client(suite.port, suite.admin, timeout=90, strict=True) for _ in range(8)]
        asked = [pool.submit(client.call, "GET", f"{TRUNKS}/{trunk}") for client in clients]
        await_that(lambda: sent() >= before + len(asked), 20, "each has its share")
        victim.kill(signal.SIGKILL)
        resume(other)
        assert [one.result().status for one in asked] == [200] * len(asked)
        assert resent(suite) > 0


def test_killed_while_its_write_waits_for_its_turn():
    with Suite(workers=2, gateway_settings={"LK_ANSWER_MS": "60000"}) as suite, concurrent.futures.ThreadPoolExecutor(1) as pool:
        both_joined(suite)
        outcomes = Outcomes(suite)
        with gate_taken(suite):
            asked = pool.submit(outcomes.write, Client(suite.port, suite.admin, timeout=90, strict=True))
            holder(suite).kill(signal.SIGKILL)
            survivor = next(worker for worker in suite.workers if worker.alive())
            await_that(lambda: held_by(suite, survivor) == 1, 15, "the other has it")
        assert asked.result() == 201
        outcomes.check()
        assert resent(suite) == 1


def test_killed_while_it_hashes():
    """The hash takes long enough to be met: the other worker begins it anew."""
    with Suite(workers=2, gateway_settings={"LK_ANSWER_MS": "60000"},
               worker_settings={"LK_PWHASH": "6:128"}) as suite, concurrent.futures.ThreadPoolExecutor(1) as pool:
        both_joined(suite)
        trunk = suite.make_trunk()
        body = {"type": "sipuser", "username": "someone", "password": "correct horse"}
        client = Client(suite.port, suite.admin, timeout=90, strict=True)
        asked = pool.submit(client.call, "POST", f"{TRUNKS}/{trunk}/auth", body)
        holder(suite).kill(signal.SIGKILL)
        assert asked.result().status == 201
        assert resent(suite) == 1
        methods = suite.call("GET", f"{TRUNKS}/{trunk}/auth").result
        assert [method["username"] for method in methods] == ["someone"]


def stop_in_the_gate(suite):
    """Stops whichever worker holds the write gate. By /proc/locks, so that it is no matter of luck."""
    gate = suite.data / "trunk-auth.db.gate"
    end = time.monotonic() + 30 * SLOW
    while time.monotonic() < end:
        pid = gate_holder(gate)
        victim = next((worker for worker in suite.workers if worker.pid == pid), None)
        if victim is None:
            continue
        victim.kill(signal.SIGSTOP)
        await_that(lambda: state_of(pid) == "T", 5, "it stands still")
        if gate_holder(gate) == pid:
            return victim
        resume(victim)
        POLL.wait(0.02)
    raise AssertionError("no worker was met in the gate")


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(") ")[2][0]


def test_stopped_with_the_write_gate():
    """Reads go on, writes are refused when their time is over, and all is well when it is continued.
    What was told and what is stored agree."""
    with Suite(workers=2, gateway_settings={"LK_ANSWER_MS": "2500"}) as suite:
        both_joined(suite)
        outcomes = Outcomes(suite)
        with Writers(outcomes, lambda _: Client(suite.port, suite.admin, timeout=60), count=6):
            await_that(lambda: len(outcomes.with_status(201)) >= 20, 20, "writes flow")
            victim = stop_in_the_gate(suite)
            failed = lambda: outcomes.with_status(503, 504)  # noqa: E731
            await_that(lambda: len(failed()) >= 6, 20, "writes are refused")
            suite.await_left(victim)
            reader = Client(suite.port, suite.admin)
            for _ in range(20):
                assert reader.call("GET", f"{TRUNKS}?limit=5").status == 200
            before = len(outcomes.with_status(201))
            await_that(lambda: len(failed()) >= 12, 20, "they still are")
            assert len(outcomes.with_status(201)) == before
            other = next(worker for worker in suite.workers if worker is not victim)
            assert suite.grep_logs(b"event=gate_not_taken .*is one stopped", other.name), "it says why"
            assert total(suite.metrics(other), "lk_worker_failures_total", cause="turn") > 0
            resume(victim)
            await_that(lambda: len(outcomes.with_status(201)) > before + 20, 20, "writes flow again")
        assert set(outcomes.told.values()) <= {201, 503, 504}, set(outcomes.told.values())
        outcomes.check()
        outcomes.write_again()
        await_that(lambda: suite.grep_logs(b"event=gateway_lost .*stood still", victim.name), 10, "it has begun anew")
        print({status: len(outcomes.with_status(status)) for status in (201, 503, 504)})


def test_a_worker_starts_while_another_holds_the_write_gate():
    """It reads at once, and writes when the gate is free."""
    with Suite(gateway_settings={"LK_ANSWER_MS": "2500"}) as suite:
        trunk = suite.make_trunk()
        with gate_taken(suite):
            suite.workers[0].kill()
            suite.await_joined(suite.start_worker())
            assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
            assert suite.call("POST", TRUNKS, {"name": "in vain"}).status in (503, 504)
        assert suite.make_trunk("at last")


def test_what_waits_in_a_stopped_worker_is_not_done_when_it_is_continued():
    """Its client was told that nobody knows: 504. It stays undone until the client asks again."""
    with Suite(gateway_settings={"LK_ANSWER_MS": "1500"}) as suite:
        outcomes = Outcomes(suite)
        victim = suite.workers[0]
        victim.kill(signal.SIGSTOP)
        assert outcomes.write(suite.client) == 504
        suite.await_left(victim)
        resume(victim)
        await_that(lambda: suite.readiness() == 200, 15, "it is back")
        assert outcomes.stored() == []
        outcomes.write_again()
        assert len(outcomes.stored()) == 1


def test_a_late_reply_is_counted_and_goes_to_nobody():
    """The client has its 504; the worker's reply comes when other requests are on their way."""
    with Suite(gateway_settings={"LK_ANSWER_MS": "400"}, worker_settings={"LK_PWHASH": "16:128"}) as suite:
        await_that(lambda: Outcomes(suite).write(suite.client, "its name") == 201, 20, "400 ms were enough")
        listed = await_that(lambda: (answer := suite.call("GET", TRUNKS)).status == 200 and answer, 20, "400 ms were enough")
        trunk = listed.result[0]["uuid"]
        body = {"type": "sipuser", "username": "late", "password": "correct horse"}
        answer = Client(suite.port, suite.admin).call("POST", f"{TRUNKS}/{trunk}/auth", body)
        assert answer.status == 504, answer.body
        late = lambda: total(suite.metrics(suite.gateway), "lk_late_replies_total")  # noqa: E731

        def reads_are_right():
            answer = suite.call("GET", f"{TRUNKS}/{trunk}")
            assert answer.status == 504 or answer.result["name"] == "its name"
            return late() > 0

        await_that(reads_are_right, 30, "the reply has come")
        # Its time was over before it could be written.
        listed = await_that(lambda: (answer := suite.call("GET", f"{TRUNKS}/{trunk}/auth")).status == 200 and answer, 20, "400 ms were enough")
        assert listed.result == []


def test_stopped_and_continued_time_and_again():
    """Each worker in turn, under load: nothing is done twice, nothing that was told is missing."""
    with Suite(workers=3) as suite:
        both_joined(suite)
        outcomes = Outcomes(suite)
        with Writers(outcomes, lambda _: Client(suite.port, suite.admin, timeout=60)):
            for victim in suite.workers:
                reached = len(outcomes.with_status(201)) + 30
                await_that(lambda more=reached: len(outcomes.with_status(201)) >= more, 20, "writes flow")
                joined = len(suite.grep_logs(b"event=worker_joined", "gateway"))
                victim.kill(signal.SIGSTOP)
                suite.await_left(victim)
                resume(victim)
                await_that(lambda before=joined: len(suite.grep_logs(b"event=worker_joined", "gateway")) > before, 15, "it is back")
            reached = len(outcomes.with_status(201)) + 30
            await_that(lambda: len(outcomes.with_status(201)) >= reached, 20, "writes flow")
        outcomes.check()
        assert set(outcomes.told.values()) == {201}, set(outcomes.told.values())
