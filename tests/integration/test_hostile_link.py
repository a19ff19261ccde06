"""Hostile bytes on the worker port: raw, and from somebody who has a worker's key. The suite goes on.
Who has no key: test_curve.py."""

import os
import random
import socket
import threading

import msgpack
import pytest
import zmq
from suite import Client, await_that

UUID = "01890000-0000-7000-8000-0000000000%02x"


@pytest.fixture(autouse=True)
def still_answers(suite):
    yield
    suite.assert_answers()
    assert suite.readiness() == 200


@pytest.fixture
def dealer(suite):
    context = zmq.Context()
    line = suite.dealer(context)
    yield line
    line.close()
    context.term()


def ready(service="trunk-auth", instance=UUID % 1, window=64):
    return [b"LKW1R", msgpack.packb([service, instance, window])]


def await_command(line, letter, seconds=15):
    """The next message with that command; None if there is none in time."""
    while line.poll(int(seconds * 1000)):
        frames = line.recv_multipart()
        if frames[0] == b"LKW1" + letter:
            return frames
    return None


def batch(*replies):
    return [b"LKW1A", msgpack.packb(list(replies))]


@pytest.mark.parametrize("sent", [
    b"", b"\x00" * 10000, b"\xff" * 10000, b"GET / HTTP/1.1\r\n\r\n",
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f",  # a ZMTP greeting that breaks off
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + b"\x00" * 48 + b"\x04\xff\xff\xff\xff",
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + b"\x00" * 48 + b"\x06" + b"\x7f" + b"\xff" * 7,
])
def test_raw_bytes(suite, sent):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", suite.port + 1)) as line:
            try:
                line.sendall(sent)
            except OSError:
                pass


@pytest.mark.parametrize("frames", [
    [b""], [b"", b""], [b"LKW1"], [b"LKW1R"], [b"LKW1X"], [b"LKW2R", b"\x90"], [b"lkw1H"], [b"LKW1H", b"x"],
    [b"LKW1H", b"", b""], [b"LKW1A"], [b"LKW1A", b""], [b"LKW1Q", b"\x90"], [b"MDPW02", b"\x01", b"trunk-auth"],
    [b"LKW1R", b"\xdd\x00\x10\x00\x00"], [b"LKW1A", b"\xdf\xff\xff\xff\xff"], [b"LKW1A", b"\x91" * 1000],
    [b"LKW1R", msgpack.packb(["trunk-auth", "x", 64])], [b"LKW1R", msgpack.packb(["trunk-auth", UUID % 2, 0])],
    [b"LKW1R", msgpack.packb(["trunk-auth", UUID % 2, 1 << 40])], [b"LKW1R", msgpack.packb([None, None, None])],
    [b"LKW1R", msgpack.packb(["t" * 5000, UUID % 2, 64])], [b"x"] * 500,
])
def test_frames_that_break_the_rules(suite, dealer, frames):
    def told():
        dealer.send_multipart([b"LKW1H"])
        return await_command(dealer, b"D", 0.5)

    dealer.send_multipart(frames)
    # Who is not known is told so, and may introduce itself: on a new connection, if that one was cut.
    await_that(told, 15, "the gateway answers a stranger")


def test_an_unknown_service_is_not_taken(suite, dealer):
    dealer.send_multipart(ready("no-such-service"))
    assert await_command(dealer, b"D") is not None
    assert "no-such-service" not in suite.call("GET", "/readyz").body.decode()


def test_replies_to_what_was_never_asked(suite, dealer):
    """A worker that never takes a turn: answers with made-up ids instead, then goes."""
    dealer.send_multipart(ready())
    for number in (0, 1, 2, 5000, (1 << 64) - 1):
        dealer.send_multipart(batch([number, b"\x90"], [number, b""]))
    dealer.send_multipart(batch([1, "text"], [None, b""], 7))
    dealer.send_multipart([b"LKW1D"])


def test_replies_that_are_no_envelope(suite, dealer):
    """It is given requests, and answers each with bytes that mean nothing: an error, never a crash."""
    suite.workers[0].kill(19)  # SIGSTOP: what comes now goes to the impostor
    try:
        await_that(lambda: suite.readiness() == 503, 15, "the stopped worker is held for dead")
        dealer.send_multipart(ready(instance=UUID % 3))
        answers = []

        def ask():
            answers.append(Client(suite.port, suite.admin).call("GET", "/voip/trunk").status)

        for junk in (b"", b"\xc1", b"\x90", b"\xdf\xff\xff\xff\xff", os.urandom(100), msgpack.packb({"a": 1})):
            thread = threading.Thread(target=ask)
            dealer.send_multipart([b"LKW1H"])  # or it would be held for dead, some time
            thread.start()
            frames = await_command(dealer, b"Q")
            assert frames is not None
            number = msgpack.unpackb(frames[1])[0][0]
            dealer.send_multipart(batch([number, junk]))
            thread.join(15)
        assert len(answers) == 6 and all(status in (500, 502, 503, 504) for status in answers), answers
        dealer.send_multipart([b"LKW1D"])
    finally:
        suite.workers[0].kill(18)  # SIGCONT
        suite.workers[0].expected_end = False
        suite.await_ready()


def test_a_worker_that_says_it_is_there_and_hangs(suite, dealer):
    dealer.send_multipart(ready(instance=UUID % 4))
    for _ in range(30):
        assert suite.call("GET", "/voip/trunk?limit=1").status == 200


def test_many_impostors(suite):
    context = zmq.Context()
    lines = []
    for number in range(50):
        line = suite.dealer(context, linger=0)
        line.send_multipart(ready(instance=UUID % (100 + number)))
        lines.append(line)
    assert suite.call("GET", "/voip/trunk?limit=1").status == 200
    for line in lines:
        line.close()
    context.term()
    await_that(lambda: suite.call("GET", "/voip/trunk?limit=1").status == 200, 10, "they are forgotten")


def test_giant_frames(suite):
    context = zmq.Context()
    line = suite.dealer(context, linger=2000)
    try:
        line.send_multipart([b"LKW1A", b"\x00" * (64 << 20)])
    finally:
        line.close()
        context.term()
    with open(f"/proc/{suite.gateway.pid}/status", encoding="ascii") as status:
        resident = next(int(row.split()[1]) for row in status if row.startswith("VmRSS"))
    assert resident < 200 * 1024 or os.environ.get("LK_TEST_PATIENCE", "1") != "1"


def test_random_frames(suite, dealer):
    chance = random.Random(20260101)
    heads = [b"LKW1R", b"LKW1A", b"LKW1H", b"LKW1D", b"LKW1Q", b"LKW1", b""]
    for _ in range(2000):
        frames = [chance.choice(heads) if i == 0 else chance.randbytes(chance.randrange(60))
                  for i in range(chance.randrange(1, 5))]
        dealer.send_multipart(frames)

    def is_answered():
        dealer.send_multipart([b"LKW1H"])
        return await_command(dealer, b"D", 1)

    # It has been cut again and again meanwhile, and comes anew each time.
    await_that(is_answered, 20, "it is heard")
