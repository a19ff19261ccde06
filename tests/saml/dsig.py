"""XML signatures over texts. A text holds Signature elements with marks where digests and values belong; sign() fills them
in, one after the other, and changes not one byte else. Nothing stops it from signing what nobody should."""

import base64
import dataclasses
import hashlib
import hmac
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

import keys

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = DS + "enveloped-signature"
METHODS = {
    "rsa-sha1": DS + "rsa-sha1",
    "rsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "rsa-sha384": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "rsa-sha512": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "rsa-md5": "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    "rsa-pss-sha256": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "ecdsa-sha1": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
    "ecdsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "ecdsa-sha384": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "ecdsa-sha512": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    "dsa-sha1": DS + "dsa-sha1",
    "dsa-sha256": "http://www.w3.org/2009/xmldsig11#dsa-sha256",
    "ed25519": "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
    "hmac-sha1": DS + "hmac-sha1",
    "hmac-sha256": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
}
DIGESTS = {
    "sha1": DS + "sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
    "md5": "http://www.w3.org/2001/04/xmldsig-more#md5",
}
PARSER = {"resolve_entities": False, "no_network": True, "remove_blank_text": False, "huge_tree": True}


@dataclasses.dataclass
class Recipe:
    """How one Signature is written. Texts named raw_ stand in the XML as they are, in the place of what is usual."""

    key: keys.Key = dataclasses.field(default_factory=keys.key)
    method: str = "rsa-sha256"
    digest: str = "sha256"
    canonicalization: str = EXCLUSIVE      # of SignedInfo
    transforms: tuple = (ENVELOPED, EXCLUSIVE)
    prefixes: str = ""                     # PrefixList of the last transform
    signed_info_prefixes: str = ""
    uri: str | None = None                 # "#" and the parent's ID, if none is given
    key_info: str | None = None            # raw; "" for none at all
    prefix: str = "ds"
    raw_transforms: str | None = None
    raw_reference_extra: str = ""          # behind the Reference, within SignedInfo
    raw_before_signed_info: str = ""
    raw_after_value: str = ""
    raw_after_key_info: str = ""
    digest_input: object = None            # function(the element without this Signature) -> bytes
    signer: object = None                  # function(bytes) -> bytes
    width: int = 0                         # of base64 lines; 0: one line
    attributes: str = ""                   # of Signature
    digest_value: str = "{}"               # the format of DigestValue's content
    signature_value: str = "{}"

    def write(self, of):
        """The Signature of the element with the ID `of`, with marks in it."""
        p = self.prefix + ":" if self.prefix else ""
        declaration = f'xmlns:{self.prefix}="{DS}"' if self.prefix else f'xmlns="{DS}"'
        info = self.key_info
        if info is None:
            info = x509_info(self.key, prefix=p)
        uri = "#" + of if self.uri is None else self.uri
        transforms = self.raw_transforms
        if transforms is None:
            transforms = "".join(self.transform(p, n, uri_) for n, uri_ in enumerate(self.transforms))
        return (f'<{p}Signature {declaration}{self.attributes}>{self.raw_before_signed_info}<{p}SignedInfo>'
                f'<{p}CanonicalizationMethod Algorithm="{self.canonicalization}"'
                f'{prefix_list(self.signed_info_prefixes, p + "CanonicalizationMethod")}'
                f'<{p}SignatureMethod Algorithm="{METHODS.get(self.method, self.method)}"/>'
                f'<{p}Reference URI="{uri}"><{p}Transforms>{transforms}</{p}Transforms>'
                f'<{p}DigestMethod Algorithm="{DIGESTS.get(self.digest, self.digest)}"/>'
                f'<{p}DigestValue>@DIGEST {of}@</{p}DigestValue></{p}Reference>{self.raw_reference_extra}</{p}SignedInfo>'
                f'<{p}SignatureValue>@VALUE {of}@</{p}SignatureValue>{self.raw_after_value}{info}{self.raw_after_key_info}'
                f'</{p}Signature>')

    def transform(self, p, number, uri):
        listed = self.prefixes if number == len(self.transforms) - 1 else ""
        return f'<{p}Transform Algorithm="{uri}"{prefix_list(listed, p + "Transform")}'


def prefix_list(prefixes, element):
    if not prefixes:
        return "/>"
    return f'><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{prefixes}"/></{element}>'


def x509_info(*of, prefix="ds:"):
    """KeyInfo with one X509Data for each key."""
    inner = "".join(f"<{prefix}X509Data><{prefix}X509Certificate>{one.base64}</{prefix}X509Certificate></{prefix}X509Data>"
                    for one in of)
    return f"<{prefix}KeyInfo>{inner}</{prefix}KeyInfo>"


def parse(text):
    return etree.fromstring(text.encode() if isinstance(text, str) else text, etree.XMLParser(**PARSER))


def canonical(element, algorithm=EXCLUSIVE, prefixes=""):
    """The element's canonical bytes. It is written out and read again first, with all namespaces that it can see: lxml
    forgets those around it."""
    alone = parse(etree.tostring(element, with_tail=False))
    comments = algorithm.endswith("WithComments")
    exclusive = algorithm.startswith(EXCLUSIVE)
    return etree.tostring(alone, method="c14n", exclusive=exclusive, with_comments=comments,
                          inclusive_ns_prefixes=prefixes.split() if exclusive and prefixes else None)


def drop(child):
    """Takes an element out and leaves the text behind it."""
    parent, before = child.getparent(), child.getprevious()
    if child.tail:
        if before is None:
            parent.text = (parent.text or "") + child.tail
        else:
            before.tail = (before.tail or "") + child.tail
    child.tail = None
    parent.remove(child)


def find(root, identifier):
    """The first element with this ID."""
    return next(one for one in root.iter(etree.Element) if one.get("ID") == identifier)


def signature_marked(root, of):
    return next(one.getparent() for one in root.iter(f"{{{DS}}}SignedInfo") if f"@DIGEST {of}@" in "".join(one.itertext()))


def lines(text, width):
    return text if not width else "\n" + "\n".join(text[at:at + width] for at in range(0, len(text), width)) + "\n"


def sign(text, of, recipe, target=None):
    """Fills in the marks of the Signature written for the element with the ID `of`; what is digested is the element with
    the ID `target`, the same if none is given."""
    root = parse(text)
    element = find(root, target or of)
    signature = signature_marked(root, of)
    if element in signature.iterancestors():
        drop(signature)
    if recipe.digest_input:
        covered = recipe.digest_input(element)
    else:
        last = recipe.transforms[-1] if recipe.transforms else INCLUSIVE
        covered = canonical(element, last if "c14n" in last else INCLUSIVE, recipe.prefixes)
    digest = base64.b64encode(hashlib.new(recipe.digest, covered).digest()).decode()
    text = text.replace(f"@DIGEST {of}@", recipe.digest_value.format(digest))
    root = parse(text)
    info = next(one for one in root.iter(f"{{{DS}}}SignatureValue") if f"@VALUE {of}@" in "".join(one.itertext()))
    info = info.getparent().find(f"{{{DS}}}SignedInfo")
    covered = canonical(info, recipe.canonicalization, recipe.signed_info_prefixes)
    made = recipe.signer(covered) if recipe.signer else signed(recipe.key, recipe.method, covered)
    value = lines(base64.b64encode(made).decode(), recipe.width)
    return text.replace(f"@VALUE {of}@", recipe.signature_value.format(value))


def raw_ecdsa(private, der):
    """r and s side by side, as XML Signature 1.1 has them."""
    size = (private.curve.key_size + 7) // 8
    r, s = decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def signed(key, method, covered):
    private, name = key.private, re.search(r"md5|sha\d+", method)
    if method.startswith("hmac"):
        return hmac.new(key.private, covered, name.group()).digest()
    if method == "ed25519":
        return private.sign(covered)
    digest = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
              "sha512": hashes.SHA512}[name.group()]()
    if isinstance(private, rsa.RSAPrivateKey):
        pad = padding.PSS(padding.MGF1(digest), digest.digest_size) if "pss" in method else padding.PKCS1v15()
        return private.sign(covered, pad, digest)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return raw_ecdsa(private, private.sign(covered, ec.ECDSA(digest)))
    r, s = decode_dss_signature(private.sign(covered, digest))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def hmac_key(secret):
    """A Key whose secret everybody knows."""
    return keys.Key("hmac", secret, keys.key().der)
