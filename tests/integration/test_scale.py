"""Replicas that come and go under load: a new one takes its part by itself, one that goes costs nothing."""

import datetime
import re

import metrics
from suite import Client, Suite, await_that
from traffic import Running

TRUNKS = "/voip/trunk"


def until_it_joined(suite, worker):
    """Seconds from when it says that it runs until the gateway says that it has it."""
    said = re.search(rb"^time=(\S+) .* event=worker_started .*instance=(\S+)", worker.log.read_bytes(), re.M)
    joined = suite.grep_logs(rb" event=worker_joined .*instance=%b( |$)" % said[2], "gateway")[0]
    begun, ended = (datetime.datetime.fromisoformat(text.decode().rstrip("Z")) for text in
                    (said[1], re.match(rb"time=(\S+) ", joined)[1]))
    return (ended - begun).total_seconds()


def test_a_replica_is_added_and_another_removed_under_load():
    clients, errors, done = 6, [], []
    with Suite() as suite:
        def ask(number):
            client = Client(suite.port, suite.admin, timeout=60, strict=True)
            count = 0
            while not running.stop.is_set():
                count += 1
                made = client.call("POST", TRUNKS, {"name": f"{number}-{count}"})
                read = made.status == 201 and client.call("GET", f"{TRUNKS}/{made.result['uuid']}")
                if not read or read.status != 200:
                    errors.append((made.status, made.body, read))
                done.append(number)
            client.close()

        def calls(worker):
            return metrics.total(suite.metrics(worker), "lk_worker_calls_total")

        def takes_part(worker):
            before = calls(worker)
            await_that(lambda: calls(worker) > before, 15, f"{worker.name} has calls")

        running = Running(ask, [(number,) for number in range(clients)])
        with running:
            first = suite.workers[0]
            takes_part(first)
            second = suite.start_worker()
            takes_part(second)
            takes_part(first)
            assert first.stop() == 0
            takes_part(second)
            third = suite.start_worker()
            takes_part(third)
            assert second.stop() == 0
            takes_part(third)
        # By their own clocks. What a busy machine adds is not asked of both.
        seconds = [until_it_joined(suite, worker) for worker in (second, third)]
        assert 0 <= min(seconds) <= 2, seconds
        assert not errors, errors[:3]
        assert len(done) > clients
        listed = suite.call("GET", TRUNKS).result
        assert len({trunk["name"] for trunk in listed}) == len(listed) == len(done)
