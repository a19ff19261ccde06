"""The numbers of gateway and workers move as they should, and name nobody."""

import concurrent.futures
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

import metrics
import pytest
from metrics import total
from suite import BIN, Client, ROOT, SLOW, Suite, await_that, every_service

sys.path.insert(0, str(ROOT / "tools"))

import metrics_table  # noqa: E402 (the path above comes first)

TRUNKS = "/voip/trunk"
DEPLOY = ROOT / "deploy"
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=str(ROOT / "build/promtool/usr/bin"))


def promtool(*arguments, given=None):
    done = subprocess.run([PROMTOOL, *arguments], input=given, capture_output=True, text=True,
                          timeout=60 * SLOW, check=False)
    return done.returncode, done.stdout + done.stderr


def await_numbers(suite, process, condition, what):
    return await_that(lambda: condition(suite.metrics(process)), 20, what)


def test_each_request_is_counted_once_where_it_belongs():
    with Suite() as suite:
        before = suite.metrics(suite.gateway)
        trunk = suite.make_trunk()
        for _ in range(5):
            assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
        assert suite.call("GET", f"{TRUNKS}/0190a5b0-0000-7000-8000-000000000000").status == 404
        assert suite.call("GET", "/no/such/route/at/all").status == 404
        assert suite.call("DELETE", TRUNKS).status == 405
        assert suite.call("GET", "/healthz").status == 200
        wanted = {("trunk_create", "201"): 1, ("trunk_read", "200"): 5, ("trunk_read", "404"): 1,
                  ("none", "404"): 1, ("none", "405"): 1, ("health", "200"): 1}

        def counted():
            after = suite.metrics(suite.gateway)
            return {at: total(after, "lk_http_requests_total", operation=at[0], status=at[1])
                    - total(before, "lk_http_requests_total", operation=at[0], status=at[1]) for at in wanted}

        assert counted() == wanted
        after = suite.metrics(suite.gateway)
        assert total(after, "lk_http_request_seconds_count", operation="trunk_read") == 6
        assert 0 < total(after, "lk_http_request_seconds_sum", operation="trunk_read") < 6 * 15 * SLOW
        assert total(after, "lk_http_request_seconds_count") == total(after, "lk_http_requests_total")
        worker = suite.metrics(suite.workers[0])
        assert total(worker, "lk_worker_calls_total", operation="trunk_read", outcome="OK") == 5
        assert total(worker, "lk_worker_calls_total", operation="trunk_read", outcome="UNKNOWN") == 1
        assert total(worker, "lk_worker_calls_total") == total(after, "lk_requests_sent_total")
        assert total(worker, "lk_worker_link_batch_calls_sum") == total(worker, "lk_worker_calls_total")
        assert total(worker, "lk_worker_commit_batch_calls_sum") == 1
        assert total(worker, "lk_worker_commit_seconds_count") == total(worker, "lk_worker_gate_wait_seconds_count") == 1
        assert total(worker, "lk_worker_gateways") == 1
        assert total(worker, "lk_worker_wal_bytes") > 0
        assert total(worker, "lk_worker_hash_seconds_count") == 0
        body = {"type": "sipuser", "username": "someone", "password": "correct horse"}
        assert suite.call("POST", f"{TRUNKS}/{trunk}/auth", body).status == 201
        hashed = suite.metrics(suite.workers[0])
        assert total(hashed, "lk_worker_hash_seconds_count") == 1 and total(hashed, "lk_worker_hash_seconds_sum") > 0


def test_refusals_have_a_reason():
    with Suite(gateway_settings={"LK_ANSWER_MS": "300"}) as suite:
        reader = Client(suite.port, suite.make_key("--organization", "default", "--scope", "read"))
        slow = Client(suite.port, suite.make_key("--organization", "default", "--scope", "admin", "--rate-limit", "1"))

        def refused(reason):
            return total(suite.metrics(suite.gateway), "lk_refusals_total", reason=reason)

        before = refused("key")
        assert Client(suite.port, "lk_" + 43 * "A").call("GET", TRUNKS).status == 401
        assert Client(suite.port).call("GET", TRUNKS).status == 401
        assert refused("key") == before + 2
        assert reader.call("POST", TRUNKS, {"name": "no"}).status == 403
        assert refused("scope") == 1
        before = refused("rate_limit")
        statuses = [slow.call("GET", TRUNKS).status for _ in range(5)]
        assert statuses.count(429) == refused("rate_limit") - before > 0
        assert suite.raw(b"GET /voip/trunk HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").startswith(b"HTTP/1.1 400")
        assert refused("http") == 1
        before = refused("timeout")
        suite.workers[0].kill(signal.SIGSTOP)
        assert suite.call("GET", TRUNKS).status == 504
        assert refused("timeout") == before + 1
        suite.workers[0].kill(signal.SIGCONT)
        suite.workers[0].expected_end = False
    with Suite(workers=0) as suite:
        await_that(lambda: suite.readiness(), 15, "the gateway serves")
        assert suite.call("GET", TRUNKS).status == 503
        assert total(suite.metrics(suite.gateway), "lk_refusals_total", reason="no_worker") == 1


def test_more_connections_than_threads():
    """Who is too many is told so, however slowly it asks."""
    with Suite(gateway_settings={"LK_HTTP_THREADS": "4"}) as suite:
        def refused(ask):
            with contextlib.ExitStack() as stack:
                def connect():
                    return stack.enter_context(socket.create_connection(("127.0.0.1", suite.port), timeout=30 * SLOW))

                for _ in range(4):
                    connect().sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
                if total(suite.metrics(suite.gateway), "lk_http_connections") < 4:
                    return False  # they are not in yet, or have been cut for their silence
                newcomer = connect()
                newcomer.sendall(ask)
                answer = newcomer.recv(4096)
                return answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: " in answer.lower()

        await_that(lambda: refused(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 30, "a newcomer is refused")
        await_that(lambda: refused(b"GET /healthz HTTP/1.1\r\nHo"), 30, "one that is slow, too")
        assert total(suite.metrics(suite.gateway), "lk_refusals_total", reason="connections") >= 2


def test_a_worker_that_stops_and_one_that_dies():
    """silent, then lost; what it held is sent again, and counted."""
    with Suite(workers=2, gateway_settings={"LK_ANSWER_MS": "60000"}) as suite:
        for worker in suite.workers:
            suite.await_joined(worker)

        def workers(state):
            return lambda numbers: total(numbers, "lk_workers", service="trunk-auth", state=state)

        def is_stopped_with_requests():
            """On a busy machine it may be missed before the requests come: then once more."""
            await_numbers(suite, suite.gateway, lambda numbers: workers("live")(numbers) == 2, "both are there")
            suite.workers[0].kill(signal.SIGSTOP)
            clients = [Client(suite.port, suite.admin, timeout=90) for _ in range(16)]
            with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
                asked = [pool.submit(client.call, "GET", TRUNKS) for client in clients]
                await_numbers(suite, suite.gateway, lambda numbers: workers("live")(numbers) == 1, "one is missed")
                assert {one.result().status for one in asked} == {200}
            suite.workers[0].kill(signal.SIGCONT)
            return total(suite.metrics(suite.gateway), "lk_requests_resent_total") > 0

        await_that(is_stopped_with_requests, 60, "a stopped worker's requests are sent again")
        after = suite.metrics(suite.gateway)
        # Others may be missed for a moment, too, and come again.
        assert total(after, "lk_workers_lost_total") >= total(after, "lk_workers_silent_total") >= 1
        suite.workers[0].kill(signal.SIGKILL)
        suite.workers[1].kill(signal.SIGKILL)
        await_numbers(suite, suite.gateway, lambda numbers: workers("live")(numbers) == 0, "both are missed")
        suite.start_worker()
        await_numbers(suite, suite.gateway, lambda numbers: workers("live")(numbers) == 1, "the next has come")


def test_a_waiting_queue_and_held_requests_are_seen():
    with Suite(worker_settings={"LK_WINDOW": "2"}, gateway_settings={"LK_ANSWER_MS": "60000", "LK_QUEUE": "3"}) as suite:
        suite.workers[0].kill(signal.SIGSTOP)
        clients = [Client(suite.port, suite.admin, timeout=90) for _ in range(30)]
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            asked = [pool.submit(client.call, "GET", TRUNKS) for client in clients]
            await_numbers(suite, suite.gateway,
                          lambda numbers: total(numbers, "lk_queue_length", service="trunk-auth") == 3, "three wait")
            await_that(lambda: sum(one.done() for one in asked) > 0, 20, "some are refused")
            suite.workers[0].kill(signal.SIGCONT)
            answers = [one.result().status for one in asked]
        suite.workers[0].expected_end = False
        after = suite.metrics(suite.gateway)
        assert total(after, "lk_refusals_total", reason="queue_full") == answers.count(503) > 0
        assert total(after, "lk_queue_length") == total(after, "lk_requests_held") == 0


def test_who_has_no_key_for_the_worker_port_is_counted():
    with Suite() as suite:
        def seen(result):
            return lambda numbers: total(numbers, "lk_worker_port_connections_total", result=result)

        # Its connection may have been made anew since.
        await_numbers(suite, suite.gateway, lambda numbers: seen("admitted")(numbers) >= 1, "the worker is let in")
        folder = suite.directory / "unknown"
        subprocess.run([BIN / "gateway", "curve-keys"], env=suite.environment({"LK_CURVE_DIR": str(folder)}),
                       check=True, capture_output=True, timeout=20 * SLOW)
        shutil.copy2(suite.curve / "gateway.pub", folder / "gateway.pub")
        stranger = suite._start("trunk-auth", {"LK_CURVE_DIR": str(folder)})
        await_numbers(suite, suite.gateway, lambda numbers: seen("unknown_key")(numbers) > 0, "its key is refused")
        await_that(lambda: total(suite.metrics(stranger), "lk_build_info") == 1, 20, "it counts all the same")
        assert total(suite.metrics(stranger), "lk_worker_gateways") == 0
        with socket.create_connection(("127.0.0.1", suite.port + 1), timeout=10) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            await_numbers(suite, suite.gateway, lambda numbers: seen("stranger")(numbers) > 0, "garbage is no worker")
        before = seen("admitted")(suite.metrics(suite.gateway))
        suite.start_worker("trunk-auth")
        await_numbers(suite, suite.gateway, lambda numbers: seen("admitted")(numbers) >= before + 1, "the next is let in")
        assert seen("other_service")(suite.metrics(suite.gateway)) == 0


def test_a_write_that_comes_again_is_replayed():
    with Suite() as suite:
        for _ in range(3):
            named = {"Idempotency-Key": "again"}
            assert suite.call("POST", TRUNKS, {"name": "once"}, headers=named).status == 201
        numbers = suite.metrics(suite.workers[0])
        assert total(numbers, "lk_worker_replayed_total") == 2
        assert total(numbers, "lk_worker_calls_total", operation="trunk_create", outcome="CREATED") == 3


def test_nothing_that_a_client_sends_becomes_a_label():
    with Suite(services=every_service()) as suite:
        trunk = suite.make_trunk()
        for path in (f"{TRUNKS}/{trunk}", f"/{trunk}", f"{TRUNKS}/{trunk}/auth?username=marker", "/marker"):
            suite.call("GET", path, headers={"x-request-id": "marker", "x-marker": "marker"})
        suite.call("GET", TRUNKS, key="lk_" + 43 * "B")
        for process in suite.processes:
            numbers = suite.metrics(process)
            text = repr(numbers)
            assert trunk not in text and "marker" not in text and "lk_BBB" not in text and suite.admin not in text
            programs = {dict(labels)["program"] for _, labels in numbers}
            assert programs == {process.name.split(".")[0]}
            assert len(numbers) < 1000
            assert total(numbers, "lk_build_info") == 1 and total(numbers, "process_open_fds") > 3


def test_off_and_wrong_addresses():
    with Suite(gateway_settings={"LK_METRICS_LISTEN": "off"}, worker_settings={"LK_METRICS_LISTEN": "off"}) as suite:
        assert suite.call("GET", TRUNKS).status == 200
        assert not suite.grep_logs(rb"metrics=")
    with Suite() as suite:
        taken = f"127.0.0.1:{suite.metrics_port(suite.gateway)}"
        for program in ("gateway", "trunk-auth"):
            for listen, code in ((taken, 1), ("localhost:1", 78), ("8090", 78)):
                # What clients come to is taken, too: it is not tried before, so that nobody is served and let down.
                settings = {"LK_METRICS_LISTEN": listen, "LK_LISTEN": f"127.0.0.1:{suite.port}", "LK_WORKER_LISTEN": "tcp://127.0.0.1:*"}
                done = subprocess.run([str(BIN / program)], env=suite.environment(settings), capture_output=True,
                                      text=True, timeout=60 * SLOW, check=False)
                assert done.returncode == code and "LK_METRICS_LISTEN" in done.stderr, (done.returncode, done.stderr)


# ---- what is said about the metrics, and what uses them ----


def known_metrics():
    """Names that a query may use."""
    names = set()
    for program in ["gateway", *every_service()]:
        for name, kind, *_ in metrics_table.rows(BIN / program):
            names |= {name + suffix for suffix in metrics.SUFFIXES[kind]}
    return names


def used_metrics(text):
    return set(re.findall(r"\b(?:lk|process)_[a-z0-9_]+\b", text))


def test_the_document_is_up_to_date():
    assert metrics_table.DOC.read_text(encoding="utf-8") == metrics_table.expected(BIN)


def test_workers_share_one_table():
    tables = {program: metrics_table.rows(BIN / program) for program in every_service()}
    assert all(table == tables["trunk-auth"] for table in tables.values())


def test_dashboard_and_rules_use_metrics_that_exist():
    known = known_metrics()
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(queries) > 15
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    alerts = (DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8")
    for text in [*queries, alerts]:
        assert used_metrics(text) <= known, used_metrics(text) - known
    shown = used_metrics(" ".join([*queries, alerts]))
    unused = {name for name in known if name.startswith("lk_") and not any(one.startswith(name) for one in shown)
              and not name.endswith(("_bucket", "_sum", "_count"))}
    assert not unused, f"neither drawn nor watched: {unused}"


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian: prometheus)")
def test_promtool_agrees(tmp_path):
    for rules in ("alerts.yml", "alerts_test.yml"):
        command = ("check", "rules") if rules == "alerts.yml" else ("test", "rules")
        code, said = promtool(*command, str(DEPLOY / "prometheus" / rules))
        assert code == 0, said
    for path in (DEPLOY / "prometheus").glob("prometheus*.yml"):
        code, said = promtool("check", "config", str(path))
        assert code == 0, said
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    written = {"groups": [{"name": "dashboard", "rules": [
        {"record": f"panel_{i}", "expr": re.sub(r"\$__rate_interval", "1m", query)} for i, query in enumerate(queries)]}]}
    rules = pathlib.Path(tmp_path) / "queries.yml"
    rules.write_text(json.dumps(written), encoding="utf-8")
    code, said = promtool("check", "rules", "--lint=none", str(rules))
    assert code == 0, said
    with Suite(services=every_service()) as suite:
        suite.call("POST", TRUNKS, {"name": "seen"})
        for process in suite.processes:
            code, said = promtool("check", "metrics", given=metrics.scrape(suite.metrics_port(process)))
            assert code == 0, said
