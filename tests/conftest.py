"""One running suite per test file, for the files that ask for it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.dont_write_bytecode = True

from suite import Suite  # noqa: E402 (the path above comes first)

SKIPPED = 77


@pytest.fixture(scope="module")
def suite(request):
    """With workers of the services that the file names in SERVICES; trunk-auth, if it does not."""
    # A loaded machine may hash for longer than a call waits.
    with Suite(services=getattr(request.module, "SERVICES", ["trunk-auth"]), gateway_settings={"LK_CALL_ANSWER_MS": "8000"}) as running:
        yield running


def pytest_sessionfinish(session, exitstatus):
    """Where nothing but skipped tests is left, that is no success: ctest knows 77 as skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    done = {what for what, reports in reporter.stats.items() if reports and what in ("passed", "failed", "error", "skipped")}
    if done == {"skipped"} and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = SKIPPED


@pytest.fixture
def trunk(suite):
    return suite.make_trunk()
