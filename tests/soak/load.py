"""As many reads and writes as the machine will do, by wrk: what the soak's own clients look into, this makes
common. Every answer must be a success, and each write that was answered must be kept."""

import os
import re
import shutil
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
        self.writers = self.start(WRITERS, BENCH_CREATE="ip", BENCH_TRUNK=self.trunk)

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
        kept = self.suite.call("GET", f"{TRUNKS}/{self.trunk}").result["auth_count"]
        print(f"load: {kept - 1} writes kept; up to {WRITERS} were not answered yet at the end", flush=True)
        if not answered["writes"] <= kept - 1 <= answered["writes"] + WRITERS:
            wrong.append(f"{answered['writes']} writes answered, {kept - 1} kept")
        log.acknowledged["trunk-auth", "trunk"] += 1
        log.acknowledged["trunk-auth", "address"] += kept
        return wrong


def can_be_had():
    return shutil.which("wrk") is not None
