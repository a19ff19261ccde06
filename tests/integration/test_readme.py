"""The commands of README.md that are marked "<!-- tested -->", run in order in one shell."""

import re
import subprocess

from suite import ROOT
from test_run_script import Run, directory  # noqa: F401 (a fixture)

BLOCK = re.compile(r"<!-- tested(?:: (.*?))? -->\n```sh\n(.*?)```", re.S)


def test_readme(directory):  # noqa: F811
    run = Run(directory)
    run.await_ready()
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 5
    script = "set -euo pipefail\n"
    for number, (_, block) in enumerate(blocks):
        script += f"echo '@@ {number}'\n{block}\necho\n"
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{run.port}").replace("build/run/bin", f"{run_bin()}")
    environment = run.environment | {"LK_API_KEY_HASH_FILE": str(run.data / "keys/api-key-hash")}
    done = subprocess.run(["bash", "-c", script], cwd=directory, env=environment, capture_output=True, text=True,
                          timeout=60, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    outputs = re.split(r"@@ \d+\n", done.stdout)[1:]
    for (wanted, block), output in zip(blocks, outputs):
        for word in (wanted or "").split(", "):
            assert word in output, f"{block} answered {output}, which lacks {word}"
    assert run.stop()[0] == 0


def run_bin():
    from test_run_script import BUILD

    return f"{BUILD}/bin"
