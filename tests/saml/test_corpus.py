"""The verifier over the whole corpus: nobody is forged, nothing hostile is let in, nothing good is refused, and each refusal
is for its own reason."""

import collections

import corpus
import judge
import pytest
from case import ACCEPT, INTACT, REJECT


@pytest.fixture(scope="module")
def honest():
    return judge.verdicts(corpus.honest())


@pytest.fixture(scope="module")
def hostile():
    return judge.verdicts(corpus.hostile())


def test_the_corpus_is_what_it_should_be():
    good, bad = corpus.honest(), corpus.hostile()
    names = [case.name for case in good + bad]
    assert len(set(names)) == len(names)
    assert {case.kind for case in good} == {ACCEPT} and {case.kind for case in bad} == {REJECT, INTACT}
    assert len(good) >= 80 and len(bad) >= 1100
    assert min(collections.Counter(case.attack for case in bad).values()) >= 40


def test_the_score(honest, hostile, capfd):
    score = judge.score(honest + hostile)
    with capfd.disabled():
        print(f"\nverifier: {len(honest)} good, {len(hostile)} hostile: {score}")
    for told in (score.forged, score.accepted, score.refused, score.reason):
        assert not told, "\n".join(told)


def test_reasons_are_narrow(hostile):
    """Of what must be refused most has exactly one reason; the words that the corpus names are many."""
    reasons = [case.reasons for case, _ in hostile if case.kind == REJECT]
    assert sum(len(set(of_one)) == 1 for of_one in reasons) > len(reasons) // 2
    seen = {verdict["reason"] for _, verdict in hostile}
    assert len(seen) >= 50, sorted(filter(None, seen))


def test_up_to_the_signature_the_first_failure_is_the_last(hostile):
    """Behind it everything is looked at: a message with several faults shows them all."""
    for case, verdict in hostile:
        if not verdict["valid"]:
            assert verdict["failed"] and verdict["failed"][0] == verdict["reason"], case.name
    found = {case.name: verdict for case, verdict in hostile}
    assert {"destination_mismatch", "recipient_mismatch", "audience_mismatch"} <= set(found["claims/other-tenants-message"]["failed"])
    assert found["wrapping/unsigned-evil"]["failed"] == ["signature_missing"]


def test_what_a_login_is_told(honest):
    found = {case.name: verdict["claims"] for case, verdict in honest}
    plain = found["assertion-signed"]
    assert plain["assertion_id"] == "_a1" and plain["session_index"] == "_s1" and plain["by_fingerprint"] is True
    assert plain["in_response_to"] == found["answer-to-be-looked-up"]["in_response_to"] == "_" + "ab" * 20
    assert found["idp-initiated"]["in_response_to"] == ""
    assert found["stored-certificate"]["by_fingerprint"] is False and found["no-key-info"]["by_fingerprint"] is False
    now = corpus.honest()[0].expect.now
    for case, verdict in honest:  # remembered for longer than it could come again
        assert now < verdict["claims"]["replay_until"] <= now + 420_000, case.name
    assert plain["session_until"] == now + 3600_000 and plain["authn_instant"] == now - 6000
    assert found["no-session-end"]["session_until"] == 0
