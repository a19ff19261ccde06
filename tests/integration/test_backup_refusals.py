"""deploy/backup.sh and restore.sh: what they refuse, and whether they say why."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from suite import BIN, ROOT, SLOW, await_that
from test_backup import BAD_DATA, BAD_USAGE, WITHOUT, edit, facts, script, stopped  # noqa: F401

OTHER = "a1" * 32


@pytest.fixture
def elsewhere(stopped, tmp_path):  # noqa: F811
    """A machine with the suite's keys, and no stores yet."""
    suite, made = stopped
    shutil.copytree(suite.data / "keys", tmp_path / "data/keys")
    keys = {"LK_DATA_DIR": str(tmp_path / "data"), "LK_SEAL_KEY_FILE": str(tmp_path / "data/keys/seal.key"),
            "LK_API_KEY_HASH_FILE": str(tmp_path / "data/keys/api-key-hash")}
    return suite.environment(keys), tmp_path / "data", made


@pytest.mark.parametrize("name, held", [("seal.key", f"1:{OTHER}\n"), ("api-key-hash", f"{OTHER}\n")])
def test_keys_of_another_installation_are_refused(elsewhere, name, held):
    environment, data, made = elsewhere
    script("restore.sh", "--check", made, environment=environment)
    (data / "keys" / name).write_text(held)  # the same id
    for arguments in (["--check"], []):
        done = script("restore.sh", *arguments, made, environment=environment, wanted=BAD_DATA)
        assert f"{data}/keys/{name}: is not the one of this backup" in done.stderr and "put back" in done.stderr, done.stderr
        assert not list(data.glob("*.db")) + list(data.glob("*.staged"))


def test_a_hash_key_that_is_lost(elsewhere):
    environment, data, made = elsewhere
    (data / "keys/api-key-hash").unlink()
    done = script("restore.sh", made, environment=environment, wanted=BAD_DATA)
    assert f"{data}/keys/api-key-hash" in done.stderr
    script("restore.sh", "--new-api-keys", made, environment=environment)
    assert (data / "gateway.db").exists()


def test_a_seal_key_that_has_one_more(elsewhere):
    environment, data, made = elsewhere
    keys = data / "keys/seal.key"
    keys.write_text(f"2:{OTHER}\n" + keys.read_text())
    script("restore.sh", made, environment=environment)


def test_check_values_tell_nothing_of_a_key(elsewhere):
    _, data, made = elsewhere
    checks = facts(made)["gateway"]["key-check"] + facts(made)["trunk-auth"]["key-check"]
    assert [check[:-1] for check in checks] == [["api-key-hash"], ["seal.key", "1"]]
    held = (data / "keys/seal.key").read_text() + (data / "keys/api-key-hash").read_text()
    assert all(re.fullmatch("[0-9a-f]{64}", check[-1]) and check[-1] not in held for check in checks)


def test_a_backup_that_does_not_tell_of_its_keys(elsewhere, tmp_path):
    environment, _, made = elsewhere
    shutil.copytree(made, tmp_path / "copy")
    for name in ("trunk-auth", "gateway"):
        edit(f"store {name} key-check ", f"store {name} formerly ")(tmp_path / "copy", None)
    done = script("restore.sh", tmp_path / "copy", environment=environment)
    assert len(re.findall("warning: the backup does not tell whether", done.stderr)) == 2


@pytest.mark.parametrize("name", ["trunk-auth", "gateway"])
def test_a_store_that_is_missing_is_no_green_backup(elsewhere, tmp_path, name):
    environment, data, made = elsewhere
    for file in made.glob("*.db"):
        shutil.copy(file, data)
    script("backup.sh", *WITHOUT, tmp_path / "whole", environment=environment)
    (data / f"{name}.db").unlink()
    done = script("backup.sh", *WITHOUT, tmp_path / "target", environment=environment, wanted=1)
    assert f"{data}/{name}.db is missing" in done.stderr
    assert not (tmp_path / "target").exists()


def test_a_wrong_directory_is_left_as_it_was(elsewhere, tmp_path):
    environment, _, _ = elsewhere
    (tmp_path / "wrong").mkdir()
    script("backup.sh", "--data", tmp_path / "wrong", tmp_path / "target", environment=environment, wanted=1)
    assert os.listdir(tmp_path / "wrong") == []
    for arguments in (["--without", "nobody"], ["--without", "gateway"], ["--without"]):
        script("backup.sh", tmp_path / "target", *arguments, environment=environment, wanted=BAD_USAGE)


def held_back(name, *arguments, environment):
    """As who may not read all; root is one who may."""
    caller = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run([*caller, ROOT / "deploy" / name, *arguments], env=environment, capture_output=True, text=True,
                          timeout=60 * SLOW, check=False)
    assert done.returncode != 0
    assert all(line.startswith(f"{name}: ") for line in done.stderr.splitlines()), done.stderr
    return done.stderr


def test_what_can_not_be_read_is_not_called_missing(elsewhere, tmp_path):
    environment, data, made = elsewhere
    shutil.copytree(made, tmp_path / "copy")
    (tmp_path / "some/bin").mkdir(parents=True)
    (tmp_path / "some/bin/gateway").symlink_to(BIN / "gateway")
    (tmp_path / "some").chmod(0)
    told = held_back("backup.sh", "--bin", tmp_path / "some/bin", tmp_path / "to", environment=environment)
    assert "some/bin/gateway can't be reached by user" in told, told
    (tmp_path / "some").chmod(0o700)
    for file in (data / "keys/seal.key", tmp_path / "copy/trunk-auth.db", tmp_path / "copy/MANIFEST"):
        file.chmod(0)
        told = held_back("restore.sh", "--bin", BIN, "--check", tmp_path / "copy", environment=environment)
        assert f"{file}: can't be read" in told and "missing" not in told, told
        file.chmod(0o600)
    for stored in made.glob("*.db"):
        shutil.copy(stored, data)
    (tmp_path / "file").touch()
    told = held_back("backup.sh", "--bin", BIN, *WITHOUT, tmp_path / "file/to", environment=environment)
    assert f"can't make {tmp_path}/file/to: " in told, told


SLOW_COPY = """#!/bin/bash
# Stands for a program: a copy that lasts until it is told.
[[ $1 != backup ]] || {{ echo >{began}; read -r _ <{pipe}; exit 1; }}
exec {program} "$@"
"""


@pytest.fixture
def slow(elsewhere, tmp_path):
    """Begins a backup, which then lasts."""
    environment, data, made = elsewhere
    for file in made.glob("*.db"):
        shutil.copy(file, data)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gateway").symlink_to(BIN / "gateway")
    (tmp_path / "bin/trunk-auth").write_text(SLOW_COPY.format(began=tmp_path / "began", pipe=tmp_path / "pipe",
                                                              program=BIN / "trunk-auth"))
    (tmp_path / "bin/trunk-auth").chmod(0o755)
    os.mkfifo(tmp_path / "pipe")
    begun = []

    def begin():
        (tmp_path / "began").unlink(missing_ok=True)
        begun.append(subprocess.Popen([ROOT / "deploy/backup.sh", "--bin", tmp_path / "bin", *WITHOUT, tmp_path / "to"],
                                      env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      start_new_session=True))
        await_that((tmp_path / "began").exists, 60, "a backup that has begun")
        return begun[-1]

    yield begin, tmp_path / "to"
    for process in begun:
        end(process, signal.SIGKILL)


def end(process, number):
    """It and its programs, as a terminal does it."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    return process.communicate(timeout=60 * SLOW)[1]


def test_an_interrupted_backup_says_so(slow):
    begin, target = slow
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = begin()
        told = end(process, number)
        assert process.returncode == 1 and told == "backup.sh: interrupted: no backup was made\n"
        assert os.listdir(target) == []


def test_what_a_killed_backup_left_goes_with_the_next(slow):
    begin, target = slow
    killed = begin()
    killed.kill()
    killed.wait()
    (left,) = target.iterdir()
    running = begin()
    assert left.exists()  # a program of it lives yet
    (working,) = set(target.iterdir()) - {left}
    end(killed, signal.SIGKILL)
    begin()
    assert not left.exists()
    assert working.exists() and running.poll() is None


def test_a_name_that_is_taken_says_what_to_do(elsewhere, tmp_path):
    environment, data, made = elsewhere
    for file in made.glob("*.db"):
        shutil.copy(file, data)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/date").write_text("#!/bin/sh\necho 20260101T000000Z\n")
    (tmp_path / "bin/date").chmod(0o755)
    environment["PATH"] = f"{tmp_path}/bin:{environment['PATH']}"
    script("backup.sh", *WITHOUT, tmp_path / "to", environment=environment)
    done = script("backup.sh", *WITHOUT, tmp_path / "to", environment=environment, wanted=1)
    assert "try again" in done.stderr and os.listdir(tmp_path / "to") == ["linekeeper-20260101T000000Z"]


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's directory takes root to make")
def test_root_is_told_to_be_the_user_whose_directory_it_is(elsewhere):
    environment, data, made = elsewhere
    os.chown(data, 65534, 65534)
    done = script("restore.sh", made, environment=environment, wanted=1)
    assert f"{data} is nobody's" in done.stderr and "call this as that user" in done.stderr
    assert not list(data.glob("*.db*"))
