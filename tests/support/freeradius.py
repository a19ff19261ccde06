"""FreeRADIUS with deploy/freeradius as it stands, and radclient: asks as a SIP server would.

    with FreeRadius(directory, url, key) as radius:
        radius.ask("trunk1", "secret")        # "Access-Accept", "Access-Reject"

Skips, and says so, where FreeRADIUS can't be had.
"""

import os
import re
import secrets
import subprocess

import pytest
from kamailio import REALM
from sip_uac import digest_hash
from suite import ROOT, SLOW, Process, await_that, free_port
from unpacked import Unpacked

PROGRAM = Unpacked("freeradius")
CLIENT = Unpacked("freeradius", "radclient")
SECRET = "testing-secret"
MAIN = """
prefix = "{root}"
libdir = {libraries}
logdir = {here}
run_dir = {here}
pidfile = {here}/pid
confdir = {here}
correct_escapes = true
max_request_time = 30
security {{
    reject_delay = 0
    status_server = no
}}
client test {{
    ipaddr = 127.0.0.0/8
    secret = {secret}
}}
thread pool {{
    start_servers = 2
    max_servers = 8
}}
modules {{
    always reject {{
        rcode = reject
    }}
    $INCLUDE {deployed}/linekeeper.mods
}}
$INCLUDE {deployed}/linekeeper.site
"""


def need():
    if PROGRAM.path is None or CLIENT.path is None:
        pytest.skip("no FreeRADIUS (tests/run.sh unpacks it)", allow_module_level=True)


class FreeRadius:
    def __init__(self, directory, url, key, family="trunks"):
        need()
        self.port = free_port()
        self.directory = directory / f"freeradius-{self.port}"
        self.directory.mkdir()
        self.log = self.directory / "log"
        self.dictionaries = str(PROGRAM.under("usr/share/freeradius"))
        libraries = PROGRAM.under("usr/lib/freeradius")
        (self.directory / "radiusd.conf").write_text(MAIN.format(
            root=PROGRAM.root / "usr", libraries=libraries, here=self.directory, secret=SECRET, deployed=ROOT / "deploy/freeradius"))
        self.environment = os.environ | PROGRAM.environment | {
            "LK_URL": url, "LK_KEY": key, "LK_FAMILY": family, "LK_REALM": REALM, "LK_RADIUS_ADDRESS": "127.0.0.1", "LK_RADIUS_PORT": str(self.port)}

    def __enter__(self):
        self.process = Process("freeradius", [PROGRAM.path, "-f", "-l", "stdout", "-xx", "-n", "radiusd", "-d", str(self.directory), "-D", self.dictionaries],
                               self.environment, self.log)
        try:
            await_that(self.is_ready, 30, "FreeRADIUS is ready")
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def is_ready(self):
        assert self.process.alive(), self.log.read_text(errors="replace")[-3000:]
        return "Ready to process requests" in self.log.read_text(errors="replace")

    def __exit__(self, kind, *_):
        alive = self.process.alive()
        self.process.popen.kill()
        self.process.popen.wait()
        if kind is not None:
            print(self.log.read_text(errors="replace")[-8000:])
        else:
            assert alive, self.log.read_text(errors="replace")[-8000:]

    def send(self, attributes, kind="auth"):
        """What comes back to these (name, value) pairs; None: nothing."""
        said = "".join(f'{name} = "{value}"\n' for name, value in attributes.items() if value is not None)
        done = subprocess.run([CLIENT.path, "-D", self.dictionaries, "-x", "-r", "1", "-t", str(int(15 * SLOW)), f"127.0.0.1:{self.port}", kind, SECRET],
                              input=said, env=self.environment, capture_output=True, text=True, timeout=60 * SLOW, check=False)
        received = re.search(r"Received (\S+)", done.stdout)
        return received and received[1]

    def attributes(self, user, password, **changed):
        nonce, cnonce, uri = secrets.token_hex(8), secrets.token_hex(4), "sip:100@example.com"
        ha1 = digest_hash("MD5", f"{user}:{REALM}:{password}")
        ha2 = digest_hash("MD5", f"INVITE:{uri}")
        response = digest_hash("MD5", f"{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")
        return {"User-Name": user, "Digest-Response": response, "Digest-Realm": REALM, "Digest-Nonce": nonce, "Digest-Method": "INVITE", "Digest-URI": uri,
                "Digest-QOP": "auth", "Digest-Algorithm": "MD5", "Digest-CNonce": cnonce, "Digest-Nonce-Count": "00000001", "Digest-User-Name": user,
                **{name.replace("_", "-"): value for name, value in changed.items()}}

    def ask(self, user, password, source="127.0.0.1", **changed):
        return self.send(self.attributes(user, password, Framed_IP_Address=source, **changed))
