"""Kamailio with deploy/kamailio/kamailio.cfg as it stands, told by its environment where things are.

    with Kamailio(directory, url=f"http://kamailio:{key}@127.0.0.1:{port}", core=core.uri) as kamailio:
        Uac(kamailio.port, "trunk1", "secret").invite()

Skips, and says so, where Kamailio can't be had.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess

import pytest
from sip_uac import Uac
from suite import ROOT, SLOW, await_that, free_port
from unpacked import Unpacked

# For suites that answer calls within LK_CALL_ANSWER_MS: however busy the machine is, no call is refused for it.
PATIENT, CALL_ANSWER_MS = "LK_TIMEOUT=12", "10000"
CONFIG = ROOT / "deploy/kamailio/kamailio.cfg"
REALM = "sip.example.com"
PROGRAM = Unpacked("kamailio")


def need():
    if PROGRAM.path is None:
        pytest.skip("no Kamailio (tests/run.sh unpacks it)", allow_module_level=True)


class Kamailio:
    def __init__(self, directory, url, core="sip:127.0.0.1:9", family="trunks", defines=(), settings=None):
        need()
        self.port = free_port()
        self.directory = directory / f"kamailio-{self.port}"
        self.directory.mkdir()
        self.log = self.directory / "log"
        self.environment = os.environ | PROGRAM.environment | {
            "LK_URL": url, "LK_FAMILY": family, "LK_REALM": REALM, "LK_LISTEN": f"udp:127.0.0.1:{self.port}", "LK_CORE": core} | (settings or {})
        self.arguments = ["-L", str(PROGRAM.under("usr/lib/*/kamailio/modules")), "-f", str(CONFIG),
                          "-DD", "-E", "-m", "64", "-w", str(self.directory), "-Y", str(self.directory), *(f"-A{define}" for define in defines)]
        self.popen = None

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen([PROGRAM.path, *self.arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True)
        try:
            await_that(self.answers, 30, "Kamailio answers")
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def answers(self):
        assert self.popen.poll() is None, "Kamailio has ended"
        with Uac(self.port) as uac:
            uac.socket.settimeout(0.5)
            try:
                uac.send(uac.compose("OPTIONS", f"sip:127.0.0.1:{self.port}", "hello", 1))
                return uac.socket.recv(4096).startswith(b"SIP/2.0 200")
            except (ConnectionError, socket.timeout):
                return False

    def grep(self, pattern):
        return re.findall(pattern, self.log.read_text(errors="replace"))

    def command(self, *arguments):
        """kamcmd: its output."""
        done = subprocess.run([Unpacked("kamailio", "kamcmd").path, "-s", f"unixs:{self.directory}/kamailio_ctl", *arguments], env=self.environment,
                              capture_output=True, text=True, timeout=20 * SLOW, check=True)
        return done.stdout

    def __exit__(self, kind, *_):
        """It is asked to end, as an operator would, and after a while told: stopped while it starts, it may wait for ever."""
        alive = self.popen.poll() is None
        if alive:
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        if kind is not None:
            print(self.log.read_text(errors="replace")[-8000:])
        else:
            assert alive and not self.grep("exited by a signal|core was"), self.log.read_text(errors="replace")[-8000:]
