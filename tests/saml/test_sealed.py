"""Verifying reads no file and speaks to nobody: after the first message the kernel kills the judge if it tries."""

import signal

import corpus
import judge


def test_nothing_is_opened_by_any_message():
    cases = [corpus.honest()[0], *corpus.honest(), *corpus.hostile()]
    assert len(judge.verdicts(cases, "--sealed")) == len(cases)


def test_the_seal_holds():
    one = corpus.honest()[0].plain()
    told, done = judge.run([one, one], "--sealed", "--try", expected=-signal.SIGSYS)
    assert len(told) == 1 and done.returncode == -signal.SIGSYS
    told, _ = judge.run([one], expected=0)
    assert told[0]["valid"]
