"""The wall clock jumps: what runs by time runs by the monotonic clock, and expiry follows the wall's."""

import json

import pytest
from clock import DAY, HOUR, Clocked
from loss import TRUNKS, Outcomes, Writers
from metrics import total
from suite import Client, await_that


def lost(suite):
    return total(suite.metrics(suite.gateway), "lk_workers_lost_total")


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, 400 * DAY, -400 * DAY])
def test_it_jumps_under_load(seconds):
    """No request fails, no worker is given up, no id comes twice; and back again."""
    with Clocked(workers=2) as suite:
        for worker in suite.workers:
            suite.await_joined(worker)
        outcomes = Outcomes(suite)
        with Writers(outcomes, lambda _: Client(suite.port, suite.admin, strict=True), count=3):
            for now in (0, seconds, 0):
                suite.shift(now)
                reached = len(outcomes.told) + 60
                await_that(lambda more=reached: len(outcomes.told) >= more, 20, "writes flow")
        assert set(outcomes.told.values()) == {201}
        outcomes.check()
        rows = suite.call("GET", TRUNKS).result
        assert len({row["uuid"] for row in rows}) == len(rows) == len(outcomes.told)
        assert lost(suite) == 0
        hours = {line.partition(b"time=")[2][:13] for line in suite.grep_logs(b"event=request ", "gateway")}
        assert len(hours) >= 2, "the clock has not jumped at all"


def test_processes_that_start_with_another_clock():
    """A worker a year ahead and one behind work beside one that is right."""
    with Clocked() as suite:
        outcomes = Outcomes(suite)
        for seconds in (365 * DAY, -365 * DAY):
            suite.shift(seconds)
            worker = suite.start_worker()
            suite.await_joined(worker)
            with Writers(outcomes, lambda _: Client(suite.port, suite.admin, strict=True), count=3):
                reached = len(outcomes.told) + 60
                await_that(lambda more=reached: len(outcomes.told) >= more, 20, "writes flow")
        assert set(outcomes.told.values()) == {201}
        outcomes.check()
        assert lost(suite) == 0


def test_what_is_remembered_is_remembered_by_the_wall_clock():
    """An Idempotency-Key is kept for 24 hours of it, whichever way it goes meanwhile."""
    with Clocked() as suite:
        def ask():
            return suite.call("POST", TRUNKS, {"name": "once"}, headers={"Idempotency-Key": "once"})

        first = ask()
        for seconds in (HOUR, 23 * HOUR, -HOUR, -400 * DAY, 0):
            suite.shift(seconds)
            again = ask()
            assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
        suite.shift(25 * HOUR)
        again = ask()
        assert again.status == 201 and again.headers["Idempotent-Replayed"] is None
        assert len(suite.call("GET", TRUNKS).result) == 2


def test_api_keys_expire_by_the_wall_clock():
    with Clocked() as suite:
        key = suite.make_key("--organization", "default", "--scope", "read", "--name", "short", "--expires", "2h")
        client = Client(suite.port, key)
        assert client.call("GET", TRUNKS).status == 200
        for seconds, status in ((HOUR, 200), (3 * HOUR, 401), (0, 200), (-DAY, 200)):
            suite.shift(seconds)
            assert client.call("GET", TRUNKS).status == status
        assert json.loads(suite.key_command("list", "--json").stdout)
