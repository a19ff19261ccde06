"""deploy/secrets.sh: what is there stays, what was revoked stays revoked, and only a pair becomes tls.pem."""

import concurrent.futures
import os
import stat
import subprocess

import pytest
from suite import BIN, ROOT, SLOW

SERVICES = ("trunk-auth", "fqdn-auth", "auth-provider")


class Secrets:
    def __init__(self, folder):
        self.folder = folder / "secrets"
        self.list = self.folder / "workers"
        self.settings = folder / "env"
        self.environment = os.environ | {"LK_SECRETS": str(self.folder), "LK_ENV_FILE": str(self.settings)}

    def make(self, *arguments, wanted=0):
        done = subprocess.run([ROOT / "deploy/secrets.sh", *arguments], env=self.environment, capture_output=True,
                              text=True, timeout=60 * SLOW, check=False)
        assert done.returncode == wanted, done.stdout + done.stderr
        return done.stderr

    def all(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def write_list(self, text):
        self.list.chmod(0o600)
        self.list.write_text(text)


@pytest.fixture
def secrets(tmp_path):
    made = Secrets(tmp_path)
    made.make()
    return made


def test_they_are_made_once(secrets):
    before = secrets.all()
    assert {"seal.key", "api-key-hash", "gateway.key", "gateway.pub", "workers", "tls.pem"} < set(before)
    assert [line.split()[0] for line in secrets.list.read_text().splitlines()] == list(SERVICES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.folder.iterdir()} == {0o400}
    secrets.make()
    assert secrets.all() == before


@pytest.mark.parametrize("edit", [
    lambda lines: lines[1:],
    lambda lines: ["# " + lines[0], *lines[1:]],
    lambda lines: ["fqdn-auth trunk-auth " + lines[1].split()[1], lines[2]],
    lambda lines: lines[:1],
])
def test_the_list_is_its_owners(secrets, edit):
    secrets.write_list("\n".join(edit(secrets.list.read_text().splitlines())))
    before = secrets.all()
    secrets.make()
    assert secrets.all() == before


def test_a_key_that_is_gone_is_made_with_its_line(secrets):
    lines = secrets.list.read_text().splitlines()
    former = (secrets.folder / "trunk-auth.key").read_bytes()
    secrets.write_list("\n".join(lines[1:]))  # its last line has no end
    (secrets.folder / "trunk-auth.key").unlink()
    (secrets.folder / "trunk-auth.key.made").write_text("left by a killed run")
    (secrets.folder / "trunk-auth.key.made").chmod(0o400)
    secrets.make()
    assert (secrets.folder / "trunk-auth.key").read_bytes() != former
    now = secrets.list.read_text().splitlines()
    assert now[:2] == lines[1:] and now[2].startswith("trunk-auth ") and now[2] != lines[0] and len(now) == 3
    assert not list(secrets.folder.glob("*.made")) and not list(secrets.folder.glob("*.new"))
    assert stat.S_IMODE((secrets.folder / "trunk-auth.key").stat().st_mode) == 0o400


def test_a_list_that_is_gone_is_told_of(secrets):
    secrets.list.unlink()
    assert "workers is gone" in secrets.make(wanted=1)


@pytest.mark.parametrize("number", ["12345", '"12345"', "'12345' "])
def test_a_new_owner_has_all_of_them(secrets, number):
    if os.geteuid():
        pytest.skip("needs root")
    with open(secrets.settings, "a", encoding="utf-8") as settings:
        settings.write(f"\nLK_UID={number}\nLK_GID=23456\n")
    secrets.make()
    assert {(path.stat().st_uid, path.stat().st_gid) for path in secrets.folder.iterdir()} == {(12345, 23456)}


def test_an_owner_that_is_no_number_is_told_of(secrets):
    secrets.settings.write_text("LK_UID=somebody\n", encoding="utf-8")
    assert "LK_UID=somebody is not a number" in secrets.make(wanted=1)


@pytest.mark.parametrize("name", ["seal.key", "gateway.key", "trunk-auth.key"])
def test_an_empty_key_is_refused(secrets, name):
    (secrets.folder / name).write_bytes(b"")
    before = secrets.all()
    assert f"{name} is empty" in secrets.make(wanted=1)
    assert secrets.all() == before


def test_a_public_key_of_another_is_told_of(secrets):
    (secrets.folder / "gateway.key").unlink()
    assert "gateway.pub is not that of gateway.key" in secrets.make(wanted=1)
    (secrets.folder / "gateway.pub").unlink()
    secrets.make()


def test_several_at_once_make_one_set(tmp_path):
    several = Secrets(tmp_path)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for made in [pool.submit(several.make) for _ in range(4)]:
            made.result()
    before = several.all()
    assert [line.split()[0] for line in several.list.read_text().splitlines()] == list(SERVICES)
    assert {name for name in before if name.endswith((".new", ".made"))} == set()
    several.make()  # they fit each other
    assert several.all() == before


def test_what_it_can_not_write_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    below = Secrets(tmp_path / "file")
    said = below.make(wanted=1)
    assert len(said.splitlines()) == 1 and "LK_SECRETS" in said
    other = Secrets(tmp_path)
    other.environment["LK_ENV_FILE"] = str(tmp_path / "none/env")
    said = other.make(wanted=1)
    assert len(said.splitlines()) == 1 and "LK_ENV_FILE" in said
    other = Secrets(tmp_path)
    other.environment["TMPDIR"] = str(tmp_path / "none")
    said = other.make(wanted=1)
    assert len(said.splitlines()) == 1 and "TMPDIR" in said


def pair(folder, name):
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={name}", "-out", certificate, "-keyout", key], check=True, capture_output=True, timeout=60 * SLOW)
    return certificate, key


def test_a_certificate_is_taken_with_its_own_key_only(secrets, tmp_path):
    before = secrets.all()
    certificate, key = pair(tmp_path, "one")
    other_key = pair(tmp_path, "two")[1]
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:word", "-out", locked], check=True,
                   capture_output=True, timeout=60 * SLOW)
    garbage = tmp_path / "garbage"
    garbage.write_text("garbage")
    (tmp_path / "empty").touch()
    for wrong, said in (((garbage, garbage), "no certificate"), ((tmp_path / "empty", tmp_path / "empty"), "no certificate"),
                        ((certificate, garbage), "no key"), ((certificate, locked), "without a password"),
                        ((key, certificate), "no certificate"), ((certificate, other_key), "is not the key of"),
                        ((certificate, tmp_path / "none"), "can't read")):
        assert said in secrets.make("--tls", *wrong, wanted=1)
        assert secrets.all() == before
    secrets.make("--tls", certificate, key)
    assert secrets.all() == before | {"tls.pem": certificate.read_bytes() + key.read_bytes()}


def test_the_gateway_takes_them(secrets, tmp_path):
    """Its own command finds nothing that is missing."""
    folder = tmp_path / "curve"
    folder.mkdir(mode=0o700)
    for name in ("gateway.key", "gateway.pub", "workers", *(f"{service}.key" for service in SERVICES)):
        (folder / name).write_bytes((secrets.folder / name).read_bytes())
        (folder / name).chmod(0o600)
    done = subprocess.run([BIN / "gateway", "curve-keys"], env=os.environ | {"LK_CURVE_DIR": str(folder)}, check=True,
                          capture_output=True, timeout=20 * SLOW)
    assert not done.stdout
