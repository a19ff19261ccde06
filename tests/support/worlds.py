"""A suite of one service whose processes can be made to die at one moment of a write, and its outcome log."""

import concurrent.futures
import contextlib

from gate import gate_held
from killpoints import KillPoints
from metrics import total
from outcomes import Applied, OutcomeLog
from suite import Client, Suite, await_that
from writes import CHAINS, walk

PATIENT = {"LK_ANSWER_MS": "60000"}  # a busy machine is no reason to give a write up,
WILLING = {"LK_SLOW_WAIT_MS": "60000"}  # nor to refuse it


class World(Suite):
    def __init__(self, service, workers=2, gateways=1):
        super().__init__(services=[service], workers=0, gateways=gateways, gateway_settings=PATIENT,
                         worker_settings=WILLING)
        self.service, self.count = service, workers

    def __enter__(self):
        super().__enter__()
        try:
            self.points = KillPoints(self)
            for _ in range(self.count):
                self.await_joined(self.start_worker())
            self.await_ready()
            self.log = OutcomeLog(Applied(self, self.service))
        except BaseException:
            self._end(check=False)
            raise
        return self

    def begin(self, step, keyed=False):
        return self.log.begin(self.service, step.what, step.key if keyed else "")

    def steps(self, only=None):
        """Of one chain. Those that are not among only are sent at once."""
        for step in walk(self.service):
            if only is None or step.what in only:
                yield step
            else:
                step.send(self.begin(step), self.client)

    def total(self, name):
        """Of all workers that live."""
        return sum(total(self.metrics(worker), name) for worker in self.workers if worker.alive())

    def live(self):
        return total(self.metrics(self.gateway), "lk_workers", service=self.service, state="live")

    def silent(self):
        return self.grep_logs(rb' event=worker_left .*why="it is silent"', "gateway")

    @contextlib.contextmanager
    def at_the_gate(self, what, number):
        """Holds the gate until so many writes of one sort, which are sent within, have come to it; gives what
        waits for that."""
        hashed = self.total("lk_worker_hash_seconds_count") + (number if "hash" in what else 0)

        def await_there():
            await_that(lambda: self.total("lk_worker_held") == number
                       and self.total("lk_worker_hash_seconds_count") >= hashed, 60, f"{number} writes wait at the gate")

        with gate_held(self, self.service):
            yield await_there

    def client_of(self, number):
        return Client(self.ports[number], self.admin, timeout=90, strict=True)


def in_every_service(test):
    """Each in a suite of its own, at the same time: most of the time is waiting. Returns how many writes."""
    with concurrent.futures.ThreadPoolExecutor(len(CHAINS)) as pool:
        return sum([done.result() for done in [pool.submit(test, service) for service in CHAINS]])
