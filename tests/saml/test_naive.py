"""The corpus has teeth: a careless verifier, which takes what good identity providers send, is fooled by it in every way."""

import corpus
import judge
import naive
import pytest


@pytest.fixture(scope="module")
def hostile():
    return judge.score([(case, naive.verdict(case)) for case in corpus.hostile() if case.attack != "floods"])


def test_it_takes_what_is_good():
    refused = judge.score([(case, naive.verdict(case)) for case in corpus.honest()]).refused
    assert len(refused) <= 4, refused


# At least so many are accepted, and so many of those are somebody else.
@pytest.mark.parametrize(("attack", "accepted", "forged"), [
    ("wrapping", 120, 60), ("digests", 20, 3), ("algorithms", 15, 1), ("trust", 8, 4), ("markup", 70, 8), ("claims", 200, 8), ("times", 150, 0),
])
def test_it_is_fooled(hostile, attack, accepted, forged):
    found = hostile.of_attack[attack]
    assert found[0] >= accepted and found[1] >= forged, found


def test_the_score(hostile, capfd):
    with capfd.disabled():
        print(f"\nnaive verifier: {hostile}")
    assert len(hostile.forged) >= 80 and len(hostile.accepted) >= 650
