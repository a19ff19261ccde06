"""Messages of honest identity providers, in all the ways that they write them."""

import base64

import dsig
import keys
import message
from case import Expect, accept
from dsig import Recipe, x509_info
from message import A, ACS, EVIL, SP, Message, at, attribute

XS = ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
TYPED = ('<saml:AttributeStatement><saml:Attribute Name="mail" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">'
         f'<saml:AttributeValue xsi:type="xs:string">{message.USER}</saml:AttributeValue></saml:Attribute>'
         '<saml:Attribute Name="givenName"><saml:AttributeValue xsi:type="xs:string">Alice</saml:AttributeValue></saml:Attribute>'
         '<saml:Attribute Name="groups"><saml:AttributeValue>staff</saml:AttributeValue>'
         '<saml:AttributeValue>voice-admins</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>')


def by(kind, **more):
    key = keys.key(kind)
    return Recipe(key=key, **more), Expect(fingerprint=key.fingerprint())


def signatures():
    for what in ("assertion", "response", "both"):
        yield accept(what + "-signed", Message().signed(what), oracle=what)
    for name in ("sha384", "sha512"):
        for what in ("assertion", "response"):
            yield accept(f"rsa-{name}-{what}", Message().signed(what, Recipe(method="rsa-" + name, digest=name)), oracle=what)
    yield accept("rsa-sha256-with-digest-sha512", Message().signed(recipe=Recipe(digest="sha512")))
    for kind, method in (("rsa4096", "rsa-sha256"), ("rsa4096", "rsa-sha512"), ("p256", "ecdsa-sha256"), ("p384", "ecdsa-sha384"),
                         ("p521", "ecdsa-sha512"), ("p256", "ecdsa-sha512"), ("p521", "ecdsa-sha256")):
        recipe, expect = by(kind, method=method)
        yield accept(f"{kind}-{method}", Message().signed("both", recipe), expect, oracle="both")
    yield accept("rsa-pss", Message().signed("both", Recipe(method="rsa-pss-sha256")), oracle="") # xmlsec1 1.2 can't
    allowed = Expect(allow_sha1=True)
    yield accept("sha1-allowed", Message().signed("both", Recipe(method="rsa-sha1", digest="sha1")), allowed, oracle="both")
    yield accept("sha1-digest-allowed", Message().signed(recipe=Recipe(digest="sha1")), allowed)
    yield accept("sha256-where-sha1-is-allowed", Message().signed(), allowed)
    other = keys.key("p256")
    yield accept("both-signed-by-two-certificates", Message().signed("both", Recipe(), Recipe(key=other, method="ecdsa-sha256")),
                 Expect(certificates=((other.der, False),)), oracle="")


def trust():
    usual = keys.key()
    for algorithm in ("sha1", "sha256", "sha384", "sha512"):
        yield accept("fingerprint-" + algorithm, Message().signed(), Expect(algorithm=algorithm))
    plain = usual.fingerprint().replace(":", "").lower()
    yield accept("fingerprint-without-colons", Message().signed(), Expect(fingerprint=plain))
    yield accept("fingerprint-with-blanks", Message().signed(), Expect(fingerprint=usual.fingerprint().replace(":", " ")))
    other = Expect(fingerprint=keys.key("rsa", "old").fingerprint(), certificates=((usual.der, False),))
    yield accept("stored-certificate", Message().signed(), other)
    yield accept("no-key-info", Message().signed("both", Recipe(key_info="")), other, oracle="both")
    several = Expect(certificates=((keys.key("rsa", "old").der, True), (keys.key("p256").der, False), (usual.der, False)))
    yield accept("no-key-info-several-stored", Message().signed("response", Recipe(key_info="")), several, oracle="response")
    many = x509_info(keys.key("rsa", "ca"), usual)
    yield accept("second-of-two-certificates", Message().signed(recipe=Recipe(key_info=many)))
    chain = x509_info(usual).replace("</ds:X509Certificate>", f"</ds:X509Certificate><ds:X509Certificate>"
                                     f"{keys.key('rsa', 'ca').base64}</ds:X509Certificate>")
    yield accept("chain-in-one-x509data", Message().signed(recipe=Recipe(key_info=chain)))
    folded = x509_info(usual).replace(usual.base64, dsig.lines(usual.base64, 64))
    yield accept("folded-base64", Message().signed("both", Recipe(key_info=folded, width=76)), oracle="both")
    returns = folded.replace("\n", "&#13;\n")
    yield accept("base64-with-carriage-returns", Message().signed(recipe=Recipe(key_info=returns)))
    past = keys.expired()
    yield accept("certificate-past-its-end", Message().signed(recipe=Recipe(key=past)), Expect(fingerprint=past.fingerprint()))
    named = x509_info(usual).replace("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>idp</ds:KeyName>")
    yield accept("key-name-besides", Message().signed(recipe=Recipe(key_info=named)))


def writing():
    text = Message().text
    yield accept("typed-values", Message(assertion_attributes=XS, attribute_statement=TYPED).signed())
    recipe = Recipe(prefixes="xs xsi")
    yield accept("inclusive-prefixes", Message(assertion_attributes=XS, attribute_statement=TYPED).signed(recipe=recipe))
    outside = Message(response_attributes=XS, attribute_statement=TYPED)
    yield accept("inclusive-prefixes-from-outside", outside.signed(recipe=Recipe(prefixes="xs")))
    yield accept("namespaces-from-outside", outside.signed("both"), oracle="both")
    yield accept("inclusive-prefixes-of-signed-info", Message().signed(recipe=Recipe(signed_info_prefixes="ds saml")))
    yield accept("prefix-list-default", Message().signed(recipe=Recipe(prefixes="#default saml")))
    for what in ("assertion", "response"):
        marked = Message(**{what + "_signature": Recipe(prefix="").write("_r1" if what == "response" else "_a1")}).text()
        marked = (marked.replace("samlp:", "").replace("xmlns:samlp", "xmlns").replace("<saml:", "<").replace("</saml:", "</")
                  .replace("xmlns:saml=", "xmlns="))
        yield accept("default-namespaces-" + what, dsig.sign(marked, "_r1" if what == "response" else "_a1", Recipe(prefix="")),
                     oracle=what)
    swapped = (Message(response_signature=Recipe(prefix="ns0").write("_r1")).text().replace("samlp:", "x.y-z:").replace("xmlns:samlp", "xmlns:x.y-z")
               .replace("saml:", "samlp:").replace("xmlns:saml=", "xmlns:samlp="))
    yield accept("odd-prefixes", dsig.sign(swapped, "_r1", Recipe(prefix="ns0")), oracle="response")
    spaced = Message(assertion_signature=Recipe().write("_a1")).text().replace("><", ">\n  <")
    yield accept("indented", dsig.sign(spaced, "_a1", Recipe()))
    yield accept("indented-crlf", dsig.sign(spaced, "_a1", Recipe()).replace("\n", "\r\n"))
    yield accept("declaration", Message(prolog='<?xml version="1.0" encoding="UTF-8"?>\n').signed())
    yield accept("declaration-lower-case", Message(prolog="<?xml version='1.0' encoding='utf-8' standalone='yes'?>").signed())
    single = Message().signed().replace(f'Destination="{ACS}"', f"Destination = '{ACS}'")
    yield accept("single-quotes", single)
    whole = Message().signed()
    folded = base64.encodebytes(whole.encode()).decode()
    yield accept("form-folded", whole, form=folded)
    yield accept("form-folded-crlf", whole, form=folded.replace("\n", "\r\n"))
    reordered = Message().signed().replace(' ID="_r1" Version="2.0"', ' Version="2.0" ID="_r1"')
    assert reordered != text() and 'Version="2.0" ID="_r1"' in reordered
    yield accept("attributes-in-another-order", reordered)
    ids = Message(response_id="pfx1b-2.c_d", assertion_id="A" + "9f" * 60)
    yield accept("odd-ids", ids.signed("both"), oracle="both")


def contents():
    yield accept("no-attributes", Message(attributes={}).signed(), attributes={}, groups=())
    more = dict(message.ATTRIBUTES, other=["x" * 200], telephone=["+1 312 555 0100", ""])
    yield accept("unmapped-attributes", Message(attributes=more).signed())
    yield accept("several-values", Message(attributes=dict(message.ATTRIBUTES, mail=[message.USER, "second@example.com"])).signed())
    escaped = Message(name_id="o&apos;hara &amp; söhne &lt;x&gt; 🙂", attributes={"mail": ["a&amp;b@example.com"], "givenName": ["<![CDATA[<Al>]]>ice"]})
    yield accept("escapes", escaped.signed("both"), name_id="o'hara & söhne <x> 🙂", oracle="both",
                 attributes={"email": "a&b@example.com", "first_name": "<Al>ice"}, groups=())
    yield accept("cdata-in-name-id", Message(name_id="<![CDATA[alice]]>@example.com").signed("response"), oracle="response")
    nested = f'<saml:AttributeValue><saml:NameID>{EVIL}</saml:NameID></saml:AttributeValue>'
    inner = Message().attribute_xml().replace("</saml:AttributeStatement>", f'<saml:Attribute Name="eduPersonTargetedID">{nested}</saml:Attribute></saml:AttributeStatement>')
    yield accept("name-id-in-attribute-value", Message(attribute_statement=inner).signed())
    yield accept("no-map", Message().signed(), Expect(attribute_names=None), attributes={})
    yield accept("no-groups", Message().signed(), Expect(groups=False), groups=())
    mapped = Expect(attribute_names={"groups": "roles"})
    yield accept("groups-by-another-name", Message(attributes={"roles": ["a", "b"]}).signed(), mapped, attributes={}, groups=("a", "b"))
    audience = "<saml:Audience>{}</saml:Audience>"
    two = "<saml:AudienceRestriction>" + audience.format("urn:other") + audience.format(SP) + "</saml:AudienceRestriction>"
    yield accept("two-audiences", Message(restriction=two).signed())
    yield accept("two-restrictions", Message(restriction=two + two).signed())
    yield accept("one-time-use", Message(conditions_extra="<saml:OneTimeUse/>").signed())
    yield accept("proxy-restriction", Message(conditions_extra='<saml:ProxyRestriction Count="0"/>').signed())
    yield accept("response-without-issuer", Message(response_issuer="").signed())
    yield accept("issuer-format", Message(assertion_issuer='<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">'
                                          f"{message.IDP}</saml:Issuer>").signed())
    yield accept("no-destination", Message(destination=None).signed())
    yield accept("status-message", Message(status=Message().status.replace("</samlp:Status>", "<samlp:StatusMessage>ok</samlp:StatusMessage></samlp:Status>")).signed("both"), oracle="both")
    yield accept("no-session-end", Message(session_until=None).signed())
    yield accept("name-id-without-format", Message(name_id_xml=f"<saml:NameID>{message.USER}</saml:NameID>").signed())
    qualified = f'<saml:NameID NameQualifier="{message.IDP}" SPNameQualifier="{SP}">{message.USER}</saml:NameID>'
    yield accept("qualifiers", Message(name_id_xml=qualified).signed())
    holder = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/>'
    bearer = f'<saml:SubjectConfirmation Method="{message.BEARER}">{Message().data_xml()}</saml:SubjectConfirmation>'
    yield accept("two-confirmations", Message(confirmation=holder + bearer).signed())
    elsewhere = bearer.replace(ACS, "https://other.example/acs")
    yield accept("one-good-confirmation-of-two", Message(confirmation=elsewhere + bearer).signed())
    yield accept("confirmation-address", Message(confirmation_data=Message().data_xml().replace("/>", ' Address="192.0.2.7"/>')).signed())
    advice = Message().conditions_xml() + "<saml:Advice><saml:AssertionURIRef>urn:x</saml:AssertionURIRef></saml:Advice>"
    yield accept("advice", Message(conditions=advice).signed())
    yield accept("two-authn-statements", Message(authn_statement=2 * Message().assertion().partition("</saml:Conditions>")[2].partition("<saml:AttributeStatement>")[0]).signed())
    yield accept("extensions", Message(extensions='<samlp:Extensions><x:y xmlns:x="urn:x">z</x:y></samlp:Extensions>').signed())


def times():
    yield accept("fractions", Message(not_before=at(-1, ".123"), not_on_or_after=at(9, ".9999999"), issued=at(-1, ".5")).signed())
    for name, seconds in (("clock-behind", -59), ("clock-ahead", 59)):
        shifted = Message(not_before=at(seconds), not_on_or_after=at(seconds + 1), confirmed_until=at(seconds + 1), session_until=at(seconds + 1),
                          authn_instant=at(seconds), issued=at(seconds))
        yield accept(name, shifted.signed())
    yield accept("no-times-in-conditions", Message(not_before=None, not_on_or_after=None).signed())
    past = Message(confirmation_data=Message().data_xml().replace("/>", f' NotBefore="{at(-60)}"/>'))
    yield accept("confirmation-not-before-past", past.signed())


def asking():
    anyone = Expect(in_response_to=None)
    yield accept("idp-initiated", Message(in_response_to=None).signed(), anyone)
    yield accept("idp-initiated-response-signed", Message(in_response_to=None).signed("response"), anyone, oracle="response")
    yield accept("answer-to-be-looked-up", Message().signed(), anyone)
    other = "_other-request"
    yield accept("another-request", Message(in_response_to=other).signed(), Expect(in_response_to=other))


def cases():
    for group in (signatures, trust, writing, contents, times, asking):
        yield from group()
