#!/usr/bin/env bash
# needs.sh BIN_DIR OUT_DIR: writes for every program the Debian packages of the libraries it is linked
# with, a name a line, into a file of the program's name. Run where they are installed: while an image
# is built.
set -euo pipefail

mkdir -p "$2"
for program in "$1"/*; do
    ldd "$program" | awk '$2 == "=>" { print $1 }' | while read -r library; do
        dpkg -S "*/$library" | cut -d : -f 1
    done | sort -u >"$2/${program##*/}"
done
