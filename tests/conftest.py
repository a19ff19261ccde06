"""One running suite per test file, for the files that ask for it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.dont_write_bytecode = True

from suite import Suite  # noqa: E402 (the path above comes first)


@pytest.fixture(scope="module")
def suite(request):
    """With workers of the services that the file names in SERVICES; trunk-auth, if it does not."""
    with Suite(services=getattr(request.module, "SERVICES", ["trunk-auth"])) as running:
        yield running


@pytest.fixture
def trunk(suite):
    return suite.make_trunk()
