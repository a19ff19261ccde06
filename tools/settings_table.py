#!/usr/bin/env python3
"""Writes the tables of docs/settings.md from what the programs say of themselves by --help.

  tools/settings_table.py BIN_DIR            compare; exit code 1 and what differs
  tools/settings_table.py BIN_DIR --update   write
"""

import pathlib
import re
import subprocess
import sys

DOC = pathlib.Path(__file__).resolve().parents[1] / "docs/settings.md"
ROW = re.compile(r"^  (LK_[A-Z_]+) +(.*?)(?: (Required)| Default: (.*))\.$")
SECTION = re.compile(r"(<!-- settings of ([a-z-]+) -->\n).*?(<!-- end -->)", re.S)


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
    text = DOC.read_text(encoding="utf-8")
    return SECTION.sub(lambda m: m[1] + table(pathlib.Path(bin_dir) / m[2]) + m[3], text)


def main(arguments):
    text, wanted = DOC.read_text(encoding="utf-8"), expected(arguments[0])
    if "--update" in arguments:
        DOC.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        print(f"{DOC}: is not what the programs say; run tools/settings_table.py BIN_DIR --update")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
