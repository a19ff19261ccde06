"""The signature's own structure: digests and SignedInfos smuggled in, references and transforms of every other kind. All of
them are signed with the identity provider's key where that can be, so that a lenient verifier has a reason to say yes."""

import base64
import hashlib

import dsig
import message
from case import intact, reject
from dsig import DIGESTS, DS, ENVELOPED, EXCLUSIVE, INCLUSIVE, Recipe
from message import EVIL, Message
from wrapping import element, evil, parts

TRANSFORM = '<ds:Transform Algorithm="{}"/>'
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"
SHEET = ('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
         "constant</xsl:template></xsl:stylesheet>")


def constant(_):
    return b"constant"


def evil_digest():
    """The digest of an Assertion that the identity provider has never seen."""
    covered = dsig.canonical(dsig.parse(evil("_a1").assertion()))
    return base64.b64encode(hashlib.sha256(covered).digest()).decode()


def smuggled():
    """CVE-2024-45409, CVE-2025-29774 and -29775: the content is the attacker's, the old digest stands beside his own."""
    whole, genuine, signature = parts()
    mine = evil_digest()
    true = element(whole, "DigestValue", "ds")
    inner = true.removeprefix("<ds:DigestValue>").removesuffix("</ds:DigestValue>")
    shapes = {
        "comment-front": (f"<ds:DigestValue><!--{mine}-->{inner}</ds:DigestValue>", "xml_forbidden_node"),
        "comment-behind": (f"<ds:DigestValue>{inner}<!--{mine}--></ds:DigestValue>", "xml_forbidden_node"),
        "comment-other-way": (f"<ds:DigestValue><!--{inner}-->{mine}</ds:DigestValue>", "xml_forbidden_node"),
        "pi": (f"<ds:DigestValue><?x {mine}?>{inner}</ds:DigestValue>", "xml_forbidden_node"),
        "two-values": (true + f"<ds:DigestValue>{mine}</ds:DigestValue>", "signature_shape"),
        "two-values-mine-first": (f"<ds:DigestValue>{mine}</ds:DigestValue>" + true, "signature_shape"),
        "nested": (f"<ds:DigestValue>{inner}<ds:DigestValue>{mine}</ds:DigestValue></ds:DigestValue>", "signature_shape"),
        "replaced": (f"<ds:DigestValue>{mine}</ds:DigestValue>", "signature_invalid"),
        "empty": ("<ds:DigestValue></ds:DigestValue>", "digest_mismatch"),
        "missing": ("", "signature_shape"),
        "cut": (true.replace(inner, inner[:20]), "digest_mismatch"),
        "longer": (true.replace(inner, inner + "AAAA"), "signature_shape"),
        "both-run-together": (true.replace(inner, inner + mine), "signature_shape"),
        "not-base64": (true.replace(inner, "*" + inner[1:]), "signature_shape"),
    }
    forged = evil("_a1", assertion_signature=signature).assertion()
    for name, (shape, reason) in shapes.items():
        yield reject("digest-" + name, whole.replace(genuine, forged.replace(true, shape)), reason)
    info = element(signature, "SignedInfo", "ds")
    own = info.replace(inner, mine)
    around = {
        "second-signed-info-behind": signature.replace(info, info + own),
        "second-signed-info-front": signature.replace(info, own + info),
        "second-signed-info-at-end": signature.replace("</ds:Signature>", own + "</ds:Signature>"),
        "second-signed-info-in-object": signature.replace("</ds:Signature>", f"<ds:Object>{info}</ds:Object></ds:Signature>").replace(info, own, 1),
        "signed-info-in-signed-info": signature.replace("</ds:SignedInfo>", own + "</ds:SignedInfo>"),
        "signed-info-in-key-info": signature.replace(info, own).replace("</ds:KeyInfo>", info + "</ds:KeyInfo>"),
        "manifest": signature.replace("</ds:Signature>", f"<ds:Object><ds:Manifest>{element(own, 'Reference', 'ds')}</ds:Manifest></ds:Object></ds:Signature>"),
        "second-value": signature.replace("</ds:SignatureValue>", "</ds:SignatureValue><ds:SignatureValue>AAAA</ds:SignatureValue>"),
        "no-value": signature.replace(element(signature, "SignatureValue", "ds"), ""),
        "no-signed-info": signature.replace(info, ""),
        "value-first": element(signature, "SignatureValue", "ds") .join([signature.replace(element(signature, "SignatureValue", "ds"), "").partition(info)[0], info + signature.partition("</ds:SignatureValue>")[2]]),
        "alien-child": signature.replace("</ds:Signature>", '<x:y xmlns:x="urn:x"/></ds:Signature>'),
        "text-in-signature": signature.replace("</ds:SignedInfo>", "</ds:SignedInfo>text"),
        "two-key-infos": signature.replace("</ds:Signature>", element(signature, "KeyInfo", "ds") + "</ds:Signature>"),
    }
    for name, shape in around.items():
        inside = evil("_a1", assertion_signature=shape).assertion()
        # in KeyInfo nothing but certificates is looked at
        yield reject("shape-" + name, whole.replace(genuine, inside), "signature_invalid" if name == "signed-info-in-key-info" else "signature_shape")
        yield intact(f"shape-{name}-genuine", whole.replace(signature, shape))


def signed_shapes():
    """Shapes that the identity provider itself has signed: still refused, they are no SAML."""
    yield reject("object-signed", Message().signed(recipe=Recipe(raw_after_key_info="<ds:Object>x</ds:Object>")), "signature_shape")
    yield intact("signature-alien-attribute", Message().signed(recipe=Recipe(attributes=' x:Id="_x" xmlns:x="urn:x"')))
    yield intact("signature-id", Message().signed(recipe=Recipe(attributes=' Id="_sig"')))
    twice = ('<ds:Reference URI="{}"><ds:Transforms><ds:Transform Algorithm="' + ENVELOPED + '"/></ds:Transforms><ds:DigestMethod Algorithm="'
             + DIGESTS["sha256"] + '"/><ds:DigestValue>' + "A" * 43 + "=</ds:DigestValue></ds:Reference>")
    for name, uri in (("same", "#_a1"), ("response", "#_r1"), ("http", "http://192.0.2.1/x"), ("file", "file:///etc/passwd")):
        yield reject("two-references-" + name, Message().signed(recipe=Recipe(raw_reference_extra=twice.format(uri))), "signature_shape")
    hmac_length = Recipe(method="rsa-sha256")
    text = Message(assertion_signature=hmac_length.write("_a1").replace(
        f'Algorithm="{dsig.METHODS["rsa-sha256"]}"/>', f'Algorithm="{dsig.METHODS["rsa-sha256"]}"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>')).text()
    yield reject("hmac-output-length", dsig.sign(text, "_a1", hmac_length), "signature_algorithm")


def references():
    cases = {
        "empty": ("", None), "none": (None, None), "other": ("#_other", None), "response-id": ("#_r1", "_r1"), "case": ("#_A1", None),
        "xpointer-root": ("#xpointer(/)", None), "xpointer-id": ("#xpointer(id('_a1'))", None), "bare": ("_a1", None), "double": ("##_a1", None),
        "encoded": ("#%5Fa1", None), "blank": ("# _a1", None), "trailing-blank": ("#_a1 ", None), "http": ("http://192.0.2.1/a.xml", None),
        "http-fragment": ("http://192.0.2.1/a.xml#_a1", None), "file": ("file:///etc/hostname", None), "cid": ("cid:a", None),
        "longer": ("#_a1x", None), "shorter": ("#_a", None), "only-hash": ("#", None), "id-of-statement": ("#_s1", None),
    }
    for name, (uri, target) in cases.items():
        recipe = Recipe(uri=uri or "")
        signature = recipe.write("_a1")
        if uri is None:
            signature = signature.replace(' URI=""', "")
        text = dsig.sign(Message(assertion_signature=signature).text(), "_a1", recipe, target)
        yield reject("reference-" + name, text, "reference_mismatch")
    inner = Recipe(uri="#_a1")
    text = dsig.sign(Message(response_signature=inner.write("_r1")).text(), "_r1", inner, "_a1")
    yield reject("response-signature-of-assertion", text, "reference_mismatch")
    typed = Recipe()
    signature = typed.write("_a1").replace("<ds:Reference ", f'<ds:Reference Type="{DS}Manifest" ')
    yield intact("reference-type-manifest", dsig.sign(Message(assertion_signature=signature).text(), "_a1", typed))
    nothing = Message(assertion_id="")
    yield reject("empty-id", dsig.sign(nothing.but(assertion_signature=Recipe(uri="#").write("")).text(), "", Recipe()), "not_a_response")
    without = Message(assertion_signature=Recipe(uri="#_r1").write("_r1")).text().replace(' ID="_a1"', "")
    yield reject("no-id", dsig.sign(without, "_r1", Recipe()), "not_a_response")


def transforms():
    xpath = f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>{{}}</ds:XPath></ds:Transform>'
    raw = {
        "none": ("", None), "exclusive-only": (TRANSFORM.format(EXCLUSIVE), None), "enveloped-only": (TRANSFORM.format(ENVELOPED), "inclusive"),
        "inclusive": (TRANSFORM.format(ENVELOPED) + TRANSFORM.format(INCLUSIVE), "inclusive"),
        "inclusive-1.1": (TRANSFORM.format(ENVELOPED) + TRANSFORM.format("http://www.w3.org/2006/12/xml-c14n11"), "inclusive"),
        "inclusive-with-comments": (TRANSFORM.format(ENVELOPED) + TRANSFORM.format(INCLUSIVE + "#WithComments"), "inclusive"),
        "exclusive-with-comments": (TRANSFORM.format(ENVELOPED) + TRANSFORM.format(EXCLUSIVE + "WithComments"), None),
        "other-order": (TRANSFORM.format(EXCLUSIVE) + TRANSFORM.format(ENVELOPED), None),
        "three": (TRANSFORM.format(ENVELOPED) + 2 * TRANSFORM.format(EXCLUSIVE), None),
        "enveloped-twice": (2 * TRANSFORM.format(ENVELOPED) + TRANSFORM.format(EXCLUSIVE), None),
        "hundred": (TRANSFORM.format(ENVELOPED) + 100 * TRANSFORM.format(EXCLUSIVE), None),
        "unknown": (TRANSFORM.format(ENVELOPED) + TRANSFORM.format("urn:x"), None),
        "case": (TRANSFORM.format(ENVELOPED) + TRANSFORM.format(EXCLUSIVE.upper()), None),
        "no-algorithm": ("<ds:Transform/>" + TRANSFORM.format(EXCLUSIVE), None),
        "base64": (TRANSFORM.format(DS + "base64"), constant),
        "xpath-nothing": (xpath.format("false()"), lambda _: b""),
        "xpath-self": (xpath.format("ancestor-or-self::*[local-name()='Status']") + TRANSFORM.format(EXCLUSIVE), lambda _: b""),
        "xpath-filter": (f'<ds:Transform Algorithm="{FILTER}"><x:XPath xmlns:x="{FILTER}" Filter="subtract">//*</x:XPath></ds:Transform>', lambda _: b""),
        "xslt": (f'<ds:Transform Algorithm="{XSLT}">{SHEET}</ds:Transform>', constant),
        "enveloped-xslt": (TRANSFORM.format(ENVELOPED) + f'<ds:Transform Algorithm="{XSLT}">{SHEET}</ds:Transform>', constant),
    }
    for name, (inner, covers) in raw.items():
        function = {"inclusive": lambda one: dsig.canonical(one, INCLUSIVE), None: None}.get(covers, covers)
        recipe = Recipe(raw_transforms=inner, digest_input=function)
        yield reject("transform-" + name, Message().signed(recipe=recipe), "transforms")
        if callable(covers): # the digest says nothing of the content, which the attacker then exchanges
            whole = Message().signed(recipe=recipe)
            yield reject(f"transform-{name}-forged", whole.replace(message.USER, EVIL), "transforms")
    recipe = Recipe()
    signature = recipe.write("_a1").partition("<ds:Transforms>")
    bare = signature[0] + signature[2].partition("</ds:Transforms>")[2]
    yield reject("transforms-missing", dsig.sign(Message(assertion_signature=bare).text(), "_a1", recipe), "signature_shape")
    two = recipe.write("_a1").replace("</ds:Transforms>", "</ds:Transforms><ds:Transforms/>")
    yield reject("transforms-twice", dsig.sign(Message(assertion_signature=two).text(), "_a1", recipe), "signature_shape")
    inside = recipe.write("_a1").replace(f'Algorithm="{ENVELOPED}"/>', f'Algorithm="{ENVELOPED}"><ds:XPath>false()</ds:XPath></ds:Transform>')
    yield reject("xpath-in-enveloped", dsig.sign(Message(assertion_signature=inside).text(), "_a1", recipe), "transforms")
    odd = recipe.write("_a1").replace(f'<ds:Transform Algorithm="{EXCLUSIVE}"/>', f'<ds:Transform Algorithm="{EXCLUSIVE}"><ds:Other/></ds:Transform>')
    yield reject("child-of-exclusive", dsig.sign(Message(assertion_signature=odd).text(), "_a1", recipe), "transforms")
    listed = Recipe(prefixes="saml")
    lists = listed.write("_a1").replace("</ds:Transform>", f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="ds"/></ds:Transform>')
    yield reject("two-prefix-lists", dsig.sign(Message(assertion_signature=lists).text(), "_a1", listed), "transforms")


def prefix_lists():
    """Lists that canonicalisers read in several ways, and what is bound where no signature holds."""
    for name, text in (("xml", "xml"), ("xmlns", "xmlns"), ("twice", "saml saml"), ("unbound", "nobody"), ("blanks", "   "), ("default-twice", "#default #default"), ("colon", "saml:NameID"), ("star", "*")):
        yield intact("prefix-list-" + name, Message().signed(recipe=Recipe(prefixes=text)))
    rebound = Message(response_attributes=' xmlns:ds2="urn:a"').signed(recipe=Recipe(prefixes="ds2", signed_info_prefixes="ds2"))
    yield reject("prefix-list-rebound-outside", rebound.replace('xmlns:ds2="urn:a"', 'xmlns:ds2="urn:b"'), "digest_mismatch")
    yield reject("prefix-list-default-added", Message().signed(recipe=Recipe(prefixes="#default")).replace("<samlp:Response ", '<samlp:Response xmlns="urn:b" '), "digest_mismatch")
    inner = Message().signed().replace("<ds:KeyInfo>", '<ds:KeyInfo xmlns:saml="urn:x">')
    yield intact("namespace-rebound-in-key-info", inner)
    info = Message().signed().replace("<ds:SignedInfo>", '<ds:SignedInfo xmlns:saml="urn:x">')
    yield intact("unused-namespace-in-signed-info", info)
    used = Message().signed().replace("<ds:SignedInfo>", '<ds:SignedInfo Id="_i">')
    yield reject("attribute-added-to-signed-info", used, "signature_invalid")


def cases():
    for group in (smuggled, signed_shapes, references, transforms, prefix_lists):
        yield from group()
