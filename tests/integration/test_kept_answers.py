"""Answers that a gateway gives again without asking (gateway/answers.h): none is older than a write that
was acknowledged, whatever happens to whom meanwhile. Writers and readers race, over two gateways and two
workers; every answer must be what some state said that stood between the reader's question and answer."""

import itertools
import json
import re
import signal
import subprocess
import threading
import time

import pytest
from killpoints import KillPoints
from sip import Trunk, form_client, ha1
from suite import BIN, POLL, SLOW, Client, Suite, await_that

UUID = re.compile("^[0-9a-f]{8}-")
HA1 = "/v1/sip/trunks/ha1?username={}"
SOURCE = "/v1/sip/trunks/source?ip={}"
NEW = "a new method"  # whose uuid nobody knows before the answer
SECONDS = 12
USERS, READERS, ADDRESSES = 3, 2, 40


class History:
    """What one thing (a user, an address) is, one state after another. `begun` counts the states that may
    stand already, `acked` those that must."""

    def __init__(self, path, first):
        self.path, self.states = path, [first]
        self.begun = self.acked = 1

    def begin(self, state):
        self.states.append(state)
        self.begun += 1

    def end(self):
        self.acked = self.begun

    def check(self, client, told):
        """Asks, and finds the answer among the states of that time."""
        oldest = self.acked
        seen = seen_by(client, self.path)
        if seen == "none":  # no answer decides nothing
            return
        possible = self.states[oldest - 1:self.begun]
        told.append(seen in possible or (NEW in possible and UUID.match(seen)))
        assert told[-1], (self.path, seen, possible)


def seen_by(client, path):
    answer = client.call("GET", path)
    if answer.status in (503, 504):
        return "none"
    if answer.status == 200:
        body = json.loads(answer.body)
        return body.get("ha1", body.get("auth_id"))
    return json.loads(answer.body)["errors"][0]["meta"]["reason"]


def kept(suite, result):
    return sum(value for gateway in suite.gateways for (name, labels), value in suite.metrics(gateway).items()
               if name == "lk_kept_answers_total" and ("result", result) in labels)


def servers(suite):
    """A SIP server's connection to each gateway."""
    key = form_client(suite).key
    return [Client(port, key, timeout=30) for port in suite.ports]


class Race:
    def __init__(self, suite):
        self.suite = suite
        self.key = form_client(suite).key
        self.over = threading.Event()
        self.failures, self.told, self.writes = [], [], []
        self.histories = []

    def run(self, *tasks):
        def guarded(task):
            try:
                task()
            except BaseException as error:  # pylint: disable=broad-except
                self.failures.append(error)
                self.over.set()

        threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        self.over.wait(SECONDS)
        self.over.set()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def clients(self, key):
        return itertools.cycle([Client(port, key, timeout=30) for port in self.suite.ports])

    def change(self, history, state, write):
        """A write until it is acknowledged; then everybody must see it, twice: the second answer may
        be one that was kept."""
        history.begin(state)
        while (answer := write()).status not in (200, 201, 204):
            assert answer.status in (503, 504), answer.body
        if state == NEW:
            history.states[-1] = answer.result["uuid"]
        history.end()
        self.writes.append(1)
        readers = self.clients(self.key)
        for _ in range(4):
            history.check(next(readers), self.told)

    def user_writer(self, number):
        name = f"raced-{number}"
        trunk = Trunk(self.suite)
        method = trunk.user(name, "password 0")
        history = History(HA1.format(name), ha1(name, "password 0"))
        self.histories.append(history)
        admins = self.clients(self.suite.admin)

        def write():
            path, secret = f"{trunk.methods}/{method}", "password 0"
            for turn in itertools.count(1):
                if self.over.is_set():
                    return
                if turn % 7 == 0:
                    secret = f"password {turn}"
                    self.change(history, ha1(name, secret), lambda: next(admins).call("PATCH", path, {"password": secret}))
                elif turn % 7 == 3:
                    self.change(history, "expired", lambda: next(admins).call("PATCH", path, {"expires_at": "2020-01-01T00:00:00Z"}))
                    self.change(history, ha1(name, secret), lambda: next(admins).call("PATCH", path, {"expires_at": None}))
                else:
                    self.change(history, "disabled", lambda: next(admins).call("PATCH", path, {"enabled": False}))
                    self.change(history, ha1(name, secret), lambda: next(admins).call("PATCH", path, {"enabled": True}))

        return write

    def source_writer(self):
        """Methods that come and go, one address after another."""
        trunk = Trunk(self.suite)
        addresses = [f"198.18.100.{number}" for number in range(ADDRESSES)]
        histories = [History(SOURCE.format(ip), "unknown_source") for ip in addresses]
        self.histories.extend(histories)
        admins = self.clients(self.suite.admin)

        def write():
            for turn in itertools.count():
                if self.over.is_set():
                    return
                history = histories[turn % ADDRESSES]
                body = {"type": "ip", "ip": addresses[turn % ADDRESSES]}
                once = {"Idempotency-Key": f"turn-{turn}"}
                self.change(history, NEW, lambda: next(admins).call("POST", trunk.methods, body, headers=once))
                path = f"{trunk.methods}/{history.states[-1]}"
                self.change(history, "unknown_source", lambda: self.gone(next(admins).call("DELETE", path)))

        return write

    @staticmethod
    def gone(answer):
        """404 after a 504: it was deleted then."""
        if answer.status == 404:
            answer.status = 204
        return answer

    def reader(self):
        mine = self.clients(self.key)
        while not self.over.is_set():
            for history in list(self.histories):
                history.check(next(mine), self.told)

    def killer(self):
        """Two workers, one of which is killed at any moment."""
        while not self.over.wait(1.5):
            worker = self.suite.workers.pop(0)
            worker.kill()
            self.suite.await_joined(self.suite.start_worker())


def test_no_answer_is_older_than_an_acknowledged_write():
    with Suite(workers=2, gateways=2) as suite:
        race = Race(suite)
        writers = [race.user_writer(number) for number in range(USERS)] + [race.source_writer()]
        race.run(*writers, *[race.reader] * READERS, race.killer)
        hits = kept(suite, "hit")
        print(f"{len(race.writes)} writes, {len(race.told)} answers, {hits:.0f} of them kept")
        assert all(race.told) and len(race.writes) > 50 and hits > 100


def prime(suite, clients, path):
    """Until each gateway gives it from memory; what it says. The first times it may not have found the store's version
    yet, or times of last use may just be written: that is a write as any other."""
    def from_memory(client):
        before = kept(suite, "hit")
        said = seen_by(client, path)
        return said if kept(suite, "hit") > before else None

    for client in clients:
        said = await_that(lambda client=client: from_memory(client), 10, "it is given from memory")
    return said


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_has_committed_and_not_answered(how):
    """Whoever asks a worker sees the change already: then nobody is told the old any more."""
    with Suite(workers=0, gateways=2, wait=False) as suite:
        points = KillPoints(suite)
        for _ in range(2):
            suite.start_worker()
        suite.await_ready()
        for worker in suite.workers:
            suite.await_joined(worker)
        trunk = Trunk(suite)
        method = trunk.user("halfway", "correct horse")
        readers, path = servers(suite), HA1.format("halfway")
        assert prime(suite, readers, path) == ha1("halfway", "correct horse")
        points.arm("committed", how=how)
        answers = []
        write = threading.Thread(target=lambda: answers.append(
            Client(suite.port, suite.admin, timeout=60).call("PATCH", f"{trunk.methods}/{method}", {"enabled": False})))
        write.start()
        points.await_fired()
        # By another question, which nobody has asked before, the change is seen; so by the first one too.
        for number in range(20):
            asked = f"{path}&source_ip=192.0.2.{number}"
            assert seen_by(readers[number % 2], asked) in ("disabled", "none")
            assert seen_by(readers[number % 2], path) in ("disabled", "none")
        if how == signal.SIGSTOP:
            for worker in suite.workers:
                worker.popen.send_signal(signal.SIGCONT)
        write.join()
        assert answers[0].status in (200, 503, 504), answers[0].body
        for reader in readers * 2:
            await_that(lambda reader=reader: seen_by(reader, path) == "disabled", 10, "it is seen")
        if how == signal.SIGKILL:
            points.replace_dead()


def test_without_a_worker_memory_is_silent():
    with Suite(workers=2, gateways=2) as suite:
        Trunk(suite).user("alone", "correct horse")
        readers, path = servers(suite), HA1.format("alone")
        prime(suite, readers, path)
        for worker in suite.workers:
            worker.kill(signal.SIGSTOP)
        for worker in suite.workers:
            suite.await_left(worker)
        for reader in readers:
            await_that(lambda reader=reader: seen_by(reader, path) == "none", 10, "nothing is said from memory")
        for worker in suite.workers:
            worker.popen.send_signal(signal.SIGCONT)
        for reader in readers:
            await_that(lambda reader=reader: seen_by(reader, path) == ha1("alone", "correct horse"), 20, "they are back")


def test_a_restored_store_is_another_one():
    with Suite(gateways=2) as suite:
        trunk = Trunk(suite)
        method = trunk.user("again", "password 1")
        copy = suite.directory / "copy.db"
        command = [str(BIN / "trunk-auth"), "backup", str(copy)]
        subprocess.run(command, env=suite.environment(), check=True, timeout=60 * SLOW, capture_output=True)
        trunk.change(method, password="password 2")
        readers, path = servers(suite), HA1.format("again")
        assert prime(suite, readers, path) == ha1("again", "password 2")
        assert suite.workers[0].stop() == 0
        command[1] = "restore"
        subprocess.run(command, env=suite.environment(), check=True, timeout=60 * SLOW, capture_output=True)
        suite.workers[0] = suite.start_worker()
        suite.await_joined(suite.workers[0])
        for reader in readers:
            await_that(lambda reader=reader: seen_by(reader, path) != "none", 10, "it is there")
            assert seen_by(reader, path) == ha1("again", "password 1")


def test_a_lock_out_ends_what_was_kept():
    with Suite(gateways=2) as suite:
        Trunk(suite).user("guessed", "correct horse")
        readers, path = servers(suite), HA1.format("guessed") + "&source_ip=192.0.2.1"
        elsewhere = HA1.format("guessed") + "&source_ip=192.0.2.2"
        assert prime(suite, readers, path) == prime(suite, readers, elsewhere) == ha1("guessed", "correct horse")
        failure = {"username": "guessed", "source_ip": "192.0.2.1", "outcome": "failure"}
        for _ in range(10):
            assert readers[0].call("POST", "/v1/sip/trunks/report", failure).status == 204
        for reader in readers:
            assert seen_by(reader, path) == "locked_out"
            assert seen_by(reader, elsewhere) == ha1("guessed", "correct horse")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_that_are_set_otherwise(how):
    """What the ones before answered is not what those who are left would."""
    with Suite() as suite:
        Trunk(suite).user("settled", "correct horse")
        reader, path = servers(suite)[0], HA1.format("settled") + "&realm=linekeeper"
        before = suite.workers.pop()

        def another():
            suite.worker_settings = suite.worker_settings | {"LK_SIP_REALMS": "another.example.com"}
            suite.await_joined(suite.start_worker())

        if how == signal.SIGTERM:
            another()
            await_that(lambda: seen_by(reader, path) == ha1("settled", "correct horse"), 20, "the one before answers")
        else:
            assert prime(suite, [reader], path) == ha1("settled", "correct horse")
        before.kill(how)
        suite.await_left(before)
        if how == signal.SIGKILL:
            another()
        for _ in range(3):
            assert seen_by(reader, path) == "realm_not_served"


def test_time_ends_an_answer():
    """What expires while it is kept."""
    with Suite() as suite:
        trunk = Trunk(suite)
        soon = time.time() + 3 * SLOW
        trunk.user("brief", "correct horse", expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon)))
        reader, path = servers(suite)[0], HA1.format("brief")
        while time.time() < int(soon) - 0.05:
            assert seen_by(reader, path) in (ha1("brief", "correct horse"), "expired")
        while time.time() < int(soon) + 0.05:
            POLL.wait(0.01)
        assert seen_by(reader, path) == "expired"


@pytest.mark.parametrize("settings", [{"LK_ANSWER_CACHE_MIB": "0"}, {"LK_BOARD_DIR": "/nonexistent"}])
def test_off(settings):
    with Suite(gateway_settings=settings) as suite:
        Trunk(suite).user("off", "correct horse")
        reader = servers(suite)[0]
        for _ in range(3):
            assert seen_by(reader, HA1.format("off")) == ha1("off", "correct horse")
        assert kept(suite, "hit") == 0


def test_views_are_apart():
    """What an operator is told is not what an organization is told, nor another one."""
    with Suite() as suite:
        trunk = Trunk(suite)
        trunk.user("seen", "correct horse")
        path = HA1.format("seen")
        operator = form_client(suite, "--organization", "default", "--operator")
        own, other = servers(suite)[0], form_client(suite, "--organization", "other")

        def hits_of_a_round():
            before = kept(suite, "hit")
            assert "organization_id" in json.loads(operator.call("GET", path).body)
            assert "organization_id" not in json.loads(own.call("GET", path).body)
            assert other.call("GET", path).status == 404
            return kept(suite, "hit") - before

        assert hits_of_a_round() == 0  # nobody is given what another one has asked for
        await_that(lambda: hits_of_a_round() == 2, 10, "both are given from memory, and what is not there never")


def test_a_revoked_key_gets_nothing_from_memory():
    with Suite() as suite:
        Trunk(suite).user("behind", "correct horse")
        reader = form_client(suite, "--organization", "default", "--name", "gone")
        path = HA1.format("behind")
        prime(suite, [reader], path)
        mine = [key["id"] for key in json.loads(suite.key_command("list", "--json").stdout) if key.get("name") == "gone"]
        assert suite.key_command("revoke", *mine).returncode == 0
        await_that(lambda: reader.call("GET", path).status == 401, 10, "the key is refused")
