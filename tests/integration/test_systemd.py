"""What deploy/systemd/install.sh puts in place, looked over by systemd's own tools; no systemd runs here."""

import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import pytest
from suite import ROOT, SLOW, every_service
from test_run_script import BUILD

UNITS = "etc/systemd/system"
EXPOSURE = 20  # tenths, of `systemd-analyze security`: 100 is a service with no protection at all
KEYS = {"seal.key": 0o600, "api-key-hash": 0o640}


def install(target):
    subprocess.run([ROOT / "deploy/systemd/install.sh"], env=os.environ | {"DESTDIR": str(target), "LK_BUILD_DIR": str(BUILD)},
                   check=True, timeout=600 * SLOW)


@pytest.fixture(scope="module")
def target():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="linekeeper-systemd-"))
    install(directory)
    yield directory
    shutil.rmtree(directory)


def units():
    return ["linekeeper-gateway.service", *(f"linekeeper-{service}@1.service" for service in every_service())]


def analyze(target, *arguments):
    return subprocess.run(["systemd-analyze", *arguments], env=os.environ | {"SYSTEMD_UNIT_PATH": f"{target / UNITS}:"},
                          capture_output=True, text=True, timeout=60 * SLOW, check=False)


def test_programs_are_there_and_keys_are_made_once(target):
    for program in ("gateway", *every_service()):
        assert os.access(target / "opt/linekeeper/bin" / program, os.X_OK)
    keys = target / "etc/linekeeper/keys"
    before = {path.name: path.read_text() for path in keys.iterdir()}
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == KEYS
    install(target)
    assert {path.name: path.read_text() for path in keys.iterdir()} == before


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")
@pytest.mark.parametrize("unit", units())
def test_a_unit_is_sound_and_leaves_a_process_little(target, unit):
    for path in (target / UNITS).glob("*.service"):  # verify looks for the program where it will be
        path.write_text(path.read_text().replace("=/opt", f"={target}/opt"))
    done = analyze(target, "verify", "--man=no", unit)
    assert done.returncode == 0, done.stderr
    done = analyze(target, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", unit)
    assert done.returncode == 0, done.stdout + done.stderr
