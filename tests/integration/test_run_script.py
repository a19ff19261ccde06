"""deploy/run.sh, as an operator uses it."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

import openapi
import pytest
from suite import Client, ROOT, SLOW, await_that, every_service, free_port

BUILD = os.environ.get("LK_RUN_BUILD_DIR", str(ROOT / "build/run"))
ONE_EACH = {f"{name}.1.pid" for name in ["gateway", *every_service()]}


class Run:
    """run.sh in a data directory; its output in files."""

    def __init__(self, directory, *arguments, port=None, **settings):
        self.directory, self.port = pathlib.Path(directory), port or free_port()
        self.data = self.directory / "var"
        base = {name: value for name, value in os.environ.items() if not name.startswith("LK_")}
        base.update({"LK_LISTEN": f"127.0.0.1:{self.port}", "LK_DATA_DIR": str(self.data), "LK_BUILD_DIR": BUILD,
                     "LK_PWHASH": "2:19", **settings})
        self.environment = base
        self.out, self.err = self.directory / f"out.{id(self)}", self.directory / f"err.{id(self)}"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.popen = subprocess.Popen([ROOT / "deploy/run.sh", *arguments], env=base, cwd=self.directory,
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)

    def await_ready(self, seconds=400):
        def is_ready():
            assert self.popen.poll() is None, self.err.read_text()[-3000:]
            return re.search(r"^ready: (http://\S+)$", self.out.read_text(), re.M)

        address = await_that(is_ready, seconds, "the ready line").group(1)
        openapi.load(self.port)
        return address

    def wait(self, seconds=30):
        return self.popen.wait(seconds)

    def pids(self):
        found = {}
        for path in (self.data / "run").glob("*.pid"):
            text = path.read_text().strip()
            if text:
                found[path.name] = int(text)
        return found

    def stop(self, how=signal.SIGTERM):
        begun = time.monotonic()
        self.popen.send_signal(how)
        code = self.popen.wait(10)
        return code, time.monotonic() - begun


def exists(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="linekeeper-run-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def running():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="linekeeper-run-"))
    run = Run(directory, "--scale", "trunk-auth=2")
    try:
        run.await_ready()
        yield run
    finally:
        if run.popen.poll() is None:
            run.popen.send_signal(signal.SIGTERM)
            run.popen.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


def one_line(run, code, *words):
    assert run.wait() == code, run.err.read_text()
    text = run.err.read_text()
    assert len(text.splitlines()) == 1, text
    for word in words:
        assert str(word) in text, text
    assert "ready:" not in run.out.read_text()


# ---- a running one ----

def call_to_try(run):
    text = run.out.read_text()
    assert text.count("ready: http://") == 1
    call = re.search(r"^ready: .*\n.*?(curl .*)$", text, re.M).group(1)
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.startswith('{"result":[') and '"status_code":200' in done.stdout


def test_ready_line_and_the_call_to_try(running):
    call_to_try(running)


def test_files(running):
    curve = ["gateway.key", "gateway.pub", "workers", *(f"{name}.key" for name in every_service())]
    assert {path.name for path in (running.data / "keys/curve").iterdir()} == set(curve)
    for name in ("admin.key", "keys/seal.key", "keys/api-key-hash", *(f"keys/curve/{name}" for name in curve)):
        status = (running.data / name).stat()
        assert stat.S_IMODE(status.st_mode) == 0o600, name
    assert re.fullmatch(r"lk_[A-Za-z0-9_-]{43}\n", (running.data / "admin.key").read_text())
    assert re.fullmatch(r"1:[0-9a-f]{64}\n", (running.data / "keys/seal.key").read_text())
    assert re.fullmatch(r"[0-9a-f]{64}\n", (running.data / "keys/api-key-hash").read_text())
    pids = running.pids()
    assert set(pids) == {"trunk-auth.2.pid"} | ONE_EACH
    for name, pid in pids.items():
        assert pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name.split(".")[0]


def test_listens_on_loopback_only(running):
    listening = subprocess.run(["bash", "-c", "cat /proc/net/tcp"], capture_output=True, text=True, check=True).stdout
    for port in (running.port, running.port + 1):
        rows = [row.split()[1] for row in listening.splitlines()[1:]
                if row.split()[3] == "0A" and row.split()[1].endswith(f":{port:04X}")]
        assert rows == [f"0100007F:{port:04X}"]


def test_the_link_is_encrypted_and_keys_are_revoked(running):
    def says(pattern):
        return re.search(pattern, running.err.read_text())

    assert says(r"program=gateway event=started .*curve=on") and says(r"program=trunk-auth event=worker_started .*curve=on")
    assert not says(r"curve=off")
    workers = running.data / "keys/curve/workers"
    text = workers.read_text()
    client = Client(running.port)
    workers.write_text(re.sub(r"^trunk-auth ", "# trunk-auth ", text, flags=re.M))
    await_that(lambda: client.call("GET", "/readyz").status == 503, 15, "the workers are sent away")
    await_that(lambda: says('event=worker_refused why="unknown key"'), 15, "they are not let in again")
    workers.write_text(text)
    await_that(lambda: client.call("GET", "/readyz").status == 200, 15, "they are let in again")


def test_a_second_start_is_refused(running):
    one_line(Run(running.directory), 1, "already running", running.data)
    assert Client(running.port).call("GET", "/readyz").status == 200


def test_a_taken_port_is_refused(running, directory):
    one_line(Run(directory, port=running.port), 1, running.port, "taken")
    one_line(Run(directory, port=running.port - 1), 1, running.port, "taken")
    one_line(Run(directory, LK_WORKER_LISTEN=f"tcp://127.0.0.1:{running.port + 1}"), 1, running.port + 1, "taken")
    assert not (directory / "var").exists()


@pytest.mark.parametrize("name", ["gateway.1", "trunk-auth.1"])
def test_what_dies_is_started_again(running, name):
    first = running.pids()[name + ".pid"]
    os.kill(first, signal.SIGKILL)
    await_that(lambda: running.pids().get(name + ".pid", first) != first, 15, f"{name} has another process")
    client = Client(running.port, (running.data / "admin.key").read_text().strip())

    def answers():
        try:
            return client.call("GET", "/voip/trunk").status == 200
        except OSError:
            return False

    await_that(answers, 15, "the suite answers again")


def test_stopped_in_time_with_nothing_left(running):
    key, pids = (running.data / "admin.key").read_text(), running.pids()
    code, seconds = running.stop()
    assert code == 0 and seconds < 5, running.err.read_text()[-2000:]
    assert not [pid for pid in pids.values() if exists(pid)]
    assert not list((running.data / "run").iterdir())
    assert running.out.read_text().count("ready:") == 1
    # Once more, over what is there: the same key, the same data; and Ctrl-C.
    again = Run(running.directory, port=running.port)
    again.await_ready()
    assert (running.data / "admin.key").read_text() == key
    pids = again.pids()
    os.killpg(again.popen.pid, signal.SIGINT)  # as a terminal does: to all of them
    begun = time.monotonic()
    assert again.wait(10) == 0 and time.monotonic() - begun < 5
    assert not [pid for pid in pids.values() if exists(pid)]
    # The gateway first, and each was told once: by run.sh, and not by the terminal too.
    said = [line for line in again.err.read_text().splitlines() if "event=draining" in line]
    assert len(said) == len(ONE_EACH) and "connections=" in said[0] and "event=drain_cut" not in again.err.read_text()


def test_a_second_signal_ends_the_waiting(running, directory):
    run = Run(directory, LK_NOT_READY_MS="600000", LK_DRAIN_SECONDS="600")
    run.await_ready()
    pids = run.pids()
    run.popen.terminate()
    await_that(lambda: "event=stopping" in run.err.read_text(), 20, "it begins to stop")
    code, seconds = run.stop()
    assert code == 0 and seconds < 5
    assert not [pid for pid in pids.values() if exists(pid)]


# ---- others ----

def test_help(directory):
    run = Run(directory, "--help")
    assert run.wait() == 0
    assert "--scale" in run.out.read_text() and not (directory / "var").exists()


@pytest.mark.parametrize("arguments, word", [
    (["--frobnicate"], "--frobnicate"), (["extra"], "extra"), (["--scale"], "WORKER=N"), (["--scale", "x"], "x"),
    (["--scale", "trunk-auth=0"], "1 to"), (["--scale", "trunk-auth=9999"], "1 to"), (["--scale", "gateway=2"], "gateway"),
])
def test_wrong_arguments(directory, arguments, word):
    one_line(Run(directory, *arguments), 64, word)
    assert not (directory / "var").exists()


def test_an_unknown_worker_is_refused_before_anything_is_built(directory):
    one_line(Run(directory, "--scale", "frob=2", LK_BUILD_DIR=str(directory / "build")), 64, "frob", "trunk-auth")
    assert not (directory / "var").exists() and not (directory / "build").exists()


@pytest.mark.parametrize("above", [0, 1])
def test_a_port_that_is_bound_but_not_listened_on(running, directory, above):
    with socket.socket() as holder:
        port = free_port()
        holder.bind(("127.0.0.1", port + above))  # the check before the start can't see it
        run = Run(directory, port=port)
        assert run.wait() == 1
    text = run.err.read_text()
    assert f":{port + above}" in text and ("taken" in text or "can't listen" in text), text
    assert "\nrun.sh: gateway.1 can't start" in text and "gateway.1 died" not in text
    assert "ready:" not in run.out.read_text()


def test_the_call_to_try_where_the_path_needs_quotes(running, directory):
    odd = directory / "it's a \"$HOME\" of `odd` names"
    odd.mkdir()
    run = Run(odd)
    run.await_ready()
    call_to_try(run)
    assert run.stop()[0] == 0


@pytest.mark.parametrize("settings", [
    {"LK_LISTEN": "nonsense"}, {"LK_LISTEN": "127.0.0.1:0"}, {"LK_LISTEN": "127.0.0.1:70000"}, {"LK_LISTEN": "127.0.0.1:65535"},
    {"LK_WORKER_LISTEN": "udp://x"},
])
def test_wrong_settings(directory, settings):
    base = {"LK_LISTEN": f"127.0.0.1:{free_port()}", **settings}
    environment = {**os.environ, "LK_DATA_DIR": str(directory / "var"), "LK_BUILD_DIR": BUILD, **base}
    done = subprocess.run([ROOT / "deploy/run.sh"], env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 64 and len(done.stderr.splitlines()) == 1
    assert next(iter(settings)) in done.stderr
    assert not (directory / "var").exists()


def test_a_program_that_refuses_its_settings_ends_the_suite(running, directory):
    run = Run(directory, LK_SIP_REALMS="a,,b")
    assert run.wait() == 78
    assert "LK_SIP_REALMS" in run.err.read_text()
    assert "trunk-auth.1 can't run as it is configured" in run.err.read_text()
    one_more = Run(directory, LK_LOG_LEVEL="loud")  # here the gateway refuses already
    assert one_more.wait() != 0 and "LK_LOG_LEVEL" in one_more.err.read_text()


def test_a_damaged_database_ends_the_suite_that_was_never_ready(running, directory):
    data = directory / "var"
    data.mkdir(mode=0o700)
    (data / "trunk-auth.db").write_bytes(b"This is no database.\n" * 1000)
    run = Run(directory)
    assert run.wait() == 65
    said = run.err.read_text()
    assert "trunk-auth.1 can't run: its database is damaged" in said
    assert re.search(r"trunk-auth\.db.*restore a backup", said), said
    assert "ready:" not in run.out.read_text()


@pytest.mark.parametrize("theirs", ["var", "var/run", "build"])
def test_a_folder_of_somebody_else_is_told_of(directory, theirs):
    other = 65534 if os.geteuid() == 0 else os.geteuid()
    directory.chmod(0o777)
    for path in (directory / "var", directory / "build", directory / theirs):
        path.mkdir(exist_ok=True)
        path.chmod(0o700)
        os.chown(path, other, -1)
    os.chown(directory / theirs, os.geteuid(), -1)
    (directory / theirs).chmod(0)
    as_other = ["setpriv", "--reuid", str(other), "--clear-groups"] if os.geteuid() == 0 else []
    command = [*as_other, ROOT / "deploy/run.sh"]
    if subprocess.run([*as_other, "test", "-x", ROOT / "deploy/run.sh"], check=False).returncode:
        pytest.skip("the source is root's alone")
    environment = {**os.environ, "LK_LISTEN": f"127.0.0.1:{free_port()}", "LK_DATA_DIR": str(directory / "var"),
                   "LK_BUILD_DIR": str(directory / "build")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60 * SLOW, check=False)
    (directory / theirs).chmod(0o700)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert f"{directory / theirs}" in done.stderr and f"{pathlib.Path(directory).owner()}'s" in done.stderr


def test_a_second_configuration_changes_no_command(directory):
    """Or every second start would compile all of it again."""
    def commands():
        subprocess.run(["cmake", "--preset", "release", "-S", ROOT, "-B", directory / "build"], check=True, capture_output=True,
                       timeout=120 * SLOW)
        return (directory / "build/compile_commands.json").read_text(encoding="utf-8")

    assert commands() == commands()


def stub(directory, name, text):
    folder = directory / "stubs"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return folder


def test_a_package_that_can_not_be_installed(directory):
    stub(directory, "dpkg-query", '[[ ${!#} != libczmq-dev ]] && echo installed')
    stub(directory, "sudo", '"$@"')
    folder = stub(directory, "apt-get", 'echo "E: Unable to locate package libczmq-dev"; exit 100')
    one_line(Run(directory, PATH=f"{folder}:{os.environ['PATH']}"), 1, "libczmq-dev", "Unable to locate")


def test_no_package_manager_where_nothing_is_missing(running, directory):
    folder = stub(directory, "apt-get", f"touch {directory}/apt-was-called")
    run = Run(directory, PATH=f"{folder}:{os.environ['PATH']}")
    run.await_ready()
    assert run.stop()[0] == 0
    assert not (directory / "apt-was-called").exists()


def test_workers_by_ipc(running, directory):
    run = Run(directory, LK_WORKER_LISTEN=f"ipc://{directory}/link")
    run.await_ready()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", run.port + 1)) != 0
    assert run.stop()[0] == 0


def test_killed_it_leaves_no_orphans(running, directory):
    run = Run(directory, "--scale", "trunk-auth=3")
    run.await_ready()
    pids = run.pids()
    run.popen.kill()
    run.popen.wait()
    await_that(lambda: not [pid for pid in pids.values() if exists(pid)], 15, "its processes have gone")
    again = Run(directory, port=run.port)
    again.await_ready(60)
    assert set(again.pids()) == ONE_EACH
    assert again.stop()[0] == 0


def test_busy_workers_end_by_themselves(running, directory):
    run = Run(directory, LK_PWHASH="20:64")
    run.await_ready()
    client = Client(run.port, (run.data / "admin.key").read_text().strip())
    trunk = client.call("POST", "/voip/trunk", {"name": "busy"}).result["uuid"]

    answered = []

    def hash_one(number):
        method = {"type": "sipuser", "username": f"user{number}", "password": "correct horse"}
        with contextlib.suppress(OSError):  # cut: the suite ends
            answered.append(Client(run.port, client.key).call("POST", f"/voip/trunk/{trunk}/auth", method).status)

    posts = [threading.Thread(target=hash_one, args=(number,)) for number in range(60)]
    for post in posts:
        post.start()
    await_that(lambda: answered, 60, "the first has its hash")
    code, seconds = run.stop()
    for post in posts:
        post.join(20)
    assert code == 0 and seconds < 5
    assert "event=drain_cut" in run.err.read_text()  # and not killed


def test_a_hung_process_does_not_hold_up_the_end(running, directory):
    run = Run(directory)
    run.await_ready()
    pids = run.pids()
    os.kill(pids["trunk-auth.1.pid"], signal.SIGSTOP)
    code, seconds = run.stop()
    assert code == 0 and seconds < 5
    assert not [pid for pid in pids.values() if exists(pid)]
