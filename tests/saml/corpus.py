"""All cases, by attack. Documents and keys are made anew in every process that asks."""

import dataclasses
import functools

import algorithms
import claims
import digests
import floods
import good
import markup
import times
import trust
import wrapping

ATTACKS = {"wrapping": wrapping, "digests": digests, "algorithms": algorithms, "trust": trust, "markup": markup, "claims": claims, "times": times, "floods": floods}


@functools.cache
def honest():
    return [dataclasses.replace(case, attack="good") for case in good.cases()]


@functools.cache
def hostile():
    return [dataclasses.replace(case, name=f"{attack}/{case.name}", attack=attack) for attack, module in ATTACKS.items() for case in module.cases()]
