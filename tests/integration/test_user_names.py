"""A user name has one owner, whatever races for it and whatever dies meanwhile."""

import concurrent.futures
import signal
import threading

from suite import Client, Suite, await_that

CONNECTIONS = "/security/connections"


def auth(connection):
    return f"{CONNECTIONS}/{connection}/fqdn_authentication"


def make(suite, name="racer"):
    answer = suite.call("POST", CONNECTIONS, {"connection_name": name})
    assert answer.status == 200, answer.body
    return answer.json["id"]


def test_two_processes_and_one_name():
    """Each round, clients of both workers set the same name on a connection of their own."""
    with Suite(services=["fqdn-auth"], workers=2) as suite:
        ids = [make(suite) for _ in range(6)]
        clients = [Client(suite.port, suite.admin, timeout=20) for _ in ids]
        with concurrent.futures.ThreadPoolExecutor(len(ids)) as pool:
            for number in range(6):
                body = {"user_name": f"name-{number}", "password": "correct horse"}
                start = threading.Barrier(len(ids))

                def race(i, body=body, start=start):
                    start.wait(20)
                    return clients[i].call("POST", auth(ids[i]), body)

                answers = list(pool.map(race, range(len(ids))))
                assert sorted(answer.status for answer in answers) == [200] + [400] * (len(ids) - 1), \
                    [answer.body for answer in answers]
                for connection, answer in zip(ids, answers, strict=True):
                    shown = suite.call("GET", auth(connection))
                    owns = shown.status == 200 and shown.json["user_name"] == body["user_name"]
                    assert owns == (answer.status == 200)
                    if answer.status == 400:
                        assert answer.json["reasons"] == {"user_name": ["has already been taken"]}


def test_killed_workers_lose_no_set():
    """What was acknowledged stands, with no error in between."""
    with Suite(services=["fqdn-auth"], workers=2) as suite:
        stop, acknowledged, errors, rounds = threading.Event(), {}, [], [0] * 4

        def run(number):
            client = Client(suite.port, suite.admin, timeout=20, strict=True)
            count = 0
            while not stop.is_set() and not errors:
                count += 1
                name = f"stream-{number}-{count}"
                try:
                    made = client.call("POST", "/v2/fqdn_connections", {"connection_name": name})
                    connection = made.json["data"]["id"]
                    answer = client.call("POST", auth(connection), {"user_name": name, "password": "correct horse"})
                except (OSError, KeyError, ValueError) as error:
                    errors.append(error)
                    return
                if answer.status == 200:
                    acknowledged[connection] = name
                    rounds[number] += 1
                else:
                    errors.append((answer.status, answer.body))

        threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                reached = len(acknowledged) + 10
                await_that(lambda reached=reached: len(acknowledged) >= reached or errors, 30, "more sets")
                victim = next(worker for worker in suite.workers if worker.alive())
                victim.kill(signal.SIGKILL)
                before = list(rounds)  # a request that has seen three workers die is refused
                await_that(lambda before=before: all(map(int.__gt__, rounds, before)) or errors, 30, "an answer for everybody")
                suite.await_joined(suite.start_worker())
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert not errors, errors[:3]
        for connection, name in acknowledged.items():
            assert suite.call("GET", auth(connection)).json["user_name"] == name
        listed = suite.call("GET", "/v2/fqdn_connections?page[size]=1").json["meta"]["total_results"]
        assert listed == len(acknowledged)
