"""Hostile bytes on the HTTP port: a clear error or a closed connection, and everything goes on."""

import os
import socket
import time

import pytest
from suite import Client, await_that

TRUNKS = "/voip/trunk"


@pytest.fixture(autouse=True)
def still_answers(suite):
    yield
    suite.assert_answers()


def head(suite, method="POST", path=TRUNKS, *more):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {suite.admin}",
             "Content-Type: application/json", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def statuses(received):
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("lines, body", [
    (["Content-Length: 5", "Content-Length: 6"], b"{}   "),
    (["Content-Length: 2", "Content-Length: 2"], b"{}"),
    (["Content-Length: 5, 5"], b"{}   "),
    (["Content-Length: 5junk"], b"{}   "),
    (["Content-Length: -1"], b""),
    (["Content-Length: +2"], b"{}"),
    (["Content-Length: 0x2"], b"{}"),
    (["Content-Length: 99999999999999999999"], b"{}"),
    (["Content-Length: 2", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    (["Transfer-Encoding: chunked", "Content-Length: 2"], b"0\r\n\r\n"),
    (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    (["Transfer-Encoding: identity"], b"{}"),
    (["Content-Length : 2"], b"{}"),
])
def test_framing_that_two_readers_may_read_differently(suite, lines, body):
    smuggled = head(suite, "GET", "/healthz")
    received = suite.raw(head(suite, "POST", TRUNKS, *lines) + body + smuggled)
    assert len(statuses(received)) == 1 and statuses(received)[0] in (400, 413, 501), received


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"ffffffffffffffff\r\n{}", b"2\r\n{}XX0\r\n\r\n"])
def test_bad_chunks(suite, body):
    received = suite.raw(head(suite, "POST", TRUNKS, "Transfer-Encoding: chunked") + body, shut=True)
    assert statuses(received)[:1] in ([400], [413], []), received


@pytest.mark.parametrize("sent", [
    b"", b"\r\n\r\n", b"\x00" * 1000, b"\xff" * 1000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n",
    b"FROB / HTTP/1.1\r\nHost: x\r\n\r\n", b"get / HTTP/1.1\r\nHost: x\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /voip/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n", b"GET / HTTP/1.1\r\n" + b"A" * 100000,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
])
def test_what_is_no_request(suite, sent):
    received = suite.raw(sent, shut=True)
    assert all(400 <= status < 600 for status in statuses(received)), received
    assert b"root:" not in received


def test_pipelined_requests_are_answered_in_order(suite):
    ids = [f"pipe-{i}" for i in range(20)]
    sent = b"".join(head(suite, "GET", TRUNKS + "?limit=1", f"x-request-id: {one}") for one in ids)
    last = head(suite, "GET", "/healthz", "x-request-id: last", "Connection: close")
    received = suite.raw(sent + last)
    assert statuses(received) == [200] * 21
    places = [received.index(one.encode() + b"\r\n") for one in [*ids, "last"]]
    assert places == sorted(places)


def test_a_large_body_is_refused_before_it_is_sent(suite):
    begun = time.monotonic()
    received = suite.raw(head(suite, "POST", TRUNKS, f"Content-Length: {10 << 20}"), seconds=15)
    assert statuses(received) == [413]
    assert time.monotonic() - begun < 8  # it did not wait for the body


def test_a_large_body_that_is_sent_all_the_same(suite):
    answer = None
    try:
        answer = Client(suite.port, suite.admin).call("POST", TRUNKS, raw=b"[" * (10 << 20))
    except OSError:
        pass  # closed while it was still sending
    assert answer is None or answer.status == 413


def test_a_large_chunked_body(suite):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    received = suite.raw(head(suite, "POST", TRUNKS, "Transfer-Encoding: chunked") + chunk * 20 + b"0\r\n\r\n")
    assert statuses(received) in ([413], [])


def test_half_a_body(suite):
    received = suite.raw(head(suite, "POST", TRUNKS, "Content-Length: 100") + b'{"name":', shut=True)
    assert statuses(received) in ([400], [])
    assert b"half" not in suite.call("GET", TRUNKS).body


@pytest.mark.parametrize("name", ["../../x", "%2e%2e", "a;b", "%2F", "a%2Fb", "é", "%", "%1"])
def test_odd_paths(suite, name):
    received = suite.raw(f"GET {TRUNKS}/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {suite.admin}\r\n"
                         "Connection: close\r\n\r\n".encode())
    assert statuses(received) and statuses(received)[0] in (400, 404), received


def test_clients_that_send_a_byte_at_a_time_hold_nobody_up(suite):
    """More slow clients than there are threads: each is cut in time, others are served."""
    slow = [socket.create_connection(("127.0.0.1", suite.port)) for _ in range(40)]
    try:
        for round_ in range(5):
            for line in slow:
                try:
                    line.send(b"G"[:1] if round_ == 0 else b"E")
                except OSError:
                    pass
            begun = time.monotonic()
            suite.assert_answers()
            assert time.monotonic() - begun < 8
    finally:
        for line in slow:
            line.close()


def test_many_idle_connections_do_not_starve_others(suite):
    idle = []
    try:
        for _ in range(300):
            client = Client(suite.port, suite.admin)
            assert client.call("GET", "/healthz").status == 200
            idle.append(client)
        begun = time.monotonic()
        suite.assert_answers()
        assert time.monotonic() - begun < 8
    finally:
        for client in idle:
            client.close()


def test_connections_that_vanish_are_given_back(suite):
    folder = f"/proc/{suite.gateway.pid}/fd"
    before = len(os.listdir(folder))
    for _ in range(200):
        line = socket.create_connection(("127.0.0.1", suite.port))
        line.sendall(head(suite, "POST", TRUNKS, "Content-Length: 50")[:-10])
        line.close()
    await_that(lambda: len(os.listdir(folder)) <= before + 5, 15, "their descriptors are closed")
