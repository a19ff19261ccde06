"""Metadata that is fetched again without anybody asking: an identity provider's change of certificate."""

import datetime
import threading

import pytest
from idp import CERTIFICATES, Host, key, metadata
from provider_dialect import PROVIDERS, check_data, check_page, new_provider
from suite import Suite, await_that

PERIOD, GRACE = 2, 4


@pytest.fixture(scope="module")
def host():
    with Host({}) as running:
        yield running


@pytest.fixture(scope="module")
def suite():
    settings = {"LK_METADATA_ALLOW_PRIVATE": "on", "LK_METADATA_REFRESH_SECONDS": str(PERIOD),
                "LK_METADATA_GRACE_SECONDS": str(GRACE)}
    with Suite(["auth-provider"], workers=2, worker_settings=settings) as running:
        yield running


def serve(host, path, *which):
    host.pages[path] = metadata(keys="".join(key(CERTIFICATES[i]) for i in which))


def create(suite, host, path):
    sent = new_provider(settings_url=host.url(path))
    del sent["settings"]
    return f"{PROVIDERS}/{check_data(suite.call('POST', PROVIDERS, sent))['id']}"


def live(suite, at):
    """The bare base64 of the certificates that are accepted, as numbers."""
    listed = check_data(suite.call("GET", f"{at}/certificates"))
    texts = ["".join(one["certificate"].split("\n")[1:-2]) for one in listed if one["retired_at"] is None]
    return sorted(CERTIFICATES.index(text) for text in texts)


def events(suite, at, query=""):
    answer = suite.call("GET", f"{at}/events?page[size]=250{query}")
    return check_page(answer, 1, 250, answer.json["meta"]["total_results"])


def test_a_roll_over_by_itself(suite, host):
    serve(host, "/roll", 0)
    at = create(suite, host, "/roll")
    first = check_data(suite.call("GET", at))["settings"]["idp_cert_fingerprint"]
    assert live(suite, at) == [0]
    serve(host, "/roll", 0, 1)
    await_that(lambda: live(suite, at) == [0, 1], 30, "the new one is accepted beside the old one")
    serve(host, "/roll", 1)
    await_that(lambda: any("1 vanished" in event["detail"] for event in events(suite, at)), 30, "the old one vanishes")
    await_that(lambda: live(suite, at) == [1], 30, "and is retired")
    changes = {event["detail"]: event["at"] for event in events(suite, at)}
    gone = next(when for what, when in changes.items() if "1 vanished" in what)
    retired = next(when for what, when in changes.items() if "1 retired" in what)
    assert moment(retired) - moment(gone) >= datetime.timedelta(seconds=GRACE)
    settings = check_data(suite.call("GET", at))["settings"]
    assert settings["idp_cert_fingerprint"] != first
    assert settings["idp_certificate"].replace("\n", "")[27:60] == CERTIFICATES[1][:33]


def test_what_fails_changes_nothing(suite, host):
    serve(host, "/fails", 0)
    at = create(suite, host, "/fails")
    before = check_data(suite.call("GET", at))
    host.pages["/fails"] = metadata("https://evil.example/", keys=key(CERTIFICATES[1]))
    await_that(lambda: events(suite, at, "&reason=metadata_entity_id"), 30, "another's metadata is refused")
    host.pages["/fails"] = (503, {}, b"")
    failed = await_that(lambda: events(suite, at, "&reason=metadata_unusable"), 30, "a failed fetch is told")
    assert not failed[0]["succeeded"] and "503" in failed[0]["detail"] and "127.0.0.1" not in failed[0]["detail"]
    assert check_data(suite.call("GET", at)) == before and live(suite, at) == [0]
    serve(host, "/fails", 0, 1)
    await_that(lambda: live(suite, at) == [0, 1], 30, "it is tried again")


def test_one_replica_fetches_at_a_time(suite, host):
    """Each fetch is one refresh, whichever replica does it; and none comes before its time."""
    serve(host, "/count", 0)
    at = create(suite, host, "/count")
    await_that(lambda: len(events(suite, at)) >= 5, 60, "five refreshes")
    check_data(suite.call("PATCH", at, {"active": False}))
    refreshed = [moment(event["at"]) for event in reversed(events(suite, at))]
    fetched = host.asked.count("/count")
    assert len(refreshed) + 1 <= fetched <= len(refreshed) + 2  # one to make it, one under way as it ended
    for one, next_one in zip(refreshed, refreshed[1:]):
        assert next_one - one >= datetime.timedelta(seconds=PERIOD * 7 / 8), refreshed


def test_settings_that_change_while_it_is_fetched_stay(suite, host):
    """A client who has just taken its trust away does not find it given back."""
    asked, go_on = threading.Event(), threading.Event()
    serve(host, "/held", 0)
    at = create(suite, host, "/held")

    def held():
        asked.set()
        go_on.wait(60)
        return metadata(keys=key(CERTIFICATES[1]))

    host.pages["/held"] = held
    assert asked.wait(60)
    ours = {"idp_cert_fingerprint": "AB" * 32, "idp_sso_target_url": "https://ours.example/"}
    told = events(suite, at)
    after = check_data(suite.call("PATCH", at, {"settings": ours}))
    go_on.set()
    serve(host, "/later", 0)
    other = create(suite, host, "/later")
    await_that(lambda: len(events(suite, other)) >= 3, 60, "refreshes go on")
    assert check_data(suite.call("GET", at)) == after and live(suite, at) == [] and events(suite, at) == told


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
