"""What deploy/systemd/install.sh puts in place, looked over by systemd's own tools; no systemd runs here."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

import pytest
from suite import ROOT, SLOW, every_service
from test_run_script import BUILD

UNITS = "etc/systemd/system"
EXPOSURE = 20  # tenths, of `systemd-analyze security`: 100 is a service with no protection at all


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
    def keys():
        return {path: path.read_text() for path in (target / "etc/linekeeper/keys").rglob("*") if path.is_file()}

    before = keys()
    assert {"seal.key", "api-key-hash", "gateway.key", "workers"} < {path.name for path in before}
    for path in before:
        assert stat.S_IMODE(path.stat().st_mode) == (0o640 if path.name == "api-key-hash" else 0o600)
    install(target)
    assert keys() == before


def test_a_unit_is_handed_what_there_is(target):
    for path in (target / UNITS).glob("*.service"):
        for credential in re.findall(r"^LoadCredential=(\S+):/(\S+)$", path.read_text(), re.M):
            assert (target / credential[1]).is_file() and pathlib.Path(credential[1]).name == credential[0]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")
@pytest.mark.parametrize("unit", units())
def test_a_unit_is_sound_and_leaves_a_process_little(target, unit):
    for path in (target / UNITS).glob("*.service"):  # verify looks for the program where it will be
        path.write_text(path.read_text().replace("=/opt", f"={target}/opt"))
    done = analyze(target, "verify", "--man=no", unit)
    assert done.returncode == 0, done.stderr
    done = analyze(target, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", unit)
    assert done.returncode == 0, done.stdout + done.stderr
