"""A verifier as it is written in an afternoon: the first Signature of the document is checked, with all that XML Signature
allows; then the first NameID is believed. It is here to be fooled: a corpus that it passes has no teeth."""

import base64
import hashlib
import hmac

import dsig
import message
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

NAMES = {"ds": dsig.DS, "saml": message.A, "ec": dsig.EXCLUSIVE}
DIGESTS = {uri: name for name, uri in dsig.DIGESTS.items()}
METHODS = {uri: name for name, uri in dsig.METHODS.items()}


def first(element, path):
    return element.find(".//" + path, NAMES)


def text(element, path):
    return (first(element, path).text or "").strip()


def transformed(element, signature):
    """The bytes that the reference's transforms make of the element."""
    output = None
    for one in signature.iterfind(".//ds:Transform", NAMES):
        algorithm = one.get("Algorithm")
        if algorithm == dsig.ENVELOPED:
            if element in signature.iterancestors():
                dsig.drop(signature)
        elif algorithm.endswith("REC-xslt-19991116"):
            output = str(etree.XSLT(one[0])(element)).removeprefix('<?xml version="1.0"?>\n').strip().encode()
        elif algorithm.endswith("REC-xpath-19991116") and one[0].text == "false()":
            output = b""
        elif "c14n" in algorithm and output is None:
            listed = one.find("ec:InclusiveNamespaces", NAMES)
            output = dsig.canonical(element, algorithm, "" if listed is None else listed.get("PrefixList"))
    return output if output is not None else dsig.canonical(element, dsig.INCLUSIVE)


def trusted(signature, case):
    """The first certificate, if the pinned one is among them."""
    expect = case.expect.plain()
    wanted = expect["fingerprint"].replace(":", "").replace(" ", "").lower()
    listed = [base64.b64decode(one.text) for one in signature.iterfind(".//ds:X509Certificate", NAMES)]
    known = {base64.b64decode(one["der"]) for one in expect["certificates"]}
    if not any(der in known or hashlib.new(expect["algorithm"], der).hexdigest() == wanted for der in listed):
        raise ValueError("an unknown certificate")
    return x509.load_der_x509_certificate(listed[0]).public_key()


def check(public, method, value, covered):
    name = METHODS[method]
    if name.startswith("hmac"):
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        if not hmac.compare_digest(value, hmac.new(pem, covered, name[5:]).digest()):
            raise InvalidSignature
        return
    digest = getattr(hashes, name.rpartition("-")[2].upper())()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(value, covered, padding.PKCS1v15(), digest)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        public.verify(encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")), covered, ec.ECDSA(digest))
    else:
        raise ValueError("an unknown key")


def believe(case):
    root = etree.fromstring(base64.b64decode(case.base64), etree.XMLParser())
    signature = first(root, "ds:Signature")
    public = trusted(signature, case)
    info = first(signature, "ds:SignedInfo")
    listed = info.find("ds:CanonicalizationMethod/ec:InclusiveNamespaces", NAMES)
    algorithm = first(info, "ds:CanonicalizationMethod").get("Algorithm")
    covered = dsig.canonical(info, algorithm, "" if listed is None else listed.get("PrefixList"))
    check(public, first(info, "ds:SignatureMethod").get("Algorithm"), base64.b64decode(text(signature, "ds:SignatureValue")), covered)
    uri = first(info, "ds:Reference").get("URI")
    element = root if uri == "" else dsig.find(root, uri[1:])
    digest, value = DIGESTS[first(info, "ds:DigestMethod").get("Algorithm")], text(info, "ds:DigestValue")
    if hashlib.new(digest, transformed(element, signature)).digest() != base64.b64decode(value):
        raise ValueError("another digest")
    root = etree.fromstring(base64.b64decode(case.base64), etree.XMLParser())
    values = {one.get("Name"): [value.text for value in one] for one in reversed(root.findall(".//saml:Attribute", NAMES))}
    names = case.expect.attribute_names or {}
    return {"name_id": text(root, "saml:NameID"), "attributes": {ours: values[theirs][0] for ours, theirs in names.items() if values.get(theirs)}, "groups": values.get("groups")}


def verdict(case):
    """As the judge writes it. Whatever goes wrong is a no."""
    try:
        return {"valid": True, "reason": None, "detail": "", "claims": believe(case)}
    except Exception as error:  # any
        return {"valid": False, "reason": "naive", "detail": type(error).__name__, "claims": None}
