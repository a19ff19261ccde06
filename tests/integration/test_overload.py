"""Too much, and too late: 503 at once where there is no room, 504 where no answer came in time."""

import concurrent.futures
import signal
import socket
import threading
import time

from suite import POLL, Client, Suite, await_that

TRUNKS = "/voip/trunk"


def test_a_full_queue_is_refused_at_once_and_the_rest_is_served():
    with Suite(gateway_settings={"LK_QUEUE": "5", "LK_HTTP_THREADS": "200"}) as suite:
        suite.workers[0].kill(signal.SIGSTOP)
        clients = [Client(suite.port, suite.admin, strict=True) for _ in range(120)]
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            asked = [pool.submit(client.call, "GET", TRUNKS) for client in clients]
            await_that(lambda: sum(one.done() for one in asked) > 0, 10, "some are refused")
            suite.workers[0].kill(signal.SIGCONT)
            answers = [one.result() for one in asked]
        suite.workers[0].expected_end = False
        statuses = [answer.status for answer in answers]
        assert set(statuses) == {200, 503}, statuses
        assert statuses.count(200) >= 64  # what the worker's window held
        assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.status == 503)
        suite.assert_answers()


def test_no_answer_in_time_and_the_write_is_applied_once_all_the_same():
    with Suite(gateway_settings={"LK_ANSWER_MS": "300"}) as suite:
        named = {"Idempotency-Key": "late"}
        suite.workers[0].kill(signal.SIGSTOP)
        begun = time.monotonic()
        answer = suite.call("POST", TRUNKS, {"name": "late"}, headers=named)
        assert answer.status == 504 and answer.json["status_code"] == 504, answer.body
        assert 0.25 < time.monotonic() - begun < 5
        suite.workers[0].kill(signal.SIGCONT)
        suite.workers[0].expected_end = False
        await_that(lambda: suite.call("GET", TRUNKS).status == 200, 10, "it answers again")

        # 300 ms may be too short on a busy machine: a client asks again then.
        def in_time(*call, **more):
            answer = suite.call(*call, **more)
            return answer.status != 504 and answer

        again = await_that(lambda: in_time("POST", TRUNKS, {"name": "late"}, headers=named), 10, "it is written")
        assert again.status == 201
        listed = await_that(lambda: in_time("GET", TRUNKS), 10, "it is read")
        assert [trunk["name"] for trunk in listed.result] == ["late"]


def test_reads_go_on_while_passwords_are_hashed():
    """A storm of password creations holds the slow pool, not the link."""
    patient = {"LK_SLOW_THREADS": "1", "LK_SLOW_WAIT_MS": "60000"}
    with Suite(gateway_settings={"LK_ANSWER_MS": "60000"}, worker_settings=patient) as suite:
        trunk = suite.make_trunk()

        def create(number):
            body = {"type": "sipuser", "username": f"storm-{number}", "password": "correct horse"}
            return Client(suite.port, suite.admin, timeout=90).call("POST", f"{TRUNKS}/{trunk}/auth", body).status

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            creations = [pool.submit(create, number) for number in range(60)]
            reader, reads, longest = Client(suite.port, suite.admin, timeout=90), 0, 0.0
            while not all(one.done() for one in creations):
                begun = time.monotonic()
                assert reader.call("GET", f"{TRUNKS}/{trunk}/auth?limit=1").status == 200
                longest, reads = max(longest, time.monotonic() - begun), reads + 1
        assert {one.result() for one in creations} == {201}
        print(f"{reads} reads, the longest {longest * 1000:.1f} ms")
        assert reads > 60


def test_more_password_creations_than_can_be_done():
    """Refused at once and without a trace, or done, once and in time."""
    clients, each = 24, 4
    with Suite(worker_settings={"LK_SLOW_THREADS": "1", "LK_SLOW_WAIT_MS": "100"}) as suite:
        trunk = suite.make_trunk()

        def create(number):
            client, answers = Client(suite.port, suite.admin, timeout=90), {}
            for name in (f"user-{number}-{turn}" for turn in range(each)):
                body = {"type": "sipuser", "username": name, "password": "correct horse"}
                answers[name] = client.call("POST", f"{TRUNKS}/{trunk}/auth", body)
            return answers

        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            answers = {name: answer for done in pool.map(create, range(clients)) for name, answer in done.items()}
        assert len(answers) == clients * each
        assert {answer.status for answer in answers.values()} == {201, 503}
        assert all(answer.headers["Retry-After"] == "1" for answer in answers.values() if answer.status == 503)
        made = {name for name, answer in answers.items() if answer.status == 201}
        listed = [method["username"] for method in suite.call("GET", f"{TRUNKS}/{trunk}/auth").result]
        assert sorted(listed) == sorted(made)
        again = sorted(set(answers) - made)[0]
        body = {"type": "sipuser", "username": again, "password": "correct horse"}
        await_that(lambda: suite.call("POST", f"{TRUNKS}/{trunk}/auth", body).status == 201, 10, "it recovers")


def drip(port, count, stop):
    """Keeps so many connections busy with requests that never end, and makes anew those that are cut."""
    lines = [None] * count
    while not stop.is_set():
        for index, line in enumerate(lines):
            try:
                if line is None:
                    lines[index] = line = socket.create_connection(("127.0.0.1", port), timeout=5)
                    line.sendall(b"GET /voip/trunk HTTP/1.1\r\nHost: x\r\nx-slow: ")
                line.send(b"x")
            except OSError:
                if line is not None:
                    line.close()
                lines[index] = None
        POLL.wait(0.05)
    for line in lines:
        if line is not None:
            line.close()


def test_slow_clients_starve_nobody():
    """Three times as many as there are threads: others are served, or refused at once."""
    with Suite(gateway_settings={"LK_HTTP_THREADS": "16", "LK_REQUEST_MS": "3000"}) as suite:
        stop, statuses = threading.Event(), []
        dripping = threading.Thread(target=drip, args=(suite.port, 48, stop))
        dripping.start()
        try:
            def is_served():
                with_patience = Client(suite.port, suite.admin, timeout=60)
                answer = with_patience.call("GET", f"{TRUNKS}?limit=1")
                with_patience.close()
                statuses.append(answer.status)
                assert answer.status == 200 or (answer.status == 503 and answer.headers["Retry-After"] == "1")
                return statuses.count(200) == 5

            await_that(is_served, 60, "five are served")
        finally:
            stop.set()
            dripping.join()
        print(f"{statuses.count(503)} refused for 5 that were served")
        suite.assert_answers()
