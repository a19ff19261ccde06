"""deploy/rotate-seal-key.sh: a new seal key, while calls are looked up and rows are written, workers are killed, and
the script itself."""

import os
import subprocess
import urllib.parse

from suite import BIN, ROOT, SLOW, Client, Suite, await_that, every_service
from traffic import CONNECTIONS, TRUNKS, Running, Traffic

USERS = 8
TOKEN = "token-that-nobody-guesses"
SCRIPT = ROOT / "deploy/rotate-seal-key.sh"


class Sealed(Suite):
    def __init__(self, workers=2):
        super().__init__(services=every_service(), workers=workers)
        self.keys = self.data / "keys/seal.key"
        self.retired = self.data / "keys/seal.retired"

    def rotate(self, where=("--bin", BIN), environment=None):
        return subprocess.Popen([SCRIPT, *where, "--wait", str(int(60 * SLOW))], env=self.environment(environment),
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def seal_keys(self, service):
        """What the service tells: (rows by key, whether all workers have the keys)."""
        done = subprocess.run([BIN / service, "seal-keys"], env=self.environment(), capture_output=True, text=True,
                              timeout=20 * SLOW, check=False)
        assert done.returncode == 0, done.stderr
        words = [line.split() for line in done.stdout.splitlines()]
        rows = {int(word[1]): int(word[2]) for word in words if word[0] == "key"}
        return rows, ["workers", "same"] in words

    def ids(self):
        return [int(line.split(":")[0]) for line in self.keys.read_text().splitlines()]

    def make_users(self):
        trunk = self.make_trunk()
        for number in range(USERS):
            body = {"type": "sipuser", "username": f"user-{number}", "password": "correct horse"}
            assert self.call("POST", f"{TRUNKS}/{trunk}/auth", body).status == 201

    def make_connection(self, token, wanted):
        made = self.call("POST", CONNECTIONS, {"connection_name": f"connection {token} {wanted}"})
        path = f"{CONNECTIONS}/{made.json['data']['id']}/fqdn_authentication"
        answer = self.call("PATCH", path, {"user_name": f"pbx-{made.json['data']['id'][-12:]}", "password": "correct horse"})
        if answer.status == 404:
            answer = self.call("POST", f"/security/connections/{made.json['data']['id']}/fqdn_authentication",
                               {"user_name": f"pbx-{made.json['data']['id'][-12:]}", "password": "correct horse"})
        assert answer.status == 200, answer.body
        answer = self.call("PATCH", path, {"ip_authentication_token": token})
        assert answer.status == wanted, answer.body

    def ha1(self, number, client=None):
        query = urllib.parse.urlencode({"username": f"user-{number}", "realm": "linekeeper", "algorithm": "SHA-256"})
        answer = (client or self.client).call("GET", f"/v1/sip/trunks/ha1?{query}")
        assert answer.status == 200, answer.body
        return answer.json["ha1"]

    def connect(self, timeout=30):
        return Client(self.port, self.admin, timeout=timeout)

    def kill_and_replace(self, service):
        worker = next(each for each in self.workers if each.name.startswith(service) and each.alive())
        worker.kill()
        self.await_joined(self.start_worker(service))


class LookUps(Running):
    """Looks up users all the while; any answer but the one from before is an error."""

    def __init__(self, suite, right):
        self.suite, self.right, self.count, self.errors = suite, right, 0, []
        super().__init__(self.run, [()])

    def run(self):
        client = self.suite.connect()
        while not self.stop.is_set():
            number = self.count % USERS
            try:
                found = self.suite.ha1(number, client)
                if found != self.right[number]:
                    self.errors.append((number, "another HA1"))
            except (OSError, AssertionError) as error:
                self.errors.append((number, repr(error)))
            self.count += 1


def finish(script):
    said = script.communicate(timeout=240 * SLOW)[0]
    assert script.returncode == 0, said
    return said


def test_a_key_is_replaced_under_load_and_with_workers_killed():
    with Sealed() as suite:
        suite.make_users()
        suite.make_connection(TOKEN, 200)
        right = [suite.ha1(number) for number in range(USERS)]
        kept = {"Idempotency-Key": "from-before-the-rotation"}
        before = suite.call("POST", TRUNKS, {"name": "kept"}, kept)
        old = suite.keys.read_text()
        with Traffic(suite.connect, clients=3) as traffic, LookUps(suite, right) as look_ups:
            traffic.await_more(10)
            script = suite.rotate()
            for line in script.stdout:
                if "is in front" in line:
                    break
            for service in ("trunk-auth", "fqdn-auth"):
                suite.kill_and_replace(service)
            said = finish(script)
            traffic.await_more(10)
            looked_up = look_ups.count
            await_that(lambda: look_ups.count > looked_up + USERS, 20, "calls are looked up")
        traffic.check()
        assert look_ups.errors == [], said
        assert suite.ids() == [2] and suite.retired.read_text() == old
        assert oct(suite.keys.stat().st_mode & 0o777) == "0o600"
        for service in suite.services:
            rows, same = suite.seal_keys(service)
            assert same and set(rows) == {2}, (service, rows)
            assert service == "auth-provider" or rows[2] > 0
        again = suite.call("POST", TRUNKS, {"name": "kept"}, kept)
        assert (again.status, again.result["uuid"]) == (201, before.result["uuid"])
        assert suite.call("POST", TRUNKS, {"name": "other"}, kept).status == 422
        suite.make_connection(TOKEN, 422)
        for worker in list(suite.workers):
            if worker.alive():
                assert worker.stop() == 0
        for service in suite.services:
            suite.start_worker(service)
        suite.await_ready()
        assert [suite.ha1(number) for number in range(USERS)] == right
        assert suite.call("POST", TRUNKS, {"name": "kept"}, kept).result["uuid"] == before.result["uuid"]


def test_a_script_that_is_killed_is_called_again():
    with Sealed(workers=1) as suite:
        suite.make_users()
        right = [suite.ha1(number) for number in range(USERS)]
        for words, ids in (("behind key 1", [1, 2]), ("is in front", [2, 1]), ("the others are in", [2])):
            script = suite.rotate()
            seen = next((line for line in script.stdout if words in line), None)
            script.kill()
            script.communicate(timeout=20 * SLOW)
            assert seen and suite.ids() == ids
            assert [suite.ha1(number) for number in range(USERS)] == right
        await_that(lambda: suite.seal_keys("trunk-auth")[1], 20, "the workers have the new key alone")
        assert set(suite.seal_keys("trunk-auth")[0]) == {2}
        assert suite.retired.read_text().startswith("1:")


def test_a_file_that_is_mounted_stays_the_same_file():
    """As with containers, whose programs a docker of our own calls; the script before was killed while it wrote."""
    with Sealed(workers=1) as suite:
        suite.make_users()
        right = [suite.ha1(number) for number in range(USERS)]
        programs = suite.directory / "bin"
        programs.mkdir()
        (programs / "docker").write_text('#!/bin/bash\nwhile [[ $1 != -T ]]; do shift; done\nshift 2\n'
                                         f'exec {BIN}/"$1" "${{@:2}}"\n')
        (programs / "docker").chmod(0o755)
        suite.keys.chmod(0o400)
        node, old = suite.keys.stat().st_ino, suite.keys.read_text()
        suite.keys.with_name("seal.key.next").write_text(old + f"2:{'ab' * 32}\n")
        suite.keys.chmod(0o600)
        suite.keys.write_text(old + "2:ab")
        suite.keys.chmod(0o400)
        assert [suite.ha1(number) for number in range(USERS)] == right
        finish(suite.rotate(("--compose",), {"PATH": f"{programs}:{os.environ['PATH']}", "LK_SECRETS": str(suite.keys.parent)}))
        assert (suite.keys.stat().st_ino, suite.keys.stat().st_mode & 0o777) == (node, 0o400)
        assert suite.keys.read_text() == f"2:{'ab' * 32}\n" and suite.retired.read_text() == old
        assert [suite.ha1(number) for number in range(USERS)] == right


def test_no_key_is_lost_where_the_file_is_read_in_part():
    with Sealed(workers=1) as suite:
        good = suite.keys.read_text()
        programs = suite.directory / "bin"
        programs.mkdir()
        (programs / "grep").write_text('#!/bin/bash\n[[ $1 != "^[1-9]"* ]] || exit 2\nexec /usr/bin/grep "$@"\n')
        (programs / "grep").chmod(0o755)
        script = suite.rotate(environment={"PATH": f"{programs}:{os.environ['PATH']}"})
        said, _ = script.communicate(timeout=60 * SLOW)
        assert script.returncode == 1 and "would lose a key" in said, said
        assert suite.keys.read_text() == good and not suite.keys.with_name("seal.key.next").exists()


def test_a_bad_file_changes_nothing():
    with Sealed(workers=1) as suite:
        suite.make_users()
        right = [suite.ha1(number) for number in range(USERS)]
        good = suite.keys.read_text()
        suite.keys.write_text("1:no key\n")
        await_that(lambda: len(suite.grep_logs(rb"event=seal_keys_refused")) == len(suite.services), 20, "it is refused")
        assert [suite.ha1(number) for number in range(USERS)] == right
        suite.make_trunk()
        suite.keys.write_text(good)
        await_that(lambda: suite.seal_keys("trunk-auth")[1], 20, "the workers have them")
        assert not suite.grep_logs(good[2:66].encode())
