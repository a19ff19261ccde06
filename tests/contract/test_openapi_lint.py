"""docs/openapi.json is good OpenAPI: the linter of tests/sdk finds nothing."""

from npm import Project
from suite import ROOT


def test_lint():
    Project("sdk").node("lint.mjs", str(ROOT / "docs/openapi.json"))
