"""A network of its own between the gateway and a worker, which can be cut without either being told.

    with Network() as network:
        network.here, network.there      # addresses of the two ends
        network.command                  # runs a program at the other end: [*network.command, "worker"]
        network.cut(to_there=True)       # what we send gets lost; what they send comes
        network.heal()

Two ends of a veth pair, the other one in a network namespace. A cut is a wrong hardware address for the
neighbour: frames leave, and nobody takes them. Needs root and iproute2; skips where it can't be had.
"""

import os
import shutil
import subprocess

import pytest

NOBODY = "02:00:00:00:00:01"


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=check).stdout


class Network:
    def __init__(self):
        number = os.getpid() % 16000
        self.name, self.near, self.far = f"lkt{number}", f"lkn{number}", f"lkf{number}"
        base = f"198.18.{number // 64}.{number % 64 * 4}".rpartition(".")
        self.here, self.there = (f"{base[0]}.{int(base[2]) + last}" for last in (1, 2))
        self.command = ["ip", "netns", "exec", self.name]

    def __enter__(self):
        if os.geteuid() != 0 or shutil.which("ip") is None:
            pytest.skip("a network namespace needs root and iproute2")
        try:
            ip("netns", "add", self.name)
            ip("link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", self.name)
            ip("addr", "add", f"{self.here}/30", "dev", self.near)
            ip("link", "set", self.near, "up")
            self._inside("addr", "add", f"{self.there}/30", "dev", self.far)
            self._inside("link", "set", self.far, "up")
            self._inside("link", "set", "lo", "up")
            self.heal()
        except subprocess.CalledProcessError as error:
            self.__exit__()
            pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
        return self

    def __exit__(self, *_):
        ip("link", "del", self.near, check=False)
        ip("netns", "del", self.name, check=False)

    def _inside(self, *arguments):
        return ip("-n", self.name, *arguments)

    @staticmethod
    def _hardware(shown):
        return shown.partition("link/ether ")[2].split()[0]

    def _lead(self, to_there, to_here):
        ip("neigh", "replace", self.there, "lladdr", to_there, "dev", self.near, "nud", "permanent")
        self._inside("neigh", "replace", self.here, "lladdr", to_here, "dev", self.far, "nud", "permanent")

    def cut(self, to_there=False, to_here=False):
        there, here = self._hardware(self._inside("link", "show", self.far)), self._hardware(ip("link", "show", self.near))
        self._lead(NOBODY if to_there else there, NOBODY if to_here else here)

    def heal(self):
        self.cut()
