"""deploy/roll.sh with an engine that is a script: containers are files, in a folder for each service."""

import os
import subprocess

import pytest
from suite import ROOT, SLOW

DOCKER = """#!/bin/bash
printf '%s\\n' "$*" >>"$STATE/calls"
containers() { find "$STATE/$1" -type f -printf '%f\\n'; }
case $* in
*" ps "*) containers "${!#}" ;;
*" up "*)
    [[ $* =~ --scale\\ ([a-z-]+)=([0-9]+) ]]
    while (($(containers "${BASH_REMATCH[1]}" | wc -l) < BASH_REMATCH[2])); do
        touch "$STATE/${BASH_REMATCH[1]}/made-$RANDOM$RANDOM"
    done
    [[ ! -e $STATE/unhealthy ]]
    ;;
stop*) ;;
rm*) rm "$STATE"/*/"${!#}" ;;
esac
"""


class Engine:
    def __init__(self, folder):
        self.folder = folder
        (folder / "docker").write_text(DOCKER, encoding="utf-8")
        (folder / "docker").chmod(0o755)
        for name in ("one", "two"):
            (folder / "gateway").mkdir(exist_ok=True)
            (folder / "gateway" / name).touch()
        self.environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "STATE": str(folder)}

    def roll(self, *services, wanted=0):
        done = subprocess.run([ROOT / "deploy/roll.sh", *services], env=self.environment, cwd=self.folder, check=False,
                              capture_output=True, text=True, timeout=60 * SLOW)
        assert done.returncode == wanted, done.stdout + done.stderr
        return done.stderr

    def containers(self):
        return {path.name for path in (self.folder / "gateway").iterdir()}


@pytest.fixture
def engine(tmp_path):
    return Engine(tmp_path)


def test_all_are_new_and_as_many(engine):
    engine.roll("gateway")
    assert len(engine.containers()) == 2 and not engine.containers() & {"one", "two"}


def test_what_is_not_healthy_is_removed_and_not_counted_the_next_time(engine):
    (engine.folder / "unhealthy").touch()
    for _ in range(2):
        assert "the old ones serve on" in engine.roll("gateway", wanted=1)
        assert engine.containers() == {"one", "two"}
    (engine.folder / "unhealthy").unlink()
    engine.roll("gateway")
    assert len(engine.containers()) == 2 and not engine.containers() & {"one", "two"}


def test_the_file_of_settings_is_handed_on(engine):
    engine.environment["LK_ENV_FILE"] = "settings"  # from where the caller stands
    engine.roll("gateway")
    calls = [call for call in (engine.folder / "calls").read_text(encoding="utf-8").splitlines() if call.startswith("compose")]
    assert calls and all(call.startswith(f"compose --env-file {engine.folder}/settings ") for call in calls)


def test_an_unknown_service_is_refused(engine):
    assert "balancer" in engine.roll("balancer", wanted=64)
    assert not (engine.folder / "calls").exists()
