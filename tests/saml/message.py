"""Responses as text, piece by piece, so that each piece can be left out, doubled or bent.

    Message(name_id="x").text()                 # not signed
    Message().signed("assertion")               # the usual one
    Message(assertion=dict(...)).signed("both", recipe)
"""

import dataclasses
import datetime

import dsig

NOW = datetime.datetime(2026, 11, 23, 12, 0, 0, tzinfo=datetime.timezone.utc)
IDP = "https://idp.example/metadata"
BASE = "https://sso.linekeeper.example"
SP = BASE + "/sso/saml/metadata/acme"
ACS = BASE + "/sso/saml/auth/acme"
USER = "alice@example.com"
EVIL = "mallory@example.com"
REQUEST = "_" + "ab" * 20
P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
RESPONSE_ID, ASSERTION_ID = "_r1", "_a1"
ATTRIBUTES = {"mail": [USER], "givenName": ["Alice"], "groups": ["staff", "voice-admins"]}


def at(seconds, fraction=""):
    """So many seconds from NOW, as SAML writes times."""
    return (NOW + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def ms(seconds=0):
    return int((NOW.timestamp() + seconds) * 1000)


def attribute(name, values):
    inner = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}">{inner}</saml:Attribute>'


@dataclasses.dataclass
class Message:
    """Every field that holds XML or attributes may be given as raw text; "" leaves it out."""

    name_id: str = USER
    response_id: str = RESPONSE_ID
    assertion_id: str = ASSERTION_ID
    issuer: str = IDP
    audience: str = SP
    recipient: str = ACS
    destination: str | None = ACS
    in_response_to: str | None = REQUEST
    subject_in_response_to: str | None = "same"
    version: str = "2.0"
    assertion_version: str = "2.0"
    issued: str = at(-5)
    not_before: str | None = at(-30)
    not_on_or_after: str | None = at(300)
    confirmed_until: str | None = at(300)
    session_until: str | None = at(3600)
    authn_instant: str = at(-6)
    attributes: dict = dataclasses.field(default_factory=lambda: dict(ATTRIBUTES))
    status: str = f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"/></samlp:Status>'
    response_issuer: str | None = None     # raw
    assertion_issuer: str | None = None
    name_id_xml: str | None = None
    subject: str | None = None
    confirmation: str | None = None
    confirmation_data: str | None = None
    conditions: str | None = None
    restriction: str | None = None
    conditions_extra: str = ""
    authn_statement: str | None = None
    attribute_statement: str | None = None
    assertion_extra: str = ""              # at the end of the Assertion
    assertion_attributes: str = ""         # behind its own
    response_attributes: str = ""
    extensions: str = ""                   # behind the Response's signature
    response_extra: str = ""               # at its end
    before_assertion: str = ""
    prolog: str = ""
    root: str = "samlp:Response"
    response_signature: str = ""
    assertion_signature: str = ""

    def assertion(self):
        issuer = f"<saml:Issuer>{self.issuer}</saml:Issuer>" if self.assertion_issuer is None else self.assertion_issuer
        statement = self.authn_statement
        if statement is None:
            until = "" if self.session_until is None else f' SessionNotOnOrAfter="{self.session_until}"'
            statement = (f'<saml:AuthnStatement AuthnInstant="{self.authn_instant}" SessionIndex="_s1"{until}><saml:AuthnContext>'
                         "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
                         "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>")
        return (f'<saml:Assertion xmlns:saml="{A}" ID="{self.assertion_id}" Version="{self.assertion_version}" '
                f'IssueInstant="{self.issued}"{self.assertion_attributes}>{issuer}{self.assertion_signature}{self.subject_xml()}'
                f"{self.conditions_xml()}{statement}{self.attribute_xml()}{self.assertion_extra}</saml:Assertion>")

    def subject_xml(self):
        if self.subject is not None:
            return self.subject
        name = f'<saml:NameID Format="{EMAIL}">{self.name_id}</saml:NameID>' if self.name_id_xml is None else self.name_id_xml
        confirmation = self.confirmation
        if confirmation is None:
            confirmation = f'<saml:SubjectConfirmation Method="{BEARER}">{self.data_xml()}</saml:SubjectConfirmation>'
        return f"<saml:Subject>{name}{confirmation}</saml:Subject>"

    def data_xml(self):
        if self.confirmation_data is not None:
            return self.confirmation_data
        answer = self.in_response_to if self.subject_in_response_to == "same" else self.subject_in_response_to
        parts = {"InResponseTo": answer, "NotOnOrAfter": self.confirmed_until, "Recipient": self.recipient}
        return f"<saml:SubjectConfirmationData{written(parts)}/>"

    def conditions_xml(self):
        if self.conditions is not None:
            return self.conditions
        restriction = self.restriction
        if restriction is None:
            restriction = f"<saml:AudienceRestriction><saml:Audience>{self.audience}</saml:Audience></saml:AudienceRestriction>"
        times = written({"NotBefore": self.not_before, "NotOnOrAfter": self.not_on_or_after})
        return f"<saml:Conditions{times}>{restriction}{self.conditions_extra}</saml:Conditions>"

    def attribute_xml(self):
        if self.attribute_statement is not None:
            return self.attribute_statement
        if not self.attributes:
            return ""
        inner = "".join(attribute(name, values) for name, values in self.attributes.items())
        return f"<saml:AttributeStatement>{inner}</saml:AttributeStatement>"

    def text(self, assertion=None):
        """assertion: stands for this message's own."""
        issuer = self.response_issuer
        if issuer is None:
            issuer = f'<saml:Issuer xmlns:saml="{A}">{self.issuer}</saml:Issuer>'
        parts = written({"ID": self.response_id, "Version": self.version, "IssueInstant": self.issued,
                         "Destination": self.destination, "InResponseTo": self.in_response_to})
        inner = self.assertion() if assertion is None else assertion
        return (f'{self.prolog}<{self.root} xmlns:samlp="{P}"{parts}{self.response_attributes}>{issuer}{self.response_signature}'
                f"{self.extensions}{self.status}{self.before_assertion}{inner}{self.response_extra}</{self.root}>")

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def signed(self, what="assertion", recipe=None, outer=None):
        """what: assertion, response or both (by `recipe` within and `outer` around)."""
        recipe = recipe or dsig.Recipe()
        outer = outer or recipe
        message = self
        if what in ("assertion", "both"):
            message = message.but(assertion_signature=recipe.write(self.assertion_id))
        if what in ("response", "both"):
            message = message.but(response_signature=outer.write(self.response_id))
        text = message.text()
        if what in ("assertion", "both"):
            text = dsig.sign(text, self.assertion_id, recipe)
        if what in ("response", "both"):
            text = dsig.sign(text, self.response_id, outer)
        return text


def written(attributes):
    return "".join(f' {name}="{value}"' for name, value in attributes.items() if value is not None)
