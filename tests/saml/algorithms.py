"""Algorithms that are not allowed, or not of this key; signatures that are none."""

import base64

import dsig
import keys
from case import Expect, reject
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from dsig import DIGESTS, DS, EXCLUSIVE, INCLUSIVE, METHODS, Recipe
from message import EVIL, Message


def of(kind):
    return Expect(fingerprint=keys.key(kind).fingerprint())


def hmacs():
    """The secret is what everybody knows."""
    usual = keys.key()
    secrets = {"public-pem": usual.public_pem, "public-der": usual.public_der, "certificate-pem": usual.pem.encode(), "certificate-der": usual.der,
               "certificate-base64": usual.base64.encode(), "empty": b"", "fingerprint": usual.fingerprint().encode()}
    for name, secret in secrets.items():
        for method in ("hmac-sha256", "hmac-sha1"):
            recipe = Recipe(key=dsig.hmac_key(secret), method=method)
            yield reject(f"{method}-{name}", Message(name_id=EVIL).signed(recipe=recipe), "signature_algorithm")


def refused():
    yield reject("sha1", Message().signed(recipe=Recipe(method="rsa-sha1", digest="sha1")), "sha1_refused")
    yield reject("sha1-method", Message().signed(recipe=Recipe(method="rsa-sha1")), "sha1_refused")
    yield reject("sha1-digest", Message().signed(recipe=Recipe(digest="sha1")), "sha1_refused")
    yield reject("sha1-response", Message().signed("response", Recipe(method="rsa-sha1", digest="sha1")), "sha1_refused")
    yield reject("sha1-around-sha256", Message().signed("both", Recipe(), Recipe(method="rsa-sha1", digest="sha1")), "sha1_refused")
    yield reject("sha1-within-sha256", Message().signed("both", Recipe(method="rsa-sha1", digest="sha1"), Recipe()), "sha1_refused")
    yield reject("ecdsa-sha1", Message().signed(recipe=Recipe(key=keys.key("p256"), method="ecdsa-sha1")), "sha1_refused", expect=of("p256"))
    yield reject("pkcs1-as-rsa-pss", Message().signed().replace(METHODS["rsa-sha256"], METHODS["rsa-pss-sha256"]), "signature_invalid")
    for allowed in (False, True):
        expect = Expect(allow_sha1=allowed)
        label = "-sha1-allowed" if allowed else ""
        yield reject("md5" + label, Message().signed(recipe=Recipe(method="rsa-md5", digest="md5")), "signature_algorithm", expect=expect)
        yield reject("md5-digest" + label, Message().signed(recipe=Recipe(digest="md5")), "digest_algorithm", expect=expect)
        yield reject("hmac" + label, Message().signed(recipe=Recipe(key=dsig.hmac_key(keys.key().der), method="hmac-sha1", digest="sha1")), "signature_algorithm", expect=expect)
        yield reject("unknown" + label, Message().signed(recipe=Recipe(method="urn:x-sha256")), "signature_algorithm", expect=expect)
    yield reject("rsa-pss-as-pkcs1", Message().signed(recipe=Recipe(method="rsa-pss-sha256")).replace(METHODS["rsa-pss-sha256"], METHODS["rsa-sha256"]), "signature_invalid")
    whole = Message().signed()
    swaps = {
        "method-empty": (METHODS["rsa-sha256"], "", "signature_algorithm"), "method-case": (METHODS["rsa-sha256"], METHODS["rsa-sha256"].upper(), "signature_algorithm"),
        "method-blank": (METHODS["rsa-sha256"], METHODS["rsa-sha256"] + " ", "signature_algorithm"), "method-none": (METHODS["rsa-sha256"], "none", "signature_algorithm"),
        "digest-empty": (DIGESTS["sha256"], "", "digest_algorithm"), "digest-unknown": (DIGESTS["sha256"], "urn:x", "digest_algorithm"),
        "digest-sha224": (DIGESTS["sha256"], "http://www.w3.org/2001/04/xmldsig-more#sha224", "digest_algorithm"),
        "digest-other": (DIGESTS["sha256"], DIGESTS["sha512"], "digest_mismatch"),
        "method-other-hash": (METHODS["rsa-sha256"], METHODS["rsa-sha512"], "signature_invalid"),
        "method-ecdsa": (METHODS["rsa-sha256"], METHODS["ecdsa-sha256"], "key_type"),
        "method-dsa": (METHODS["rsa-sha256"], METHODS["dsa-sha256"], "signature_algorithm"),
        "method-attribute-missing": (f' Algorithm="{METHODS["rsa-sha256"]}"', "", "signature_algorithm"),
    }
    for name, (old, new, reason) in swaps.items():
        yield reject(name, whole.replace(old, new), reason)
    for name, algorithm in (("inclusive", INCLUSIVE), ("inclusive-with-comments", INCLUSIVE + "#WithComments"), ("with-comments", EXCLUSIVE + "WithComments")):
        yield reject("canonicalization-" + name, Message().signed(recipe=Recipe(canonicalization=algorithm)), "canonicalization_method")
    for name, algorithm in (("unknown", "urn:x"), ("empty", ""), ("xslt", "http://www.w3.org/TR/1999/REC-xslt-19991116"), ("base64", DS + "base64")):
        changed = whole.replace(f'CanonicalizationMethod Algorithm="{EXCLUSIVE}"', f'CanonicalizationMethod Algorithm="{algorithm}"')
        yield reject("canonicalization-" + name, changed, "canonicalization_method")


def kinds():
    """Keys that are too weak or of a kind that we don't take; methods that are not the key's."""
    weak = keys.key("rsa1024")
    yield reject("rsa-1024", Message().signed(recipe=Recipe(key=weak)), "key_too_weak", expect=of("rsa1024"))
    yield reject("rsa-1024-stored", Message().signed(recipe=Recipe(key=weak, key_info="")), "key_too_weak", expect=Expect(certificates=((weak.der, False),)))
    yield reject("dsa", Message().signed(recipe=Recipe(key=keys.key("dsa"), method="dsa-sha256")), "signature_algorithm", expect=of("dsa"))
    yield reject("dsa-as-rsa", Message().signed(recipe=Recipe(key=keys.key("dsa"), method="rsa-sha256")), "key_type", expect=of("dsa"))
    yield reject("ed25519", Message().signed(recipe=Recipe(key=keys.key("ed25519"), method="ed25519")), "signature_algorithm", expect=of("ed25519"))
    ed = keys.key("ed25519")
    yield reject("ed25519-as-ecdsa", Message().signed(recipe=Recipe(key=ed, method="ecdsa-sha256", signer=ed.private.sign)), "key_type", expect=of("ed25519"))
    yield reject("ec-as-rsa", Message().signed(recipe=Recipe(key=keys.key("p256"), method="rsa-sha256")), "key_type", expect=of("p256"))
    yield reject("rsa-as-ec", Message().signed(recipe=Recipe(method="ecdsa-sha256")), "key_type")
    yield reject("secp256k1", Message().signed(recipe=Recipe(key=keys.key("k256"), method="ecdsa-sha256")), "key_too_weak", expect=of("k256"))


def values():
    """SignatureValue: everything but what it should be."""
    whole = Message().signed()
    value = whole.partition("<ds:SignatureValue>")[2].partition("</ds:SignatureValue>")[0]
    raw = base64.b64decode(value)
    shapes = {"empty": b"", "zero": bytes(256), "ones": b"\xff" * 256, "short": raw[:-1], "long": raw + b"\0", "front-zero": b"\0" + raw, "one": b"\1", "huge": raw * 64}
    for name, bytes_ in shapes.items():
        yield reject("value-" + name, whole.replace(value, base64.b64encode(bytes_).decode()), "signature_shape" if name in ("empty", "huge") else "signature_invalid")
    for name, text in (("not-base64", "!" * len(value)), ("trailing-junk", value + "!"), ("padding-inside", value[:4] + "=" + value[5:]), ("nul-entity", value.replace(value[9], "&#9;&#9;", 1) + "A")):
        yield reject("value-" + name, whole.replace(value, text), "signature_shape")
    child = whole.replace(value, value[:20] + "<ds:X/>" + value[20:])
    yield reject("value-with-child", child, "signature_shape")
    p256 = keys.key("p256")
    der = lambda covered: p256.private.sign(covered, ec.ECDSA(hashes.SHA256()))
    raw_of = lambda covered: dsig.raw_ecdsa(p256.private, der(covered))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    forms = {
        "der": der, "zero": lambda _: bytes(64), "r-zero": lambda c: bytes(32) + raw_of(c)[32:], "s-zero": lambda c: raw_of(c)[:32] + bytes(32),
        "order": lambda c: raw_of(c)[:32] + order.to_bytes(32, "big"), "r-order": lambda c: order.to_bytes(32, "big") + raw_of(c)[32:],
        "overlong": lambda c: bytes(1) + raw_of(c)[:32] + bytes(1) + raw_of(c)[32:], "trailing": lambda c: raw_of(c) + b"\0\0", "odd": lambda c: raw_of(c)[:-1],
        "half": lambda c: raw_of(c)[:32], "empty": lambda c: b"", "swapped": lambda c: raw_of(c)[32:] + raw_of(c)[:32], "ones": lambda _: b"\xff" * 64,
        "one": lambda _: (bytes(31) + b"\1") * 2, "of-p521": lambda c: bytes(34).join([b"", raw_of(c)[:32] + bytes(34) + raw_of(c)[32:]]),
    }
    for name, signer in forms.items():
        recipe = Recipe(key=p256, method="ecdsa-sha256", signer=signer)
        yield reject("ecdsa-" + name, Message().signed(recipe=recipe), "signature_shape" if name == "empty" else "signature_invalid", expect=of("p256"))


def cases():
    for group in (hmacs, refused, kinds, values):
        yield from group()
