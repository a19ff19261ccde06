"""Replicas that come and go under load: a new one takes its part by itself, one that goes costs nothing."""

import time

import metrics
from suite import Client, Suite, await_that
from traffic import Running

TRUNKS = "/voip/trunk"


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
            begun = time.monotonic()
            second = suite.start_worker()
            await_that(lambda: calls(second) > 0, 15, "the new one has calls")
            print(f"a new worker has calls {time.monotonic() - begun:.2f} s after its start")
            takes_part(first)
            assert first.stop() == 0
            takes_part(second)
            third = suite.start_worker()
            takes_part(third)
            assert second.stop() == 0
            takes_part(third)
        assert not errors, errors[:3]
        assert len(done) > clients
        listed = suite.call("GET", TRUNKS).result
        assert len({trunk["name"] for trunk in listed}) == len(listed) == len(done)
