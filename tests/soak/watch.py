"""What must not grow: memory, descriptors and threads of the processes that nobody ends, write-ahead logs, and
databases by more than what is written into them."""

import collections
import dataclasses
import os

import metrics

MIB = 1 << 20
WAL_MAX = 64 * MIB
BYTES_A_WRITE = 2048  # with its row in the reply log
BASE = 16 * MIB


@dataclasses.dataclass
class Sample:
    memory: int
    files: int
    threads: int


def look_at(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return Sample(int(fields["VmRSS"].split()[0]) * 1024, len(os.listdir(f"/proc/{process.pid}/fd")), int(fields["Threads"]))


class Watch:
    def __init__(self, suite, elders):
        self.suite = suite
        self.samples = {process.name: [] for process in elders}
        self.elders = elders
        self.wal, self.store = 0, 0  # the most so far; at the end
        self.counted = collections.defaultdict(dict)  # by process, what it has counted so far

    def look(self):
        for process in self.elders:
            self.samples[process.name].append(look_at(process))
        sizes = {path.name: path.stat().st_size for path in self.suite.data.glob("*.db*")}
        self.wal = max([self.wal, *(size for name, size in sizes.items() if name.endswith("-wal"))])
        self.store = sum(size for name, size in sizes.items() if name.endswith(".db"))
        for process in [process for process in self.suite.processes if process.alive()]:
            try:
                numbers = metrics.parse(metrics.scrape(self.suite.metrics_ports[process.name], timeout=2))
            except OSError:
                continue  # stopped, or just ended
            for name in "lk_requests_resent_total", "lk_worker_replayed_total", "lk_requests_sent_total":
                self.counted[name][process.name] = metrics.total(numbers, name)

    def count(self, name):
        """Of all processes, as far as it was seen before they ended."""
        return int(sum(self.counted[name].values()))

    def text(self):
        return " ".join(f"{name}={samples[-1].memory / MIB:.0f}M/{samples[-1].files}f/{samples[-1].threads}t"
                        for name, samples in self.samples.items() if samples)

    def faults(self, writes):
        """What has grown, by the second quarter of the run against the last."""
        found = []
        for name, samples in self.samples.items():
            quarter = len(samples) // 4
            if quarter == 0:
                continue
            for what, slack in ("memory", 16 * MIB), ("files", 32), ("threads", 8):
                early, late = (max(getattr(sample, what) for sample in part)
                               for part in (samples[quarter:2 * quarter], samples[-quarter:]))
                if late > early * 1.25 + slack:
                    found.append(f"{name}: {what} {early} -> {late}")
        if self.wal > WAL_MAX:
            found.append(f"a write-ahead log of {self.wal} bytes")
        if self.store > BASE + BYTES_A_WRITE * writes:
            found.append(f"databases of {self.store} bytes after {writes} writes")
        return found
