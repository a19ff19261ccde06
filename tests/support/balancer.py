"""The load balancer of deploy/, without an engine: HAProxy with haproxy.cfg as it is, a name server that knows
where the gateways are, and a certificate. HAProxy is the machine's own, or what tests/run.sh has unpacked."""

import http.client
import os
import socket
import ssl
import subprocess
import threading

from suite import ROOT, Client, Process, await_that, free_port
from unpacked import Unpacked

HAPROXY = Unpacked("haproxy")


class NameServer:
    """Answers that every name leads to all of the addresses (RFC 1035)."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            if not query:
                return
            end = query.index(b"\0", 12) + 5
            asks_ipv4 = query[end - 4:end] == b"\0\1\0\1"
            records = [b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(address) for address in self.addresses]
            counts = b"\0\1" + bytes((0, len(records) if asks_ipv4 else 0)) + b"\0\0\0\0"
            self.socket.sendto(query[:2] + b"\x81\x80" + counts + query[12:end] + b"".join(records if asks_ipv4 else []), client)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())


class TlsClient(Client):
    """A client of the load balancer. Strict: a connection that is closed is an error."""

    def __init__(self, port, key, context, **named):
        super().__init__(port, key, strict=True, **named)
        self.context = context

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=self.timeout, context=self.context)


class Balancer:
    """In front of a suite's gateways, which listen at the suite's port of those hosts. Its certificate is for localhost,
    and in the file trust."""

    def __init__(self, suite, hosts, clients=500, port=None, **settings):
        self.suite, self.port = suite, port or free_port()
        self.names = NameServer(hosts)
        certificate, self.trust = suite.directory / "tls.pem", suite.directory / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", certificate, "-out",
                        self.trust], check=True, capture_output=True, timeout=60)
        with open(certificate, "ab") as both:
            both.write(self.trust.read_bytes())
        self.context = ssl.create_default_context(cafile=self.trust)
        environment = os.environ | HAPROXY.environment | {
            "LK_BALANCER_LISTEN": f"127.0.0.1:{self.port}", "LK_BALANCER_HEALTH": f"127.0.0.1:{self.port + 1}",
            "LK_BALANCER_TLS": str(certificate), "LK_BALANCER_RESOLVER": self.names.address,
            "LK_BALANCER_GATEWAYS": f"gateway:{suite.port}", "LK_CLIENTS": str(clients), **settings}
        self.log = suite.directory / "balancer.log"
        self.process = Process("balancer", [HAPROXY.path, "-db", "-f", ROOT / "deploy/haproxy/haproxy.cfg"], environment, self.log)
        await_that(self.is_healthy, 20, f"the balancer has a gateway: {self.log.read_text()}")

    def is_healthy(self):
        line = http.client.HTTPConnection("127.0.0.1", self.port + 1, timeout=5)
        line.request("GET", "/healthz")
        status = line.getresponse().status
        line.close()
        return status == 200

    def client(self, **named):
        return TlsClient(self.port, self.suite.admin, self.context, **named)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.popen.kill()
        self.process.popen.wait()
        self.names.close()
