"""The disk is full: while the suite runs, and when it starts."""

import re

import pytest
from loss import TRUNKS, Outcomes, Writers, fill, small_disk
from metrics import total
from suite import Client, Suite, await_that


@pytest.fixture(name="disk")
def disk_of_its_own():
    with small_disk(8) as place:
        yield place


class OnDisk(Suite):
    def __init__(self, disk, **named):
        super().__init__(**named)
        self.data = disk / "data"
        self.curve = self.data / "keys/curve"


def failures(suite, cause):
    return sum(total(suite.metrics(worker), "lk_worker_failures_total", cause=cause) for worker in suite.workers if worker.alive())


def test_full_while_it_runs(disk):
    """Writes are refused and leave nothing behind; reads go on; room is enough to recover."""
    with OnDisk(disk, workers=2) as suite:
        outcomes = Outcomes(suite)
        for worker in suite.workers:
            suite.await_joined(worker)
        for _ in range(20):
            assert outcomes.write(suite.client) == 201
        with Writers(outcomes, lambda _: Client(suite.port, suite.admin, strict=True), count=2):
            filler = fill(disk)
            await_that(lambda: len(outcomes.with_status(503)) >= 20, 20, "writes are refused")
        refused = suite.call("POST", TRUNKS, {"name": "no room"})
        assert (refused.status, refused.headers["Retry-After"], refused.json["status_code"]) == (503, "1", 503)
        for _ in range(20):
            assert suite.call("GET", f"{TRUNKS}?limit=5").status == 200
        assert set(outcomes.told.values()) == {201, 503}
        outcomes.check()
        assert failures(suite, "full") >= 20
        told = suite.grep_logs(b"event=call_failed ", "trunk-auth")
        assert any(re.search(rb"full|No space", line) for line in told), told[:3]
        assert len(told) < len(outcomes.with_status(503)) or len(told) < 10, "a line a second is enough"
        filler.unlink()
        await_that(lambda: outcomes.write(suite.client) == 201, 10, "writes flow again")
        outcomes.check()
        outcomes.write_again()
        assert all(process.alive() for process in suite.processes)


def test_killed_with_a_full_disk_and_started_again(disk):
    """What was acknowledged before is there when there is room; until then a worker reads, or says what is wrong."""
    with OnDisk(disk) as suite:
        outcomes = Outcomes(suite)
        for _ in range(50):
            assert outcomes.write(suite.client) == 201
        filler = fill(disk)
        assert outcomes.write(suite.client) == 503
        suite.workers[0].kill()
        again = suite.start_worker()
        await_that(lambda: not again.alive() or suite.grep_logs(b"event=worker_started ", again.name), 20, "it starts or ends")
        if not again.alive():
            suite.processes.remove(again)
            assert again.popen.returncode == 1
            assert suite.grep_logs(rb"event=worker_failed .*(full|No space)", again.name)
        filler.unlink()
        if not again.alive():
            again = suite.start_worker()
        suite.await_joined(again)
        outcomes.check()
        outcomes.write_again()


def test_full_at_the_first_start(disk):
    """Nothing half made is left: with room it starts."""
    with OnDisk(disk, workers=0) as suite:
        await_that(lambda: suite.readiness() == 503, 15, "the gateway is there")
        filler = fill(disk)
        worker = suite.start_worker()
        suite.processes.remove(worker)  # it ends badly, as it should
        assert await_that(lambda: not worker.alive(), 30, "it ends")
        assert worker.popen.returncode == 1
        said = suite.grep_logs(b"event=worker_failed ", worker.name)
        assert len(said) == 1 and re.search(rb"trunk-auth\.db.*(full|No space)", said[0]), said
        filler.unlink()
        suite.await_joined(suite.start_worker())
        assert suite.make_trunk()
