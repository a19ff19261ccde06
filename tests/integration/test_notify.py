"""A service manager that reads nothing for a while is told all the same, once it reads again."""

import os
import socket
import subprocess

import pytest
from suite import BIN, await_that, free_port


def fill(path):
    """Until nothing more goes in. How many went."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        for count in range(100000):
            try:
                sender.sendto(b"full", path)
            except BlockingIOError:
                return count
    raise AssertionError("never full")


@pytest.mark.parametrize("program, wanted", (("gateway", b"READY=1"), ("trunk-auth", b"READY=1\nSTATUS=known to 0 of 1 gateways")))
def test_what_did_not_get_there_is_told_again(tmp_path, program, wanted):
    port, path = free_port(), str(tmp_path / "manager")
    environment = {**os.environ, "NOTIFY_SOCKET": path, "LK_DATA_DIR": str(tmp_path), "LK_CURVE": "off", "LK_DIGEST": "off",
                   "LK_LISTEN": f"127.0.0.1:{port}", "LK_GATEWAYS": f"tcp://127.0.0.1:{port + 1}", "LK_METRICS_LISTEN": "off",
                   "LK_API_KEY_HASH_FILE": str(tmp_path / "hash"), "LK_WORKER_LISTEN": f"tcp://127.0.0.1:{port + 1}"}
    (tmp_path / "hash").write_text("00" * 32 + "\n", encoding="utf-8")
    os.chmod(tmp_path / "hash", 0o600)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager, \
            open(tmp_path / "log", "w+", encoding="utf-8") as log:
        manager.bind(path)
        fill(path)
        with subprocess.Popen([BIN / program], env=environment, stderr=log) as process:
            try:
                await_that(lambda: "started " in (tmp_path / "log").read_text(encoding="utf-8"), 10, "it has started")
                said = set()

                def told():
                    try:
                        said.add(manager.recv(256))
                    except BlockingIOError:
                        pass
                    return wanted in said

                await_that(told, 10, f"{wanted} is told")
            finally:
                process.terminate()
            assert process.wait(10) == 0
