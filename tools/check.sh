#!/bin/sh
# Looks over the source without compiling it: format, banned functions, the direction of includes,
# file sizes, shell scripts, sleeping tests. Exit 1 if anything is wrong; every finding is printed.
# ctest runs it under the label "source".
set -eu
cd "$(dirname "$0")/.."
failed=0

fail() { # what, findings
    printf '%s:\n%s\n' "$1" "$2" | sed '2,$s/^/  /'
    failed=1
}

# Files that git has or would take: never build directories.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
    if [ -f "$f" ]; then printf '%s\n' "$f"; fi; done; }

c_files=$(files '*.c' '*.h')

# Lines of the given files that match, without comments and strings. $1 extended regex, rest files.
code_lines() {
    pattern=$1; shift
    # shellcheck disable=SC2016 # awk's own variables
    awk -v pattern="$pattern" '
        FNR == 1 { in_comment = 0 }
        { line = $0
          if (in_comment) { if (!sub(/^.*\*\//, "", line)) next; in_comment = 0 }
          gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
          gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
          if (sub(/\/\*.*$/, "", line)) in_comment = 1
          sub(/\/\/.*$/, "", line)
          if (line ~ pattern) print FILENAME ":" FNR ": " $0 }' "$@"
}

# --- format
if command -v clang-format >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # one word a file
    findings=$(clang-format --dry-run -Werror $c_files 2>&1 | grep 'error:' || true)
    [ -z "$findings" ] || fail 'not formatted (clang-format -i FILE)' "$findings"
else
    echo 'note: clang-format is not installed; formats were not checked'
fi

# --- functions that have a bounded or checked counterpart in common/
# shellcheck disable=SC2086
findings=$(code_lines '(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|rand|system|popen|alloca) *\(' $c_files)
[ -z "$findings" ] || fail 'banned functions' "$findings"

# --- includes point one way: common <- proto <- {gateway, services/common} <- services/<name>
includes_outside() { # folder, extended regex of what it may include
    listed=$(files "$1/*.c" "$1/*.h")
    [ -n "$listed" ] || return 0
    # shellcheck disable=SC2086
    grep -HnE '^ *# *include +"' $listed | grep -v '_migrations\.h"' | grep -vE "# *include +\"($2)" || true
}
findings=$(
    includes_outside common 'common/'
    includes_outside proto '(common|proto)/'
    includes_outside gateway '(common|proto|gateway)/|services/common/(store|migrate|gate|use|backup_command)\.h'
    includes_outside services/common '(common|proto|services/common)/'
    for service in services/*/; do
        service=${service%/}
        [ "$service" = services/common ] ||
            includes_outside "$service" "(common|proto|services/common|$service)/"
    done
)
[ -z "$findings" ] || fail 'includes against the direction of the tree' "$findings"

# --- files that nobody can hold in mind
findings=$(for f in $c_files $(files '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' '*.sql'); do
    lines=$(wc -l <"$f")
    [ "$lines" -le 500 ] || printf '%s has %s lines\n' "$f" "$lines"
done)
[ -z "$findings" ] || fail 'more than 500 lines' "$findings"

# --- shell scripts
scripts=$(files '*.sh')
if command -v shellcheck >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    findings=$([ -z "$scripts" ] || shellcheck $scripts || true)
    [ -z "$findings" ] || fail 'shellcheck' "$findings"
else
    echo 'note: shellcheck is not installed; scripts were not checked'
fi

# --- tests wait for conditions, with a deadline, and never for time to pass: only await.c sleeps, which
# all others call. A poll of nothing is a sleep too.
findings=$(files 'tests/*.c' 'tests/*.h' 'tests/*.py' 'tests/*.sh' | while read -r f; do
    [ "$f" = tests/support/await.c ] ||
        grep -HnE '(^|[^A-Za-z0-9_])((u|nano|clock_nano)?sleep[ (]|poll\(NULL)' "$f" || true
done)
[ -z "$findings" ] || fail 'fixed sleeps in tests' "$findings"

# --- nothing here fetches: packages come from the system
findings=$(files | grep -v '^tools/check\.sh$' | while read -r f; do
    grep -HnIE '(pypi|npmjs|rubygems|crates|pythonhosted|dockerhub)\.(org|com|io)|registry\.(npmjs|hub)' "$f" || true
done)
[ -z "$findings" ] || fail 'host names of package registries' "$findings"

[ "$failed" -ne 0 ] || echo 'source: good'
exit "$failed"
