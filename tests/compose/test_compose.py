"""docker-compose.yml as an operator runs it: three replicas of each worker, two gateways, one port."""

import copy
import json
import os
import re
import resource
import socket
import ssl
import subprocess

import openapi
import pytest
from project import PORT, WORKERS, Project, TlsClient
from rotation import look_up, replace_seal_key
from suite import await_that
from traffic import TRUNKS, Traffic

IDLE = int(os.environ.get("LK_COMPOSE_IDLE", "600"))  # 9000 takes its time, and 9100 open files
PARTS = ("balancer", "gateway", *WORKERS)


@pytest.fixture(scope="module")
def project():
    running = Project()
    try:
        running.up(trunk_auth=3, fqdn_auth=3, auth_provider=3, gateway=2)
        running.key = running.make_key("--scope", "admin", "--operator")
        await_that(lambda: TlsClient(running).call("GET", TRUNKS).status == 200, 10, "the key works")
        openapi.document = openapi.Document(TlsClient(running).call("GET", "/openapi.json").json)
        yield running
    finally:
        running.end()


@pytest.mark.parametrize("part", PARTS)
def test_a_process_may_do_nothing_but_its_work(project, part):
    for container in project.inspect(part):
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"]
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
        assert host["Memory"] > 0 and host["NanoCpus"] > 0 and host["PidsLimit"] > 0
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert container["State"]["Health"]["Status"] == "healthy"
        status = project.run_in(container, "cat", "/proc/1/status").stdout
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0 and fields["NoNewPrivs"] == "1"
        assert fields["Uid"].split() == ["10001"] * 4
        assert project.run_in(container, "touch", "/opt/x").returncode != 0
        published = [port for ports in container["NetworkSettings"]["Ports"].values() for port in ports or []]
        assert bool(published) == (part == "balancer")


def test_a_process_has_its_own_secrets_and_volume_only(project):
    secrets = {"balancer": ["tls.pem"], "gateway": ["api-key-hash", "gateway.key", "workers"]}
    secrets |= {service: sorted(["gateway.pub", "seal.key", f"{service}.key"]) for service in WORKERS}
    for part, wanted in secrets.items():
        container = project.inspect(part)[0]
        assert project.run_in(container, "ls", "/run/secrets").stdout.split() == wanted
        volumes = [mount["Name"] for mount in container["Mounts"] if mount["Type"] == "volume"]
        assert volumes == ([] if part == "balancer" else [f"linekeeper_{part}"])


def test_a_process_reaches_its_own_networks_only(project):
    wanted = {"balancer": {"clients"}, "gateway": {"clients", "workers"}, "trunk-auth": {"workers"}, "fqdn-auth": {"workers", "outside"},
              "auth-provider": {"workers", "outside"}}  # DNS, metadata
    for part, names in wanted.items():
        for container in project.inspect(part):
            assert set(container["NetworkSettings"]["Networks"]) == {f"linekeeper_{name}" for name in names}


def test_a_worker_whose_hashing_does_not_fit_its_limit_says_so(project):
    image = project.inspect("trunk-auth")[0]["Image"]
    done = subprocess.run(["docker", "run", "--rm", "--network=none", "--memory=256m", "--env=LK_PWHASH=2:100",
                           "--env=LK_SLOW_THREADS=2", image], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78 and "2 hashes at once and the rest take 304 MiB" in done.stderr, done.stderr


def test_secrets_are_made_once(project):
    def all_of_it():
        return {path.name: path.read_bytes() for path in (project.directory / "secrets").iterdir()}

    before = all_of_it()
    project.secrets()
    assert all_of_it() == before


@pytest.mark.parametrize("version, host", [("--http2", "127.0.0.1"), ("--http1.1", "127.0.0.1"), ("--http2", "[::1]")])
def test_clients_of_every_sort_are_served(project, version, host):
    if host == "[::1]" and not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this machine has no IPv6")
    done = subprocess.run(["curl", "-sS", "--cacert", project.certificate, version, "-o", "/dev/null",
                           "-w", "%{http_code} %{http_version}", "-H", f"Authorization: Bearer {project.key}",
                           f"https://{host}:{PORT}{TRUNKS}"], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout == ("200 2" if version == "--http2" else "200 1.1")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_and_plain_text_are_refused(project):
    context = ssl.create_default_context(cafile=project.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)), socket.create_connection(("127.0.0.1", PORT)) as line:
        context.wrap_socket(line, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ConnectionError):
            assert not line.recv(1)
            raise ConnectionError


def test_an_address_can_not_be_claimed(project):
    headers = {"X-Forwarded-For": "203.0.113.66", "x-request-id": "claims-an-address"}
    assert TlsClient(project).call("GET", TRUNKS, headers=headers).status == 200
    line = await_that(lambda: [line for line in project.logs("gateway") if "claims-an-address" in line], 10, "its line")[0]
    assert "203.0.113.66" not in line
    balancer = project.inspect("balancer")[0]["NetworkSettings"]["Networks"].values()
    assert all(f"client={network['IPAddress']}" not in line for network in balancer)


def logs(container):
    return subprocess.run(["docker", "logs", container["Id"]], check=True, capture_output=True, text=True, timeout=30).stderr


def joined(gateway, service):
    """The instances of the service that the gateway has ever had."""
    return {line.split("instance=")[1].split()[0] for line in logs(gateway).splitlines()
            if f"event=worker_joined service={service} " in line}


def instances(project, service):
    """Those that run now, by their own logs: a container may have had several."""
    return {re.findall(r" event=worker_started .*instance=(\S+)", logs(worker))[-1] for worker in project.inspect(service)}


def await_everybody_joined(project):
    for gateway in project.inspect("gateway"):
        for service in WORKERS:
            await_that(lambda: instances(project, service) <= joined(gateway, service), 30,
                       f"{gateway['Name']} has the workers of {service}")


def test_every_gateway_has_every_worker_and_its_share(project):
    await_everybody_joined(project)
    with Traffic(project.client) as traffic:
        traffic.await_more(200)
    traffic.check()
    for gateway in project.inspect("gateway"):
        assert logs(gateway).count("method=POST") >= 20


def test_killed_containers_cost_a_wait_and_nothing_else(project):
    with Traffic(project.client) as traffic:
        for _ in range(2):
            for part in (*WORKERS, "gateway"):
                traffic.await_more(50)
                victim = project.inspect(part)[0]
                project.kill(victim)
                traffic.await_more(50)
                if part == "gateway":  # the other one must have company again
                    project.await_restart(victim)
        traffic.await_more(50)
    traffic.check()


def test_replicas_come_and_go_under_load(project):
    with Traffic(project.client) as traffic:
        for scales in (dict(trunk_auth=5, gateway=3), dict(trunk_auth=1, fqdn_auth=4), dict(fqdn_auth=1, auth_provider=1),
                       dict(gateway=1), dict(trunk_auth=3, fqdn_auth=3, auth_provider=3, gateway=2)):
            traffic.await_more(50)
            project.up(**scales)
            traffic.await_more(50)
            await_everybody_joined(project)  # who is taken away next must not be the only one that a gateway knows
    traffic.check()


def test_containers_are_replaced_and_no_request_fails(project):
    """Writes go without an Idempotency-Key: nobody may send them again."""
    services = ("trunk-auth", "gateway")
    before = {container["Id"]: service for service in services for container in project.inspect(service)}
    await_everybody_joined(project)
    with Traffic(project.client, keyed=False) as traffic:
        traffic.await_more(50)
        project.roll(*services)
        traffic.await_more(50)
    traffic.check()
    after = {container["Id"]: service for service in services for container in project.inspect(service)}
    assert not set(before) & set(after) and sorted(before.values()) == sorted(after.values())


def test_a_roll_that_fails_leaves_what_was(project):
    def containers():
        return set(project.compose("ps", "-a", "-q", "gateway").split())

    before, settings = containers(), project.directory / "env"
    good = settings.read_text(encoding="utf-8")
    settings.write_text(good + "LK_LOG_LEVEL=loud\n", encoding="utf-8")  # what the gateway refuses
    try:
        project.roll("gateway", wanted=1)
    finally:
        settings.write_text(good, encoding="utf-8")
    assert containers() == before
    assert project.client().call("GET", TRUNKS).status == 200


def test_idle_clients_are_held_and_cost_the_gateways_nothing(project):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    # Past the engine's own proxy at the published port: that takes six descriptors for each.
    host = project.inspect("balancer")[0]["NetworkSettings"]["Networks"]["linekeeper_clients"]["IPAddress"]
    idle = [TlsClient(project, host=host) for _ in range(IDLE)]
    for client in idle:
        assert client.call("GET", TRUNKS + "?limit=1").status == 200
    with Traffic(project.client) as traffic:
        traffic.await_more(200)
    traffic.check()
    for gateway in project.inspect("gateway"):
        lines = project.run_in(gateway, "cat", "/proc/net/tcp").stdout.splitlines()
        open_ones = [line for line in lines if line.split()[1].endswith(":1F90") and line.split()[3] == "01"]
        assert len(open_ones) < IDLE / 4
    for client in idle:
        assert client.call("GET", TRUNKS + "?limit=1").status == 200
        client.close()


def test_gateways_are_stopped_before_workers_and_nobody_is_killed(project):
    gateways = project.inspect("gateway")
    workers = [worker for service in WORKERS for worker in project.inspect(service)]
    project.compose("stop")
    ended = [max(re.findall(r"time=(\S+) .* event=draining ", logs(container))) for container in gateways + workers]
    assert max(ended[:len(gateways)]) < min(ended[len(gateways):])
    for container in gateways + workers:
        state = json.loads(subprocess.run(["docker", "inspect", container["Id"]], check=True, capture_output=True, timeout=30).stdout)
        assert state[0]["State"]["ExitCode"] == 0
    project.up()


def test_what_was_kept_is_there_after_the_project_was_taken_down(project):
    with Traffic(project.client) as traffic:
        traffic.await_more(100)
    project.down()
    project.up()
    traffic.check()


def test_the_seal_key_is_replaced_while_all_runs(project):
    right = replace_seal_key(project.client, project.directory / "secrets", lambda: project.script("rotate-seal-key.sh", "--compose"))
    project.compose("restart", "trunk-auth")
    await_everybody_joined(project)  # those know the new key alone
    assert look_up(project.client) == right


def test_a_backup_under_load_comes_back(project):
    with Traffic(project.client) as traffic:
        traffic.await_more(50)
        before = copy.deepcopy(traffic.acknowledged)
        made = project.script("backup.sh", "--compose", project.directory / "backups").stdout.strip()
        traffic.await_more(20)
    traffic.check()
    assert "is in use" in project.script("restore.sh", "--compose", made, wanted=75).stderr
    project.compose("stop", *PARTS)
    project.script("restore.sh", "--compose", made)
    project.up()
    kept = traffic.kept()
    for kind, names in before.items():
        assert set(names) <= set(kept[kind]) <= set(traffic.acknowledged[kind]), kind
    assert sum(map(len, kept.values())) < traffic.written()
