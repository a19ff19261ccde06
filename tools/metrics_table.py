#!/usr/bin/env python3
"""Writes the tables of docs/metrics.md from what the programs say of themselves by --metrics.

  tools/metrics_table.py BIN_DIR            compare; exit code 1 and what differs
  tools/metrics_table.py BIN_DIR --update   write
"""

import pathlib
import re
import subprocess
import sys

DOC = pathlib.Path(__file__).resolve().parents[1] / "docs/metrics.md"
SECTION = re.compile(r"(<!-- metrics of ([a-z-]+) -->\n).*?(<!-- end -->)", re.S)


def rows(program):
    """(name, type, labels, help) of each of a program's metrics."""
    text = subprocess.run([program, "--metrics"], capture_output=True, text=True, check=True).stdout
    return [tuple(line.split(" ", 3)) for line in text.splitlines()]


def table(program):
    """The Markdown table of one program's metrics."""
    lines = ["| name | type | labels | what it is |", "|---|---|---|---|"]
    for name, kind, labels, doc in rows(program):
        shown = "" if labels == "-" else ", ".join(f"`{label}`" for label in labels.split(","))
        lines.append(f"| `{name}` | {kind} | {shown} | {doc} |")
    return "\n".join(lines) + "\n"


def expected(bin_dir):
    text = DOC.read_text(encoding="utf-8")
    return SECTION.sub(lambda m: m[1] + table(pathlib.Path(bin_dir) / m[2]) + m[3], text)


def main(arguments):
    text, wanted = DOC.read_text(encoding="utf-8"), expected(arguments[0])
    if "--update" in arguments:
        DOC.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        print(f"{DOC}: is not what the programs say; run tools/metrics_table.py BIN_DIR --update")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
