"""The outcome log: every attempted write, what its client was told and how often, and what became of it in
the database, counted by the database itself."""

import collections
import contextlib
import dataclasses
import sqlite3
import threading

from killpoints import gate_held

TABLES = ("trunk", "method", "connection", "authentication", "fqdn", "provider")


class Applied:
    """Counts each row that a service's writes add, change and remove: triggers write it down in the
    transaction of the write, so it is applied and counted or neither."""

    def __init__(self, suite, service):
        self.suite, self.service = suite, service
        with self._open() as database:
            have = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            database.execute("CREATE TABLE applied (what TEXT NOT NULL)")
            for table in have.intersection(TABLES):
                for event in "INSERT", "UPDATE", "DELETE":
                    database.execute(f"CREATE TRIGGER applied_{table}_{event} AFTER {event} ON {table} BEGIN"
                                     f" INSERT INTO applied VALUES ('{event} {table}'); END")

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

    def counts(self):
        """{"INSERT trunk": 3, ...} so far."""
        with self._open() as database:
            return collections.Counter(what for (what,) in database.execute("SELECT what FROM applied"))


@dataclasses.dataclass
class Outcome:
    service: str
    what: str
    key: str  # "": the client gave none, and only the gateway sends it again
    told: list = dataclasses.field(default_factory=list)  # statuses, in order; "cut": the connection

    def acknowledged(self):
        return any(isinstance(status, int) and status < 300 for status in self.told)


class OutcomeLog:
    def __init__(self):
        self.lines = []
        self.wanted, self.applied = {}, {}  # rows by service
        self.lock = threading.Lock()

    def begin(self, service, what, key, rows):
        """rows: what the write changes when it is applied once."""
        line = Outcome(service, what, key)
        with self.lock:
            self.lines.append(line)
        self.expect(line, rows)
        return line

    def expect(self, line, rows):
        with self.lock:
            self.wanted.setdefault(line.service, collections.Counter()).update(rows)

    def found(self, service, rows):
        self.applied[service] = rows

    def check(self):
        """Every write was acknowledged to its client, and is applied, once: neither more rows nor fewer."""
        acknowledged = [line for line in self.lines if line.acknowledged()]
        more, fewer = collections.Counter(), collections.Counter()
        for service, wanted in self.wanted.items():
            more += self.applied[service] - wanted
            fewer += wanted - self.applied[service]
        tally = (f"{len(self.lines)} attempted, {len(acknowledged)} acknowledged,"
                 f" {sum(more.values())} rows twice, {sum(fewer.values())} rows lost")
        told = collections.Counter(" then ".join(map(str, line.told)) for line in self.lines)
        print(f"{tally}; clients were told: {dict(told)}")
        assert len(acknowledged) == len(self.lines), [line for line in self.lines if not line.acknowledged()]
        assert not more and not fewer, (tally, more, fewer, [line for line in self.lines if len(line.told) > 1])
        return len(self.lines)
