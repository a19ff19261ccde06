"""deploy/backup.sh and restore.sh: a copy of a suite that is written to all the while, and what comes back of it."""

import concurrent.futures
import contextlib
import copy
import ctypes
import ctypes.util
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import sqlite3
import stat
import subprocess

import pytest
from killpoints import KillPoints
from suite import BIN, ROOT, SLOW, Client, Suite, await_that, every_service
from traffic import TRUNKS, Traffic

IN_USE, BAD_DATA, BAD_USAGE = 75, 65, 64
WITHOUT = ("--without", "fqdn-auth", "--without=auth-provider")
REALM = "linekeeper"
TABLES = {"trunk-auth": ("trunk", "method"), "fqdn-auth": ("connection",), "auth-provider": ("provider",)}


def script(name, *arguments, suite=None, environment=None, wanted=0):
    environment = environment or suite.environment()
    done = subprocess.run([ROOT / "deploy" / name, "--bin", BIN, *arguments], env=environment, capture_output=True,
                          text=True, timeout=120 * SLOW, check=False)
    assert done.returncode == wanted, (done.returncode, done.stdout, done.stderr)
    return done


def backup(suite, target, *options):
    made = pathlib.Path(script("backup.sh", *options, target, suite=suite).stdout.strip())
    assert made.parent == target and re.fullmatch(r"linekeeper-\d{8}T\d{6}Z", made.name)
    return made


def is_stopped(process):
    """process: of /proc"""
    with contextlib.suppress(OSError):
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
    return False


@contextlib.contextmanager
def held_copy(suite, target):
    """A backup whose copy of trunk-auth's store has its moment, and does not go on until the end of the with."""
    points, programs, started = KillPoints(suite), suite.directory / "bin", suite.directory / "pid"
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in suite.worker_settings.items())
    programs.mkdir()
    for name in ("gateway", *suite.services):
        (programs / name).symlink_to(BIN / name)
    (programs / "trunk-auth").unlink()
    (programs / "trunk-auth").write_text(f'#!/bin/sh\necho $$ >{started}\nexec env {settings} {BIN}/trunk-auth "$@"\n')
    (programs / "trunk-auth").chmod(0o755)
    points.arm("copying", how=signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        making = pool.submit(backup, suite, target, "--bin", programs)
        points.await_fired()
        process = pathlib.Path("/proc") / started.read_text().strip()
        try:
            await_that(lambda: is_stopped(process), 20, "it stands still")
            yield making
            assert not making.done()
        finally:
            os.kill(int(process.name), signal.SIGCONT)


@contextlib.contextmanager
def opened(file):
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()


def column(file, query):
    with opened(file) as database:
        return [row[0] for row in database.execute(query)]


def names_in(folder):
    return {"method": column(folder / "trunk-auth.db", "SELECT label FROM method"),
            "connection": column(folder / "fqdn-auth.db", "SELECT connection_name FROM connection"),
            "provider": column(folder / "auth-provider.db", "SELECT name FROM provider")}


def facts(folder):
    """store -> key -> values"""
    found = {}
    for line in (folder / "MANIFEST").read_text().splitlines():
        if line.startswith("store "):
            _, store, key, *values = line.split()
            found.setdefault(store, {}).setdefault(key, []).append(values)
    return found


def open_sealed(master, key_id, row):
    """services/common/seal.h, by another hand: the HA1 value of a row of `digest`."""
    uuid, generation, realm, algorithm, sealed = row
    key = hashlib.blake2b(b"", digest_size=32, key=master, salt=(1).to_bytes(8, "little") + bytes(8),
                          person=b"lk-seal1" + bytes(8)).digest()
    place = b"".join(len(part).to_bytes(8, "big") + part.encode() for part in ("trunk-auth", uuid, realm, algorithm))
    place += generation.to_bytes(8, "big") + key_id.to_bytes(4, "big")
    bound = hashlib.blake2b(place, digest_size=32).digest()
    assert sealed[:4] == key_id.to_bytes(4, "big")
    opened_value = ctypes.create_string_buffer(len(sealed))
    length = ctypes.c_ulonglong()
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    code = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        opened_value, ctypes.byref(length), None, sealed[28:], ctypes.c_ulonglong(len(sealed) - 28), bound,
        ctypes.c_ulonglong(32), sealed[4:28], key)
    assert code == 0
    return opened_value.raw[:length.value]


def check_digests(folder, seal_key):
    """Every password of the copy can still be answered for."""
    key_id, digits = seal_key.read_text().strip().split(":")
    with opened(folder / "trunk-auth.db") as database:
        rows = database.execute("SELECT d.method_uuid, d.generation, d.realm, d.algorithm, d.sealed, m.username"
                                " FROM digest d JOIN method m ON m.uuid = d.method_uuid").fetchall()
    for *row, user in rows:
        if row[3] in ("MD5", "SHA-256"):
            known = hashlib.new(row[3].replace("-", ""), f"{user}:{row[2]}:correct horse".encode())
            assert row[2] == REALM and open_sealed(bytes.fromhex(digits), int(key_id), row) == known.digest()
    return len(rows)


def check_consistent(folder):
    """One moment of each store: no row without its parent, and as many replies kept as there were writes."""
    for service, tables in TABLES.items():
        file = folder / f"{service}.db"
        with opened(file) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            assert database.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
            count = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                     for table in (*tables, "reply_log")}
        assert count["reply_log"] == sum(count[table] for table in tables), (service, count)
        listed = {name: int(rows) for name, rows in facts(folder)[service]["rows"]}
        assert listed.items() >= count.items()


def stop_all(suite):
    for process in reversed(suite.processes):
        process.stop()


def start_all(suite):
    suite.start_gateway()
    for service in suite.services * suite.wanted_workers:
        suite.start_worker(service)
    suite.await_ready()


def write(suite, key):
    return suite.call("POST", TRUNKS, {"name": key}, headers={"Idempotency-Key": key})


def test_a_suite_under_load_is_copied_and_comes_back_as_it_was(tmp_path):
    with Suite(services=every_service(), workers=2) as suite:
        assert write(suite, "before").status == 201
        with Traffic(lambda timeout: Client(suite.port, suite.admin, timeout=timeout), clients=4) as traffic:
            traffic.await_more(40)
            await_that(lambda: any(name.startswith("user-") for name in traffic.acknowledged["method"]), 60,
                       "a password is kept")
            before = copy.deepcopy(traffic.acknowledged)
            with held_copy(suite, tmp_path) as making:
                # Writers of that store are not held up, however long it takes. What they begin now is not in the copy.
                begun = len(traffic.acknowledged["method"])
                await_that(lambda: len(traffic.acknowledged["method"]) >= begun + 40 or traffic.errors, 60, "writes")
                meanwhile = set(traffic.acknowledged["method"][begun + traffic.clients:])
            made = making.result()
            traffic.await_more(20)
        traffic.check()  # no error, nothing lost in the suite itself
        assert write(suite, "after").status == 201

        kept = names_in(made)
        for kind, names in before.items():
            assert set(names) <= set(kept[kind]) <= set(traffic.acknowledged[kind]), kind
            assert len(set(kept[kind])) == len(kept[kind]), kind
        assert meanwhile and not meanwhile & set(kept["method"])
        check_consistent(made)
        assert check_digests(made, suite.data / "keys/seal.key") > 0
        assert facts(made)["trunk-auth"]["sealed-with"] == [["1"]]
        check_no_secrets(suite, made)

        # While it runs: looked at, yes; put back, no.
        script("restore.sh", "--check", made, suite=suite)
        refused = script("restore.sh", made, suite=suite, wanted=IN_USE)
        assert "is in use" in refused.stderr and "nothing has been changed" in refused.stderr
        assert sorted(traffic.kept()["method"]) == sorted(traffic.acknowledged["method"])

        stop_all(suite)
        script("restore.sh", made, suite=suite)
        assert not list(suite.data.glob("*.incoming-*")) and len(list(suite.data.glob("*.db.before-*"))) == 4
        start_all(suite)
        assert {kind: sorted(names) for kind, names in traffic.kept().items()} == \
               {kind: sorted(names) for kind, names in kept.items()}
        assert write(suite, "before").headers["Idempotent-Replayed"] == "true"
        again = write(suite, "after")
        assert again.status == 201 and again.headers["Idempotent-Replayed"] is None
        with Traffic(lambda timeout: Client(suite.port, suite.admin, timeout=timeout), clients=4) as traffic:
            traffic.await_more(20)
        traffic.check()


def check_no_secrets(suite, made):
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    secrets = [(suite.data / "keys/seal.key").read_text().split(":")[1].strip(),
               (suite.data / "keys/api-key-hash").read_text().strip()]
    for file in made.iterdir():
        held = file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for secret in (*secrets, suite.admin, "correct horse"):
            assert secret.encode() not in held
            assert not re.fullmatch(r"[0-9a-f]{64}", secret) or bytes.fromhex(secret) not in held


@pytest.fixture(scope="module")
def stopped():
    """A suite that has ended, with something in it, and its backup from then."""
    with Suite(services=["trunk-auth"]) as suite:
        trunk = suite.make_trunk()
        user = {"type": "sipuser", "username": "somebody", "password": "correct horse"}
        assert suite.call("POST", f"{TRUNKS}/{trunk}/auth", user).status == 201
        suite.workers[0].kill()  # what it wrote may be in its WAL alone
        stop_all(suite)
        made = backup(suite, suite.directory / "backups", *WITHOUT)
        assert sorted(os.listdir(made)) == ["MANIFEST", "gateway.db", "trunk-auth.db"]
        assert column(made / "trunk-auth.db", "SELECT username FROM method") == ["somebody"]
        yield suite, made


def flip(name):
    def damage(folder, _keys):
        file = folder / name
        held = bytearray(file.read_bytes())
        held[len(held) // 2] ^= 1
        file.write_bytes(held)
        return name
    return damage


def lose(name):
    def damage(folder, _keys):
        (folder / name).unlink()
        return name
    return damage


def cut_short(folder, _keys):
    os.truncate(folder / "gateway.db", 4096)
    return "gateway.db"


def other_key(_folder, keys):
    keys.write_text("2:" + "1" * 64 + "\n")
    return "seal.key"


def no_keys(_folder, keys):
    keys.unlink()
    return "seal.key"


def sign(folder):
    lines = (folder / "MANIFEST").read_bytes().splitlines(keepends=True)[:-1]
    end = hashlib.sha256(b"".join(lines)).hexdigest()
    (folder / "MANIFEST").write_bytes(b"".join(lines) + f"end {end}\n".encode())


def edit(old, new):
    """A list that is whole again: by somebody who means it."""
    def damage(folder, _keys):
        text = (folder / "MANIFEST").read_text()
        assert old in text
        (folder / "MANIFEST").write_text(text.replace(old, new))
        sign(folder)
        return "MANIFEST"
    return damage


def newer(folder, _keys):
    file = folder / "gateway.db"
    former = hashlib.sha256(file.read_bytes()).hexdigest()
    database = sqlite3.connect(file)
    database.execute("PRAGMA user_version = 99")
    database.close()
    edit(former, hashlib.sha256(file.read_bytes()).hexdigest())(folder, None)
    return "gateway.db: has version 99"


@pytest.mark.parametrize("damage", [
    flip("trunk-auth.db"), flip("gateway.db"), flip("MANIFEST"), lose("trunk-auth.db"), lose("MANIFEST"), cut_short,
    other_key, no_keys, edit("linekeeper-backup 1", "linekeeper-backup 2"), edit("store gateway", "store sh"), newer])
def test_what_is_damaged_is_refused_and_named(stopped, tmp_path, damage):
    suite, made = stopped
    folder, keys = tmp_path / "copy", tmp_path / "seal.key"
    shutil.copytree(made, folder)
    shutil.copy(suite.data / "keys/seal.key", keys)
    environment = suite.environment({"LK_SEAL_KEY_FILE": str(keys), "LK_DATA_DIR": str(tmp_path / "data")})
    script("restore.sh", "--check", folder, environment=environment)
    named = damage(folder, keys)
    for arguments in (["--check"], []):
        done = script("restore.sh", *arguments, folder, environment=environment, wanted=BAD_DATA)
        assert named in done.stderr, done.stderr
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").glob("*.db"))


def test_a_stopped_suite_comes_back_elsewhere(stopped, tmp_path):
    suite, made = stopped
    shutil.copytree(suite.data / "keys", tmp_path / "data/keys")
    environment = suite.environment({"LK_DATA_DIR": str(tmp_path / "data"),
                                     "LK_SEAL_KEY_FILE": str(tmp_path / "data/keys/seal.key")})
    script("restore.sh", made, environment=environment)
    assert column(tmp_path / "data/trunk-auth.db", "SELECT username FROM method") == ["somebody"]
    assert not list((tmp_path / "data").glob("*.before-*"))
    assert check_digests(tmp_path / "data", tmp_path / "data/keys/seal.key") == 3
    listed = subprocess.run([BIN / "gateway", "key", "list"], env=environment, capture_output=True, text=True,
                            timeout=20 * SLOW, check=True).stdout
    assert " live " in listed


def test_nothing_is_left_of_a_backup_that_fails(stopped, tmp_path):
    suite, _ = stopped
    (tmp_path / "data").mkdir()
    for name in ("trunk-auth.db", "gateway.db"):
        shutil.copy(suite.data / name, tmp_path / "data")
    # Damage of the store itself shows when it is copied, not when it is needed.
    held = bytearray((tmp_path / "data/gateway.db").read_bytes())
    held[4096] ^= 0x55
    (tmp_path / "data/gateway.db").write_bytes(held)
    environment = suite.environment({"LK_DATA_DIR": str(tmp_path / "data")})
    done = script("backup.sh", *WITHOUT, tmp_path / "target", environment=environment, wanted=BAD_DATA)
    assert "gateway.db: is damaged" in done.stderr and done.stdout == ""
    assert os.listdir(tmp_path / "target") == []


PASSING = """#!/bin/bash
# Stands for a program: something happens before one sort of restore.
[[ "$1 $2" != "restore {depth}" ]] || {{ {before}; }}
exec {program} "$@"
"""


@pytest.fixture
def marked(stopped, tmp_path):
    """The suite's stores as they are some time after the backup: calls of restore.sh, and who is marked."""
    suite, made = stopped
    shutil.copytree(suite.data, tmp_path / "data")
    for name in ("trunk-auth", "gateway"):
        database = sqlite3.connect(tmp_path / f"data/{name}.db")
        database.execute("PRAGMA application_id = 7")
        database.close()
    (tmp_path / "bin").mkdir()

    def restore(program="gateway", depth="none", before=":", wanted=0):
        for name in ("trunk-auth", "gateway"):
            (tmp_path / "bin" / name).unlink(missing_ok=True)
            (tmp_path / "bin" / name).symlink_to(BIN / name)
        (tmp_path / "bin" / program).unlink()
        (tmp_path / "bin" / program).write_text(PASSING.format(depth=depth, before=before, program=BIN / program))
        (tmp_path / "bin" / program).chmod(0o755)
        keys = {"LK_DATA_DIR": str(tmp_path / "data"), "LK_SEAL_KEY_FILE": str(tmp_path / "data/keys/seal.key")}
        done = script("restore.sh", "--bin", tmp_path / "bin", made, environment=suite.environment(keys), wanted=wanted)
        assert not list((tmp_path / "data").glob("*.staged")) + list((tmp_path / "data").glob("*.incoming-*"))
        return done

    def marks():
        return {name: column(tmp_path / f"data/{name}.db", "PRAGMA application_id")[0] for name in ("trunk-auth", "gateway")}

    assert marks() == {"trunk-auth": 7, "gateway": 7}
    return restore, marks


@pytest.mark.parametrize("program, before, told", [
    ("gateway", "trap '' XFSZ; ulimit -f 8", "gateway.db.incoming-"),  # no room for the last
    ("gateway", "exit 75", "gateway.db was not put back"),
    ("gateway", "kill -9 $$", "gateway.db was not put back"),
    ("trunk-auth", "kill -TERM $(cut -d ' ' -f 4 /proc/$PPID/stat)", "interrupted"),
])
def test_a_restore_that_can_not_be_whole_changes_no_store(marked, program, before, told):
    restore, marks = marked
    done = restore(program, "--stage", before, wanted=IN_USE if "75" in before else 1)
    assert told in done.stderr and "nothing has been changed" in done.stderr, done.stderr
    assert marks() == {"trunk-auth": 7, "gateway": 7}
    restore()
    assert marks() == {"trunk-auth": 0, "gateway": 0}


def test_a_restore_is_not_interrupted_half_way(marked):
    restore, marks = marked
    restore("trunk-auth", "--staged", "kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID")
    assert marks() == {"trunk-auth": 0, "gateway": 0}


@pytest.mark.parametrize("before, code, doubt", [("exit 75", IN_USE, False), ("kill -9 $$", 1, True)])
def test_a_restore_that_fails_half_way_says_so(marked, before, code, doubt):
    restore, marks = marked
    done = restore("gateway", "--staged", before, wanted=code)
    assert marks() == {"trunk-auth": 0, "gateway": 7}
    assert "put back: trunk-auth; NOT put back: gateway" in done.stderr and "don't start the suite" in done.stderr
    assert ("perhaps" in done.stderr) == doubt
    restore()
    assert marks() == {"trunk-auth": 0, "gateway": 0}


@pytest.mark.parametrize("name", ["backup.sh", "restore.sh"])
def test_arguments(stopped, name):
    suite, _ = stopped
    for arguments in ([], ["a", "b"], ["--nothing", "a"], [""], ["--data"]):
        script(name, *arguments, suite=suite, wanted=BAD_USAGE)
    assert script(name, "--help", suite=suite).stdout.startswith(f"{name}: ")
    for arguments in (["backup"], ["backup", "a", "b"], ["restore", "--check"], ["restore", "-x", "a"],
                      ["restore", "--staged", "a"], ["restore", "--stage"]):
        done = subprocess.run([BIN / "gateway", *arguments], env=suite.environment(), capture_output=True, text=True,
                              timeout=20 * SLOW, check=False)
        assert done.returncode == BAD_USAGE, arguments


DOCKER = """#!/bin/bash
# Stands for docker compose run --rm --no-deps -T SERVICE PROGRAM ...: a volume for each service, and nothing of the
# caller's settings.
set -eu
[[ "${*:1:5}" == "compose run --rm --no-deps -T" ]]
exec env -i PATH="$PATH" LK_DATA_DIR="$VOLUMES/$6" LK_SEAL_KEY_FILE="$LK_SECRETS/seal.key" \\
    LK_API_KEY_HASH_FILE="$LK_SECRETS/api-key-hash" "$PROGRAMS/$7" "${@:8}"
"""


def test_containers_volumes(stopped, tmp_path):
    """The script's part of it: what an engine does is not looked at here."""
    suite, whole = stopped
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(DOCKER)
    (tmp_path / "bin/docker").chmod(0o755)
    for service in (*every_service(), "gateway"):
        (tmp_path / "volumes" / service).mkdir(parents=True)
    for service in ("trunk-auth", "gateway"):
        shutil.copy(whole / f"{service}.db", tmp_path / "volumes" / service)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PROGRAMS": str(BIN), "LK_SECRETS": str(suite.data / "keys"),
                   "VOLUMES": str(tmp_path / "volumes"), "LK_DATA_DIR": "/nowhere"}

    def run(name, *arguments, wanted=0):
        done = subprocess.run([ROOT / "deploy" / name, "--compose", *arguments], env=environment, capture_output=True,
                              text=True, timeout=120 * SLOW, check=False)
        assert done.returncode == wanted, (done.stdout, done.stderr)
        return done

    # A service that never ran has a volume without a store.
    assert "fqdn-auth.db: there is no such store" in run("backup.sh", tmp_path / "to", wanted=1).stderr
    for service in ("fqdn-auth", "auth-provider"):
        shutil.copy(blank(suite, tmp_path, service), tmp_path / "volumes" / service)
    made = pathlib.Path(run("backup.sh", tmp_path / "to").stdout.strip())
    assert len(facts(made)) == 4 and facts(made)["trunk-auth"]["sealed-with"] == [["1"]]
    run("restore.sh", "--check", made)
    database = sqlite3.connect(tmp_path / "volumes/trunk-auth/trunk-auth.db")
    database.execute("DELETE FROM method")
    database.commit()
    database.close()
    run("restore.sh", made)
    assert column(tmp_path / "volumes/trunk-auth/trunk-auth.db", "SELECT username FROM method") == ["somebody"]
    flip("gateway.db")(made, None)
    assert "gateway.db" in run("restore.sh", "--check", made, wanted=BAD_DATA).stderr
    run("restore.sh", "--data", "a", made, wanted=BAD_USAGE)


def blank(suite, folder, service):
    """The store of a service that was started and ended."""
    with Suite(services=[service]) as other:
        stop_all(other)
        return shutil.copy(other.data / f"{service}.db", folder)


def test_a_copy_by_way_of_streams(stopped, tmp_path):
    """As containers are copied."""
    suite, _ = stopped
    environment = suite.environment()
    with open(tmp_path / "copy", "wb") as sink:
        subprocess.run([BIN / "trunk-auth", "backup", "-"], env=environment, stdout=sink, timeout=60 * SLOW, check=True)
    assert column(tmp_path / "copy", "SELECT username FROM method") == ["somebody"]
    for depth in (["--check"], ["--dry-run"], []):
        with open(tmp_path / "copy", "rb") as source:
            done = subprocess.run([BIN / "trunk-auth", "restore", *depth, "-"], env=environment, stdin=source,
                                  capture_output=True, text=True, timeout=60 * SLOW, check=True)
        assert "rows method 1\n" in done.stdout
    assert column(suite.data / "trunk-auth.db", "SELECT username FROM method") == ["somebody"]
    assert not list(suite.data.glob("*.outgoing-*")) + list(suite.data.glob("*.incoming-*"))
