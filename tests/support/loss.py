"""What the tests of losses share: writes whose fate is known, and the write gate in other hands.

    outcomes = Outcomes(suite)
    outcomes.write(client)                 # a trunk of its own name, with an Idempotency-Key
    outcomes.check()                       # told and stored agree
    outcomes.write_again(client)           # what failed is sent again, and is there once

What the answer to a write promises: 2xx: it is there, once; 503: it is not there; 504, 500 or a cut
connection: it may be there, at most once.
"""

import contextlib
import fcntl
import itertools
import os
import pathlib
import subprocess
import tempfile
import threading

import pytest
from suite import await_that

TRUNKS = "/voip/trunk"
NUMBERS = itertools.count()


class Outcomes:
    """Trunks that were asked for: name and key, and what the client was told. For several threads."""

    def __init__(self, suite):
        self.suite = suite
        self.told = {}  # name: status, or "cut"
        self.lock = threading.Lock()

    def write(self, client, name=None):
        name = name or f"trunk {next(NUMBERS)}"
        try:
            told = client.call("POST", TRUNKS, {"name": name}, headers={"Idempotency-Key": name.replace(" ", "-")}).status
        except OSError:
            told = "cut"
        except Exception as error:  # pylint: disable=broad-except
            told = repr(error)
        with self.lock:
            self.told[name] = told
        return told

    def stored(self, client=None):
        def read():
            answer = (client or self.suite.client).call("GET", TRUNKS)
            return answer.status == 200 and answer

        return [trunk["name"] for trunk in await_that(read, 20, "the trunks are read").result]

    def with_status(self, *statuses):
        return [name for name, told in self.told.items() if told in statuses]

    def check(self, client=None):
        stored = self.stored(client)
        allowed = {201: (1,), 503: (0,), 504: (0, 1), 500: (0, 1), "cut": (0, 1)}
        wrong = {name: (told, stored.count(name)) for name, told in self.told.items()
                 if stored.count(name) not in allowed.get(told, ())}
        assert not wrong, wrong
        assert len(stored) == len(set(stored)), "something is there twice"

    def write_again(self, client=None):
        """With the keys they had: each is there once then."""
        for name in [name for name, told in self.told.items() if told != 201]:
            await_that(lambda again=name: self.write(client or self.suite.client, again) == 201, 20, f"{name} is written")
        self.check(client)


def gate_holder(gate):
    """The process that holds the write gate, by /proc/locks; 0: none."""
    info = os.stat(gate)
    place = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    for line in pathlib.Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5] == place:
            return int(fields[4])
    return 0


@contextlib.contextmanager
def gate_taken(suite, service="trunk-auth"):
    """Holds the write gate, as a writer does that does not come to an end."""
    with open(suite.data / f"{service}.db.gate", "rb") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def small_disk(mebibytes):
    """A file system of that size, of its own; skips where none can be mounted."""
    with tempfile.TemporaryDirectory(prefix="linekeeper-disk-") as place:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "linekeeper-test", place],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        try:
            yield pathlib.Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    """Takes all room that is left; returns the file that has it."""
    filler = place / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return filler


class Writers:
    """Threads that write without a pause, each with a connection of its own."""

    def __init__(self, outcomes, clients, count=4):
        self.outcomes, self.clients, self.count = outcomes, clients, count
        self.stop = threading.Event()
        self.threads = []

    def run(self, client):
        while not self.stop.is_set():
            if self.outcomes.write(client) == "cut":
                self.stop.wait(0.1)

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run, args=(self.clients(i),)) for i in range(self.count)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
