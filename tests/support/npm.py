"""Folders of tests that are run by node, such as tests/sdk: the packages that the folder's package-lock.json names are
installed once, for all builds, into the folder of that name below build.

    SDK = Project("sdk")
    SDK.node("client.mjs")
"""

import fcntl
import hashlib
import os
import shutil
import subprocess

from suite import ROOT, SLOW


def environment(**more):
    """Of this process, without the settings of the suite and of the official client."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LK_", "TELNYX_"))} | more


class Project:
    def __init__(self, name):
        self.source, self.target = ROOT / "tests" / name, ROOT / "build" / name

    def prepare(self):
        """Brings its folder below build up to date; tests that come at the same time wait for each other."""
        for program in ("node", "npm"):
            assert shutil.which(program), f"{program} is missing: tests/run.sh installs it"
        self.target.mkdir(parents=True, exist_ok=True)
        stamp = self.target / "installed"
        wanted = hashlib.sha256((self.source / "package-lock.json").read_bytes()).hexdigest()
        with open(self.target / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for path in [*self.source.glob("*.mjs"), *self.source.glob("*.json"), self.source / ".npmrc"]:
                copy = self.target / path.name
                if not copy.exists() or copy.read_bytes() != path.read_bytes():
                    shutil.copyfile(path, copy)
            if stamp.exists() and stamp.read_text() == wanted:
                return
            stamp.unlink(missing_ok=True)
            done = subprocess.run(["npm", "ci"], cwd=self.target, capture_output=True, text=True, timeout=240, check=False)
            assert done.returncode == 0, f"npm ci failed; is a package registry within reach?\n{done.stderr[-2000:]}"
            stamp.write_text(wanted)

    def node(self, *arguments, **more):
        """Runs node there, with more environment variables; returns its output, which is shown if it fails."""
        self.prepare()
        done = subprocess.run(["node", *arguments], cwd=self.target, env=environment(**more), capture_output=True,
                              text=True, timeout=120 * SLOW, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
        return done.stdout
