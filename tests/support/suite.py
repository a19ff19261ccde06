"""The real gateway and real workers for tests: started on free ports in a directory of their own,
waited for by condition, ended and looked over at the end.

    with Suite(workers=2) as suite:
        answer = suite.call("GET", "/voip/trunk")
        assert answer.status == 200

    with Suite(services=["fqdn-auth"]) as suite: ...
    with Suite(services=every_service()) as suite: ...

Programs come from $LK_BIN_DIR. Every wait has a deadline. What a Client receives must be what the
gateway's own OpenAPI document says (openapi.py).
"""

import base64
import dataclasses
import functools
import http.client
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import metrics
import openapi
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LK_BIN_DIR", ROOT / "build/dev/bin"))
SLOW = float(os.environ.get("LK_TEST_PATIENCE", "1"))  # more under sanitizers
POLL = threading.Event()  # never set: between two looks at a condition
CLAIMS = []  # ports of this process: free_port
KEY = re.compile(r"^lk_[A-Za-z0-9_-]{43}$")
CONTROL = re.compile(r"[\x00-\x1f]")


def await_that(condition, seconds, what):
    """Returns what the condition returns as soon as that is true; fails after some seconds. A connection
    that is cut on the way is no answer yet."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = cut = None
        try:
            value = condition()
        except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
            cut = error
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}" + (f" ({cut!r})" if cut else "")
        POLL.wait(0.01)


def free_port():
    """A port that is free, and the one above it too; below the kernel's own range. No other process
    of these tests is given it while this one runs: between this look and the use of it may be long."""
    while True:
        port = random.randrange(20000, 32000, 2)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0linekeeper-test-port-{port}")
            for number in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            CLAIMS.append(claim)
            return port
        except OSError:
            claim.close()


@functools.cache
def every_service():
    """Names of all services, which are also their programs'."""
    done = subprocess.run([str(BIN / "gateway"), "services"], capture_output=True, text=True,
                          timeout=20 * SLOW, check=True)
    return done.stdout.split()


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as status:
        fields = status.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        return self.json["result"]


class Client:
    """One connection, kept alive; made anew when it was closed while idle, unless strict."""

    def __init__(self, port, key=None, timeout=15, strict=False):
        self.port, self.key, self.timeout, self.strict = port, key, timeout, strict
        self.connection = None

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)

    def call(self, method, path, body=None, headers=None, key=None, raw=None):
        """body: sent as JSON; raw: bytes sent as they are. key="" sends none."""
        sent = {}
        key = self.key if key is None else key
        if key:
            sent["Authorization"] = f"Bearer {key}"
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = self.connect()
                fresh = True
            else:
                fresh = False
            try:
                self.connection.request(method, path, raw, sent)
                received = self.connection.getresponse()
                answer = Answer(received.status, received.headers, received.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # An idle connection may be closed at any time: that is no error of the suite's.
                self.close()
                if fresh or self.strict or attempt == 2:
                    raise
            except BaseException:
                self.close()
                raise
            else:
                # A head with a control character in it is refused before anybody knows the path.
                if not any(CONTROL.search(value) for value in sent.values()):
                    openapi.check(method, path, answer)
                return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Process:
    def __init__(self, name, command, environment, log):
        self.name, self.log = name, log
        self.expected_end = False
        with open(log, "ab") as sink:
            self.popen = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                          stdout=sink, stderr=sink)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def kill(self, how=signal.SIGKILL):
        self.expected_end = True
        self.popen.send_signal(how)
        if how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            self.popen.wait(10 * SLOW)

    def begun(self):
        """Whether it has said that it runs: from before then on it takes signals."""
        with open(self.log, "rb") as log:
            return re.search(rb" event=(worker_)?started .*\n", log.read(1 << 16))

    def stop(self):
        """Ends it as an operator would; returns the exit code. One that is still being loaded would
        end by the signal itself: on a busy machine that takes a while, and is waited for."""
        end = time.monotonic() + 10 * SLOW
        while self.alive() and not self.begun() and time.monotonic() < end:
            POLL.wait(0.01)
        if self.alive():
            self.expected_end = True
            self.popen.send_signal(signal.SIGCONT)
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(10 * SLOW)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


class Suite:
    def __init__(self, services=("trunk-auth",), workers=1, gateways=1, gateway_settings=None,
                 worker_settings=None, wait=True):
        """workers: of each of the services. Several gateways share their key, as replicas do."""
        self.services = list(services)
        self.wanted_workers, self.wanted_gateways = workers, gateways
        self.wait = wait and workers > 0 and gateways > 0
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="linekeeper-"))
        self.data = self.directory / "data"
        self.curve = self.data / "keys/curve"
        self.ports = [free_port() for _ in range(max(gateways, 1))]
        self.port = self.ports[0]
        self.link = f"tcp://127.0.0.1:{self.port + 1}"
        self.gateway_settings = gateway_settings or {}
        self.worker_settings = worker_settings or {}
        self.processes = []
        self.gateway, self.workers = None, []
        self.gateways = [None] * gateways
        self.starts = 0

    # ---- start and stop ----

    def __enter__(self):
        try:
            self._make_keys()
            self.admin = self.make_key("--organization", "default", "--scope", "admin", "--operator")
            self.client = Client(self.port, self.admin)
            for number in range(self.wanted_gateways):
                self.start_gateway(number)
            for service in self.services * self.wanted_workers:
                self.start_worker(service)
            if self.wait:
                self.await_ready()
                openapi.load(self.port)
        except BaseException:
            self._end(check=False)
            raise
        return self

    def __exit__(self, kind, value, trace):
        self._end(check=kind is None)

    def _end(self, check):
        codes = {}
        for process in reversed(self.processes):
            unasked = not process.alive() and not process.expected_end
            code = process.stop()
            if unasked or code not in (0, -signal.SIGKILL):
                codes[process.name] = code
        reports = self.grep_logs(rb"ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|Assertion .* failed")
        if codes or reports or not check:
            for process in self.processes:
                print(f"---- {process.name}: {process.popen.returncode}")
                print(process.log.read_bytes()[-6000:].decode(errors="replace"))
        shutil.rmtree(self.directory, ignore_errors=True)
        if check:
            assert not codes, f"ended badly: {codes}"
            assert not reports, reports

    def _make_keys(self):
        keys = self.data / "keys"
        keys.mkdir(parents=True, mode=0o700)
        for name, text in (("seal.key", "1:" + secrets.token_hex(32)),
                           ("api-key-hash", secrets.token_hex(32))):
            path = keys / name
            path.touch(mode=0o600)
            path.write_text(text + "\n")
        done = subprocess.run([str(BIN / "gateway"), "curve-keys"], env=self.environment(), capture_output=True,
                              text=True, timeout=20 * SLOW, check=False)
        assert done.returncode == 0, done.stderr

    def dealer(self, context, service="trunk-auth", linger=500):
        """A worker's end of the link, with that service's key."""
        line = context.socket(zmq.DEALER)
        line.linger = linger
        line.curve_secretkey = secret = (self.curve / f"{service}.key").read_bytes().strip()
        line.curve_publickey = zmq.curve_public(secret)
        line.curve_serverkey = (self.curve / "gateway.pub").read_bytes().strip()
        line.connect(self.link)
        return line

    def environment(self, extra=None):
        base = {name: value for name, value in os.environ.items() if not name.startswith("LK_")}
        base.update(LK_LISTEN=f"127.0.0.1:{self.port}", LK_WORKER_LISTEN=self.link,
                    LK_GATEWAYS=",".join(f"tcp://127.0.0.1:{port + 1}" for port in self.ports), LK_DATA_DIR=str(self.data),
                    LK_SEAL_KEY_FILE=str(self.data / "keys/seal.key"),
                    LK_API_KEY_HASH_FILE=str(self.data / "keys/api-key-hash"), LK_CURVE_DIR=str(self.curve),
                    LK_PWHASH="2:19", LK_SIP_MEMORY_MIB="2", LK_NOT_READY_MS="0", LK_METRICS_LISTEN="127.0.0.1:0",
                    LK_DNS_SERVERS="127.0.0.1:1")  # nobody: tests ask no DNS but their own
        base.update(extra or {})
        return base

    def _start(self, program, settings, before=()):
        """before: a command that runs the program somewhere or somehow."""
        self.starts += 1
        name = f"{program}.{self.starts}"
        process = Process(name, [*before, str(BIN / program)], self.environment(settings), self.directory / f"{name}.log")
        self.processes.append(process)
        return process

    def start_gateway(self, number=0):
        port = self.ports[number]
        started = self._start("gateway", {"LK_LISTEN": f"127.0.0.1:{port}",
                                          "LK_WORKER_LISTEN": f"tcp://127.0.0.1:{port + 1}"} | self.gateway_settings)
        self.gateways[number:number + 1] = [started]
        self.gateway = self.gateways[0]
        return started

    def start_worker(self, service=None):
        worker = self._start(service or self.services[0], self.worker_settings)
        self.workers.append(worker)
        return worker

    def await_ready(self, seconds=15):
        await_that(lambda: all(self.readiness(port) == 200 for port in self.ports), seconds, "the suite is ready")

    def await_joined(self, worker, seconds=15):
        """Until a gateway has that very worker: others may be ready before."""
        await_that(lambda: self._gateway_says(b"worker_joined", worker), seconds, f"{worker.name} has joined")

    def await_left(self, worker, seconds=15):
        """Until a gateway has missed it."""
        await_that(lambda: self._gateway_says(b"worker_left", worker), seconds, f"{worker.name} is missed")

    def _gateway_says(self, event, worker):
        name = re.search(rb" event=worker_started .*instance=(\S+)", worker.log.read_bytes())
        return name and self.grep_logs(rb" event=%b .*instance=%b( |$)" % (event, name[1]), "gateway")

    def readiness(self, port=None):
        """What /readyz would answer if the suite's services were all there are; 0: nothing."""
        try:
            answer = Client(port or self.port, timeout=5).call("GET", "/readyz")
        except OSError:
            return 0
        missing = answer.json.get("missing")  # absent while it stops
        return 200 if missing and not set(missing) & set(self.services) else answer.status

    # ---- use ----

    def call(self, *arguments, **named):
        return self.client.call(*arguments, **named)

    def key_command(self, *arguments):
        return subprocess.run([str(BIN / "gateway"), "key", *arguments], env=self.environment(),
                              capture_output=True, text=True, timeout=20 * SLOW, check=False)

    def make_key(self, *arguments):
        done = self.key_command("create", *arguments)
        assert done.returncode == 0, done.stderr
        key = done.stdout.strip()
        assert KEY.match(key), done.stdout
        if self.gateway is not None and self.gateway.alive():
            # A running gateway looks for new keys a few times a second. No worker is asked.
            await_that(lambda: Client(self.port, key).call("GET", "/voip/trunk?limit=0").status != 401, 10, "the key works")
        return key

    def make_trunk(self, name="a trunk", **named):
        answer = self.call("POST", "/voip/trunk", {"name": name}, **named)
        assert answer.status == 201, answer.body
        return answer.result["uuid"]

    def raw(self, sent, seconds=10, shut=False):
        """Sends bytes and returns all that comes back until the other side closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as line:
            try:
                line.sendall(sent)
                if shut:
                    line.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            received = b""
            try:
                while chunk := line.recv(65536):
                    received += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return received

    def assert_answers(self):
        answer = Client(self.port, self.admin).call("GET", "/voip/trunk?limit=1")
        assert answer.status == 200, answer.body
        assert self.gateway.alive()
        assert all(worker.alive() or worker.expected_end for worker in self.workers)

    def metrics_port(self, process):
        """Where it shows what it counts. It may answer requests before it says so."""
        said = await_that(lambda: re.search(rb" event=(?:worker_)?started .*metrics=\S+:(\d+)[ \n]", process.log.read_bytes()),
                          20, "it tells where its metrics are")
        return int(said[1])

    def metrics(self, process):
        """What a program counts: {(name, ((label, value), ...)): number}, checked on the way."""
        return metrics.parse(metrics.scrape(self.metrics_port(process)))

    # ---- what was left behind ----

    def logs(self, of=""):
        return b"".join(path.read_bytes() for path in sorted(self.directory.glob(f"{of}*.log")))

    def grep_logs(self, pattern, of=""):
        return [line for line in self.logs(of).splitlines() if re.search(pattern, line)]


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
