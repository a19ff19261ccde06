"""The official client of the documented API, its newest release and 1.x, against the running suite:
tests/sdk says what they do."""

import pytest
from npm import Project
from suite import Suite, await_that, every_service

RELEASES = ["newest", "1.x"]


@pytest.fixture(scope="module")
def suite():
    with Suite(services=every_service(), workers=2) as running:
        yield running


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("what", ["providers", "connections", "paging", "errors"])
def test_release(suite, release, what):
    organization = f"{release}-{what}"
    keys = {name: suite.make_key("--organization", organization, "--scope", scope, *more) for name, scope, *more in (
        ("LK_KEY", "admin"), ("LK_READ_KEY", "read"), ("LK_SLOW_KEY", "read", "--rate-limit", "3"))}
    run(suite, release, what, **keys)


@pytest.mark.parametrize("release", RELEASES)
def test_without_workers(release):
    with Suite(workers=0) as suite:
        await_that(lambda: suite.readiness() == 503, 5, "the gateway answers")
        run(suite, release, "unavailable", LK_KEY=suite.admin)


def run(suite, release, what, **environment):
    number = RELEASES.index(release)
    Project("sdk").node("--test", f"{what}.test.mjs", LK_SDK=release, LK_TAG=str(number), LK_PREFIX=f"{4000 + number}",
         LK_BASE=f"http://127.0.0.1:{suite.port}", **environment)
