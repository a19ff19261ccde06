"""The outcome log: every attempted write, what its client was told and how often, and what became of it in
the database, counted by the database itself."""

import collections
import contextlib
import dataclasses
import sqlite3
import threading

from gate import gate_held
from writes import walk

TABLES = ("trunk", "method", "connection", "authentication", "fqdn", "provider")


class Applied:
    """Counts the rows that a service's writes add, change and remove: triggers do it in the transaction of
    the write, so it is applied and counted or neither."""

    def __init__(self, suite, service):
        self.suite, self.service = suite, service
        self.rows = {}  # of each write, by what it does
        with self._open() as database:
            have = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            database.execute("CREATE TABLE applied (what TEXT PRIMARY KEY, times BIGINT NOT NULL)")
            for table in have.intersection(TABLES):
                for event in "INSERT", "UPDATE", "DELETE":
                    database.execute(f"INSERT INTO applied VALUES ('{event} {table}', 0)")
                    database.execute(f"CREATE TRIGGER applied_{table}_{event} AFTER {event} ON {table} BEGIN"
                                     f" UPDATE applied SET times = times + 1 WHERE what = '{event} {table}'; END")
        self.begin = collections.Counter()
        self.learn()
        self.begin = self._all()

    @contextlib.contextmanager
    def _open(self):
        """As everybody: inside the gate, and without a checkpoint."""
        with gate_held(self.suite, self.service):
            database = sqlite3.connect(self.suite.data / f"{self.service}.db")
            try:
                database.execute("PRAGMA wal_autocheckpoint = 0")
                yield database
                database.commit()
            finally:
                database.close()

    def _all(self):
        with self._open() as database:
            return collections.Counter(dict(database.execute("SELECT what, times FROM applied")))

    def learn(self):
        """The rows that each write changes, when nobody dies and nobody else writes."""
        before = self._all()
        for step in walk(self.service):
            step.send(Outcome(self.service, step.what, ""), self.suite.client)
            after = self._all()
            self.rows[step.what], before = after - before, after
            assert self.rows[step.what], step.what

    def counts(self):
        """{"INSERT trunk": 3, ...} since it was made."""
        return self._all() - self.begin


@dataclasses.dataclass
class Outcome:
    service: str
    what: str
    key: str  # "": the client gave none, and only the gateway sends it again
    told: list = dataclasses.field(default_factory=list)  # statuses, in order; "cut": the connection

    def acknowledged(self):
        return any(isinstance(status, int) and status < 300 for status in self.told)


class OutcomeLog:
    """What is settled is counted, and kept no longer."""

    def __init__(self, *applied):
        self.applied = {one.service: one for one in applied}
        self.open = []  # lines of writes that are under way, or were given up
        self.acknowledged = collections.Counter()  # by service and what it does
        self.told = collections.Counter()  # "504 then 201": 1
        self.lock = threading.Lock()

    def begin(self, service, what, key=""):
        line = Outcome(service, what, key)
        with self.lock:
            self.open.append(line)
        return line

    def settle(self, line):
        """Nothing more will be told. Without an acknowledgement it stays open."""
        with self.lock:
            self.told[" then ".join(map(str, line.told))] += 1
            if line.acknowledged():
                self.open.remove(line)
                self.acknowledged[line.service, line.what] += 1

    def compare(self):
        """({rows that are there too often}, {rows that are missing}) among all that was acknowledged."""
        more, fewer = collections.Counter(), collections.Counter()
        for service, applied in self.applied.items():
            wanted = collections.Counter()
            for (of, what), times in self.acknowledged.items():
                if of == service:
                    wanted.update({row: times * each for row, each in applied.rows[what].items()})
            found = applied.counts()
            more += found - wanted
            fewer += wanted - found
        return more, fewer

    def check(self):
        """Every write was acknowledged to its client, and is applied, once: neither more rows nor fewer. Returns
        how many there were."""
        for line in list(self.open):
            self.settle(line)
        more, fewer = self.compare()
        acknowledged = sum(self.acknowledged.values())
        tally = (f"{acknowledged + len(self.open)} attempted, {acknowledged} acknowledged, {sum(more.values())} rows"
                 f" twice, {sum(fewer.values())} rows lost; clients were told: {dict(self.told)}")
        print(tally)
        assert not self.open, self.open
        assert not more and not fewer, (tally, more, fewer)
        return acknowledged
