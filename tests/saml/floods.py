"""Messages that cost more than they are worth, and forms that hold none. What is over a bound is refused before its
signature is looked at."""

import base64
import zlib

from case import Case, REJECT, Expect, reject
from dsig import Recipe
from message import Message

LIMIT = 256 * 1024
MANY = "xml_too_many_nodes"


def extensions(inner):
    return Message().signed().replace("<samlp:Status>", f"<samlp:Extensions xmlns='urn:x'>{inner}</samlp:Extensions><samlp:Status>", 1)


def floods():
    yield reject("elements", extensions("<x/>" * 20000), MANY)
    yield reject("texts", extensions("<x/>t" * 10000), MANY)
    yield reject("identifiers", extensions("".join(f'<x ID="_i{n}"/>' for n in range(6000))), MANY)
    yield reject("attributes", extensions("<x " + " ".join(f'a{n}=""' for n in range(20000)) + "/>"), MANY)
    yield reject("attributes-spread", extensions("".join("<x " + " ".join(f'a{n}=""' for n in range(60)) + "/>" for _ in range(500))), MANY)
    spaces = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(8000))
    yield reject("namespaces", extensions(f"<x {spaces}/>"), MANY)
    deep = "".join(f'<x xmlns:n{n}="urn:{n}">' for n in range(3000)) + "</x>" * 3000
    yield reject("namespaces-nested", extensions(deep), "xml_too_deep")
    for depth in (70, 300, 20000):
        yield reject(f"depth-{depth}", extensions("<x>" * depth + "</x>" * depth), "xml_too_deep")
    yield reject("depth-open", "<x>" * 50000, "xml_too_deep")
    yield reject("prefixes", Message().signed(recipe=Recipe(prefixes=" ".join(f"n{n}" for n in range(9000)))), "transforms")
    yield reject("prefixes-declared", Message(assertion_attributes=" " + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(5000))).signed(), MANY)
    yield reject("long-name", extensions("<" + "x" * 200000 + "/>"), "xml_malformed")
    yield reject("certificates", Message().signed(recipe=Recipe(key_info="<ds:KeyInfo>" + "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>" * 1500 + "</ds:KeyInfo>")), "certificate_malformed")
    yield reject("assertions", Message().text(Message().assertion() * 100), "xml_duplicate_id")
    yield reject("audiences", Message(restriction="<saml:AudienceRestriction>" + "<saml:Audience>urn:x</saml:Audience>" * 3000 + "</saml:AudienceRestriction>").signed(), "audience_mismatch")
    yield reject("large", extensions("x" * LIMIT), "message_too_large")
    whole = Message().signed()
    yield reject("over-by-one", whole + " " * (LIMIT + 1 - len(whole)), "message_too_large")
    yield reject("blanks", " " * LIMIT + whole, "message_too_large")


def form(name, text, *reasons):
    return Case(name, b"", REJECT, reasons, Expect(), form=text)


def forms():
    whole = base64.b64encode(Message().signed().encode()).decode()
    bad = "message_not_base64"
    yield form("form-empty", "", "message_missing")
    yield form("form-blank", "  \r\n", "message_missing")
    yield form("form-xml", Message().signed(), bad)
    for name, text in (("star", "*" + whole), ("inside", whole[:40] + "!" + whole[41:]), ("url-alphabet", base64.urlsafe_b64encode(b"\xff\xfe\xfb" + b"<x/>").decode()), ("nul", whole[:8] + "\0" + whole[8:]), ("nul-behind", whole + "\0"),
                       ("padding-inside", whole[:8] + "==" + whole[8:]), ("padding-more", whole + "===="), ("percent", whole[:10] + "%2B" + whole[10:]), ("comma", whole + "," + whole), ("twice", whole.rstrip("=") + "==" + whole), ("unicode", whole + "\u00e9"), ("one-letter", "A"), ("equals", "="),
                       ("form-feed", whole[:8] + "\f" + whole[8:]), ("no-break", whole[:8] + "\xa0" + whole[8:]), ("cut", whole.rstrip("=")[:-1] if len(whole.rstrip("=")) % 4 == 2 else whole[:-3])):
        yield form("form-" + name, text, bad)
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = squeezed.compress(Message().signed().encode()) + squeezed.flush()
    yield form("form-deflated", base64.b64encode(deflated).decode(), "xml_encoding")
    yield form("form-base64-twice", base64.b64encode(whole.encode()).decode(), "xml_malformed")
    yield form("form-too-large", "A" * (400 * 1024), "message_too_large")
    yield form("form-blanks-too-large", whole + " " * (400 * 1024), "message_too_large")


def cases():
    yield from floods()
    yield from forms()
