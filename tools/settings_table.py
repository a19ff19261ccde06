#!/usr/bin/env python3
"""Writes the tables of docs/settings.md from what the programs say of themselves by --help.

  tools/settings_table.py BIN_DIR            compare; exit code 1 and what differs
  tools/settings_table.py BIN_DIR --update   write
"""

import re
import subprocess
import sys

import doc_table

DOC = doc_table.DOCS / "settings.md"
ROW = re.compile(r"^  (LK_[A-Z0-9_]+) +(.*?)(?: (Required)| Default: (.*))\.$")
SECTION = doc_table.section("settings")


def table(program):
    """The Markdown table of one program's settings."""
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    rows = ["| name | default | what it is |", "|---|---|---|"]
    for line in text.split("Settings, by environment variable:\n")[1].splitlines():
        match = ROW.match(line)
        if match is None:
            raise ValueError(f"{program} --help: can't read: {line}")
        name, doc, required, default = match.groups()
        shown = "required" if required else "none" if default == "none" else f"`{default}`"
        rows.append(f"| `{name}` | {shown} | {doc} |")
    return "\n".join(rows) + "\n"


def expected(bin_dir):
    return doc_table.expected(DOC, SECTION, table, bin_dir)


if __name__ == "__main__":
    sys.exit(doc_table.main(DOC, expected))
