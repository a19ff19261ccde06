"""Signature wrapping: a genuine signed element is kept somewhere where its signature still holds, and an assertion of the
attacker's stands where a careless reader looks. XSW1 to XSW8 are those of Somorovsky et al. (USENIX Security 2012)."""

import re

import dsig
import message
from case import intact, reject
from dsig import DS, Recipe
from message import A, EVIL, P, Message

ATTRIBUTES = {"mail": [EVIL], "givenName": ["Mallory"], "groups": ["admins"]}
IDS = {"own": "_evil", "same": "_a1", "upper": "_A1"}


def element(text, name, prefix="saml"):
    """The first such element of a text, whole; elements of its name may stand in it."""
    start, depth = text.index(f"<{prefix}:{name}"), 0
    for found in re.finditer(rf"<(/?){prefix}:{name}\b[^>]*?(/?)>", text[start:]):
        depth += -1 if found[1] else (0 if found[2] else 1)
        if depth == 0:
            return text[start:start + found.end()]
    raise ValueError(name)


def parts(what="assertion"):
    """The genuine Response, its Assertion, and the signature of what is signed."""
    whole = Message().signed(what)
    return whole, element(whole, "Assertion"), element(whole, "Signature", "ds")


def evil(identifier="_evil", **more):
    return Message(name_id=EVIL, attributes=ATTRIBUTES, assertion_id=identifier, **more)


def within(outer, inner, end="</saml:Assertion>"):
    """The inner text at the end of the outer element."""
    at = outer.rindex(end)
    return outer[:at] + inner + outer[at:]


def into_signature(signature, inner):
    return within(signature, f"<ds:Object>{inner}</ds:Object>", "</ds:Signature>")


def numbered_responses():
    """XSW1 and XSW2: the signed Response is kept within a Response of the attacker's, or beside it."""
    whole, _, signature = parts("response")
    bare = whole.replace(signature, "")
    for label, identifier in (("own", "_r2"), ("same", "_r1"), ("upper", "_R1")):
        forged = evil(response_id=identifier)
        yield "xsw1-" + label, forged.but(response_signature=within(signature, bare, "</ds:Signature>")).text()
        yield "xsw1-object-" + label, forged.but(response_signature=into_signature(signature, bare)).text()
        yield "xsw2-" + label, forged.but(response_signature=signature, extensions=bare).text()
        yield "xsw2-before-" + label, forged.but(response_signature=bare + signature).text()
        for place, fields in containers(whole).items():
            yield f"response-in-{place}-{label}", forged.but(**fields).text()
        for place, fields in containers(bare).items():
            yield f"response-in-{place}-signature-kept-{label}", forged.but(response_signature=signature, **fields).text()


def containers(inner):
    """Places in a Response that no signature of an Assertion covers, and that readers skip."""
    ok = Message().status.replace("</samlp:Status>", "")
    return {
        "extensions": {"extensions": f"<samlp:Extensions>{inner}</samlp:Extensions>"},
        "status-detail": {"status": f"{ok}<samlp:StatusDetail>{inner}</samlp:StatusDetail></samlp:Status>"},
        "front": {"before_assertion": inner},
        "end": {"response_extra": inner},
        "unknown-element": {"before_assertion": f'<x:wrap xmlns:x="urn:x">{inner}</x:wrap>'},
        "nested-response": {"before_assertion": f'<samlp:Response ID="_r9" Version="2.0">{inner}</samlp:Response>'},
        "issuer": {"response_issuer": f'<saml:Issuer xmlns:saml="{A}">{message.IDP}{inner}</saml:Issuer>'},
    }


def assertion_places(inner):
    """Places in an Assertion where another may be kept."""
    plain = evil()
    return {
        "advice": {"conditions": plain.conditions_xml() + f"<saml:Advice>{inner}</saml:Advice>"},
        "attribute-value": {"attribute_statement": within(plain.attribute_xml(), f'<saml:Attribute Name="x"><saml:AttributeValue>{inner}'
                                                          "</saml:AttributeValue></saml:Attribute>", "</saml:AttributeStatement>")},
        "confirmation-data": {"confirmation_data": plain.data_xml().replace("/>", f">{inner}</saml:SubjectConfirmationData>")},
        "name-id": {"name_id_xml": f"<saml:NameID>{EVIL}{inner}</saml:NameID>"},
        "conditions": {"conditions_extra": inner},
        "authn-context": {"authn_statement": f'<saml:AuthnStatement AuthnInstant="{message.at(-6)}"><saml:AuthnContext><saml:AuthnContextDecl>'
                                             f"{inner}</saml:AuthnContextDecl></saml:AuthnContext></saml:AuthnStatement>"},
        "end-of-assertion": {"assertion_extra": inner},
        "issuer-of-assertion": {"assertion_issuer": f"<saml:Issuer>{message.IDP}{inner}</saml:Issuer>"},
    }


def numbered_assertions():
    """XSW3 to XSW8: the signed thing is the Assertion."""
    whole, genuine, signature = parts()
    bare = genuine.replace(signature, "")
    for label, identifier in IDS.items():
        forged = evil(identifier)
        false = forged.assertion()
        yield "xsw3-" + label, whole.replace(genuine, false + genuine)
        yield "xsw3-behind-" + label, whole.replace(genuine, genuine + false)
        yield "xsw4-" + label, whole.replace(genuine, within(false, genuine))
        resigned = forged.but(assertion_signature=signature).assertion()
        yield "xsw5-" + label, whole.replace(genuine, resigned + bare)
        yield "xsw5-front-" + label, whole.replace(genuine, bare + resigned)
        yield "xsw6-" + label, whole.replace(genuine, forged.but(assertion_signature=within(signature, bare, "</ds:Signature>")).assertion())
        yield "xsw7-" + label, forged.but(extensions=f"<samlp:Extensions>{false}</samlp:Extensions>").text(genuine)
        yield "xsw8-" + label, whole.replace(genuine, forged.but(assertion_signature=into_signature(signature, bare)).assertion())
        for place, fields in containers(false).items():
            yield f"false-in-{place}-{label}", Message(**fields).text(genuine)
        for place, fields in containers(genuine).items():
            yield f"genuine-in-{place}-{label}", forged.but(**fields).text()
        for place, fields in containers(bare).items():
            yield f"genuine-in-{place}-signature-kept-{label}", forged.but(assertion_signature=signature, **fields).text()
        for place, fields in assertion_places(genuine).items():
            yield f"genuine-in-{place}-{label}", forged.but(**fields).text()
        for place, fields in assertion_places(bare).items():
            yield f"genuine-in-{place}-signature-kept-{label}", forged.but(assertion_signature=signature, **fields).text()


def both_signed():
    whole = Message().signed("both")
    genuine = element(whole, "Assertion")
    inner = element(genuine, "Signature", "ds")
    false = evil().assertion()
    yield "both-false-in-front", whole.replace(genuine, false + genuine)
    yield "both-false-around", whole.replace(genuine, within(false, genuine))
    yield "both-false-in-extensions", whole.replace("<samlp:Status>", f"<samlp:Extensions>{false}</samlp:Extensions><samlp:Status>")
    resigned = evil(assertion_signature=inner).assertion()
    yield "both-signature-moved", whole.replace(genuine, resigned + genuine.replace(inner, ""))


def alien():
    """Elements that only look like SAML's, for readers that go by local names."""
    whole, genuine, signature = parts()
    false = evil().assertion()
    shams = {
        "no-namespace": re.sub(r"(</?)saml:", r"\1", false.replace(f' xmlns:saml="{A}"', "")),
        "saml-1.1": false.replace(A, "urn:oasis:names:tc:SAML:1.0:assertion"),
        "namespace-case": false.replace(A, A.upper().replace("URN:OASIS", "urn:oasis")),
        "namespace-slash": false.replace(A, A + "/"),
        "default-other": re.sub(r"(</?)saml:", r"\1", false.replace("xmlns:saml=", "xmlns=").replace(A, "urn:x")),
    }
    for label, sham in shams.items():
        yield intact(f"sham-{label}-in-front", whole.replace(genuine, sham + genuine))
        yield intact(f"sham-{label}-behind", whole.replace(genuine, genuine + sham))
        yield intact(f"sham-{label}-in-extensions", Message(extensions=f"<samlp:Extensions>{sham}</samlp:Extensions>").text(genuine))
        yield reject(f"sham-{label}-alone", whole.replace(genuine, sham), "xml_namespace" if label == "no-namespace" else "assertion_place")
    loose = f'<saml:Subject xmlns:saml="{A}"><saml:NameID>{EVIL}</saml:NameID></saml:Subject>'
    statement = f'<saml:AttributeStatement xmlns:saml="{A}">{message.attribute("mail", [EVIL])}</saml:AttributeStatement>'
    for place, fields in containers(loose + statement).items():
        yield intact("loose-subject-in-" + place, Message(**fields).text(genuine))
    yield intact("name-id-in-signature", whole.replace("</ds:KeyInfo>", f'<saml:NameID xmlns:saml="{A}">{EVIL}</saml:NameID></ds:KeyInfo>'))
    yield reject("subject-in-object", whole.replace("</ds:Signature>", f"<ds:Object>{loose}</ds:Object></ds:Signature>"), "signature_shape")
    yield reject("subject-in-signed-info", whole.replace("</ds:SignedInfo>", loose + "</ds:SignedInfo>"), "signature_shape")


def places():
    """Signatures that stand where they may not, and messages without any."""
    whole, genuine, signature = parts()
    bare = genuine.replace(signature, "")
    yield reject("unsigned", Message().text(), "signature_missing")
    yield reject("unsigned-evil", evil().text(), "signature_missing")
    yield reject("signature-stripped", whole.replace(signature, ""), "signature_missing")
    yield reject("signature-empty", whole.replace(signature, f'<ds:Signature xmlns:ds="{DS}"/>'), "signature_shape")
    yield reject("signature-other-namespace", whole.replace(signature, signature.replace(DS, "urn:x")), "signature_place")
    yield reject("signature-twice", whole.replace(signature, signature + signature), "signature_place")
    yield reject("signature-in-response", Message(response_signature=signature).text(bare), "reference_mismatch")
    yield reject("signature-in-subject", whole.replace(genuine, bare.replace("<saml:Subject>", "<saml:Subject>" + signature)), "signature_place")
    yield reject("signature-in-extensions", Message(extensions=f"<samlp:Extensions>{signature}</samlp:Extensions>").text(bare), "signature_place")
    yield reject("signature-in-status", Message(status=Message().status.replace("</samlp:Status>", f"<samlp:StatusDetail>{signature}</samlp:StatusDetail></samlp:Status>")).text(bare), "signature_place")
    yield reject("signature-in-signature", whole.replace("</ds:KeyInfo>", signature + "</ds:KeyInfo>"), "signature_place")
    end = bare.replace("</saml:Assertion>", signature + "</saml:Assertion>")
    yield intact("signature-at-the-end", whole.replace(genuine, end), "signature_place")
    front = genuine.replace(signature, "").replace("<saml:Issuer>", signature + "<saml:Issuer>", 1)
    yield intact("signature-in-front-of-issuer", whole.replace(genuine, front), "signature_place")
    for field in ("name_id", "attributes"):
        changed = genuine.replace(message.USER + "</saml:NameID>" if field == "name_id" else "<saml:AttributeValue>" + message.USER,
                                  EVIL + "</saml:NameID>" if field == "name_id" else "<saml:AttributeValue>" + EVIL)
        yield reject(f"changed-{field}", whole.replace(genuine, changed), "digest_mismatch")
    yield reject("digest-recomputed", recomputed(), "signature_invalid")
    yield reject("second-signature-only-for-response", Message(response_signature=Recipe().write("_r1").replace("@DIGEST _r1@", "AAAA").replace("@VALUE _r1@", "AAAA")).text(genuine), "digest_mismatch")
    yield reject("good-around-bad", good_around_bad(), "digest_mismatch")


def recomputed():
    """The attacker changes the content and the digest: SignedInfo is no longer what was signed."""
    genuine = Message().signed()
    other = evil("_a1").signed()
    value = lambda text: re.search(r"<ds:SignatureValue>([^<]+)", text)[1]
    return other.replace(value(other), value(genuine))


def good_around_bad():
    """The Response is well signed, the Assertion in it is not."""
    inner = Recipe().write("_a1").replace("@DIGEST _a1@", "AAAA").replace("@VALUE _a1@", "AAAA")
    return Message(assertion_signature=inner).signed("response")


def counts():
    _, genuine, _ = parts()
    yield reject("no-assertion", Message().text(""), "assertion_missing")
    empty = Message(response_signature=Recipe().write("_r1")).text("")
    yield reject("no-assertion-signed-response", dsig.sign(empty, "_r1", Recipe()), "assertion_missing")
    yield reject("two-signed-assertions", Message().text(genuine + Message(assertion_id="_a2").signed().partition("</samlp:Status>")[2].removesuffix("</samlp:Response>")), "assertion_count")
    yield reject("same-assertion-twice", Message().text(genuine + genuine), "xml_duplicate_id")
    yield reject("two-assertions-response-signed", Message(response_extra=evil().assertion()).signed("response"), "assertion_count")
    encrypted = '<saml:EncryptedAssertion xmlns:saml="{}"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/></saml:EncryptedAssertion>'.format(A)
    yield reject("encrypted", Message().text(encrypted), "assertion_encrypted")
    yield reject("encrypted-besides", Message(response_extra=encrypted).signed(), "assertion_encrypted")
    yield reject("assertion-in-extensions-only", Message(extensions=f"<samlp:Extensions>{genuine}</samlp:Extensions>").text(""), "assertion_place")
    yield reject("assertion-as-root", genuine, "not_a_response")
    encrypted_id = '<saml:EncryptedID><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/></saml:EncryptedID>'
    yield reject("encrypted-name-id", Message(name_id_xml=encrypted_id).signed(), "name_id_missing")


def why(text):
    """The first thing that is wrong with a wrapped message: there are two of what there may be one."""
    identifiers = re.findall(r' (?:ID|Id|id|iD)="([^"]*)"', text)
    if len(set(identifiers)) < len(identifiers):
        return "xml_duplicate_id"
    if text.count("<samlp:Response ") > 1:
        return "not_a_response"
    assert len(re.findall("<saml:Assertion[ >]", text)) > 1
    return "assertion_count"


def cases():
    for group in (numbered_responses, numbered_assertions, both_signed):
        for name, text in group():
            yield reject(name, text, why(text))
    for group in (alien, places, counts):
        yield from group()
