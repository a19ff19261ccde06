"""Clients of the soak: each has several chains of writes under way, takes the next step of one or reads what
must be there, and remembers what it was told."""

import collections
import http.client
import itertools
import random
import threading
import time

from suite import POLL, Client
from traffic import PAGE, Running
from writes import CHAINS, CONNECTIONS, FQDNS, TRUNKS, shown, walk

CHAINS_HELD = 6
GIVE_UP = 120  # seconds; a client that retries for so long has lost
PASSING = {500, 503, 504, "cut"}  # worth another try under the same key
LISTS = {"trunk": f"{TRUNKS}?limit={PAGE}&offset=", "connection": f"{CONNECTIONS}?page[size]={PAGE}&page[number]=",
         "fqdn": f"{FQDNS}?page[size]={PAGE}&page[number]=",
         "provider": f"/v2/authentication_providers?page[size]={PAGE}&page[number]="}


class Balanced(Client):
    """Goes to the next gateway where one takes no connections, as a load balancer would."""

    def __init__(self, suite, first):
        super().__init__(suite.ports[first % len(suite.ports)], suite.admin, timeout=30, strict=True)
        self.ports = itertools.cycle(suite.ports)

    def connect(self):
        end = time.monotonic() + GIVE_UP
        while True:
            connection = super().connect()
            try:
                connection.connect()
                return connection
            except ConnectionRefusedError:
                self.port = next(self.ports)
                if time.monotonic() > end:
                    raise
                POLL.wait(0.05)


class Clients(Running):
    """keyed: every write carries an Idempotency-Key and is sent again until it is acknowledged. Without, the
    first answer must be the right one."""

    def __init__(self, suite, log, number, keyed, seed):
        self.suite, self.log, self.keyed = suite, log, keyed
        self.lock = threading.Lock()
        self.operations, self.errors = collections.Counter(), collections.Counter()
        self.wrong = []  # what can not be explained: an answer that nothing permits, a thing that is gone
        self.unknown = 0  # writes that were given up
        self.times = []  # seconds of each operation since they were last taken
        self.longest = 0.0
        self.things = [{} for _ in range(number)]
        super().__init__(self.run, [(i, random.Random(seed + i)) for i in range(number)])

    # ---- a client ----

    def run(self, number, choice):
        client, things = Balanced(self.suite, number), self.things[number]
        chains = []
        while not self.stop.is_set():
            if len(chains) < CHAINS_HELD:
                chains.append(self.new_chain(choice, things))
            elif choice.random() < 0.5:
                at = choice.randrange(len(chains))
                if not self.advance(client, chains[at]):
                    chains[at] = self.new_chain(choice, things)
            elif choice.random() < 0.1:
                self.ask(client, choice.choice(list(LISTS.values())) + "1", "list")
            elif things:
                self.look(client, things, choice.choice(list(things)))
        client.close()

    @staticmethod
    def new_chain(choice, things):
        service = choice.choice(list(CHAINS))
        steps = walk(service, things)
        return [service, steps, next(steps)]

    def advance(self, client, chain):
        """Whether the chain goes on. What has been answered is known among its things at once."""
        service, steps, step = chain
        line = self.log.begin(service, step.what, step.key if self.keyed else "")
        end = time.monotonic() + GIVE_UP
        while self.timed(lambda: step.send(line, client)) is None or step.answer is None:
            if not self.may_retry(line.told[-1], self.keyed, end, (step, line)):
                with self.lock:
                    self.unknown += 1
                break
        self.log.settle(line)
        self.count(step.what)
        chain[2] = next(steps, None) if step.answer is not None else None
        return chain[2] is not None

    def look(self, client, things, at):
        members = things[at]
        answer = self.ask(client, at[1], f"read {at[0]}")
        if answer is not None and not members.items() <= shown(answer).items():
            self.wrong.append((at, members, answer.body[:300]))

    def ask(self, client, path, what):
        """Reads until it is answered: that may always be done again."""
        end = time.monotonic() + GIVE_UP
        while True:
            try:
                answer = self.timed(lambda: client.call("GET", path))
                if answer.status == 200:
                    self.count(what)
                    return answer
                told = answer.status
            except (OSError, http.client.HTTPException):
                told = "cut"
            if not self.may_retry(told, True, end, (what, path)):
                return None

    def may_retry(self, told, permitted, end, about):
        with self.lock:
            self.errors[told] += 1
        if told not in PASSING:
            self.wrong.append((told, about))
            return False
        POLL.wait(0.05)
        return permitted and time.monotonic() < end

    def count(self, what):
        with self.lock:
            self.operations[what] += 1

    def timed(self, call):
        begun = time.monotonic()
        try:
            return call()
        finally:
            taken = time.monotonic() - begun
            self.times.append(taken)
            self.longest = max(self.longest, taken)

    def take_times(self):
        taken, self.times = self.times, []
        return sorted(taken)

    # ---- afterwards ----

    def compare(self, but=()):
        """(what should be there and is not, or not so; what is there and should not be), all of it."""
        client = Balanced(self.suite, 0)
        wanted = {(kind, identity(path)): members for things in self.things for (kind, path), members in things.items()
                  if kind != "authentication"}
        found = {(kind, row.get("uuid") or row["id"]): row for kind, row in self.all_rows(client, but)}
        lost = [at for at, members in wanted.items() if at not in found or not members.items() <= found[at].items()]
        for things in self.things:
            lost += [at for at in things if at[0] == "authentication" and client.call("GET", at[1]).status != 200]
        return lost, [at for at in found if at not in wanted]

    def all_rows(self, client, but):
        for kind, path in LISTS.items():
            for number in itertools.count():
                at = number * PAGE if kind == "trunk" else number + 1
                page = shown(client.call("GET", f"{path}{at}"))
                rows = [row for row in page if (kind, row.get("uuid")) not in but]
                yield from ((kind, row) for row in rows)
                if kind == "trunk":
                    for trunk in rows:  # its own list may be cut
                        path = f"{TRUNKS}/{trunk['uuid']}/auth?limit={PAGE}"
                        yield from (("method", row) for row in shown(client.call("GET", path)))
                if len(page) < PAGE:
                    break


def identity(path):
    return path.rsplit("/", 1)[1]
