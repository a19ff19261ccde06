"""What the identity provider has signed, and is not for us: another's issuer, audience, recipient, request, user, kind of
message. The signatures are all good."""

import keys
import message
from case import Expect, intact, reject
from dsig import Recipe
from message import A, ACS, BASE, BEARER, EVIL, IDP, P, REQUEST, SP, USER, Message


def near(text):
    """Texts that a lenient comparison takes for this one."""
    scheme, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    return {
        "slash": text + "/", "upper": text.upper(), "host-upper": f"{scheme}://{host.upper()}/{path}", "scheme": "http://" + rest, "port": f"{scheme}://{host}:443/{path}", "query": text + "?", "fragment": text + "#x",
        "blank-front": " " + text, "blank-behind": text + " ", "newline": text + "\n", "tab": "&#9;" + text, "prefix": text[:-1], "longer": text + "x", "user": f"{scheme}://x@{host}/{path}", "dot": f"{scheme}://{host}/./{path}",
        "dot-host": f"{scheme}://{host}./{path}", "double-slash": f"{scheme}://{host}//{path}", "encoded": text.replace("a", "%61", 1), "empty": "", "other": "https://other.example/", "no-break": text + "\xa0", "zero-width": text[:9] + "\u200b" + text[9:],
        "two": f"{text} {text}", "return": text + "&#13;", "full-width": text.replace("e", "\uff45", 1),
    }


def mismatches():
    for name, text in near(IDP).items():
        yield reject("issuer-" + name, Message(assertion_issuer=f"<saml:Issuer>{text}</saml:Issuer>").signed(), "issuer_mismatch")
    for name, text in near(SP).items():
        yield reject("audience-" + name, Message(audience=text).signed(), "audience_mismatch")
    for name, text in near(ACS).items():
        yield reject("recipient-" + name, Message(recipient=text).signed(), "recipient_mismatch")
        yield reject("destination-" + name, Message(destination=text).signed("response"), "destination_mismatch")
    for name in ("slash", "other", "upper", "prefix"):
        yield reject(f"destination-{name}-unsigned", Message(destination=near(ACS)[name]).signed(), "destination_mismatch")
        foreign = f'<saml:Issuer xmlns:saml="{A}">{near(IDP)[name]}</saml:Issuer>'
        yield reject(f"issuer-of-response-{name}", Message(response_issuer=foreign).signed(), "issuer_mismatch")
        yield reject(f"issuer-of-response-{name}-signed", Message(response_issuer=foreign).signed("response"), "issuer_mismatch")
    yield reject("destination-missing-signed", Message(destination=None).signed("response"), "destination_missing")
    yield reject("destination-missing-both", Message(destination=None).signed("both"), "destination_missing")
    yield reject("issuer-missing", Message(assertion_issuer="").signed(), "issuer_mismatch")
    yield reject("issuer-twice", Message(assertion_issuer=2 * f"<saml:Issuer>{IDP}</saml:Issuer>").signed(), "not_a_response")
    yield intact("issuer-format-other", Message(assertion_issuer=f'<saml:Issuer Format="{message.EMAIL}">{IDP}</saml:Issuer>').signed())


def tenants():
    """An honest message for somebody else, brought to us."""
    other = BASE + "/sso/saml/metadata/other", BASE + "/sso/saml/auth/other"
    yield reject("other-tenants-message", Message(audience=other[0], recipient=other[1], destination=other[1]).signed(), "destination_mismatch")
    yield reject("other-tenants-audience", Message(audience=other[0]).signed(), "audience_mismatch")
    yield reject("other-tenants-recipient", Message(recipient=other[1]).signed(), "recipient_mismatch")
    key = keys.key("rsa", "other idp")
    theirs = Message(issuer="https://other-idp.example/").signed(recipe=Recipe(key=key))
    yield reject("other-tenants-idp", theirs, "certificate_unknown")
    yield reject("other-idp-claims-our-issuer", Message().signed(recipe=Recipe(key=key)), "certificate_unknown")
    yield reject("same-key-other-issuer", Message(issuer="https://other-idp.example/").signed(), "issuer_mismatch")
    yield reject("metadata-url-swapped", Message(audience=ACS, recipient=SP).signed(), "recipient_mismatch")


def missing():
    plain = Message()
    data = plain.data_xml()
    confirm = '<saml:SubjectConfirmation Method="{}">{}</saml:SubjectConfirmation>'
    yield reject("no-conditions", Message(conditions="").signed(), "conditions_missing")
    yield reject("two-conditions", Message(conditions=2 * plain.conditions_xml()).signed(), "not_a_response")
    yield reject("no-restriction", Message(restriction="").signed(), "audience_missing")
    yield reject("restriction-empty", Message(restriction="<saml:AudienceRestriction/>").signed(), "audience_mismatch")
    yield reject("second-restriction-other", Message(restriction=f"<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction>").signed(), "audience_mismatch")
    yield reject("first-restriction-other", Message(restriction=f"<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>").signed(), "audience_mismatch")
    yield reject("audience-outside", Message(restriction=f"<saml:Audience>{SP}</saml:Audience>").signed(), "condition_unknown")
    yield reject("audience-other-namespace", Message(restriction=f'<saml:AudienceRestriction><Audience xmlns="urn:x">{SP}</Audience></saml:AudienceRestriction>').signed(), "audience_mismatch")
    yield reject("unknown-condition", Message(conditions_extra='<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/>').signed(), "condition_unknown")
    yield reject("alien-condition", Message(conditions_extra='<x:Never xmlns:x="urn:x"/>').signed(), "condition_unknown")
    yield reject("no-subject", Message(subject="").signed(), "subject_missing")
    yield reject("two-subjects", Message(subject=2 * plain.subject_xml()).signed(), "not_a_response")
    yield reject("no-name-id", Message(name_id_xml="").signed(), "name_id_missing")
    yield reject("two-name-ids", Message(name_id_xml=f"<saml:NameID>{EVIL}</saml:NameID><saml:NameID>{USER}</saml:NameID>").signed(), "name_id_missing")
    yield reject("base-id", Message(name_id_xml='<saml:BaseID xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/>').signed(), "name_id_missing")
    yield reject("name-id-elsewhere", Message(name_id_xml="", attributes={"n": [f"<saml:NameID>{EVIL}</saml:NameID>"]}).signed(), "name_id_missing")
    yield reject("name-id-in-confirmation-only", Message(name_id_xml="", confirmation=confirm.format(BEARER, f"<saml:NameID>{EVIL}</saml:NameID>" + data)).signed(), "name_id_missing")
    for name, text in (("empty", ""), ("blank", "  "), ("newline", "\n"), ("tab", "&#9;")):
        yield reject("name-id-" + name, Message(name_id=text).signed(), "name_id_missing")
    yield reject("name-id-other-namespace", Message(name_id_xml=f'<NameID xmlns="urn:x">{USER}</NameID>').signed(), "name_id_missing")
    yield reject("no-confirmation", Message(confirmation="").signed(), "confirmation_missing")
    for name, method in (("holder-of-key", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"), ("sender-vouches", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"), ("upper", BEARER.upper()), ("empty", ""), ("saml-1", "urn:oasis:names:tc:SAML:1.0:cm:bearer")):
        yield reject("confirmation-" + name, Message(confirmation=confirm.format(method, data)).signed(), "confirmation_missing")
    yield reject("confirmation-no-method", Message(confirmation=f"<saml:SubjectConfirmation>{data}</saml:SubjectConfirmation>").signed(), "confirmation_missing")
    yield reject("confirmation-no-data", Message(confirmation=confirm.format(BEARER, "")).signed(), "recipient_mismatch")
    yield reject("confirmation-data-empty", Message(confirmation_data="<saml:SubjectConfirmationData/>").signed(), "recipient_mismatch")
    yield reject("recipient-missing", Message(recipient=None).signed(), "recipient_mismatch")
    yield reject("confirmation-no-end", Message(confirmed_until=None).signed(), "confirmation_expired")
    good_data_of_holder = confirm.format("urn:oasis:names:tc:SAML:2.0:cm:holder-of-key", data) + confirm.format(BEARER, "")
    yield reject("good-data-of-another-method", Message(confirmation=good_data_of_holder).signed(), "recipient_mismatch")
    mixed = confirm.format(BEARER, data.replace(ACS, "https://x.example")) + confirm.format(BEARER, data.replace(message.at(300), message.at(-300)))
    yield reject("halves-of-two-confirmations", Message(confirmation=mixed).signed(), "recipient_mismatch")
    yield reject("no-authn-statement", Message(authn_statement="").signed(), "authn_statement_missing")
    yield reject("authn-statement-other-namespace", Message(authn_statement='<AuthnStatement xmlns="urn:x"/>').signed(), "not_a_response")
    yield reject("authn-statement-no-instant", Message(authn_statement="<saml:AuthnStatement><saml:AuthnContext/></saml:AuthnStatement>").signed(), "time_malformed")


def messages():
    for name, root in (("authn-request", "samlp:AuthnRequest"), ("logout-response", "samlp:LogoutResponse"), ("logout-request", "samlp:LogoutRequest"), ("artifact", "samlp:ArtifactResponse"), ("lower", "samlp:response")):
        yield reject("message-" + name, Message(root=root).signed(), "not_a_response")
        yield reject(f"message-{name}-signed", Message(root=root).signed("response"), "not_a_response")
    whole = Message().signed()
    yield reject("message-no-namespace", whole.replace("<samlp:Response ", "<Response ").replace("</samlp:Response>", "</Response>"), "xml_namespace")
    yield reject("message-saml-1", whole.replace(P, "urn:oasis:names:tc:SAML:1.0:protocol"), "not_a_response")
    yield reject("message-in-soap", f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{whole}</s:Body></s:Envelope>', "not_a_response")
    for name, text in (("1.1", "1.1"), ("1.0", "1.0"), ("2", "2"), ("2.00", "2.00"), ("blank", " 2.0"), ("empty", ""), ("3.0", "3.0"), ("missing", None)):
        yield reject("version-" + name, Message(version=text).signed("response"), "version")
        yield reject("version-unsigned-" + name, Message(version=text).signed(), "version")
        if text is not None:
            yield reject("version-of-assertion-" + name, Message(assertion_version=text).signed(), "version")
    code = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{}">{}</samlp:StatusCode>'
    wrapped = "<samlp:Status>{}</samlp:Status>".format
    codes = {
        "requester": wrapped(code.format("Requester", "")), "responder": wrapped(code.format("Responder", "")), "denied": wrapped(code.format("Responder", code.format("RequestDenied", ""))), "version-mismatch": wrapped(code.format("VersionMismatch", "")),
        "success-within": wrapped(code.format("Responder", code.format("Success", ""))), "success-second": wrapped(code.format("Responder", "") + code.format("Success", "")), "success-first-of-two": wrapped(code.format("Success", "") + code.format("Responder", "")),
        "missing": "", "empty": wrapped(""), "no-value": wrapped("<samlp:StatusCode/>"), "case": wrapped(code.format("success", "")), "blank": wrapped(code.format("Success ", "")), "saml-1": wrapped('<samlp:StatusCode Value="samlp:Success"/>'),
        "two-statuses": 2 * Message().status, "other-namespace": f'<Status xmlns="urn:x"><StatusCode Value="{message.SUCCESS}"/></Status>', "only-message": wrapped("<samlp:StatusMessage>Success</samlp:StatusMessage>"),
        "code-other-namespace": wrapped(f'<StatusCode xmlns="urn:x" Value="{message.SUCCESS}"/>'),
    }
    for name, status in codes.items():
        reason = "not_a_response" if name in ("two-statuses", "other-namespace") else "status"
        yield reject("status-" + name, Message(status=status).signed(), reason)
        yield reject(f"status-{name}-signed", Message(status=status).signed("response"), reason)
    failed = Message(status=wrapped(code.format("Responder", code.format("AuthnFailed", "")))).text("")
    yield reject("honest-failure", failed, "status")


def requests():
    other = "_another"
    wrong = "in_response_to_mismatch"
    yield reject("answer-to-another", Message(in_response_to=other).signed(), wrong)
    yield reject("answer-to-nobody", Message(in_response_to=None).signed(), wrong)
    yield reject("answer-to-another-response-signed", Message(in_response_to=other).signed("response"), wrong)
    yield reject("answer-missing-in-subject", Message(subject_in_response_to=None).signed(), wrong)
    yield intact("answer-missing-in-response-signed", Message(in_response_to=None, subject_in_response_to=REQUEST).signed("response"), wrong)
    for name, text in (("upper", REQUEST.upper()), ("blank", REQUEST + " "), ("prefix", REQUEST[:-1]), ("longer", REQUEST + "0"), ("empty", ""), ("other", other)):
        yield reject("answer-in-subject-" + name, Message(subject_in_response_to=text).signed(), wrong)
        yield reject("answer-in-response-" + name, Message(in_response_to=text, subject_in_response_to=REQUEST).signed("response"), wrong)
    anyone = Expect(in_response_to=None)
    yield reject("answers-differ", Message(subject_in_response_to=other).signed(), wrong, expect=anyone)
    yield reject("answers-differ-signed", Message(subject_in_response_to=other).signed("response"), wrong, expect=anyone)
    yield intact("answer-only-in-response-signed", Message(subject_in_response_to=None).signed("response"), wrong)
    yield reject("answer-only-in-response", Message(subject_in_response_to=None).signed(), wrong, expect=anyone)
    stolen = Message().signed().replace(f' InResponseTo="{REQUEST}"', f' InResponseTo="{other}"', 1)
    yield reject("unsigned-answer-changed", stolen, wrong, expect=Expect(in_response_to=other))
    unasked = Message(in_response_to=None).signed().replace(' Destination=', f' InResponseTo="{REQUEST}" Destination=', 1)
    yield reject("unsigned-answer-added", unasked, wrong)


def lengths():
    long = "value_too_long"
    yield reject("name-id-long", Message(name_id="x" * 513).signed(), long)
    yield reject("name-id-long-unicode", Message(name_id="\u20ac" * 2000).signed(), long)
    yield reject("assertion-id-long", Message(assertion_id="_" + "x" * 300).signed(), long)
    yield reject("in-response-to-long", Message(in_response_to="_" + "x" * 300).signed(), long, expect=Expect(in_response_to=None))
    yield reject("format-long", Message(name_id_xml=f'<saml:NameID Format="urn:{"x" * 300}">{USER}</saml:NameID>').signed(), long)
    yield reject("qualifier-long", Message(name_id_xml=f'<saml:NameID NameQualifier="urn:{"x" * 300}">{USER}</saml:NameID>').signed(), long)
    yield reject("session-index-long", Message(authn_statement=f'<saml:AuthnStatement AuthnInstant="{message.at(-6)}" SessionIndex="{"x" * 300}"/>').signed(), long)
    yield reject("attribute-long", Message(attributes={"mail": ["x" * 5000]}).signed(), long)
    yield reject("groups-many", Message(attributes={"groups": [f"group-number-{n:05}" for n in range(800)]}).signed(), long)
    yield reject("group-long", Message(attributes={"groups": ["x" * 5000]}).signed(), long)


def cases():
    for group in (mismatches, tenants, missing, messages, requests, lengths):
        yield from group()
