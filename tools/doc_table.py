"""Tables of a document that say what the programs say of themselves: settings_table.py, metrics_table.py.

A table stands between <!-- WORD of PROGRAM --> and <!-- end -->.
"""

import pathlib
import re
import sys

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"


def section(word):
    """Finds the tables: [2] is the program."""
    return re.compile(rf"(<!-- {word} of ([a-z-]+) -->\n).*?(<!-- end -->)", re.S)


def expected(document, found, table, bin_dir):
    """The document, with what table(program) returns in each of the tables that are found."""
    text = document.read_text(encoding="utf-8")
    return found.sub(lambda m: m[1] + table(pathlib.Path(bin_dir) / m[2]) + m[3], text)


def main(document, wanted_with):
    """Compares, or writes: exit code 1 if they differ. wanted_with(bin_dir): what it should be."""
    tool, arguments = sys.argv[0], sys.argv[1:]
    text, wanted = document.read_text(encoding="utf-8"), wanted_with(arguments[0])
    if "--update" in arguments:
        document.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        print(f"{document}: is not what the programs say; run {tool} BIN_DIR --update")
        return 1
    return 0
