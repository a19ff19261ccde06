"""The gateway's memory and descriptors stay where they are over many requests."""

import os
import socket
import threading

from suite import Client

REQUESTS = int(os.environ.get("LK_TEST_REQUESTS", "100000"))
TRUNKS = "/voip/trunk"


def resident_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Asker(threading.Thread):
    """Writes requests ahead of the answers, on one connection: Python would be the slow side."""

    def __init__(self, suite, paths, requests):
        super().__init__()
        self.suite, self.paths, self.requests, self.failed = suite, paths, requests, None

    def run(self):
        lines = f"Host: x\r\nAuthorization: Bearer {self.suite.admin}\r\n\r\n"
        burst = "".join(f"GET {self.paths[i % len(self.paths)]} HTTP/1.1\r\n{lines}" for i in range(20)).encode()
        with socket.create_connection(("127.0.0.1", self.suite.port), timeout=30) as line:
            done = 0
            while done < self.requests:
                line.sendall(burst)
                answered, tail = 0, b""
                while answered < 20:
                    received = line.recv(1 << 20)
                    if not received:
                        self.failed = "closed"
                        return
                    tail = tail[-len(b"HTTP/1.1") :] + received  # too short to be counted twice
                    answered += tail.count(b"HTTP/1.1 ")
                done += answered


def storm(suite, paths, requests, threads=8):
    askers = [Asker(suite, paths, requests // threads) for _ in range(threads)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert not [asker.failed for asker in askers if asker.failed]


def test_flat(suite, trunk):
    made = suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": "192.0.2.1"}).result
    paths = [f"{TRUNKS}/{trunk}/auth/{made['uuid']}", f"{TRUNKS}/{trunk}", TRUNKS, "/none", f"{TRUNKS}/x"]
    storm(suite, paths, REQUESTS // 5)  # buffers and threads have found their size
    before = [(resident_kib(process), descriptors(process)) for process in (suite.gateway, suite.workers[0])]
    storm(suite, paths, REQUESTS)
    after = [(resident_kib(process), descriptors(process)) for process in (suite.gateway, suite.workers[0])]
    print(f"RSS KiB and descriptors of gateway and worker: {before} -> {after}")
    for (rss_before, fd_before), (rss_after, fd_after) in zip(before, after):
        assert rss_after - rss_before < 8 * 1024
        assert fd_after <= fd_before + 2
    assert after[0][0] < 100 * 1024
    assert Client(suite.port, suite.admin).call("GET", TRUNKS).status == 200
