"""Debian's xmlsec1: another reader of XML signatures. It knows nothing of SAML."""

import pathlib
import subprocess
import tempfile

import keys
import message
from suite import SLOW

ELEMENTS = {"assertion": (message.A, "Assertion"), "response": (message.P, "Response")}


def verify(document, what, certificate_pem):
    """Whether xmlsec1 finds the signature of the Assertion or Response good, by the certificate's key."""
    space, name = ELEMENTS[what]
    with tempfile.TemporaryDirectory() as folder:
        path, pem = pathlib.Path(folder, "message.xml"), pathlib.Path(folder, "key.pem")
        path.write_bytes(document)
        pem.write_text(certificate_pem, encoding="ascii")
        xpath = f"//*[local-name()='{name}' and namespace-uri()='{space}']/*[local-name()='Signature']"
        identifiers = [argument for space_, name_ in ELEMENTS.values() for argument in ("--id-attr:ID", f"{space_}:{name_}")]
        done = subprocess.run(["xmlsec1", "--verify", *identifiers, "--node-xpath", xpath, "--pubkey-cert-pem", pem, path], capture_output=True, text=True,
                              timeout=30 * SLOW, check=False)
    return done.returncode == 0 and "OK" in done.stdout + done.stderr


def signatures(case):
    return ["assertion", "response"] if case.oracle == "both" else [case.oracle] if case.oracle else []


def pem_of(case):
    """The certificate of the case's signer: the one whose fingerprint is expected, or that is stored."""
    fingerprint = case.expect.plain()["fingerprint"].replace(":", "").replace(" ", "").lower()
    known = [keys.key(), keys.expired()] + [keys.key(kind) for kind in ("rsa4096", "p256", "p384", "p521")]
    return next((one.pem for one in known if one.fingerprint(case.expect.algorithm).replace(":", "").lower() == fingerprint), keys.key().pem)
