"""The link by CURVE: what travels is not readable, and who has no key, or another's, gets nowhere."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
import zmq
from suite import BIN, SLOW, Client, Suite, await_that, free_port, processor_seconds


@pytest.fixture
def suite():
    with Suite() as running:
        yield running


def keys_elsewhere(suite, name):
    """A folder of its own with keys that the gateway doesn't know, but the public one of the gateway."""
    folder = suite.directory / name
    subprocess.run([BIN / "gateway", "curve-keys"], env=suite.environment({"LK_CURVE_DIR": str(folder)}),
                   check=True, capture_output=True, timeout=20 * SLOW)
    shutil.copy2(suite.curve / "gateway.pub", folder / "gateway.pub")
    return folder


def strange_worker(suite, folder):
    """A real worker with the keys of that folder."""
    return suite._start("trunk-auth", {"LK_CURVE_DIR": str(folder)})


def replace(path, text):
    """At once: nobody reads half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    shutil.copymode(path, fresh)
    fresh.rename(path)


def resident_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(row.split()[1]) for row in status if row.startswith("VmRSS"))


def failed_handshakes(suite):
    lines = suite.grep_logs(rb" event=worker_handshakes_failed ", "gateway")
    return int(re.search(rb" in_all=(\d+)", lines[-1])[1]) if lines else 0


# ---- who comes in ----

def test_a_worker_that_the_gateway_does_not_know(suite):
    stranger = strange_worker(suite, keys_elsewhere(suite, "unknown"))
    begun = time.monotonic()
    await_that(lambda: re.search(rb" event=gateway_silent ", stranger.log.read_bytes()), 40, "it says that nobody answers")
    await_that(lambda: suite.grep_logs(rb' event=worker_refused why="unknown key" address=127.0.0.1 ', "gateway"), 15,
               "the gateway says so")
    await_that(lambda: failed_handshakes(suite) > 0, 15, "it is counted")
    # It goes on trying, a few times a second at most.
    assert failed_handshakes(suite) < 10 + 3 * (time.monotonic() - begun)
    if SLOW == 1:
        assert processor_seconds(stranger) < 1 + 0.1 * (time.monotonic() - begun)  # it does not spin meanwhile
    assert not re.search(rb" event=gateway_connected ", stranger.log.read_bytes())
    assert len(re.findall(rb" event=gateway_silent ", stranger.log.read_bytes())) == 1
    suite.assert_answers()
    assert stranger.stop() == 0


def test_a_key_serves_its_own_service_only(suite):
    folder = suite.directory / "other"
    folder.mkdir(mode=0o700)
    shutil.copy2(suite.curve / "fqdn-auth.key", folder / "trunk-auth.key")
    shutil.copy2(suite.curve / "gateway.pub", folder)
    stranger = strange_worker(suite, folder)
    refused = rb' event=worker_refused why="its key is not allowed to serve that" service=trunk-auth '
    begun = time.monotonic()
    await_that(lambda: len(suite.grep_logs(refused, "gateway")) >= 2, 40, "it is refused again and again")
    assert len(suite.grep_logs(refused, "gateway")) < 3 + 2 * (time.monotonic() - begun)
    joined = {re.search(rb" instance=(\S+)", line)[1] for line in suite.grep_logs(rb" event=worker_joined ", "gateway")}
    assert len(joined) == 1  # ours, and nobody else
    suite.assert_answers()
    assert stranger.stop() == 0


def test_a_key_is_revoked_and_given_back_while_all_runs(suite):
    workers = suite.curve / "workers"
    text = workers.read_text()
    replace(workers, "".join(f"# {line}\n" for line in text.splitlines()))  # the last key, too
    await_that(lambda: suite.readiness() == 503, 15, "the worker is sent away")
    await_that(lambda: suite.grep_logs(rb' event=worker_left .*why="its key is not allowed to serve that any more"', "gateway"),
               15, "it says why")
    await_that(lambda: suite.grep_logs(rb' event=worker_refused why="unknown key" ', "gateway"), 15, "it is not let in again")
    assert suite.call("GET", "/voip/trunk").status == 503
    # A list that can't be read changes nothing, and is told of once.
    replace(workers, "nonsense\n" + text)
    await_that(lambda: suite.grep_logs(rb" event=workers_not_refreshed .*line 1 ", "gateway"), 15, "it says what is wrong")
    assert suite.readiness() == 503
    replace(workers, text)
    suite.await_ready()
    suite.assert_answers()
    assert len(suite.grep_logs(rb" event=workers_not_refreshed ", "gateway")) == 1


# ---- what is harmed ----

def test_strangers_in_numbers_harm_nobody(suite):
    """Plain text, passwords and garbage at once, again and again: answers go on, memory does not grow."""
    port, stop, faults, begun = suite.port + 1, threading.Event(), [], time.monotonic()

    def knock():
        context = zmq.Context()
        while not stop.is_set():
            lines = []
            for number in range(20):
                line = context.socket(zmq.DEALER)
                line.linger, line.reconnect_ivl = 0, 50
                if number % 3 == 1:
                    line.plain_username = line.plain_password = b"admin"
                elif number % 3 == 2:
                    line.curve_publickey, line.curve_secretkey = zmq.curve_keypair()
                    line.curve_serverkey = (suite.curve / "gateway.pub").read_bytes().strip()
                line.connect(suite.link)
                with contextlib.suppress(zmq.Again):
                    line.send_multipart([b"LKW1R", b"x" * 100000], zmq.NOBLOCK)
                lines.append(line)
            for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(100), b"\xff" * 1000, b"\0" * 1000):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
                    raw.sendall(garbage)
            stop.wait(0.1)
            for line in lines:
                line.close()
        context.term()

    def ask():
        client = Client(suite.port, suite.admin)
        while not stop.is_set():
            answer = client.call("GET", "/voip/trunk?limit=1")
            if answer.status != 200:
                faults.append(answer.body)

    threads = [threading.Thread(target=work) for work in (knock, ask)]
    for thread in threads:
        thread.start()
    try:
        await_that(lambda: failed_handshakes(suite) > 200, 60, "many have come")
        before = resident_kib(suite.gateway)
        await_that(lambda: failed_handshakes(suite) > 800, 120, "many more have come")
        after = resident_kib(suite.gateway)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not faults, faults[:3]
    assert after - before < 8 * 1024 or SLOW != 1
    # A busy machine may be silent for a second; nothing else makes the worker leave.
    assert all(b'why="it is silent"' in line or b'why="it has connected anew"' in line
               for line in suite.grep_logs(rb" event=worker_left ", "gateway"))
    # What strangers can cause at will is told of once a second.
    told = len(suite.grep_logs(rb" event=worker_refused ", "gateway"))
    assert told < 3 + 2 * (time.monotonic() - begun)  # of unknown keys, and of services
    suite.assert_answers()


def test_nothing_travels_readable():
    """Between worker and gateway stands somebody who listens."""
    heard, port = [], free_port()
    with Suite(worker_settings={"LK_GATEWAYS": f"tcp://127.0.0.1:{port}"}, wait=False) as suite:
        server = socket.create_server(("127.0.0.1", port))

        def pass_on(source, sink):
            with contextlib.suppress(OSError):
                while chunk := source.recv(65536):
                    heard.append(chunk)
                    sink.sendall(chunk)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    line = server.accept()[0]
                    try:
                        onward = socket.create_connection(("127.0.0.1", suite.port + 1))
                    except OSError:  # the gateway does not listen yet
                        line.close()
                        continue
                    for ends in ((line, onward), (onward, line)):
                        threading.Thread(target=pass_on, args=ends, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            suite.await_ready()
            trunk = suite.make_trunk("a name that nobody else uses")
            assert suite.call("GET", f"/voip/trunk/{trunk}").result["name"] == "a name that nobody else uses"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
        seen = b"".join(heard)
        assert b"CURVE" in seen and len(seen) > 1000
        for word in (b"LKW1", b"trunk-auth", b"a name that nobody", trunk.encode()):
            assert word not in seen


# ---- settings ----

def start_alone(suite, program, **settings):
    return subprocess.run([BIN / program], env=suite.environment(settings), capture_output=True, text=True,
                          timeout=20 * SLOW, check=False)


def test_what_is_wrong_with_the_keys_is_said(suite):
    folder = suite.directory / "wrong"
    for program in ("gateway", "trunk-auth"):
        done = start_alone(suite, program, LK_CURVE_DIR=str(folder))
        assert done.returncode == 78 and "gateway curve-keys" in done.stderr, done.stderr
    for name in ("gateway.key", "trunk-auth.key", "workers"):
        folder = pathlib.Path(shutil.copytree(suite.curve, suite.directory / f"wrong-{name}"))
        secret = (folder / name).read_text().strip()
        (folder / name).chmod(0o644)
        done = start_alone(suite, "trunk-auth" if name == "trunk-auth.key" else "gateway", LK_CURVE_DIR=str(folder),
                           LK_LISTEN=f"127.0.0.1:{free_port()}", LK_WORKER_LISTEN="tcp://127.0.0.1:*")
        assert done.returncode == 78 and name in done.stderr and "chmod 0600" in done.stderr, done.stderr
        assert secret not in done.stderr


def test_plain_text_is_for_one_machine():
    plain = {"LK_CURVE": "off"}
    with Suite(gateway_settings=plain, worker_settings=plain) as suite:
        suite.assert_answers()
        assert suite.grep_logs(rb" event=started .* curve=off", "gateway")
        done = start_alone(suite, "gateway", LK_CURVE="off", LK_LISTEN=f"127.0.0.1:{free_port()}",
                           LK_WORKER_LISTEN="tcp://0.0.0.0:*")
        assert done.returncode == 78 and "LK_WORKER_LISTEN" in done.stderr and "LK_CURVE=on" in done.stderr, done.stderr
        # A worker dials nobody else's machine either.
        stray = suite._start("trunk-auth", {"LK_CURVE": "off", "LK_GATEWAYS": "tcp://192.0.2.1:8081"})
        await_that(lambda: re.search(rb" event=gateway_unreachable .*LK_CURVE=on", stray.log.read_bytes()), 15, "it says so")
        assert stray.stop() == 0
        # One side by CURVE, the other not: nobody hears the other.
        mixed = suite._start("trunk-auth", {"LK_CURVE": "on"})
        await_that(lambda: re.search(rb" event=gateway_silent ", mixed.log.read_bytes()), 40, "nobody answers")
        suite.assert_answers()
        assert mixed.stop() == 0
