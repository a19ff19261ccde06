"""What is kept for a login is kept for as long as it counts, and no longer."""

import contextlib
import sqlite3

import pytest
from clock import Clocked
from gate import gate_held
from sso_flow import Idp, single_sign_on, whose
from suite import await_that

MINUTE = 60


@pytest.fixture(scope="module")
def suite():
    with single_sign_on(kind=Clocked) as running:
        yield running


@pytest.fixture
def clock(suite):
    """clock(idp, seconds): how late it is, for us and them."""
    def late(idp, seconds):
        idp.clock = seconds
        suite.shift(seconds)

    yield late
    suite.shift(0)


def test_a_request_waits_ten_minutes(suite, clock):
    idp = Idp(suite, "requests")
    early, late = idp.begin(suite.client), idp.begin(suite.client)
    clock(idp, 9 * MINUTE)
    assert early.post(suite.client).status == 200
    clock(idp, 10 * MINUTE + 5)
    assert late.post(suite.client).status == 403
    assert idp.reasons() in (["request_expired"], ["request_unknown"])  # the latter once its row is gone


def test_an_answer_is_good_for_its_time(suite, clock):
    idp = Idp(suite, "answers")
    late = idp.begin(suite.client)
    form = late.form()
    clock(idp, 6 * MINUTE + 5)  # 5 minutes, and what clocks may differ by
    assert late.post(suite.client, form).status == 403
    early = idp.begin(suite.client)
    clock(idp, 3 * MINUTE)
    form = early.form()
    clock(idp, 0)
    assert early.post(suite.client, form).status == 403
    assert idp.reasons() == ["conditions_not_yet", "confirmation_expired"]


def test_an_assertion_is_remembered_for_as_long_as_it_is_good(suite, clock):
    idp = Idp(suite, "assertions", allow_idp_initiated=True)
    login = idp.begin(suite.client)
    login.relay_state = ""
    form = login.form(idp.message(None, lifetime=30 * MINUTE).signed())
    assert login.post(suite.client, form).status == 200
    for minutes, reason in ((0, "assertion_replayed"), (30, "assertion_replayed"), (32, "confirmation_expired")):
        clock(idp, minutes * MINUTE)
        assert login.post(suite.client, form).status == 403
        assert idp.reasons()[0] == reason, minutes


def test_a_session_ends_when_they_say(suite, clock):
    idp = Idp(suite, "sessions")
    token = idp.begin(suite.client).post(suite.client).json["token"]
    clock(idp, 59 * MINUTE)
    assert whose(suite.client, token)
    clock(idp, 62 * MINUTE)
    assert whose(suite.client, token) is None


def test_what_has_expired_is_removed(suite, clock):
    idp = Idp(suite, "removed")
    for _ in range(3):
        idp.begin(suite.client).post(suite.client)
        idp.begin(suite.client)

    def rows():
        with gate_held(suite, "auth-provider"), contextlib.closing(sqlite3.connect(suite.data / "auth-provider.db")) as database:
            database.execute("PRAGMA wal_autocheckpoint = 0")
            return [database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("authn_request", "assertion_used", "sso_session")]

    assert all(rows())
    clock(idp, 24 * 60 * MINUTE)
    await_that(lambda: rows() == [0, 0, 0], 60, "it is removed")
