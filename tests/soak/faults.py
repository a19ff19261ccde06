"""What goes wrong during a soak. Each fault is over when its function returns, but for what has to start."""

import collections
import contextlib
import os
import resource
import signal
import socket
import sqlite3

from gate import gate_held
from killpoints import POINTS
from suite import POLL, Client, await_that


class Faults:
    """elders are never ended: what grows is seen in them. kills: nothing but kill -9 of workers."""

    def __init__(self, suite, elders, choice, kills):
        self.suite, self.elders, self.choice = suite, elders, choice
        self.counts = collections.Counter()
        self.kinds = ["kill_worker", "kill_in_write"] if kills else ["kill_worker", "kill_in_write"] * 2 + [
            "stop_worker", "end_worker", "kill_gateway", "end_gateway", "stop_gateway", "hold_gate", "lock_database",
            "exhaust_files", "revoke_key", "stranger", "slow_clients", "cut_network",
            "jump_clock"]

    def one(self):
        kind = self.choice.choice(self.kinds)
        getattr(self, kind)()
        self.counts[kind] += 1

    def seconds(self):
        """Now and then longer than a gateway waits for an answer."""
        return self.choice.uniform(0.2, 2.5) if self.choice.random() < 0.9 else 12

    # ---- workers ----

    def any_worker(self, with_elders=False):
        return self.choice.choice([worker for worker in self.suite.workers
                                   if worker.alive() and (with_elders or worker not in self.elders)])

    def replace(self, worker, how):
        """As a supervisor: at once. Waits until there are as many as before."""
        worker.kill(how)
        self.start_instead(worker)

    def start_instead(self, dead):
        self.suite.workers.remove(dead)
        self.suite.start_worker(dead.name.split(".")[0])
        self.suite.await_workers()

    def kill_worker(self):
        self.replace(self.any_worker(), signal.SIGKILL)

    def kill_in_write(self):
        """Whichever comes first to one exact moment of a write, such as between commit and reply."""
        self.suite.points.arm(self.choice.choice(POINTS))
        self.suite.points.await_fired()
        dead = await_that(lambda: [worker for worker in self.suite.workers if not worker.alive()], 20, "it dies")[0]
        dead.expected_end = True
        self.start_instead(dead)

    def end_worker(self):
        worker = self.any_worker()
        self.replace(worker, signal.SIGTERM)
        assert worker.popen.returncode == 0, (worker.name, worker.popen.returncode)

    def stop_worker(self):
        """Perhaps with the write gate in its hand."""
        self.pause(self.any_worker(with_elders=True))
        self.suite.await_workers()

    def pause(self, process):
        process.popen.send_signal(signal.SIGSTOP)
        POLL.wait(self.seconds())
        process.popen.send_signal(signal.SIGCONT)

    def exhaust_files(self):
        """Of one process, for a while: it can open nothing."""
        process = self.any_worker(with_elders=True)
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{process.pid}/fd")), limits[1]))
        POLL.wait(self.seconds())
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)

    # ---- gateways ----

    def replace_gateway(self, how):
        number = self.choice.randrange(1, len(self.suite.gateways))
        gateway = self.suite.gateways[number]
        gateway.kill(how)
        assert gateway.popen.returncode in (0, -signal.SIGKILL), gateway.popen.returncode
        self.suite.start_gateway(number)
        self.suite.await_workers()

    def stop_gateway(self):
        """To its workers and clients: a network that is cut."""
        gateway = self.choice.choice(self.suite.gateways)
        self.pause(gateway)
        self.suite.await_workers()

    def kill_gateway(self):
        self.replace_gateway(signal.SIGKILL)

    def end_gateway(self):
        self.replace_gateway(signal.SIGTERM)

    # ---- between them ----

    def cut_network(self):
        """All workers from one gateway, one way or both."""
        cable = self.choice.choice(self.suite.cables)
        there, here = self.choice.choice([(True, True), (True, False), (False, True)])
        cable.cut(to_there=there, to_here=here)
        POLL.wait(self.seconds())
        cable.heal()
        self.suite.await_workers()

    def jump_clock(self):
        """Of all, and back. By less than the ten minutes for which a gateway's own second try is remembered."""
        self.suite.shift_clock(self.choice.choice((-1, 1)) * self.choice.randrange(60, 290))
        POLL.wait(self.seconds())
        self.suite.shift_clock(0)

    # ---- stores ----

    def hold_gate(self):
        with gate_held(self.suite, self.choice.choice(self.suite.services)):
            POLL.wait(self.seconds())

    def lock_database(self):
        """By somebody who knows nothing of the gate: a backup, a curious operator."""
        path = self.suite.data / f"{self.choice.choice(self.suite.services)}.db"
        database = sqlite3.connect(path, timeout=10, isolation_level=None)
        with contextlib.closing(database), contextlib.suppress(sqlite3.OperationalError):  # no room among the writers
            database.execute("PRAGMA wal_autocheckpoint = 0")
            database.execute("BEGIN IMMEDIATE")
            POLL.wait(self.seconds())
            database.execute("ROLLBACK")

    # ---- clients and strangers ----

    def revoke_key(self):
        """A key that works, and then does not, at any gateway."""
        name = f"revoked {self.counts['revoke_key']}"
        key = self.suite.make_key("--organization", "default", "--scope", "read", "--name", name)
        identity = self.suite.key_named(name)
        assert self.suite.key_command("revoke", identity).returncode == 0
        for port in self.suite.ports:
            client = Client(port, key)
            await_that(lambda c=client: c.call("GET", "/voip/trunk?limit=0").status == 401, 20, "a revoked key is refused")

    def stranger(self):
        """Bytes that mean nothing, at the API and at the workers' port."""
        port = self.choice.choice(self.suite.ports)
        for number in (port, port + 1):
            with socket.socket() as line:
                line.settimeout(1)
                try:
                    line.connect(("127.0.0.1", number))
                    line.sendall(self.choice.randbytes(self.choice.randrange(1, 2000)))
                    line.recv(1000)
                except OSError:
                    pass  # turned away: as it should be

    def slow_clients(self):
        """Half a request each, and no more."""
        lines = []
        for _ in range(20):
            line = socket.create_connection(("127.0.0.1", self.suite.ports[0]), timeout=5)
            line.sendall(b"POST /voip/trunk HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            lines.append(line)
        POLL.wait(self.seconds())
        for line in lines:
            line.close()
