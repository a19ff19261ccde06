"""docs/openapi.json is good OpenAPI: the linter of tests/sdk finds nothing."""

from sdk import node
from suite import ROOT


def test_lint():
    node("lint.mjs", str(ROOT / "docs/openapi.json"))
