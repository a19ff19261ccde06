"""Every process is started anew, one after the other, under load and behind the load balancer of deploy/: no request
fails, and no client sees a connection break."""

import concurrent.futures
import http.client
import re
import threading

import pytest
from metrics import total
from balancer import HAPROXY, Balancer
from suite import SLOW, Client, Suite, await_that, every_service
from traffic import Traffic

HOSTS = ("127.0.0.1", "127.0.0.2")
WORKERS_EACH = 2
PATIENT = {"LK_ANSWER_MS": "60000", "LK_DRAIN_SECONDS": "60"}  # hashing takes long on a busy machine


class Cluster(Suite):
    """Two gateways, each at an address of its own, and two workers of each service that know both."""

    def __init__(self):
        super().__init__(services=every_service(), workers=WORKERS_EACH, gateways=len(HOSTS), gateway_settings={
            "LK_NOT_READY_MS": str(int(3000 * min(SLOW, 2))), "LK_TRUSTED_PROXIES": "127.0.0.1"})
        self.ports = [self.port]
        self.worker_settings = {"LK_GATEWAYS": ",".join(f"tcp://{host}:{self.port + 1}" for host in HOSTS)}

    def start_gateway(self, number=0):
        self.gateways[number] = self._start("gateway", self.gateway_settings | {
            "LK_LISTEN": f"{HOSTS[number]}:{self.port}", "LK_WORKER_LISTEN": f"tcp://{HOSTS[number]}:{self.port + 1}"})
        self.gateway = self.gateways[0]
        return self.gateways[number]

    def living(self):
        return [worker for worker in self.workers if worker.alive()]

    def await_joined_everywhere(self):
        """Until each gateway has each worker."""
        for gateway in self.gateways:
            for worker in self.living():
                await_that(lambda gateway=gateway, worker=worker: instance(worker) in gateway.log.read_bytes(), 20,
                           f"{gateway.name} has {worker.name}")


def instance(worker):
    found = re.search(rb" event=worker_started .*instance=(\S+)", worker.log.read_bytes())
    return found[1] if found else b"not started"


def readiness(suite, host):
    line = http.client.HTTPConnection(host, suite.port, timeout=15)
    line.request("GET", "/readyz")
    answer = line.getresponse()
    said = answer.status, answer.read()
    line.close()
    return said


@pytest.mark.skipif(HAPROXY.path is None, reason="no haproxy")
def test_every_process_is_restarted_and_no_request_fails():
    """Writes go without an Idempotency-Key: nobody may send them again."""
    with Cluster() as suite, Balancer(suite, HOSTS) as balancer:
        with Traffic(balancer.client, keyed=False) as traffic:
            suite.await_joined_everywhere()
            for worker in suite.living():
                traffic.await_more(20)
                assert worker.stop() == 0
                suite.start_worker(worker.name.split(".")[0])
                suite.await_joined_everywhere()
            for number, gateway in enumerate(suite.gateways):
                traffic.await_more(20)
                assert gateway.stop() == 0
                log = gateway.log.read_text()
                assert "event=drain_cut" not in log and log.index("event=stopping") < log.index("event=draining")
                again = suite.start_gateway(number)
                suite.await_joined_everywhere()
                await_that(lambda again=again: "method=POST" in again.log.read_text(), 20, f"{again.name} has its share")
            traffic.await_more(20)
        traffic.check()
        assert "10007" not in balancer.log.read_text()


def test_a_gateway_that_ends_is_not_ready_first_then_closes_then_goes():
    with Suite(gateway_settings={"LK_NOT_READY_MS": "600000"}) as suite:
        gateway = suite.gateway
        gateway.expected_end = True
        gateway.popen.terminate()
        await_that(lambda: readiness(suite, "127.0.0.1") == (503, b'{"status":"stopping"}'), 10, "it says that it stops")
        kept = Client(suite.port, suite.admin, strict=True)
        for number in range(20):  # served as ever, on one connection
            answer = kept.call("POST", "/voip/trunk", {"name": f"meanwhile {number}"})
            assert answer.status == 201 and answer.headers["Connection"] == "keep-alive"
        key = suite.make_key("--organization", "default", "--scope", "read")
        assert Client(suite.port, key).call("GET", "/voip/trunk").status == 200  # it still learns of new keys
        gateway.popen.terminate()  # again: no more waiting
        assert gateway.popen.wait(10 * SLOW) == 0
        assert len(suite.grep_logs(b"event=stopping|event=draining", "gateway")) == 2


def test_a_request_is_answered_while_the_gateway_drains_and_then_it_goes():
    with Suite(gateway_settings=PATIENT, worker_settings={"LK_PWHASH": "20:64"}) as suite:
        trunk = suite.make_trunk()
        client, idle = Client(suite.port, suite.admin, strict=True), Client(suite.port, suite.admin, strict=True)
        assert idle.call("GET", "/voip/trunk").status == client.call("GET", "/voip/trunk").status == 200
        answers = []
        method = {"type": "sipuser", "username": "slow", "password": "correct horse"}
        hashing = threading.Thread(target=lambda: answers.append(client.call("POST", f"/voip/trunk/{trunk}/auth", method)))
        hashing.start()
        await_that(lambda: total(suite.metrics(suite.gateway), "lk_requests_held") == 1, 10, "a worker has it")
        suite.gateway.expected_end = True
        suite.gateway.popen.terminate()
        hashing.join(30 * SLOW)
        assert answers[0].status == 201 and answers[0].headers["Connection"] == "close"
        assert suite.gateway.popen.wait(10 * SLOW) == 0
        with pytest.raises(http.client.RemoteDisconnected):  # in good order, and not reset
            idle.call("GET", "/voip/trunk")
        assert not suite.grep_logs(b"event=drain_cut")


def test_a_worker_that_is_asked_twice_does_not_wait_and_another_does_its_work():
    with Suite(gateway_settings=PATIENT,
               worker_settings={"LK_PWHASH": "20:64", "LK_SLOW_THREADS": "1", "LK_DRAIN_SECONDS": "600"}) as suite:
        trunk = suite.make_trunk()
        names = [f"user{number}" for number in range(2)]
        with concurrent.futures.ThreadPoolExecutor(len(names)) as clients:
            answers = [clients.submit(Client(suite.port, suite.admin, timeout=60 * SLOW, strict=True).call, "POST",
                                      f"/voip/trunk/{trunk}/auth", {"type": "sipuser", "username": name, "password": "correct horse"})
                       for name in names]
            await_that(lambda: total(suite.metrics(suite.gateway), "lk_requests_held") == len(names), 10, "a worker has them")
            first = suite.workers[0]
            suite.await_joined(suite.start_worker())
            first.expected_end = True
            first.popen.terminate()
            await_that(lambda: b"event=draining" in first.log.read_bytes(), 10, "it begins to end")
            first.popen.terminate()
            assert first.popen.wait(10 * SLOW) == 0 and b"event=drain_cut" in first.log.read_bytes()
            assert [answer.result().status for answer in answers] == [201] * len(names)
        kept = suite.call("GET", f"/voip/trunk/{trunk}/auth").result
        assert sorted(method["username"] for method in kept) == names
