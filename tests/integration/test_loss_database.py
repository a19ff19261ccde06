"""A database that another program has locked, and one that is damaged."""

import concurrent.futures
import contextlib
import fcntl
import os
import re
import sqlite3
import struct
import subprocess
import time

from loss import TRUNKS, Outcomes, Writers
from metrics import total
from suite import BIN, SLOW, Client, Suite, await_that

PAGE = 4096
EXIT_DAMAGED = 65


@contextlib.contextmanager
def foreign(suite, *statements):
    """Another program that has the database open, and locked by these statements."""
    connection = sqlite3.connect(suite.data / "trunk-auth.db", isolation_level=None, timeout=10)
    try:
        for statement in statements:
            connection.execute(statement)
        yield connection
    finally:
        connection.close()


def failures(suite, cause):
    return total(suite.metrics(suite.workers[0]), "lk_worker_failures_total", cause=cause)


def await_end(suite, process, code, seconds=60):
    """It ends by itself, and says why in one line."""
    suite.processes.remove(process)
    await_that(lambda: not process.alive(), seconds, f"{process.name} ends")
    said = suite.grep_logs(b"event=(worker_failed|not_started) ", process.name)
    assert process.popen.returncode == code, said
    assert len(said) == 1, said
    return said[0]


# ---- locked ----


def test_a_foreign_writer_while_it_runs():
    """Writes are refused when their time is over; reads go on; all is well when the lock is gone."""
    with Suite(gateway_settings={"LK_ANSWER_MS": "9000"}) as suite:
        outcomes = Outcomes(suite)
        assert outcomes.write(suite.client) == 201
        with foreign(suite, "BEGIN IMMEDIATE") as lock:
            with Writers(outcomes, lambda _: Client(suite.port, suite.admin, timeout=60), count=2):
                for _ in range(50):
                    assert suite.call("GET", f"{TRUNKS}?limit=5").status == 200
                await_that(lambda: outcomes.with_status(503, 504), 20, "writes are refused")
            lock.execute("ROLLBACK")
        assert set(outcomes.told.values()) <= {201, 503, 504}
        await_that(lambda: outcomes.write(suite.client) == 201, 15, "writes flow again")
        assert failures(suite, "locked") > 0
        outcomes.check()
        outcomes.write_again()


def test_reads_that_find_it_locked_do_not_hold_up_the_worker():
    """As it is when a process is stopped that was rebuilding the WAL's index. Reads are refused after a
    second; the worker goes on with all else, and is not given up."""
    with Suite() as suite, concurrent.futures.ThreadPoolExecutor(4) as pool:
        trunk = suite.make_trunk()
        with open(suite.data / "trunk-auth.db-shm", "r+b", buffering=0) as index:
            lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 120, 3, 0)  # to write, to checkpoint, to rebuild
            fcntl.fcntl(index, fcntl.F_OFD_SETLKW, lock)
            index.write(bytes(96))  # both copies of the index's head
            clients = [Client(suite.port, suite.admin, timeout=60) for _ in range(4)]
            asked = [pool.submit(client.call, "GET", f"{TRUNKS}/{trunk}") for client in clients]
            assert {one.result().status for one in asked} == {503}
        assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
        assert failures(suite, "locked") == 4
        assert total(suite.metrics(suite.gateway), "lk_workers_lost_total") == 0


def test_locked_at_start():
    """It waits for a while, then says what is wrong, and ends; the next one starts when the lock is gone."""
    with Suite() as suite:
        trunk = suite.make_trunk()
        assert suite.workers[0].stop() == 0
        with foreign(suite, "PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "CREATE TABLE foreign_one (a)"):
            begun = time.monotonic()
            said = await_end(suite, suite.start_worker(), 1)
            assert re.search(rb"trunk-auth\.db.*locked", said), said
            assert time.monotonic() - begun < 30 * SLOW
        suite.await_joined(suite.start_worker())
        assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200


# ---- damaged ----


def spoil(path, pages=None):
    """Overwrites pages (from 1) of a database, or all but the first; returns what stood there."""
    with open(path, "r+b") as file:
        before = file.read()
        for page in pages or range(2, len(before) // PAGE + 1):
            file.seek((page - 1) * PAGE)
            file.write(b"\xa5" * PAGE)
    return before


def restore(path, sound):
    """In place: those who have it open see it."""
    with open(path, "r+b") as file:
        file.write(sound)


def stopped(suite):
    """Stops the workers: the last one leaves all of it in the database's own file."""
    for worker in [worker for worker in suite.workers if worker.alive()]:
        assert worker.stop() == 0
    assert not (suite.data / "trunk-auth.db-wal").exists()
    return suite.data / "trunk-auth.db"


def test_damaged_at_start():
    """Each of them refuses, with a code of its own, and names the file; restored, they serve."""
    with Suite(workers=2) as suite:
        trunk = suite.make_trunk()
        path = stopped(suite)
        sound = spoil(path)
        for process in [suite.start_worker(), suite.start_worker()]:
            said = await_end(suite, process, EXIT_DAMAGED)
            assert re.search(rb"trunk-auth\.db.*damaged.*restore a backup", said), said
        path.write_bytes(b"This is no database.\n" * 1000)
        said = await_end(suite, suite.start_worker(), EXIT_DAMAGED)
        assert re.search(rb"trunk-auth\.db.*no database.*restore a backup", said), said
        path.write_bytes(sound)
        suite.await_joined(suite.start_worker())
        assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200


def test_a_damaged_store_of_keys_at_start():
    with Suite(workers=0) as suite:
        await_that(lambda: suite.readiness() == 503, 15, "the gateway is there")
        assert suite.gateway.stop() == 0
        path = suite.data / "gateway.db"
        sound = spoil(path)
        said = await_end(suite, suite.start_gateway(), EXIT_DAMAGED)
        assert re.search(rb"gateway\.db.*damaged.*restore a backup", said), said
        done = suite.key_command("list")
        assert done.returncode == EXIT_DAMAGED and "damaged" in done.stderr, done.stderr
        path.write_bytes(sound)
        suite.start_gateway()
        await_that(lambda: suite.readiness() == 503, 15, "it serves again")
        assert suite.call("GET", TRUNKS).status == 503  # the key is known, no worker there


def root_pages(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0"))


def test_damage_that_shows_while_it_runs():
    """What lies on a damaged page is 500, never a wrong answer; it is logged once a second and counted; the
    rest is served; put right, the same process serves it all again."""
    with Suite() as suite:
        trunk = suite.make_trunk()
        method = suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": "192.0.2.1"}).result["uuid"]
        path = stopped(suite)
        pages = root_pages(path)
        suite.await_joined(suite.start_worker())
        suite.workers = suite.workers[-1:]
        one = f"{TRUNKS}/{trunk}/auth/{method}"

        sound = spoil(path, [page for name, page in pages.items() if "reply_log" in name])
        for _ in range(10):
            answer = suite.call("POST", TRUNKS, {"name": "not kept"})
            assert answer.status == 500 and answer.json["status_code"] == 500, answer.body
        assert suite.call("GET", one).status == 200
        assert [row["name"] for row in suite.call("GET", TRUNKS).result] == ["a trunk"]
        restore(path, sound)
        assert suite.call("POST", TRUNKS, {"name": "another"}).status == 201

        path = stopped(suite)
        suite.await_joined(suite.start_worker())
        suite.workers = suite.workers[-1:]
        sound = spoil(path, [page for name, page in pages.items() if "method" in name])
        for _ in range(30):
            assert suite.call("GET", one).status == 500
        assert failures(suite, "damaged") == 30
        told = suite.grep_logs(b"event=call_failed .*malformed", suite.workers[0].name)
        assert 1 <= len(told) < 20, told
        restore(path, sound)
        assert suite.call("GET", one).result["ip"] == "192.0.2.1"
        assert suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": "192.0.2.2"}).status == 201
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_only_the_first_of_them_looks_for_damage():
    """One that comes while another serves does not read the whole file, and one that is alone does."""
    with Suite() as suite:
        suite.make_trunk()
        suite.call("GET", TRUNKS)
        path = suite.data / "trunk-auth.db"
        stopped(suite)
        pages = root_pages(path)
        suite.await_joined(suite.start_worker())
        sound = spoil(path, [page for name, page in pages.items() if "method" in name])
        second = suite.start_worker()
        suite.await_joined(second)
        for worker in suite.workers[1:]:
            worker.kill()
        await_end(suite, suite.start_worker(), EXIT_DAMAGED)
        restore(path, sound)
        suite.await_joined(suite.start_worker())


def test_the_programs_tell_their_exit_codes():
    for program in ("trunk-auth", "gateway"):
        done = subprocess.run([str(BIN / program), "--help"], capture_output=True, text=True, timeout=20 * SLOW, check=True)
        assert re.search(rf"\b{EXIT_DAMAGED} [^,]*damaged", done.stdout), done.stdout
