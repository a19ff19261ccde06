"""tests/sdk run by node: the packages that its package-lock.json names are installed once, for all
builds, into build/sdk."""

import fcntl
import hashlib
import os
import shutil
import subprocess

from suite import ROOT, SLOW

SOURCE, TARGET = ROOT / "tests/sdk", ROOT / "build/sdk"


def prepare():
    """Brings build/sdk up to date; tests that come at the same time wait for each other."""
    for program in ("node", "npm"):
        assert shutil.which(program), f"{program} is missing: tests/run.sh installs it"
    TARGET.mkdir(parents=True, exist_ok=True)
    stamp = TARGET / "installed"
    wanted = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()
    with open(TARGET / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in [*SOURCE.glob("*.*"), SOURCE / ".npmrc"]:
            copy = TARGET / path.name
            if not copy.exists() or copy.read_bytes() != path.read_bytes():
                shutil.copyfile(path, copy)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        done = subprocess.run(["npm", "ci"], cwd=TARGET, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, f"npm ci failed; is a package registry within reach?\n{done.stderr[-2000:]}"
        stamp.write_text(wanted)


def node(*arguments, **environment):
    """Runs node in build/sdk; its output is shown if it fails."""
    prepare()
    base = {name: value for name, value in os.environ.items() if not name.startswith(("LK_", "TELNYX_"))}
    done = subprocess.run(["node", *arguments], cwd=TARGET, env=base | environment, capture_output=True,
                          text=True, timeout=120 * SLOW, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return done.stdout
