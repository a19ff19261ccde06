"""Logs: one access line per request, the request id in every process, and no secret anywhere."""

import signal
import sqlite3

import pytest
from suite import SLOW, Suite, await_that, basic

TRUNKS = "/voip/trunk"
MARKERS = ["Marker-Password-One", "Marker-Password-Two", "Marker-Password-Three"]


def access_lines(suite, request):
    return suite.grep_logs(rb"event=request .*request=%b( |$)" % request.encode(), "gateway")


def test_one_access_line_per_request(suite):
    for number, (method, path, status, body) in enumerate([
            ("GET", TRUNKS, 200, None), ("POST", TRUNKS, 201, {"name": "x"}), ("POST", TRUNKS, 400, {}),
            ("GET", "/none", 404, None), ("DELETE", TRUNKS, 405, None), ("GET", "/openapi.json", 200, None)]):
        request = f"access-{number}"
        assert suite.call(method, path, body, headers={"x-request-id": request}).status == status
        lines = await_that(lambda: access_lines(suite, request), 5, f"the line of {request}")
        assert len(lines) == 1
        assert b"method=%b " % method.encode() in lines[0] and b"path=%b " % path.encode() in lines[0]
        assert b"status=%d " % status in lines[0]


def test_a_good_health_check_is_not_logged(suite):
    for request, path in ("routine", "/healthz"), ("next", TRUNKS):
        assert suite.call("GET", path, headers={"x-request-id": request}).status == 200
    await_that(lambda: access_lines(suite, "next"), 5, "the line after it")
    assert not access_lines(suite, "routine")


def test_a_log_line_can_not_be_forged(suite):
    suite.call("GET", "/x%0aevent=request%20request=forged", headers={"x-request-id": "forger"})
    await_that(lambda: access_lines(suite, "forger"), 5, "the line")
    assert not access_lines(suite, "forged")


def test_a_failure_is_in_the_logs_of_both_processes_under_one_id():
    with Suite() as suite:
        # A store that is damaged under a running worker: its reads fail.
        trunk = suite.make_trunk()
        assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
        with sqlite3.connect(suite.data / "trunk-auth.db") as store:
            tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%trunk%'")]
            assert tables
            store.execute("PRAGMA foreign_keys = OFF")
            for table in tables:
                store.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
        answer = suite.call("GET", f"{TRUNKS}/{trunk}", headers={"x-request-id": "broken-store"})
        assert answer.status in (500, 503), answer.body
        await_that(lambda: suite.grep_logs(rb"broken-store", "trunk-auth"), 5, "the worker's line")
        await_that(lambda: access_lines(suite, "broken-store"), 5, "the gateway's line")


def test_no_password_and_no_key_is_kept_or_logged():
    with Suite(gateway_settings={"LK_LOG_LEVEL": "debug"}, worker_settings={"LK_LOG_LEVEL": "debug"}) as suite:
        trunk = suite.make_trunk()
        path = f"{TRUNKS}/{trunk}/auth"
        body = {"type": "sipuser", "username": "marked", "password": MARKERS[0]}
        made = suite.call("POST", path, body, headers={"Idempotency-Key": "with-a-password"}).result
        one = f"{path}/{made['uuid']}"
        assert suite.call("PATCH", one, {"password": MARKERS[1]}).status == 200
        assert suite.call("POST", one + "/rotate", {"password": MARKERS[2]}).status == 200
        # Refused ones, broken ones, ones in the wrong place.
        suite.call("POST", path, body)
        suite.call("POST", path, {**body, "username": "a b"})
        suite.call("POST", path, raw=b'{"password":"%b"' % MARKERS[0].encode())
        suite.call("GET", TRUNKS, key="", headers={"Authorization": basic("x", MARKERS[1])})
        suite.workers[0].kill(signal.SIGKILL)
        suite.start_worker()
        suite.await_ready()
        suite.call("POST", path, body, headers={"Idempotency-Key": "with-a-password"})
        for process in suite.processes:
            process.stop()
        stored = sorted(suite.data.rglob("*"))
        assert any(path.name == "trunk-auth.db" for path in stored)
        held = {"logs": suite.logs()} | {path.name: path.read_bytes() for path in stored
                                         if path.is_file() and path.parent.name != "keys"}
        for marker in [*MARKERS, suite.admin]:
            for name, content in held.items():
                assert marker.encode() not in content, f"{marker} in {name}"
        for path in suite.data.rglob("*"):
            if path.is_file() and path.suffix != ".board":  # a number: the gateway may run as somebody else
                assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("program, settings", [
    ("gateway", {"LK_HTTP_THREADS": "many"}), ("gateway", {"LK_LISTEN": "nowhere"}),
    ("gateway", {"LK_LOG_LEVEL": "loud"}), ("gateway", {"LK_API_KEY_HASH_FILE": "/nonexistent"}),
    ("trunk-auth", {"LK_SEAL_KEY_FILE": "/nonexistent"}), ("trunk-auth", {"LK_PWHASH": "1:1"}),
    ("trunk-auth", {"LK_LOG_LEVEL": "loud"}),
])
def test_wrong_settings_end_the_program_with_78_and_a_line(program, settings):
    with Suite(workers=0, gateways=0) as suite:
        process = suite._start(program, settings)
        process.expected_end = True
        assert process.popen.wait(10 * SLOW) == 78
        name = next(iter(settings))
        text = process.log.read_text()
        assert len(text.strip().splitlines()) == 1 and (name in text or settings[name] in text), text
        suite.processes.remove(process)


def test_a_key_file_that_others_can_read_is_refused():
    with Suite(workers=0, gateways=0) as suite:
        (suite.data / "keys/seal.key").chmod(0o644)
        process = suite._start("trunk-auth", {})
        assert process.popen.wait(10 * SLOW) == 78
        assert "seal.key" in process.log.read_text()
        suite.processes.remove(process)
