"""9,000 open keep-alive connections while 64 others work: at the load balancer (HAProxy with deploy/haproxy's
configuration, in front of one gateway), and at the bare gateway, which has a bound (LK_HTTP_THREADS).

    LK_BIN_DIR=build/bench/bin tests/bench/idle.py [SECONDS]    a round of each measurement lasts so long
"""

import os
import pathlib
import resource
import select
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import balancer  # noqa: E402
from suite import Suite  # noqa: E402

IDLE, WORKING, ROUNDS = 9000, 64, 3
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 4
HEAD = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


def work(url, key, paths):
    """wrk's RESULT: requests/s, p50 and p99 in ms, answers that were no success, connections lost."""
    environment = os.environ | {"BENCH_KEY": key, "BENCH_PATHS": paths}
    done = subprocess.run(["wrk", "--timeout", "30s", "-t2", f"-c{WORKING}", f"-d{SECONDS}s", "-s",
                           ROOT / "tests/bench/requests.lua", url], env=environment, capture_output=True, text=True, check=True)
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    return [float(number) for number in result.split()[1:]]


def rounds(url, key, paths, what):
    results = [work(url, key, paths) for _ in range(ROUNDS)]
    rate, p99 = (statistics.median(column) for column in (list(zip(*results))[0], list(zip(*results))[2]))
    bad, lost = (int(sum(column)) for column in list(zip(*results))[3:])
    print(f"  {what:<46} {rate:9.0f}/s   p99 {p99:7.3f} ms   no success: {bad}, connections lost: {lost}", flush=True)
    return rate


def hold(port, context=None):
    """Opens them all, each with one answer had; returns those that are held then."""
    lines, statuses = [], {}
    for _ in range(IDLE):
        line = socket.create_connection(("127.0.0.1", port), timeout=60)
        if context:
            line = context.wrap_socket(line, server_hostname="127.0.0.1")
        line.sendall(HEAD)
        try:
            answer = line.recv(4096)
        except OSError:
            answer = b""
        status = int(answer[9:12] or 0)
        statuses[status] = statuses.get(status, 0) + 1
        if answer and b"connection: close" not in answer.lower():
            lines.append(line)
        else:
            line.close()
    return lines, statuses


def still_open(lines):
    """Those that have not been closed: on an idle connection nothing is to be read."""
    poll = select.poll()
    for line in lines:
        poll.register(line.fileno(), select.POLLIN)
    return len(lines) - len(poll.poll(0))


def at_the_balancer(suite, paths):
    if balancer.HAPROXY.path is None:
        print("  SKIPPED: no HAProxy (tests/run.sh unpacks it into build/haproxy)")
        return
    with balancer.Balancer(suite, ["127.0.0.1"], clients=9500) as front:
        url = f"https://127.0.0.1:{front.port}"
        before = rounds(url, suite.admin, paths, f"balancer, {WORKING} connections")
        begun = time.monotonic()
        lines, statuses = hold(front.port, front.context)
        print(f"  {len(lines)} of {IDLE} held after {time.monotonic() - begun:.0f} s; answers {statuses}")
        during = rounds(url, suite.admin, paths, f"the same, {len(lines)} idle ones held")
        kept = still_open(lines)
        for line in lines:
            line.close()
        after = rounds(url, suite.admin, paths, "the same, without them again")
        print(f"  {kept} were still open at the end; rate with them against without: {2 * during / (before + after):.2f} (wanted: 1.00, {IDLE} open)")


def at_the_gateway(suite, paths):
    url = f"http://127.0.0.1:{suite.port}"
    rounds(url, suite.admin, paths, f"bare gateway, {WORKING} connections")
    begun = time.monotonic()
    lines, statuses = hold(suite.port)
    print(f"  {IDLE} idle clients came within {time.monotonic() - begun:.1f} s; answers {statuses}; {len(lines)} kept")
    rounds(url, suite.admin, paths, "the same, after they came")
    print(f"  {still_open(lines)} of them are open still; the bound is LK_HTTP_THREADS, 512 connections")
    silent = [socket.create_connection(("127.0.0.1", suite.port), timeout=60) for _ in range(1000)]
    rounds(url, suite.admin, paths, "the same, after 1,000 came that say nothing")
    for line in lines + silent:
        line.close()


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{IDLE} idle keep-alive clients and {WORKING} that read one trunk, {ROUNDS} rounds of {SECONDS} s:")
    with Suite() as suite, tempfile.NamedTemporaryFile("w") as paths:
        print(f"/voip/trunk/{suite.make_trunk()}", file=paths, flush=True)
        at_the_balancer(suite, paths.name)
        at_the_gateway(suite, paths.name)


main()
