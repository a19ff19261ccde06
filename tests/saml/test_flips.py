"""Good messages with bytes changed, thousands of them, always the same: whoever still logs in is who logged in before."""

import dataclasses
import random

import corpus
import judge

SEED = 20261123
PLAIN = ("p256-ecdsa-sha256", "response-signed", "assertion-signed", "typed-values", "escapes", "default-namespaces-assertion", "no-key-info", "inclusive-prefixes-from-outside")
SPECIAL = b"<>&\"'=/!?-[]; \t\r\n\0#:\x80\xff"


def flipped(chance, document):
    """One byte changed, put in, left out, or some bytes doubled or swapped."""
    at = chance.randrange(len(document))
    kind = chance.randrange(6)
    if kind == 0:
        return document[:at] + bytes([document[at] ^ 1 << chance.randrange(8)]) + document[at + 1:]
    if kind == 1:
        return document[:at] + bytes([chance.choice(SPECIAL)]) + document[at + 1:]
    if kind == 2:
        return document[:at] + bytes([chance.choice(SPECIAL)]) + document[at:]
    end = min(len(document), at + chance.choice((1, 1, 2, 8, 64, 512)))
    if kind == 3:
        return document[:at] + document[end:]
    if kind == 4:
        return document[:end] + document[at:]
    to = chance.randrange(len(document))
    return document[:to] + document[at:end] + document[to:]


def of(case, name, document):
    return dataclasses.replace(case, name=f"{case.name} {name}", document=document)


def check(flips):
    """The flips with the case that each is of; how many were refused."""
    genuine = {case.name: verdict["claims"] for case, verdict in judge.verdicts(corpus.honest())}
    assert all(genuine.values())
    changed = [(case, of(case, str(number), document)) for number, (case, document) in enumerate(flips)]
    refused = 0
    for (case, _), (one, verdict) in zip(changed, judge.verdicts(one for _, one in changed), strict=True):
        if verdict["valid"]:
            assert verdict["claims"] == genuine[case.name], one.document
        refused += not verdict["valid"]
    return refused


def test_each_byte_of_one():
    chance = random.Random(SEED)
    case = next(case for case in corpus.honest() if case.name == "p256-ecdsa-sha256")
    document = case.document[case.document.index(b"<saml:Assertion"):]
    front = case.document[:-len(document)]
    flips = [(case, front + document[:at] + bytes([byte ^ 1 << chance.randrange(8)]) + document[at + 1:]) for at, byte in enumerate(document)]
    assert check(flips) > 0.9 * len(flips)


def test_thousands_of_flips():
    chance = random.Random(SEED)
    cases = [case for case in corpus.honest() if case.name in PLAIN]
    assert len(cases) == len(PLAIN)
    flips = [(case, flipped(chance, case.document)) for case in cases for _ in range(500)]
    refused = check(flips)
    assert 0.6 * len(flips) < refused < len(flips)  # what is unsigned may change


def test_several_flips_at_once():
    chance = random.Random(SEED + 1)
    flips = []
    for case in corpus.honest():
        for _ in range(8):
            document = case.document
            for _ in range(chance.randrange(2, 6)):
                document = flipped(chance, document)
            flips.append((case, document))
    assert check(flips) > 0.8 * len(flips)
