"""A service's write gate, held by a test as a worker holds it."""

import contextlib
import fcntl

from suite import await_that


@contextlib.contextmanager
def gate_held(suite, service):
    """What is written meanwhile waits, and becomes one group."""
    with open(suite.data / f"{service}.db.gate", "r+b") as gate:
        await_that(lambda: taken(gate), 20, "the gate is free for a moment")
        yield


def taken(gate):
    try:
        fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
