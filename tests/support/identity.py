"""Real identity providers for tests, of tests/sso: npm's samlp and Debian's lasso. People: amelia, with the password
"correct horse".

    with IdentityProvider("samlp", directory) as idp:
        idp.settings(mode="expired")    # of a provider that answers so
"""

import hashlib
import json
import ssl
import subprocess

from npm import Project, environment
from suite import ROOT, SLOW

KINDS = ("samlp", "lasso")


def key_pair(directory, name):
    """Paths of a fresh RSA key and its self-signed certificate, for what takes PEM files."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-subj", f"/CN={name}", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True, timeout=60 * SLOW)
    key.chmod(0o600)
    return key, certificate


def fingerprint(certificate, algorithm="sha256"):
    return hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


class IdentityProvider:
    """trust: a file of certificates that its own requests over TLS believe in."""

    def __init__(self, kind, directory, trust=None):
        self.kind, self.log = kind, directory / f"{kind}.log"
        self.key, self.certificate = key_pair(directory, kind)
        files = [self.key, self.certificate, *key_pair(directory, f"{kind}-wrong")]
        if kind == "samlp":
            project = Project("sso")
            project.prepare()
            self.command, self.folder = ["node", "--no-deprecation", "idp.mjs", *files], project.target
        else:
            self.command, self.folder = ["/usr/bin/python3", "idp_lasso.py", *files], ROOT / "tests/sso"
        more = {"NODE_EXTRA_CA_CERTS": str(trust), "SSL_CERT_FILE": str(trust)} if trust else {}
        self.environment = environment(PYTHONDONTWRITEBYTECODE="1", **more)

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        assert line, f"{self.kind} has not started: {self.log.read_text()[-2000:]}"
        self.base = json.loads(line)["base"]
        self.entity = f"{self.base}/metadata"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def settings(self, mode="assertion", **more):
        return {"idp_entity_id": self.entity, "idp_sso_target_url": f"{self.base}/sso?mode={mode}", "idp_slo_target_url": f"{self.base}/slo",
                "idp_cert_fingerprint": fingerprint(self.certificate), "idp_cert_fingerprint_algorithm": "sha256",
                "idp_certificate": self.certificate.read_text(), "idp_attribute_names": {"email": "mail"}} | more
