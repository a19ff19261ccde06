"""The units of deploy/systemd as an operator has them: run.sh has booted a systemd for this, in a container."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import struct
import subprocess

import pytest
from rotation import replace_seal_key
from suite import ROOT, Client, await_that
from traffic import CONNECTIONS, PROVIDERS, TRUNKS, Traffic

PORT = 8080
KEYS = pathlib.Path("/etc/linekeeper/keys")
SETTINGS = pathlib.Path("/etc/linekeeper/settings")
GATEWAY = "linekeeper-gateway.service"
SERVICES = ("auth-provider", "fqdn-auth", "trunk-auth")
WORKERS = tuple(f"linekeeper-{service}@{number}.service" for service in SERVICES for number in (1, 2))
KNOWN = "known to 1 of 1 gateways"
TRUNK_AUTH = WORKERS[-2:]
F_OFD_SETLK, LOOK = 37, 3  # fcntl.h; services/common/gate.h


def run(*command, wanted=0):
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == wanted, done.stdout + done.stderr
    return done.stdout


def show(unit, name):
    return run("systemctl", "show", "-P", name, unit).strip()


def process(unit):
    return int(show(unit, "MainPID"))


def await_known(*units):
    for unit in units:
        await_that(lambda: show(unit, "StatusText") == KNOWN, 15, f"{unit} is known")


@contextlib.contextmanager
def somebody_looks_over(store):
    """As a process does that looks a large store over for damage: others wait."""
    with open(f"/var/lib/linekeeper/{store}.db.gate", "r+b") as gate:
        fcntl.fcntl(gate, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, LOOK, 1, 0))
        yield


@contextlib.contextmanager
def settings_with(line):
    good = SETTINGS.read_text(encoding="utf-8")
    SETTINGS.write_text(good + line + "\n", encoding="utf-8")
    try:
        yield
    finally:
        SETTINGS.write_text(good, encoding="utf-8")


def script(name, *arguments, wanted=0):
    return run(ROOT / "deploy" / name, *arguments, wanted=wanted)


class Units:
    def __init__(self):
        run(ROOT / "deploy/systemd/install.sh")
        with open(SETTINGS, "a", encoding="utf-8") as settings:
            settings.write("LK_PWHASH=2:19\n")
        run("systemctl", "start", "linekeeper.target")
        self.started = Client(PORT).call("GET", "/healthz").status
        await_known(*WORKERS)
        self.key = run("runuser", "-u", "linekeeper", "--", "env", "LK_DATA_DIR=/var/lib/linekeeper",
                       f"LK_API_KEY_HASH_FILE={KEYS}/api-key-hash", "/opt/linekeeper/bin/gateway", "key", "create",
                       "--organization", "default", "--scope", "admin", "--operator", "--name", "first").strip()
        await_that(lambda: self.client().call("GET", TRUNKS).status == 200, 10, "the key works")

    def client(self, timeout=30):
        return Client(PORT, self.key, timeout=timeout, strict=True)


@pytest.fixture(scope="module")
def units():
    return Units()


def test_started_means_that_it_listens(units):
    assert units.started == 200
    for unit in (GATEWAY, *WORKERS):
        assert show(unit, "ActiveState") == "active" and show(unit, "NRestarts") == "0"


@pytest.mark.parametrize("unit", (GATEWAY, *WORKERS[::2]))
def test_a_process_may_do_nothing_but_its_work(units, unit):
    status = pathlib.Path(f"/proc/{process(unit)}/status").read_text(encoding="utf-8")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    assert fields["Uid"].split() == [run("id", "-u", "linekeeper").strip()] * 4


def test_a_killed_process_is_started_again(units):
    with Traffic(units.client) as traffic:
        for unit in WORKERS[::2]:
            traffic.await_more(20)
            before = process(unit)
            os.kill(before, signal.SIGKILL)
            await_that(lambda: process(unit) not in (0, before), 10, f"{unit} is there again")
            await_known(unit)
        traffic.await_more(20)
    traffic.check()
    before = process(GATEWAY)
    os.kill(before, signal.SIGKILL)
    await_that(lambda: process(GATEWAY) not in (0, before), 10, "the gateway is there again")
    await_that(lambda: show(GATEWAY, "ActiveState") == "active", 10, "it has started")
    await_known(*WORKERS)


def test_workers_are_replaced_and_no_request_fails(units):
    before = {unit: process(unit) for unit in WORKERS}
    with Traffic(units.client, keyed=False) as traffic:
        traffic.await_more(20)
        script("roll.sh", "--systemd", *SERVICES)
        traffic.await_more(20)
    traffic.check()
    assert all(process(unit) != before[unit] for unit in WORKERS)


def test_a_gateway_that_was_replaced_has_every_worker(units):
    before = process(GATEWAY)
    script("roll.sh", "--systemd", "gateway")
    assert process(GATEWAY) != before
    for path in (TRUNKS, CONNECTIONS, PROVIDERS):
        assert units.client().call("GET", path).status == 200


def test_the_seal_key_is_replaced_while_all_runs(units):
    replace_seal_key(units.client, KEYS, lambda: script("rotate-seal-key.sh", "--systemd"))


def test_a_backup_comes_back_and_the_gateway_goes_before_the_workers(units, tmp_path):
    def names():
        return [trunk["name"] for trunk in units.client().call("GET", TRUNKS + "?limit=250").result]

    before = names()
    made = script("backup.sh", "--systemd", tmp_path / "backups").strip()
    assert units.client().call("POST", TRUNKS, {"name": "after the backup"}).status == 201
    script("restore.sh", "--systemd", made, wanted=75)
    run("systemctl", "stop", "linekeeper.target", "linekeeper*")
    gone = int(show(GATEWAY, "InactiveEnterTimestampMonotonic"))
    assert all(gone <= int(show(unit, "ActiveExitTimestampMonotonic")) for unit in WORKERS)
    assert {show(unit, "Result") for unit in (GATEWAY, *WORKERS)} == {"success"}
    script("restore.sh", "--systemd", made)
    run("systemctl", "start", "linekeeper.target")
    await_known(*WORKERS)
    assert sorted(names()) == sorted(before)


def test_a_worker_that_waits_for_its_store_holds_up_no_gateway(units):
    run("systemctl", "stop", *TRUNK_AUTH)
    with somebody_looks_over("trunk-auth"):
        run("systemctl", "start", "--no-block", *TRUNK_AUTH)
        await_that(lambda: process(TRUNK_AUTH[0]) != 0, 10, "the worker has begun")
        before = process(GATEWAY)
        os.kill(before, signal.SIGKILL)
        await_that(lambda: process(GATEWAY) not in (0, before), 10, "the gateway is there again")
        await_that(lambda: Client(PORT).call("GET", "/healthz").status == 200, 10, "it listens")
        await_known(*WORKERS[:-2])
        assert all(show(unit, "StatusText").startswith("its store") for unit in TRUNK_AUTH)
    await_known(*TRUNK_AUTH)


def test_a_roll_waits_for_a_worker_whose_store_is_looked_over(units):
    run("systemctl", "stop", *TRUNK_AUTH)
    with somebody_looks_over("trunk-auth"):
        run("systemctl", "start", "--no-block", TRUNK_AUTH[0])
        await_that(lambda: process(TRUNK_AUTH[0]) != 0, 10, "the worker has begun")
        with subprocess.Popen([ROOT / "deploy/roll.sh", "--systemd", "trunk-auth"]) as roll:
            with pytest.raises(subprocess.TimeoutExpired):
                roll.wait(3)
            assert show(TRUNK_AUTH[0], "StatusText").startswith("its store")
            roll.terminate()
    run("systemctl", "start", *TRUNK_AUTH)
    await_known(*TRUNK_AUTH)


def test_a_roll_that_failed_leaves_the_others_and_goes_on_with_what_it_broke(units):
    before = process(TRUNK_AUTH[1])
    with settings_with("LK_LOG_LEVEL=loud"):
        for _ in range(2):
            script("roll.sh", "--systemd", "trunk-auth", wanted=1)
            assert show(TRUNK_AUTH[0], "ActiveState") == "failed" and process(TRUNK_AUTH[1]) == before
    with Traffic(units.client, keyed=False) as traffic:
        traffic.await_more(20)
        script("roll.sh", "--systemd", "trunk-auth")
        traffic.await_more(20)
    traffic.check()
    assert process(TRUNK_AUTH[1]) != before and {show(unit, "StatusText") for unit in WORKERS} == {KNOWN}


def test_what_does_not_run_is_not_started(units):
    run("systemctl", "stop", "linekeeper.target", "linekeeper*")
    said = script("roll.sh", "--systemd")
    assert said.count("runs here") == 4
    assert all(process(unit) == 0 for unit in (GATEWAY, *WORKERS))
    run("systemctl", "start", "linekeeper.target")
    await_known(*WORKERS)


def test_what_starting_again_would_not_help_is_not_started_again(units):
    unit = "linekeeper-trunk-auth@3.service"
    with settings_with("LK_LOG_LEVEL=loud"):
        run("systemctl", "start", unit, wanted=1)
    assert show(unit, "ExecMainStatus") == "78" and show(unit, "NRestarts") == "0"
    assert re.search(r"event=worker_failed .*LK_LOG_LEVEL", run("journalctl", "--no-pager", "-u", unit))
    run("systemctl", "start", unit)
    await_known(unit)


def test_no_secret_is_in_the_journal(units):
    said = run("journalctl", "--no-pager", "-u", "linekeeper-*")
    kept = [line.split(":")[-1] for path in ("seal.key", "seal.retired") for line in (KEYS / path).read_text().split()]
    for secret in ("correct horse", units.key, *kept):
        assert secret not in said
