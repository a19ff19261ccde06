"""Workers and gateways that die, hang and come back under load."""

import json
import signal
import threading
import time

from suite import SLOW, Client, Suite, await_that, free_port

TRUNKS = "/voip/trunk"


class Stream:
    """Clients that write and read without a pause until told to stop. Strict: whatever is not the
    expected answer, a dropped connection too, is an error."""

    def __init__(self, suite, clients=4):
        self.suite, self.trunk = suite, suite.make_trunk("stream")
        self.stop = threading.Event()
        self.acknowledged, self.errors, self.longest = [], [], 0.0
        self.rounds = [0] * clients
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(clients)]

    def run(self, number):
        client = Client(self.suite.port, self.suite.admin, timeout=20, strict=True)
        count = 0
        while not self.stop.is_set():
            count += 1
            label = f"{number}-{count}"
            ip = f"10.{number}.{count >> 8}.{count & 255}"
            body = {"type": "ip", "ip": ip, "label": label}
            made = self.ask(client, "POST", f"{TRUNKS}/{self.trunk}/auth", 201, body)
            if made is not None:
                self.acknowledged.append(label)
                self.ask(client, "GET", f"{TRUNKS}/{self.trunk}/auth/{made['uuid']}", 200)
            self.rounds[number] += 1

    def ask(self, client, method, path, wanted, body=None):
        begun = time.monotonic()
        try:
            answer = client.call(method, path, body)
            if answer.status == wanted:
                return answer.result
            self.errors.append((answer.status, answer.body))
        except OSError as error:
            self.errors.append(error)
        finally:
            self.longest = max(self.longest, time.monotonic() - begun)
        return None

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def await_more(self, number):
        reached = len(self.acknowledged) + number
        await_that(lambda: len(self.acknowledged) >= reached or self.errors, 20, f"{number} more writes")

    def await_all(self):
        """Until each client has been answered: a request that has seen three workers die is refused."""
        before = list(self.rounds)
        await_that(lambda: all(map(int.__gt__, self.rounds, before)) or self.errors, 20, "an answer for everybody")

    def check(self):
        """Each acknowledged write is there once, and nothing else but what was asked for."""
        assert not self.errors, self.errors[:5]
        stored, offset = [], 0
        while page := self.suite.call("GET", f"{TRUNKS}/{self.trunk}/auth?limit=250&offset={offset}").result:
            stored += [method["label"] for method in page]
            offset += len(page)
        assert sorted(stored) == sorted(self.acknowledged)
        print(f"{len(stored)} writes, longest wait {self.longest:.2f} s")


def test_killed_workers_cost_a_wait_and_nothing_else():
    with Suite(workers=2) as suite:
        with Stream(suite) as stream:
            for _ in range(3):
                stream.await_more(50)
                victim = next(worker for worker in suite.workers if worker.alive())
                victim.kill(signal.SIGKILL)
                stream.await_more(50)
                stream.await_all()
                suite.await_joined(suite.start_worker())
            stream.await_more(50)
        stream.check()


def test_drained_workers_cost_nothing():
    with Suite(workers=2) as suite:
        with Stream(suite) as stream:
            for _ in range(2):
                stream.await_more(50)
                victim = next(worker for worker in suite.workers if worker.alive())
                assert victim.stop() == 0
                stream.await_more(50)
                suite.await_joined(suite.start_worker())
        stream.check()


def test_a_stopped_worker_is_passed_over_and_its_late_replies_are_dropped():
    with Suite(workers=2) as suite:
        trunk = suite.make_trunk()
        for victim in suite.workers:
            victim.kill(signal.SIGSTOP)
            for _ in range(40):  # some of them go to the stopped one
                assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200  # not 504: it is given up before the deadline
            victim.kill(signal.SIGCONT)
            for i in range(100):
                name = f"after {i}"
                made = suite.call("POST", TRUNKS, {"name": name}).result
                assert made["name"] == name
                assert suite.call("GET", f"{TRUNKS}/{made['uuid']}").result["name"] == name
            victim.expected_end = False


def test_readers_go_on_while_one_worker_is_stopped_under_load():
    with Suite(workers=2) as suite:
        with Stream(suite) as stream:
            stream.await_more(30)
            # Stopped between its turns: who holds the write gate would stop all writers.
            victim = suite.workers[0]
            victim.kill(signal.SIGSTOP)
            reader = Client(suite.port, suite.admin, strict=True)
            for _ in range(20):
                assert reader.call("GET", f"{TRUNKS}/{stream.trunk}/auth?limit=1").status == 200
            victim.kill(signal.SIGCONT)
            victim.expected_end = False
            stream.await_more(30)
        stream.check()


def test_a_gateway_stops_in_time_whatever_its_workers_do():
    with Suite() as suite:
        suite.workers[0].kill(signal.SIGSTOP)
        waiting = [threading.Thread(target=lambda: Client(suite.port, suite.admin).call("GET", TRUNKS)) for _ in range(4)]
        for thread in waiting:
            thread.start()
        begun = time.monotonic()
        suite.gateway.stop()
        assert time.monotonic() - begun < 4.5 * SLOW
        for thread in waiting:
            thread.join(5)
            assert not thread.is_alive()
        suite.workers[0].kill(signal.SIGCONT)
        suite.workers[0].expected_end = False


def test_workers_find_a_restarted_gateway():
    with Suite(workers=2) as suite:
        trunk = suite.make_trunk()
        for _ in range(2):
            suite.gateway.kill(signal.SIGKILL)
            suite.start_gateway()
            await_that(lambda: suite.readiness() != 0, 15, "it answers again")
            suite.await_ready()
            suite.client.close()
            assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
        assert all(worker.alive() for worker in suite.workers)


def test_without_a_worker():
    with Suite(workers=0) as suite:
        await_that(lambda: suite.readiness() == 503, 15, "the gateway answers")
        missing = suite.call("GET", "/readyz").json
        assert missing["status"] == "not ready" and "trunk-auth" in missing["missing"]
        assert suite.call("GET", "/healthz").status == 200
        for method, body in (("GET", None), ("POST", {"name": "x"})):
            answer = suite.call(method, TRUNKS, body)  # 504 would be the deadline's
            assert answer.status == 503 and answer.headers["Retry-After"] == "1"
            assert answer.json["status_code"] == 503
        # One that starts meanwhile is waited for.
        suite.start_worker()
        suite.await_ready()
        assert suite.call("GET", TRUNKS).status == 200
        suite.workers[0].stop()
        await_that(lambda: suite.readiness() == 503, 10, "the worker is missed")


def test_a_request_outlives_the_only_worker():
    """The next one is loaded already: on a busy machine that alone may take longer than requests wait."""
    with Suite(workers=2) as suite:
        only, next_one = suite.workers
        for worker in suite.workers:
            suite.await_joined(worker)
        next_one.kill(signal.SIGSTOP)
        suite.await_left(next_one)
        only.kill(signal.SIGKILL)
        comes = threading.Timer(0.3, next_one.kill, [signal.SIGCONT])
        comes.start()
        assert suite.call("GET", TRUNKS).status == 200
        comes.join()
        next_one.expected_end = False


def test_two_gateways_share_workers_and_keys():
    with Suite(workers=0) as suite:
        second_port = free_port()
        links = f"{suite.link},tcp://127.0.0.1:{second_port + 1}"
        suite.worker_settings = {"LK_GATEWAYS": links}
        second = suite._start("gateway", {"LK_LISTEN": f"127.0.0.1:{second_port}",
                                          "LK_WORKER_LISTEN": f"tcp://127.0.0.1:{second_port + 1}"})
        for _ in range(2):
            suite.start_worker()
        suite.await_ready()
        other = Client(second_port, suite.admin)
        await_that(lambda: suite.readiness(second_port) == 200, 15, "the second gateway is ready")
        trunk = suite.make_trunk()
        assert other.call("GET", f"{TRUNKS}/{trunk}").status == 200
        # The same Idempotency-Key through the other gateway is the same request.
        named = {"Idempotency-Key": "either"}
        first = suite.call("POST", TRUNKS, {"name": "either"}, headers=named)
        again = other.call("POST", TRUNKS, {"name": "either"}, headers=named)
        assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
        key = suite.make_key("--organization", "default", "--scope", "read", "--name", "both")
        listed = json.loads(suite.key_command("list", "--json").stdout)
        assert other.call("GET", TRUNKS, key=key).status in (200, 401)
        suite.key_command("revoke", next(row["id"] for row in listed if row["name"] == "both"))
        for client in (suite.client, other):
            await_that(lambda c=client: c.call("GET", TRUNKS, key=key).status == 401, 5, "the key is refused")
        # One gateway ends; the other goes on with the same workers.
        assert second.stop() == 0
        for _ in range(10):
            assert suite.call("GET", f"{TRUNKS}/{trunk}").status == 200
