"""A database meets programs of other versions: it is brought up to date by one of those that start together, and
left alone by one that is too old for it."""

import contextlib
import re
import sqlite3

import pytest
from suite import ROOT, SLOW, Suite, await_that

REPLICAS = 8
NEWER = 99


def migrations(service):
    return sorted((ROOT / f"services/{service}/migrations").glob("*.sql"))


def make_older(path, service, version):
    """As the first of its migrations have left it."""
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for migration in migrations(service)[:version]:
            db.executescript(migration.read_text())
        db.execute(f"PRAGMA user_version={version}")


@pytest.mark.parametrize("service, version", [("trunk-auth", 0), ("trunk-auth", 1), ("fqdn-auth", 2), ("auth-provider", 3)])
def test_one_of_many_that_start_together_migrates(service, version):
    with Suite(services=[service], workers=0) as suite:
        if version:
            make_older(suite.data / f"{service}.db", service, version)
        for _ in range(REPLICAS):
            suite.start_worker()
        for worker in suite.workers:
            suite.await_joined(worker, 30)
        lines = suite.grep_logs(b" event=migrated ", service)
        last = len(migrations(service))
        assert len(lines) == 1 and f" from={version} to={last}".encode() in lines[0], lines
        # Those that come later find it done.
        suite.await_joined(suite.start_worker())
        assert len(suite.grep_logs(b" event=migrated ", service)) == 1


@pytest.mark.parametrize("program", ["trunk-auth", "gateway"])
def test_a_program_refuses_a_database_that_is_newer(program):
    with Suite() as suite:
        trunk = suite.make_trunk()
        for process in [*suite.workers, suite.gateway]:
            assert process.stop() == 0
        path = suite.data / f"{program}.db"
        with contextlib.closing(sqlite3.connect(path)) as db:
            known = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute(f"PRAGMA user_version={NEWER}")
        late = suite.start_gateway() if program == "gateway" else suite.start_worker()
        assert late.popen.wait(20 * SLOW) == 78
        late.expected_end = True
        said = late.log.read_text()
        assert re.search(rf"has version {NEWER}, this program knows up to {known}\b", said), said
        with contextlib.closing(sqlite3.connect(path)) as db:  # untouched
            assert db.execute("PRAGMA user_version").fetchone()[0] == NEWER
            db.execute(f"PRAGMA user_version={known}")
        suite.processes.remove(late)  # which ended with 78, as it should
        suite.start_gateway()
        suite.start_worker()
        await_that(lambda: suite.readiness() == 200, 15, "with the version that it knows, it serves")
        assert suite.call("GET", f"/voip/trunk/{trunk}").status == 200
