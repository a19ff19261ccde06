"""docs/settings.md says what the programs say by --help, and names every program."""

import pathlib
import re
import subprocess
import sys

from suite import BIN, ROOT

sys.path.insert(0, str(ROOT / "tools"))

import settings_table  # noqa: E402 (the path above comes first)


def programs():
    services = subprocess.run([BIN / "gateway", "services"], capture_output=True, text=True, check=True).stdout
    return ["gateway", *services.split()]


def test_the_tables_are_up_to_date():
    assert settings_table.DOC.read_text(encoding="utf-8") == settings_table.expected(BIN)


def test_every_program_has_a_table():
    found = [match[1] for match in settings_table.SECTION.findall(settings_table.DOC.read_text(encoding="utf-8"))]
    assert found == programs()


def test_what_containers_and_units_set_is_in_the_documents():
    documents = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("settings.md", "deploying.md"))
    for name in ("docker-compose.yml", "deploy/Dockerfile", "deploy/env.example", "deploy/haproxy/haproxy.cfg",
                 *filter(pathlib.Path.is_file, (ROOT / "deploy/systemd").rglob("*"))):
        used = set(re.findall(r"\bLK_[A-Z0-9_]+", (ROOT / name).read_text(encoding="utf-8")))
        assert used <= set(re.findall(r"`(LK_[A-Z0-9_]+)`", documents)) , name


def test_help_and_version():
    for program in programs():
        for option in ("--help", "--version"):
            done = subprocess.run([BIN / program, option], capture_output=True, text=True, timeout=60, check=True)
            assert done.stdout.startswith(program)
        done = subprocess.run([BIN / program, "--frobnicate"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 64 and done.stderr
