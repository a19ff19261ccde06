"""XML itself: what two parsers read in two ways, what canonicalisation swallows, and what no SAML message needs."""

import re

import dsig
import message
from case import intact, reject
from dsig import Recipe
from message import A, EVIL, P, USER, Message

ENTITIES = "<!ENTITY a 'ha'>" + "".join(f"<!ENTITY {chr(98 + n)} '{10 * f'&{chr(97 + n)};'}'>" for n in range(9))


def doctypes():
    whole = Message().signed()
    prologs = {
        "plain": "<!DOCTYPE x>", "system": '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">', "public": '<!DOCTYPE x PUBLIC "-//X//Y" "file:///etc/passwd">', "empty-subset": "<!DOCTYPE x []>",
        "attlist-id": '<!DOCTYPE x [<!ATTLIST samlp:Response other ID #IMPLIED>]>', "attlist-default": '<!DOCTYPE x [<!ATTLIST saml:NameID Format CDATA "urn:x">]>',
        "entity": "<!DOCTYPE x [<!ENTITY e 'x'>]>", "external-entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://192.0.2.1/p"> %p;]>',
        "laughs": f"<!DOCTYPE x [{ENTITIES}]>", "notation": '<!DOCTYPE x [<!NOTATION n SYSTEM "x">]>', "conditional": "<!DOCTYPE x [<!ENTITY % i 'IGNORE'> <![%i;[ ]]>]>", "comment": "<!DOCTYPE x [<!-- -->]>",
    }
    for name, text in prologs.items():
        yield reject("doctype-" + name, text + whole, "xml_doctype")
    named = "<!DOCTYPE x [<!ENTITY e '{}'>]>"
    yield reject("entity-in-name-id", named.format(EVIL) + whole.replace(USER + "</saml:NameID>", "&e;</saml:NameID>"), "xml_doctype")
    yield reject("entity-external-in-name-id", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + whole.replace(USER + "</saml:NameID>", "&e;</saml:NameID>"), "xml_doctype")
    yield reject("laughs-used", f"<!DOCTYPE x [{ENTITIES}]>" + whole.replace(USER, "&j;"), "xml_doctype")
    yield reject("doctype-after-declaration", '<?xml version="1.0"?><!DOCTYPE x>' + whole, "xml_doctype")
    yield reject("doctype-after-comment", "<!-- --><!DOCTYPE x>" + whole, "xml_doctype")
    yield reject("doctype-behind", whole + "<!DOCTYPE x>", "xml_malformed")
    yield reject("doctype-within", whole.replace("<samlp:Status>", "<!DOCTYPE x><samlp:Status>"), "xml_malformed")
    yield reject("doctype-lower-case", "<!doctype x>" + whole, "xml_malformed")
    yield reject("entity-undeclared", whole.replace(USER, "&unknown;", 1), "xml_malformed")


def encodings():
    whole = Message().signed()
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield reject("encoding-" + name, whole.encode(name), "xml_encoding")
        declared = f'<?xml version="1.0" encoding="{name.upper()[:6]}"?>' + whole
        yield reject(f"encoding-{name}-declared", declared.encode(name), "xml_encoding")
    for name in ("UTF-16", "ISO-8859-1", "windows-1252", "UTF-7", "US-ASCII", "EBCDIC-CP-US", "x-unknown", "HTML", "ISO-2022-JP"):
        yield reject("declared-" + name, f'<?xml version="1.0" encoding="{name}"?>' + whole, "xml_encoding")
    latin = Message(name_id="söhne").signed()
    yield reject("latin-1-bytes", latin.encode("latin-1"), "xml_encoding")
    yield reject("latin-1-declared", ('<?xml version="1.0" encoding="ISO-8859-1"?>' + latin).encode("latin-1"), "xml_encoding")
    yield intact("utf-8-bom", b"\xef\xbb\xbf" + whole.encode())
    yield reject("bom-twice", b"\xef\xbb\xbf\xef\xbb\xbf" + whole.encode(), "xml_malformed")
    name = USER.encode() + b"</saml:NameID>"
    for label, bytes_ in (("overlong", b"\xc0\xaf"), ("surrogate", b"\xed\xa0\x80"), ("above", b"\xf4\x90\x80\x80"), ("lone", b"\x80"), ("cut", b"\xe2\x82"), ("fe", b"\xfe")):
        yield reject("utf-8-" + label, whole.encode().replace(name, bytes_ + name), "xml_encoding")
    yield reject("version-1.1", '<?xml version="1.1"?>' + whole, "xml_malformed")
    yield reject("version-none", "<?xml encoding='UTF-8'?>" + whole, "xml_malformed")
    yield reject("declaration-late", "\n<?xml version='1.0'?>" + whole, "xml_malformed")


def characters():
    whole = Message().signed()
    at = USER + "</saml:NameID>"
    for name, byte in (("nul", b"\0"), ("bell", b"\7"), ("escape", b"\x1b"), ("ffff", "\uffff".encode()), ("fffe", "\ufffe".encode())):
        yield reject("character-" + name, whole.encode().replace(at.encode(), byte + at.encode()), "xml_encoding" if name == "nul" else "xml_malformed")
        number = byte.decode()
        yield reject("reference-to-" + name, whole.replace(at, f"&#{ord(number)};" + at), "xml_malformed")
    yield reject("nul-at-the-end", whole.encode() + b"\0", "xml_encoding")
    yield reject("nul-then-evil", whole.encode() + b"\0" + Message(name_id=EVIL).text().encode(), "xml_encoding")
    for name, text in (("zero-width", "\u200b"), ("no-break", "\xa0"), ("rtl", "\u202e"), ("combining", "\u0301"), ("blank", " "), ("newline", "\n"), ("return", "&#13;"), ("tab", "&#9;")):
        yield reject("inserted-" + name, whole.replace(at, text + at), "digest_mismatch")
        yield reject(f"inserted-{name}-behind", whole.replace(at, USER + text + "</saml:NameID>"), "digest_mismatch")
    yield reject("case-changed", whole.replace(at, at.replace("alice", "Alice")), "digest_mismatch")
    composed = Message(name_id="s\xf6hne@example.com").signed()
    yield reject("decomposed", composed.replace("s\xf6hne", "so\u0308hne"), "digest_mismatch")
    yield intact("crlf-for-lf", Message(name_id="a\nb").signed().replace("a\nb", "a\r\nb"), name_id="a\nb")
    yield reject("return-for-lf", Message(name_id="a\nb").signed().replace("a\nb", "a&#13;\nb"), "digest_mismatch")


def hidden():
    """Comments and instructions: canonical bytes have the one not and the other, texts of nodes end at both."""
    name = Message(name_id="admin@example.com.evil.example").signed()
    target = "admin@example.com"
    for label, text, reason in (("comment", "<!-- -->", "xml_forbidden_node"), ("comment-empty", "<!---->", "xml_forbidden_node"), ("pi", "<?x y?>", "xml_forbidden_node")):
        yield reject("name-id-" + label, name.replace(target + ".evil", target + text + ".evil", 1), reason)
        for place in ("<samlp:Status>", "<saml:Subject>", "<ds:SignedInfo>", "<saml:Audience>", "</saml:Issuer>"):
            whole = Message().signed()
            yield reject(f"{label}-at-{re.sub('[^A-Za-z]', '', place)}", whole.replace(place, place + text if place[1] != "/" else text + place, 1), reason)
        yield reject(f"{label}-in-front", text + Message().signed(), reason)
        yield reject(f"{label}-behind", Message().signed() + text, reason)
        yield reject(f"{label}-signed", Message(name_id=target + text + ".evil.example").signed(), reason)
        yield reject(f"{label}-in-attribute-value", Message().signed().replace("<saml:AttributeValue>staff", f"<saml:AttributeValue>{text}staff"), reason)
    yield reject("stylesheet", '<?xml-stylesheet href="http://192.0.2.1/x.xsl" type="text/xsl"?>' + Message().signed(), "xml_forbidden_node")
    split = Message().signed()
    yield intact("cdata-for-text", split.replace(USER + "</saml:NameID>", f"<![CDATA[{USER}]]></saml:NameID>"))
    yield intact("reference-for-letter", split.replace(USER + "</saml:NameID>", USER.replace("a", "&#97;") + "</saml:NameID>"))
    yield reject("cdata-of-markup", Message(name_id=f"<![CDATA[</saml:NameID><saml:NameID>{EVIL}]]>").signed().replace("<![CDATA[", "").replace("]]>", ""), "digest_mismatch")
    yield reject("element-in-name-id", Message(name_id="admin@example.com<x:y xmlns:x='urn:x'/>.evil.example").signed(), "name_id_missing")
    yield reject("element-in-issuer", Message(assertion_issuer=f"<saml:Issuer>{message.IDP}<x:y xmlns:x='urn:x'/></saml:Issuer>").signed(), "issuer_mismatch")
    yield reject("element-in-audience", Message(audience=f"{message.SP}<x:y xmlns:x='urn:x'/>").signed(), "audience_mismatch")


def attributes():
    whole = Message().signed()
    yield reject("attribute-twice", whole.replace('ID="_a1"', 'ID="_a1" ID="_a1"'), "xml_malformed")
    yield reject("attribute-twice-other", whole.replace('ID="_a1"', 'ID="_a1" ID="_evil"'), "xml_malformed")
    double = ' xmlns:p="urn:x" xmlns:q="urn:x" p:a="1" q:a="2"'
    yield reject("attribute-twice-by-namespace", whole.replace("<samlp:Status>", f"<samlp:Status{double}>"), "xml_malformed", "xml_namespace")
    for place, tag in (("response", '<samlp:Response'), ("assertion", "<saml:Assertion"), ("status", "<samlp:Status")):
        for name, text in (("xml-id", ' xml:id="_a1"'), ("xml-id-other", ' xml:id="_z"'), ("xml-base", ' xml:base="http://192.0.2.1/"')):
            yield reject(f"{name}-on-{place}", whole.replace(tag, tag + text, 1), "xml_forbidden_attribute")
        for name, space in (("saml", A), ("samlp", P), ("ds", dsig.DS)):
            text = f' xmlns:zz="{space}" zz:ID="_a1"'
            yield reject(f"{name}-attribute-on-{place}", whole.replace(tag, tag + text, 1), "xml_forbidden_attribute")
    for identifier in ("ID", "Id", "id", "iD"):
        for value in ("_a1", "_r1"):
            extra = f'<samlp:Extensions><x:y xmlns:x="urn:x" {identifier}="{value}"/></samlp:Extensions>'
            yield reject(f"duplicate-{identifier}-{value}", whole.replace("<samlp:Status>", extra + "<samlp:Status>"), "xml_duplicate_id")
    same = Message(response_id="_a1")
    yield reject("response-and-assertion-of-one-id", same.signed(), "xml_duplicate_id")
    both_ids = whole.replace("<saml:Assertion ", '<saml:Assertion Id="_x" ')
    yield reject("id-in-two-cases", both_ids, "digest_mismatch")
    yield reject("name-id-format-added", whole.replace("<saml:NameID ", '<saml:NameID SPNameQualifier="x" '), "digest_mismatch")


def namespaces():
    whole = Message().signed()
    for name, space in (("relative", "x"), ("relative-path", "../x"), ("relative-dot", "./x"), ("query", "?x"), ("fragment", "#x"), ("slash", "//x/y"), ("blank", "a b"), ("no-scheme", ":x"), ("digit-scheme", "1x:y"), ("percent", "%41:x")):
        reason = "xml_malformed" if name in ("blank", "no-scheme", "digit-scheme", "percent") else "xml_namespace" # no URI at all
        yield reject("namespace-" + name, whole.replace("<samlp:Response ", f'<samlp:Response xmlns:rel="{space}" '), reason)
        yield reject(f"namespace-{name}-used", whole.replace("<samlp:Status>", f'<samlp:Extensions><rel:a xmlns:rel="{space}"/></samlp:Extensions><samlp:Status>'), reason)
    # "The Fragile Lock": canonicalisation fails on what is relative, and a digest over nothing is left.
    nothing = Recipe(digest_input=lambda _: b"")
    yield reject("void-canonicalisation", Message(assertion_attributes=' xmlns:rel="urn:x"').signed(recipe=nothing).replace("urn:x", "1"), "xml_namespace")
    yield reject("void-canonicalisation-evil", Message(name_id=EVIL, assertion_attributes=' xmlns:rel="urn:x"').signed(recipe=nothing).replace("urn:x", "./x"), "xml_namespace")
    yield reject("void-digest", Message(name_id=EVIL).signed(recipe=nothing), "digest_mismatch")
    yield reject("empty-prefix-binding", whole.replace("<samlp:Status>", '<samlp:Status xmlns:e="">'), "xml_malformed")
    yield reject("unbound-prefix", whole.replace("<samlp:Status>", '<samlp:Extensions><un:bound/></samlp:Extensions><samlp:Status>'), "xml_malformed")
    yield reject("unbound-attribute", whole.replace("<samlp:Status>", '<samlp:Status un:bound="1">'), "xml_malformed")
    yield reject("xml-prefix-rebound", whole.replace("<samlp:Status>", '<samlp:Status xmlns:xml="urn:x">'), "xml_malformed")
    yield reject("xmlns-prefix-bound", whole.replace("<samlp:Status>", '<samlp:Status xmlns:xmlns="urn:x">'), "xml_malformed")
    yield reject("other-prefix-for-xml", whole.replace("<samlp:Status>", '<samlp:Status xmlns:x="http://www.w3.org/XML/1998/namespace">'), "xml_malformed")
    yield reject("other-prefix-for-xmlns", whole.replace("<samlp:Status>", '<samlp:Status xmlns:x="http://www.w3.org/2000/xmlns/">'), "xml_malformed")
    yield reject("xmlns-by-entity", whole.replace(f'xmlns:saml="{A}" ID', f'xmlns:saml="{A}&#32;" ID'), "xml_malformed")
    yield reject("assertion-prefix-swapped", whole.replace("saml:NameID", "samlp:NameID"), "digest_mismatch")
    inner = whole.replace("<saml:Subject>", '<saml:Subject xmlns:saml="urn:x">')
    yield reject("namespace-exchanged-within", inner, "not_a_response")
    yield intact("unused-namespace-added", whole.replace("<saml:Assertion ", '<saml:Assertion xmlns:unused="urn:unused" '))
    yield intact("unused-default-added", whole.replace("<samlp:Response ", '<samlp:Response xmlns="urn:unused" '))
    listed = Message(assertion_attributes=' xmlns:xs="urn:a"').signed(recipe=Recipe(prefixes="xs"))
    yield reject("listed-namespace-changed", listed.replace('xmlns:xs="urn:a"', 'xmlns:xs="urn:b"'), "digest_mismatch")
    yield reject("listed-namespace-added", Message().signed(recipe=Recipe(prefixes="xs")).replace("<samlp:Response ", '<samlp:Response xmlns:xs="urn:b" '), "digest_mismatch")


def broken():
    whole = Message().signed()
    texts = {
        "empty": "", "blank": "  \n", "text": "hello", "json": '{"a":1}', "cut": whole[:-1], "half": whole[:len(whole) // 2], "open": whole.removesuffix("</samlp:Response>"), "two-roots": whole + whole, "text-behind": whole + "x",
        "text-in-front": "x" + whole, "end-tag-other": whole.replace("</samlp:Status>", "</samlp:status>"), "unquoted": whole.replace('Version="2.0"', "Version=2.0"), "ampersand": whole.replace(USER, "a&b"), "less-than": whole.replace(USER, "a<b"),
        "crossed": whole.replace("</saml:NameID>", "</saml:Subject>", 1), "cdata-open": whole.replace(USER, "<![CDATA[x"), "attribute-less-than": whole.replace('ID="_r1"', 'ID="<r1"'),
        "nothing-but-declaration": '<?xml version="1.0"?>', "gzip": "\x1f\x8b\x08", "two-colons": whole.replace("<samlp:Status>", "<a:b:c xmlns:a='urn:a'/><samlp:Status>"),
    }
    for name, text in texts.items():
        yield reject("broken-" + name, text, "message_missing" if text == "" else "xml_malformed")


def cases():
    for group in (doctypes, encodings, characters, hidden, attributes, namespaces, broken):
        yield from group()
