"""Runs saml-judge over cases, and scores what it says. A score has four lists of names, all of which should be empty:

forged     somebody else than the genuine user was logged in, or with other attributes
accepted   what must be refused was not
refused    what is good was
reason     refused, for a reason that is not the case's
"""

import dataclasses
import json
import subprocess

from case import ACCEPT, INTACT
from suite import BIN, SLOW

PROGRAM = BIN.parent / "tests/saml-judge"
PATIENCE = 120


@dataclasses.dataclass
class Score:
    forged: list = dataclasses.field(default_factory=list)
    accepted: list = dataclasses.field(default_factory=list)
    refused: list = dataclasses.field(default_factory=list)
    reason: list = dataclasses.field(default_factory=list)
    of_attack: dict = dataclasses.field(default_factory=dict)   # attack -> [accepted, forged]

    def __str__(self):
        return f"{len(self.forged)} forged, {len(self.accepted)} hostile accepted, {len(self.refused)} good refused, {len(self.reason)} for another reason"


def run(lines, *options, program=PROGRAM, expected=0):
    """The verdicts on lines of JSON, and the process that has given them."""
    done = subprocess.run([program, *options], input="\n".join(map(json.dumps, lines)), capture_output=True, text=True, timeout=PATIENCE * SLOW, check=False)
    assert done.returncode == expected, (done.returncode, done.stderr[-4000:])
    return [json.loads(line) for line in done.stdout.splitlines()], done


def verdicts(cases, *options):
    cases = list(cases)
    found, done = run([case.plain() for case in cases], *options)
    assert [one["name"] for one in found] == [case.name for case in cases]
    assert done.stderr == "", done.stderr[:2000]
    return list(zip(cases, found, strict=True))


def identity(claims):
    return claims["name_id"], claims["attributes"] or {}, tuple(claims["groups"] or ())


def genuine(case):
    return case.name_id, case.attributes, case.groups


def score(judged):
    """judged: (case, verdict) pairs, verdicts as the judge writes them."""
    out = Score()
    for case, verdict in judged:
        told = f"{case.name}: {verdict['reason']} ({verdict['detail']}){'' if not case.reasons else ' not ' + ' or '.join(case.reasons)}"
        counts = out.of_attack.setdefault(case.attack, [0, 0])
        if verdict["valid"]:
            wrong = identity(verdict["claims"]) != genuine(case)
            if wrong:
                out.forged.append(f"{case.name}: {identity(verdict['claims'])}")
                counts[1] += 1
            if case.kind not in (ACCEPT, INTACT):
                out.accepted.append(case.name)
                counts[0] += 1
        elif case.kind == ACCEPT:
            out.refused.append(told)
        elif case.reasons and verdict["reason"] not in case.reasons:
            out.reason.append(told)
    return out
