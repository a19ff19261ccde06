"""The project of docker-compose.yml, by the engine that DOCKER_HOST names, and its published port."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile

from suite import KEY, ROOT, SLOW, Client, await_that

KEPT = pathlib.Path(os.environ["LK_COMPOSE_DIR"])  # inside.sh removes what a killed test has left there
PORT = 8443  # a network of our own: nobody else has it
WORKERS = ("trunk-auth", "fqdn-auth", "auth-provider")
OF_OURS = ("-q", "--filter", "label=com.docker.compose.project=linekeeper")


class TlsClient(Client):
    """A client of the load balancer. Strict: a connection that is closed is an error."""

    def __init__(self, project, key=None, host="127.0.0.1", **named):
        super().__init__(PORT, project.key if key is None else key, strict=True, **named)
        self.host = host
        self.context = project.context if host == "127.0.0.1" else project.any_host

    def connect(self):
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self.context)


class Project:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=KEPT))
        self.environment = os.environ | {"LK_SECRETS": str(self.directory / "secrets"),
                                         "LK_ENV_FILE": str(self.directory / "env")}
        self.secrets()
        with open(self.directory / "env", "a", encoding="utf-8") as settings:
            settings.write("LK_PWHASH=2:19\n")
        self.certificate = self.directory / "secrets/tls.pem"
        self.context = ssl.create_default_context(cafile=self.certificate)
        self.any_host = ssl.create_default_context(cafile=self.certificate)
        self.any_host.check_hostname = False
        self.scales = {}
        self.key = None

    def secrets(self, *arguments):
        return subprocess.run([ROOT / "deploy/secrets.sh", *arguments], env=self.environment, check=True,
                              capture_output=True, text=True, timeout=60)

    def try_compose(self, *arguments):
        command = ["docker", "compose", "--env-file", self.directory / "env", "-f", ROOT / "docker-compose.yml"]
        return subprocess.run([*command, *arguments], env=self.environment, check=False, capture_output=True,
                              text=True, timeout=300 * SLOW)

    def compose(self, *arguments):
        done = self.try_compose(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, **scales):
        """Starts what is not there, with so many of each; waits until all are healthy."""
        self.scales |= {name.replace("_", "-"): number for name, number in scales.items()}
        scale = [word for name, number in self.scales.items() for word in ("--scale", f"{name}={number}")]
        self.compose("up", "-d", "--no-build", "--no-recreate", "--wait", *scale)

    def down(self, *arguments):
        """Its logs are kept in LK_COMPOSE_DIR. An engine that has lost count of a network's users (moby issue
        42119) keeps that network until its next start, but nothing of ours in it."""
        with open(KEPT / "project.log", "a", encoding="utf-8") as kept:
            kept.writelines(f"{line}\n" for line in self.logs())
        done = self.try_compose("down", *arguments)
        said = done.stdout + done.stderr
        assert done.returncode == 0 or "has active endpoints" in done.stderr, said
        assert not self.left("ps", "-a") and ("-v" not in arguments or not self.left("volume", "ls")), said

    def left(self, *listing):
        return subprocess.run(["docker", *listing, *OF_OURS], check=True, capture_output=True, text=True, timeout=30).stdout

    def roll(self, *services, wanted=0):
        """As the documents say it."""
        done = subprocess.run([ROOT / "deploy/roll.sh", *services], env=self.environment, check=False, capture_output=True,
                              text=True, timeout=300 * SLOW)
        assert done.returncode == wanted, done.stdout + done.stderr

    def script(self, name, *arguments, wanted=0):
        done = subprocess.run([ROOT / "deploy" / name, *arguments], env=self.environment, check=False,
                              capture_output=True, text=True, timeout=300 * SLOW)
        assert done.returncode == wanted, done.stdout + done.stderr
        return done

    def client(self, **named):
        return TlsClient(self, **named)

    def make_key(self, *arguments):
        """As the README says it."""
        made = self.compose("exec", "-T", "gateway", "gateway", "key", "create", "--organization", "default", *arguments)
        key = made.strip()
        assert KEY.match(key), made
        return key

    def inspect(self, service):
        """What the engine knows of each container of the service that runs."""
        ids = self.compose("ps", "-q", service).split()
        done = subprocess.run(["docker", "inspect", *ids], check=True, capture_output=True, timeout=30)
        return [one for one in json.loads(done.stdout) if one["State"]["Running"]]

    def kill(self, container):
        """As the kernel would: `docker kill` would mark it as stopped by hand."""
        os.kill(container["State"]["Pid"], signal.SIGKILL)

    def await_restart(self, container):
        def restarted():
            now = subprocess.run(["docker", "inspect", container["Id"]], check=True, capture_output=True, timeout=30)
            state = json.loads(now.stdout)[0]["State"]
            return state["Running"] and state["Pid"] != container["State"]["Pid"] and state["Health"]["Status"] == "healthy"
        await_that(restarted, 30, f"{container['Name']} is there again")

    def run_in(self, container, *command):
        return subprocess.run(["docker", "exec", container["Id"], *command], check=False, capture_output=True,
                              text=True, timeout=30)

    def end(self):
        self.down("-v")
        shutil.rmtree(self.directory)

    def logs(self, *services):
        return self.compose("logs", "--no-color", "--no-log-prefix", *services).replace("\x1b[2K", "").splitlines()
