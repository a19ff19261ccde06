"""File descriptors: strangers at the worker port can't take them all, and who has none left goes on,
says so, and recovers by itself."""

import contextlib
import resource
import socket
import subprocess
import threading

import pytest
from metrics import total
from suite import BIN, SLOW, Client, Suite, await_that, free_port

CROWD = 2000
TRUNKS = "/voip/trunk"


@pytest.fixture(autouse=True)
def room():
    """For a crowd of our own."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    if before[1] < CROWD + 200:
        pytest.skip(f"this machine lets a process have {before[1]} descriptors only")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def is_closed(line):
    """Whether the other side has ended it."""
    line.setblocking(False)
    try:
        return line.recv(4096) == b"" or is_closed(line)  # libzmq greets first
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def open_files(suite):
    return total(suite.metrics(suite.gateway), "process_open_fds")


def keep(process, count=None):
    """Lets the process have no more descriptors than it has; None: as many as before."""
    hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (hard if count is None else count, hard))


@contextlib.contextmanager
def without_descriptors(process):
    """It keeps what it has, and gets no more: a new one would have to be among the first, which are taken."""
    keep(process, 8)
    try:
        yield
    finally:
        keep(process)


def test_a_crowd_at_the_worker_port_takes_a_bounded_part():
    with Suite() as suite:
        stop, faults = threading.Event(), []

        def ask():
            client = Client(suite.port, suite.admin)
            while not stop.is_set():
                answer = client.call("GET", f"{TRUNKS}?limit=1")
                if answer.status != 200:
                    faults.append(answer.body)

        before = open_files(suite)
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        crowd = []
        try:
            for number in range(CROWD):
                crowd.append(socket.create_connection(("127.0.0.1", suite.port + 1), timeout=30 * SLOW))
                if number == CROWD // 2:
                    suite.start_worker()
            suite.await_joined(suite.workers[1], 30)
            await_that(lambda: all(is_closed(line) for line in crowd), 30, "all of them are cut")
            await_that(lambda: open_files(suite) < before + 20, 30, "their descriptors are free")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for line in crowd:
                line.close()
        assert not faults, faults[:3]
        after = suite.metrics(suite.gateway)
        assert total(after, "lk_worker_port_connections_total", result="crowded_out") > 0
        assert len(suite.grep_logs(rb" event=worker_joined ", "gateway")) >= 2
        suite.assert_answers()


def test_a_gateway_without_descriptors_goes_on_with_whom_it_has():
    with Suite(gateway_settings={"LK_KEEP_ALIVE_MS": "600000"}) as suite:  # however slow the machine is
        held = Client(suite.port, suite.admin)
        trunk = suite.make_trunk()
        assert held.call("GET", f"{TRUNKS}/{trunk}").status == 200
        with without_descriptors(suite.gateway):
            crowd = [socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)
                     for port in (suite.port, suite.port + 1) * 20]
            # Whom it can't serve it refuses, at once: he does not wait, and nobody spins.
            await_that(lambda: sum(is_closed(line) for line in crowd) >= 30, 15, "they are refused")
            for _ in range(20):
                assert held.call("GET", f"{TRUNKS}/{trunk}").status == 200
                assert held.call("POST", TRUNKS, {"name": "one more"}).status == 201
        for line in crowd:
            line.close()
        suite.assert_answers()
        assert total(suite.metrics(suite.gateway), "lk_accepts_refused_total") >= 30


def test_a_worker_without_descriptors_serves_and_comes_back():
    with Suite() as suite:
        worker = suite.workers[0]
        trunk = suite.make_trunk()
        body = {"type": "sipuser", "username": "someone", "password": "correct horse"}
        with without_descriptors(worker):
            assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
            other = suite.make_trunk("another")
            assert suite.call("POST", f"{TRUNKS}/{trunk}/auth", body).status == 201
            suite.gateway.kill()  # the connection must be made anew, and can't
            suite.start_gateway()
            await_that(lambda: suite.grep_logs(rb" event=gateway_unreachable ", "trunk-auth"), 15, "it says so")
            await_that(lambda: suite.readiness() == 503, 15, "the gateway answers")
            answer = suite.call("GET", f"{TRUNKS}/{trunk}")
            assert answer.status == 503 and answer.headers["Retry-After"] == "1"
            assert worker.alive()
        suite.await_ready()
        assert suite.call("GET", f"{TRUNKS}/{other}").result["name"] == "another"
        assert worker.alive()


def start_with(suite, program, most, **settings):
    """Its output when it may have so many descriptors and no more; it must end by itself."""
    return subprocess.run([BIN / program], env=suite.environment(settings), capture_output=True, text=True, check=False,
                          timeout=30 * SLOW, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))


def test_too_few_for_what_is_set_is_said_at_the_start():
    with Suite() as suite:
        listen = {"LK_LISTEN": f"127.0.0.1:{free_port()}", "LK_WORKER_LISTEN": "tcp://127.0.0.1:*"}
        done = start_with(suite, "gateway", 700, **listen)
        assert done.returncode == 78 and "RLIMIT_NOFILE" in done.stderr and "ulimit" in done.stderr, done.stderr
        for program, most, settings in (("trunk-auth", 100, {}), ("trunk-auth", 300, {"LK_SLOW_THREADS": "100"}),
                                        ("auth-provider", 300, {"LK_SLOW_THREADS": "1", "LK_FETCH_THREADS": "30"})):
            done = start_with(suite, program, most, **settings)
            assert done.returncode == 78 and "RLIMIT_NOFILE" in done.stderr and "ulimit" in done.stderr, done.stderr
