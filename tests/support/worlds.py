"""A suite of one service whose processes can be made to die at one moment of a write, its outcome log, and
what each of its writes changes."""

import concurrent.futures
import contextlib
import json
import uuid

from killpoints import KillPoints, gate_held
from outcomes import Applied, OutcomeLog
from suite import Client, Suite, await_that
from writes import CHAINS

PATIENT = {"LK_ANSWER_MS": "60000"}  # a busy machine is no reason to give a write up


class World(Suite):
    def __init__(self, service, workers=2, gateways=1):
        super().__init__(services=[service], workers=0, gateways=gateways, gateway_settings=PATIENT)
        self.service, self.count = service, workers

    def __enter__(self):
        super().__enter__()
        try:
            self.points, self.log = KillPoints(self), OutcomeLog()
            for _ in range(self.count):
                self.await_joined(self.start_worker())
            self.await_ready()
            self.applied = Applied(self, self.service)
            self.rows = self.learn()
        except BaseException:
            self._end(check=False)
            raise
        return self

    def learn(self):
        """The rows that each write changes, when nobody dies."""
        self.rows, before = {}, self.applied.counts()
        for what, step in self.walk():
            line = self.begin(what, known=False)
            step.send(line, self.client)
            after = self.applied.counts()
            self.rows[what], before = after - before, after
            assert self.rows[what], what
            self.log.expect(line, self.rows[what])
        return self.rows

    def begin(self, what, key="", known=True):
        return self.log.begin(self.service, what, key, self.rows[what] if known else {})

    def walk(self, only=None):
        """The steps of a chain: each is to be answered before the next is asked for. Those that are not among
        only are sent at once."""
        chain = CHAINS[self.service]()
        step = Step(next(chain))
        while True:
            if only is None or step.what in only:
                yield step.what, step
            else:
                step.send(self.begin(step.what), self.client)
            assert step.answer is not None and step.answer.status == step.wanted, (step.what, step.answer)
            try:
                step = Step(chain.send(step.answer))
            except StopIteration:
                return

    def total(self, name, **labels):
        """Of all workers that live."""
        return sum(value for worker in self.workers if worker.alive()
                   for (found, at), value in self.metrics(worker).items()
                   if found == name and set(labels.items()) <= set(at))

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

    def check(self):
        self.log.found(self.service, self.applied.counts())
        return self.log.check()


class Step:
    def __init__(self, step):
        self.what, self.method, self.path, self.body, self.wanted = step
        self.key, self.answer = str(uuid.uuid4()), None

    def send(self, line, client, body=None):
        """Notes what the client is told. With a key if the line has one."""
        headers = {"Idempotency-Key": line.key} if line.key else None
        try:
            answer = client.call(self.method, self.path, body or self.body, headers)
        except ConnectionError:
            line.told.append("cut")
            return None
        line.told.append(answer.status)
        if answer.status == self.wanted:
            self.answer = answer
        return answer

    def raw(self, key):
        """The same as bytes."""
        body = json.dumps(self.body or {}).encode()
        head = (f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
                f"Idempotency-Key: {self.key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        return head.encode() + body

    def other_body(self):
        """Valid as well, and another; None for one that has none."""
        if self.body is None:
            return None
        last, value = list(self.body.items())[-1]
        return self.body | {last: value + (1 if isinstance(value, int) else "x")}


def in_every_service(test):
    """Each in a suite of its own, at the same time: most of the time is waiting. Returns how many writes."""
    with concurrent.futures.ThreadPoolExecutor(len(CHAINS)) as pool:
        return sum([done.result() for done in [pool.submit(test, service) for service in CHAINS]])
