"""As many reads and writes as the machine will do, by wrk: what the soak's own clients look into, this makes
common. Every answer must be a success. Each write has a label of its own: none may be there twice, and each that
was answered is there."""

import collections
import contextlib
import os
import re
import shutil
import sqlite3
import subprocess

from suite import ROOT
from writes import TRUNKS

READERS, WRITERS = 32, 16  # connections
FOUND = re.compile(r"^\s+(\d+) requests in .*^RESULT (\S+) (\S+) (\S+) (\d+) (\d+)$", re.M | re.S)


class Load:
    def __init__(self, suite, seconds):
        self.suite, self.seconds = suite, seconds
        self.trunk = suite.make_trunk("load")
        body = {"type": "ip", "ip": "fd00:1::1"}
        method = suite.call("POST", f"{TRUNKS}/{self.trunk}/auth", body).result["uuid"]
        self.paths = suite.directory / "paths"
        self.paths.write_text(f"{TRUNKS}/{self.trunk}/auth/{method}\n{TRUNKS}/{self.trunk}/auth?limit=5\n")
        self.readers = self.start(READERS, BENCH_PATHS=str(self.paths))
        self.writers = self.start(WRITERS, BENCH_CREATE="ip", BENCH_TRUNK=self.trunk,
                                  BENCH_ANSWERED=str(suite.directory / "answered"))

    def start(self, connections, **settings):
        return subprocess.Popen(["wrk", "--timeout", "30s", "-t2", f"-c{connections}", f"-d{self.seconds:.0f}s",
                                 "-s", ROOT / "tests/bench/requests.lua", f"http://127.0.0.1:{self.suite.port}"],
                                env=os.environ | {"BENCH_KEY": self.suite.admin} | settings,
                                stdout=subprocess.PIPE, text=True)

    def stop(self):
        for process in self.readers, self.writers:
            process.kill()
            process.wait()

    def finish(self, log):
        """Waits until all is over; the list of what is wrong."""
        wrong, answered = [], {}
        for what, process in ("reads", self.readers), ("writes", self.writers):
            found = FOUND.search(process.communicate()[0])
            answered[what], p50, p99 = int(found[1]), found[3], found[4]
            print(f"load: {answered[what]} {what}, {found[2]} a second, p50 {p50} ms, p99 {p99} ms, {found[5]} that were"
                  f" no success, {found[6]} connections lost", flush=True)
            if found[5] != "0" or found[6] != "0":
                wrong.append(f"{what}: {found[5]} answers that were no success, {found[6]} connections lost")
        wrong += self.compare(answered["writes"], log)
        return wrong

    def compare(self, count, log):
        """What wrk says that it was answered, by number and by label, and what is there."""
        answered = [label for path in self.suite.directory.glob("answered.*") for label in path.read_text().split()]
        kept = self.labels()
        twice = [label for label, times in kept.items() if times > 1]
        lost = [label for label in answered if label not in kept]
        late = len(kept) - len(set(answered))
        print(f"load: {len(kept)} writes kept, {len(twice)} of them twice, {len(lost)} lost; {late} were not answered yet"
              " at the end", flush=True)
        found = {"writes twice": twice[:5], "answered writes lost": lost[:5],
                 "labels that were answered twice": [label for label, n in collections.Counter(answered).items() if n > 1][:5]}
        if len(answered) != count or count == 0:
            found["answers without a label, or none at all"] = (count, len(answered))
        if late > WRITERS:
            found["writes that nobody sent"] = late
        log.acknowledged["trunk-auth", "trunk"] += 1
        log.acknowledged["trunk-auth", "address"] += len(kept) + 1
        return [f"load: {what}: {which}" for what, which in found.items() if which]

    def labels(self):
        """How often each is there, by the store itself."""
        with contextlib.closing(sqlite3.connect(f"file:{self.suite.data}/trunk-auth.db?mode=ro", uri=True)) as database:
            return collections.Counter(label for (label,) in database.execute(
                "SELECT label FROM method WHERE trunk_uuid = ? AND label IS NOT NULL", [self.trunk]))


def can_be_had():
    return shutil.which("wrk") is not None
