#!/usr/bin/env python3
"""Keeps docs/openapi.json as the gateway prints it.

  tools/openapi.py BIN_DIR            compare; exit code 1 and what to do
  tools/openapi.py BIN_DIR --update   write
"""

import pathlib
import subprocess
import sys

DOC = pathlib.Path(__file__).resolve().parents[1] / "docs/openapi.json"


def main(arguments):
    gateway = pathlib.Path(arguments[0]) / "gateway"
    wanted = subprocess.run([gateway, "openapi"], capture_output=True, check=True).stdout
    if "--update" in arguments:
        DOC.write_bytes(wanted)
    elif not DOC.exists() or DOC.read_bytes() != wanted:
        print(f"{DOC}: is not what the tables say; run tools/openapi.py {arguments[0]} --update")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
