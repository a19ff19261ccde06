#!/usr/bin/env python3
"""Writes the tables of docs/metrics.md from what the programs say of themselves by --metrics.

  tools/metrics_table.py BIN_DIR            compare; exit code 1 and what differs
  tools/metrics_table.py BIN_DIR --update   write
"""

import subprocess
import sys

import doc_table

DOC = doc_table.DOCS / "metrics.md"
SECTION = doc_table.section("metrics")


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
    return doc_table.expected(DOC, SECTION, table, bin_dir)


if __name__ == "__main__":
    sys.exit(doc_table.main(DOC, expected))
