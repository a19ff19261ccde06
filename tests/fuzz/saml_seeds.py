#!/usr/bin/python3
"""Writes the seeds of fuzz_saml into corpus/saml: messages of tests/saml, and their keys are forgotten at once."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "saml"), str(HERE.parent / "support")]
import claims  # noqa: E402
import good  # noqa: E402
import keys  # noqa: E402
import times  # noqa: E402
from dsig import Recipe  # noqa: E402
from message import Message  # noqa: E402

TARGET = HERE / "corpus/saml"
SMALL = Recipe(key=keys.key("p256"), method="ecdsa-sha256")
BARE = Recipe(key=keys.key("p256"), method="ecdsa-sha256", key_info="")
SHAPES = ("escapes", "cdata-in-name-id", "two-audiences", "one-time-use", "one-good-confirmation-of-two", "advice", "groups-by-another-name", "typed-values", "no-attributes",
          "default-namespaces-response", "fractions", "qualifiers", "no-conditions", "second-restriction-other", "unknown-condition", "two-name-ids", "no-confirmation",
          "halves-of-two-confirmations", "no-authn-statement", "status-denied", "attribute-long", "conditions-end-leap-second", "answer-only-in-response", "audience-blank-front")


def write(name, text):
    (TARGET / ("seed-" + name)).write_bytes(text)


def emptied(document):
    """With signatures that hold nothing: they are passed over."""
    return re.sub(rb"<((?:\w+:)?)Signature ([^>]*)>.*?</\1Signature>", rb"<\1Signature \2/>", document, flags=re.S)


TARGET.mkdir(parents=True, exist_ok=True)
for what, recipe in (("assertion", SMALL), ("response", SMALL), ("both", BARE), ("bare", BARE)):
    message = Message().signed("assertion" if what == "bare" else what, recipe)
    for blank in ("", " ", "\n ", "\n  "):  # the length picks what is trusted
        write(f"verify-{what}-{len(blank)}", b"v" + keys.key("p256").base64.encode() + b"\n" + (message + blank).encode())
rsa = Message().signed()
write("verify-rsa", b"v" + keys.key().base64.encode() + b"\n" + rsa.encode())
found = {case.name: case for group in (good, claims, times) for case in group.cases()}
for name in SHAPES:
    write("claims-" + name, b"c" + emptied(found[name].document))
