"""Keys and self-signed certificates, made when they are first asked for and gone with the process."""

import base64
import datetime
import functools
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

MAKERS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa4096": lambda: rsa.generate_private_key(65537, 4096),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "k256": lambda: ec.generate_private_key(ec.SECP256K1()),
    "dsa": lambda: dsa.generate_private_key(2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


class Key:
    """A private key and its certificate. `der` may be replaced by what is no certificate."""

    def __init__(self, kind, private, der):
        self.kind, self.private, self.der = kind, private, der

    @property
    def base64(self):
        return base64.b64encode(self.der).decode()

    @property
    def pem(self):
        lines = [self.base64[at:at + 64] for at in range(0, len(self.base64), 64)]
        return "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n"

    @property
    def public_der(self):
        return self.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def private_pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def fingerprint(self, algorithm="sha256"):
        return ":".join(f"{byte:02X}" for byte in hashlib.new(algorithm, self.der).digest())

    def with_der(self, der):
        """The same key behind other bytes."""
        return Key(self.kind, self.private, der)


def certify(private, public=None, common_name="idp", begin=-1, days=3650):
    """A certificate of the public key (its own, if none is given) that the private key has signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime(2026, 1, 1)
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public or private.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=begin))
               .not_valid_after(now + datetime.timedelta(days=days)))
    digest = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private, digest).public_bytes(serialization.Encoding.DER)


@functools.cache
def key(kind="rsa", owner="idp"):
    """The key of that kind that belongs to the owner: always the same one."""
    private = MAKERS[kind]()
    return Key(kind, private, certify(private, common_name=owner))


@functools.cache
def again(kind="rsa", owner="idp"):
    """Another certificate of the same key."""
    private = key(kind, owner).private
    return Key(kind, private, certify(private, common_name=owner + " again"))


@functools.cache
def expired(owner="idp"):
    """The same key with a certificate that is past its end."""
    private = key("rsa", owner).private
    return Key("rsa", private, certify(private, common_name=owner, begin=-900, days=-30))
