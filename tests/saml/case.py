"""What a case of the corpus is, and what is expected of it.

ACCEPT  a good message: the genuine user logs in, with the genuine attributes.
REJECT  a message that must be refused, for one of the reasons given.
INTACT  refused, or the genuine user: what was added to the message must not be seen.
"""

import base64
import dataclasses
import functools

import keys
import message

ACCEPT, REJECT, INTACT = "accept", "reject", "intact"
NAMES = {"email": "mail", "first_name": "givenName"}


@dataclasses.dataclass(frozen=True)
class Expect:
    """What the service provider knows: saml_expect_t."""

    idp_entity_id: str = message.IDP
    sp_entity_id: str = message.SP
    acs_url: str = message.ACS
    fingerprint: str | None = None         # of the usual certificate, if none is given
    algorithm: str = "sha256"
    certificates: tuple = ()               # (DER, retired)
    allow_sha1: bool = False
    in_response_to: str | None = message.REQUEST
    attribute_names: dict | None = dataclasses.field(default_factory=lambda: dict(NAMES))
    groups: bool = True
    now: int = message.ms()
    skew: int = 60_000

    def plain(self):
        """For the judge, as JSON."""
        fingerprint = keys.key().fingerprint(self.algorithm) if self.fingerprint is None else self.fingerprint
        certificates = [{"der": base64.b64encode(der).decode(), "retired": retired} for der, retired in self.certificates]
        return dataclasses.asdict(self) | {"fingerprint": fingerprint, "certificates": certificates}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    document: bytes
    kind: str
    reasons: tuple = ()
    expect: Expect = dataclasses.field(default_factory=Expect)
    attack: str = ""                       # the file of the corpus that it comes from
    name_id: str = message.USER            # whoever may be logged in
    attributes: dict = dataclasses.field(default_factory=lambda: {"email": message.USER, "first_name": "Alice"})
    groups: tuple = ("staff", "voice-admins")
    form: str | None = None                # SAMLResponse, where it is not the document's base64
    oracle: str = ""                       # what xmlsec1 signs for: assertion, response, both; "" if it can't tell

    @functools.cached_property
    def base64(self):
        return base64.b64encode(self.document).decode() if self.form is None else self.form

    def plain(self):
        return {"name": self.name, "response": self.base64, "expect": self.expect.plain()}


def accept(name, text, expect=None, oracle="assertion", **more):
    return Case(name, as_bytes(text), ACCEPT, (), expect or Expect(), oracle=oracle, **more)


def reject(name, text, *reasons, expect=None, **more):
    assert reasons, name
    return Case(name, as_bytes(text), REJECT, reasons, expect or Expect(), **more)


def intact(name, text, *reasons, expect=None, **more):
    """reasons: what it may be refused for; any, if there are none."""
    return Case(name, as_bytes(text), INTACT, reasons, expect or Expect(), **more)


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()
