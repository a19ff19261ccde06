"""The soak: random operations of all services, random faults, and a verdict. See run.sh --help."""

import argparse
import json
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.dont_write_bytecode = True

import openapi  # noqa: E402 (the path above comes first)
from cable import Cable  # noqa: E402
from clients import Clients  # noqa: E402
from faults import Faults  # noqa: E402
from killpoints import KillPoints  # noqa: E402
from load import Load, can_be_had  # noqa: E402
from metrics import parse, scrape, total  # noqa: E402
from outcomes import Applied, OutcomeLog  # noqa: E402
from suite import BIN, POLL, Suite, await_that, every_service, free_port  # noqa: E402
from watch import MIB, Watch  # noqa: E402

PROGRESS = 10  # seconds
CLOCK_SHIFT = BIN.parent / "tests/clock-shift.so"


class SoakSuite(Suite):
    """Every process shows its metrics on a port that is known beforehand, and gateways log no requests: hours
    of them would fill the disk. All but the first worker of each service have kill points. Unless there is nothing
    but kills, workers reach gateways by cables, and the wall clock is a file's."""

    def __init__(self, workers, gateways, kills):
        self.metrics_ports, self.whole, self.cables = {}, workers, []
        super().__init__(services=every_service(), gateways=gateways, gateway_settings={"LK_LOG_LEVEL": "warn"})
        if not kills:
            self.cables = [Cable(port + 1) for port in self.ports]
            self.worker_settings["LK_GATEWAYS"] = ",".join(f"tcp://127.0.0.1:{cable.port}" for cable in self.cables)
            clocked = {"LD_PRELOAD": str(CLOCK_SHIFT), "LK_TEST_CLOCK": str(self.directory / "clock")}
            self.gateway_settings.update(clocked)
            self.worker_settings.update(clocked)
            self.shift_clock(0)

    def shift_clock(self, seconds):
        fresh = self.directory / "clock.new"
        fresh.write_text(str(seconds))
        fresh.rename(self.directory / "clock")

    def __enter__(self):
        super().__enter__()
        preloaded = self.worker_settings.get("LD_PRELOAD")
        self.points = KillPoints(self)
        if preloaded is not None:
            self.worker_settings["LD_PRELOAD"] += f":{preloaded}"
        for service in self.services * (self.whole - 1):
            self.start_worker(service)
        return self

    def __exit__(self, *about):
        super().__exit__(*about)
        for cable in self.cables:
            cable.close()

    def _start(self, program, settings):
        port = free_port()
        process = super()._start(program, settings | {"LK_METRICS_LISTEN": f"127.0.0.1:{port}"})
        self.metrics_ports[process.name] = port
        if program == "gateway":
            process.begun = lambda: self.live_workers(process) is not None
        return process

    def live_workers(self, gateway):
        """By service; None while it shows nothing."""
        try:
            numbers = parse(scrape(self.metrics_ports[gateway.name], timeout=5))
        except OSError:
            return None
        return {service: total(numbers, "lk_workers", service=service, state="live") for service in self.services}

    def await_workers(self):
        """Every gateway has all of them: those that die now cost a wait, and no more."""
        whole = {service: self.whole for service in self.services}
        await_that(lambda: all(self.live_workers(gateway) == whole for gateway in self.gateways), 60, "all workers are there")

    def key_named(self, name):
        return next(row["id"] for row in json.loads(self.key_command("list", "--json").stdout) if row["name"] == name)


def percentile(times, share):
    return times[min(len(times) - 1, int(len(times) * share))] * 1000 if times else 0


class Soak:
    def __init__(self, suite, settings):
        self.suite, self.settings = suite, settings
        suite.await_workers()
        kills = settings.kills
        self.elders = [] if kills else [suite.gateways[0], *suite.workers[:len(suite.services)]]
        self.faults = Faults(suite, self.elders, random.Random(settings.seed), kills)
        self.watch = Watch(suite, self.elders or suite.gateways)
        self.log = OutcomeLog(*(Applied(suite, service) for service in suite.services))
        self.clients = Clients(suite, self.log, settings.clients, not kills, settings.seed)
        self.load, self.wrong = None, []

    def run(self):
        seconds = self.settings.minutes * 60
        print(f"soak: {seconds:.0f} s, seed {self.settings.seed}, {self.settings.clients} clients,"
              f" {self.suite.whole} workers of each service, {len(self.suite.gateways)} gateways", flush=True)
        if self.settings.load:
            self.load = Load(self.suite, seconds)
        try:
            with self.clients:
                self.go_on(seconds)
            if self.load is not None:
                self.wrong += self.load.finish(self.log)
        finally:
            if self.load is not None:
                self.load.stop()
        self.suite.await_workers()
        self.watch.look()

    def go_on(self, seconds):
        begun = told = time.monotonic()
        done = 0
        while (now := time.monotonic()) < begun + seconds:
            self.watch.look()
            if now - told >= PROGRESS:
                told, done = now, self.progress(now - begun, now - told, done)
            self.faults.one()
            if self.clients.wrong or not self.clients.keyed and self.clients.errors:
                break  # no need to go on
            POLL.wait(max(0.0, now + self.settings.every - time.monotonic()))
        self.seconds = time.monotonic() - begun

    def progress(self, at, since, before):
        done, times = sum(self.clients.operations.values()), self.clients.take_times()
        print(f"soak: {at:5.0f} s: {(done - before) / since:.0f} operations/s, p50 {percentile(times, 0.5):.1f} ms, p99"
              f" {percentile(times, 0.99):.0f} ms, {sum(self.faults.counts.values())} faults, errors"
              f" {dict(self.clients.errors)}, wal {self.watch.wal / MIB:.1f}M, stores {self.watch.store / MIB:.1f}M,"
              f" {self.watch.text()}", flush=True)
        return done

    def verdict(self):
        """Prints all counts; the list of what is wrong."""
        clients, log = self.clients, self.log
        lost, unasked = clients.compare(but={("trunk", self.load.trunk)} if self.load else set())
        more, fewer = log.compare()
        writes = sum(log.acknowledged.values())
        operations = sum(clients.operations.values())
        found = {"answers that nothing permits, or things that were not as told": clients.wrong[:5],
                 "writes that were never acknowledged": log.open[:5], "lost": lost[:5], "there and not asked for": unasked[:5],
                 "rows applied twice": more, "rows lost": fewer, "grown": self.watch.faults(writes),
                 "ended by itself": [process.name for process in self.suite.processes
                                     if not process.alive() and not process.expected_end]}
        if not clients.keyed:
            found["errors seen by clients"] = dict(clients.errors)
        if operations < self.seconds:
            found["too slow"] = operations
        for what, number in ("operations", operations), ("writes", writes), ("faults", sum(self.faults.counts.values())):
            if number == 0:
                found[f"no {what}"] = "nothing is shown by that"
        print(f"""
operations            {operations} in {self.seconds:.0f} s ({operations / self.seconds:.0f} a second)
  writes acknowledged {writes}
faults                {sum(self.faults.counts.values())}: {dict(self.faults.counts)}
re-sent by gateways   {self.watch.count("lk_requests_resent_total")}
answered again        {self.watch.count("lk_worker_replayed_total")} writes that had been applied already
errors seen           {sum(clients.errors.values())}: {dict(clients.errors)}
given up              {clients.unknown}
lost                  {len(lost)} things, {sum(fewer.values())} rows
duplicated            {len(unasked)} things, {sum(more.values())} rows
longest wait          {clients.longest:.2f} s
clients were told     {dict(log.told.most_common(8))}
""", flush=True)
        return self.wrong + [f"{what}: {which}" for what, which in found.items() if which]


def positive(kind):
    def read(text):
        value = kind(text)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not above zero")
        return value
    return read


def main():
    parser = argparse.ArgumentParser(prog="tests/soak/run.sh")
    parser.add_argument("minutes", type=positive(float))
    parser.add_argument("--kills", action="store_true", help="only workers are killed, and clients may see no error")
    parser.add_argument("--every", type=positive(float), default=2, help="seconds from one fault to the next")
    parser.add_argument("--clients", type=positive(int), default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--load", action="store_true", help="besides, as many reads and writes as the machine will do, by wrk")
    settings = parser.parse_args()
    if settings.load and not (settings.kills and can_be_had()):
        parser.error("--load takes wrk, and --kills: wrk sends nothing twice")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # not without ending what was started
    with SoakSuite(workers=3, gateways=1 if settings.kills else 2, kills=settings.kills) as suite:
        soak = Soak(suite, settings)
        openapi.load(suite.port)
        soak.run()
        wrong = soak.verdict()
        for line in wrong:
            print(f"soak: WRONG: {line}")
    print(f"soak: {'FAILED' if wrong else 'passed'}, seed {settings.seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
