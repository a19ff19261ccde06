"""Keys: the attacker's own, offered as the identity provider's in every place where a verifier may look for one."""

import base64

import keys
from case import Expect, reject
from dsig import DS, Recipe, x509_info
from message import EVIL, Message
from wrapping import ATTRIBUTES

OTHERS = Message(name_id=EVIL, attributes=ATTRIBUTES)
UNKNOWN = "certificate_unknown"


def mallory(kind="rsa"):
    return keys.key(kind, "mallory")


def number(value):
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()


def key_value(key):
    public = key.private.public_key().public_numbers()
    return (f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{number(public.n)}</ds:Modulus><ds:Exponent>{number(public.e)}</ds:Exponent>"
            "</ds:RSAKeyValue></ds:KeyValue>")


def data(*inner):
    return "<ds:X509Data>" + "".join(inner) + "</ds:X509Data>"


def certificate(key):
    return f"<ds:X509Certificate>{key.base64}</ds:X509Certificate>"


def info(*inner):
    return "<ds:KeyInfo>" + "".join(inner) + "</ds:KeyInfo>"


def substituted():
    true, false = keys.key(), mallory()
    url = '<ds:RetrievalMethod URI="http://192.0.2.1/key" Type="{}"/>'.format(DS + "X509Data")
    here = '<ds:RetrievalMethod URI="#_k1"/>'
    infos = {
        "own": (x509_info(false), UNKNOWN), "own-first": (x509_info(false, true), "signature_invalid"), "own-second": (x509_info(true, false), "signature_invalid"),
        "own-first-in-one": (info(data(certificate(false), certificate(true))), "signature_invalid"),
        "own-second-in-one": (info(data(certificate(true), certificate(false))), "signature_invalid"),
        "pinned-alone": (x509_info(true), "signature_invalid"), "pinned-three-times": (x509_info(true, true, true), "signature_invalid"),
        "key-value": (info(key_value(false)), "certificate_missing"), "key-value-and-pinned": (info(key_value(false), data(certificate(true))), "signature_invalid"),
        "pinned-and-key-value": (info(data(certificate(true)), key_value(false)), "signature_invalid"),
        "key-name": (info("<ds:KeyName>idp</ds:KeyName>"), "certificate_missing"), "retrieval": (info(url), "certificate_missing"),
        "retrieval-and-pinned": (info(url, data(certificate(true))), "signature_invalid"), "retrieval-here": (info(here, data(certificate(true))), "signature_invalid"),
        "empty": (info(), "certificate_missing"), "empty-data": (info(data()), "certificate_missing"), "empty-certificate": (info(data("<ds:X509Certificate/>")), "certificate_malformed"),
        "none": ("", "certificate_missing"), "issuer-serial": (info(data("<ds:X509IssuerSerial><ds:X509IssuerName>CN=idp</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>")), "certificate_missing"),
        "ski": (info(data("<ds:X509SKI>AAAA</ds:X509SKI>")), "certificate_missing"), "crl": (info(data("<ds:X509CRL>AAAA</ds:X509CRL>", certificate(true))), "signature_invalid"),
        "pgp": (info("<ds:PGPData><ds:PGPKeyPacket>AAAA</ds:PGPKeyPacket></ds:PGPData>"), "certificate_missing"), "mgmt-data": (info("<ds:MgmtData>x</ds:MgmtData>"), "certificate_missing"),
        "certificate-elsewhere": (info(f'<x:y xmlns:x="urn:x">{data(certificate(true))}</x:y>'), "certificate_missing"),
        "other-namespace": (info(f'<X509Data xmlns="urn:x"><X509Certificate>{true.base64}</X509Certificate></X509Data>'), "certificate_missing"),
        "nested-info": (info(info(data(certificate(true)))), "certificate_missing"),
        "signature-in-info": (info(f'<ds:Signature/>', data(certificate(true))), "signature_place"),
    }
    for name, (text, reason) in infos.items():
        recipe = Recipe(key=false, key_info=text)
        yield reject("key-" + name, OTHERS.signed(recipe=recipe), reason)
        yield reject(f"key-{name}-response", OTHERS.signed("response", recipe), reason)
    stored = Expect(certificates=((true.der, False),))
    yield reject("key-none-stored", OTHERS.signed(recipe=Recipe(key=false, key_info="")), "signature_invalid", expect=stored)
    yield reject("key-own-stored", OTHERS.signed(recipe=Recipe(key=false)), UNKNOWN, expect=stored)
    same_name = keys.certify(false.private, common_name="idp")
    yield reject("key-same-subject", OTHERS.signed(recipe=Recipe(key=false.with_der(same_name))), UNKNOWN)
    signed_by = keys.certify(true.private, false.private.public_key(), "mallory")
    yield reject("key-certified-by-the-pinned", OTHERS.signed(recipe=Recipe(key=false.with_der(signed_by))), UNKNOWN)
    chain = info(data(f"<ds:X509Certificate>{base64.b64encode(signed_by).decode()}</ds:X509Certificate>", certificate(true)))
    yield reject("key-chain-to-the-pinned", OTHERS.signed(recipe=Recipe(key=false, key_info=chain)), "signature_invalid")
    for kind, method in (("p256", "ecdsa-sha256"), ("rsa4096", "rsa-sha512")):
        yield reject("key-own-" + kind, OTHERS.signed(recipe=Recipe(key=mallory(kind), method=method)), UNKNOWN)
    yield reject("key-inner-good-outer-own", Message().signed("both", Recipe(), Recipe(key=false)), UNKNOWN)
    yield reject("key-inner-own-outer-good", OTHERS.signed("both", Recipe(key=false), Recipe()), UNKNOWN)
    yield reject("same-key-other-certificate", Message().signed(recipe=Recipe(key=keys.again())), UNKNOWN)


def malformed():
    """Bytes that are not exactly the certificate, though they hold it."""
    true = keys.key()
    der = true.der
    shapes = {"trailing-byte": der + b"\0", "trailing-junk": der + b"junk", "cut": der[:-1], "half": der[:len(der) // 2], "front": b"\0" + der, "zero": bytes(300), "one": b"\x30",
              "text": b"certificate", "length-huge": b"\x30\x84\xff\xff\xff\xff" + der[4:], "indefinite": b"\x30\x80" + der[4:] + b"\0\0", "twice": der + der,
              "public-key": true.public_der, "flipped": der[:200] + bytes([der[200] ^ 1]) + der[201:], "large": b"\x30\x83\x00\xff\xff" + bytes(65535)}
    for name, shape in shapes.items():
        bent = true.with_der(shape)
        still_one = name in ("flipped", "indefinite")
        # what is not trusted is not parsed
        yield reject("der-" + name, Message().signed(recipe=Recipe(key=bent)), "certificate_malformed" if name == "large" else UNKNOWN)
        if not still_one: # its fingerprint is even the one that is trusted
            yield reject(f"der-{name}-trusted", Message().signed(recipe=Recipe(key=bent)), "certificate_malformed", expect=Expect(fingerprint=bent.fingerprint()))
    whole = Message().signed()
    for name, text in (("not-base64", "!" + true.base64), ("pem", true.pem), ("minus-padding", true.base64.rstrip("=")[:-1]), ("element", "<ds:X/>" + true.base64)):
        yield reject("certificate-" + name, whole.replace(true.base64, text), "certificate_malformed")


def retired():
    true = keys.key()
    old = ((true.der, True),)
    yield reject("retired", Message().signed(), "certificate_retired", expect=Expect(certificates=old))
    yield reject("retired-no-fingerprint-of-it", Message().signed(), "certificate_retired", expect=Expect(fingerprint=mallory().fingerprint(), certificates=old))
    yield reject("retired-no-key-info", Message().signed(recipe=Recipe(key_info="")), "certificate_missing", expect=Expect(certificates=old))
    yield reject("retired-no-key-info-others", Message().signed(recipe=Recipe(key_info="")), "signature_invalid", expect=Expect(certificates=old + ((keys.key("p256").der, False), (mallory().der, False))))
    yield reject("retired-response", Message().signed("response"), "certificate_retired", expect=Expect(certificates=old))
    yield reject("retired-outside", Message().signed("both", Recipe(), Recipe(key=keys.key("p256"), method="ecdsa-sha256")), "certificate_retired", expect=Expect(certificates=((keys.key("p256").der, True),)))


def fingerprints():
    true = keys.key()
    sizes = {"sha1-as-sha256": (true.fingerprint("sha1"), "sha256"), "sha256-as-sha1": (true.fingerprint("sha256"), "sha1"), "sha512-as-sha256": (true.fingerprint("sha512"), "sha256"),
             "sha384-as-sha512": (true.fingerprint("sha384"), "sha512")}
    for name, (text, algorithm) in sizes.items():
        yield reject("fingerprint-" + name, Message().signed(), "fingerprint_length", expect=Expect(fingerprint=text, algorithm=algorithm))
    yield reject("fingerprint-empty", Message().signed(), "fingerprint_length", expect=Expect(fingerprint=""))
    yield reject("fingerprint-cut", Message().signed(), "fingerprint_length", expect=Expect(fingerprint=true.fingerprint()[:-3]))
    yield reject("fingerprint-longer", Message().signed(), "fingerprint_length", expect=Expect(fingerprint=true.fingerprint() + ":00"))
    yield reject("fingerprint-no-hex", Message().signed(), "fingerprint_length", expect=Expect(fingerprint="z" * 64))
    yield reject("fingerprint-one-digit", Message().signed(), UNKNOWN, expect=Expect(fingerprint=flip(true.fingerprint())))
    yield reject("fingerprint-of-key", Message().signed(), UNKNOWN, expect=Expect(fingerprint=true.with_der(true.public_der).fingerprint()))
    yield reject("fingerprint-zero-of-sham", OTHERS.signed(recipe=Recipe(key=mallory())), UNKNOWN, expect=Expect(fingerprint="00" * 32))


def flip(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def cases():
    for group in (substituted, malformed, retired, fingerprints):
        yield from group()
