#!/usr/bin/env bash
# Builds Linekeeper in every way that is tested, runs all tests, and ends with the summary of the
# complete run: see --help. What comes before it counts too: any failure is the exit code's.
# shellcheck disable=SC2317 # steps are called by name
set -euo pipefail

PROGRAM=tests/run.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../deploy/lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=../deploy/lib/packages.sh
source "$ROOT/deploy/lib/packages.sh"
# shellcheck source=support/fetch.sh
source "$ROOT/tests/support/fetch.sh"

readonly LOGS=$ROOT/build/logs
FAILED=()
SKIPPED=()
QUIET_PID=

usage() {
    cat <<'TEXT'
tests/run.sh: installs what it needs, builds, runs everything

  ./tests/run.sh          all of it: clang-tidy, the sanitizers, the complete run
  ./tests/run.sh --quick  the complete run only

Steps, in order; each goes on when one before it has failed:
  tidy     clang-tidy on every file
  asan     under AddressSanitizer and UndefinedBehaviorSanitizer: all but run.sh's own, and what is no test of our programs or takes a browser
  tsan     the same under ThreadSanitizer, without what has one thread
  ci       every test of ctest against a release build; its summary comes last

Logs of the builds: build/logs. Exit code: 0 if every step passed.
TEXT
}

# step NAME COMMAND...: says how long it took, remembers a failure.
step() {
    local name=$1 begun=$SECONDS
    shift
    printf '\n==== %s ====\n' "$name"
    if "$@"; then
        printf '==== %s: passed after %d s ====\n' "$name" $((SECONDS - begun))
    else
        FAILED+=("$name")
        printf '==== %s: FAILED after %d s ====\n' "$name" $((SECONDS - begun))
    fi
}

# build PRESET: goes on past an error, to show them all.
build() {
    local log=$LOGS/$1.log
    : >"$log"
    if ! quietly "$log" cmake --preset "$1" -S "$ROOT" || ! quietly "$log" ninja -k 0 -C "$ROOT/build/$1"; then
        grep -E 'error:|undefined reference' "$log" | sort -u | head -n 60 || tail -n 40 "$log"
        complain "building $1 failed (see $log)"
        return 1
    fi
}

# tests PRESET ARGUMENTS-OF-CTEST...
tests() {
    local preset=$1 code=0
    shift
    build "$preset" || return 1
    ctest --test-dir "$ROOT/build/$preset" --output-on-failure -j "$(nproc)" "$@" || code=$?
    note_skipped "$preset"
    return "$code"
}

# note_skipped PRESET: what the tests that have just run say of it, all of a file or one case. They passed all the same.
note_skipped() {
    local line
    while read -r line; do
        SKIPPED+=("$1: $line")
    done < <(awk '/^[0-9]+\/[0-9]+ Test: / { name = $3 }
                  /^SKIPPED \[|^\[  SKIPPED \] [a-z]|^[a-z]+: skipped: / { print name ": " $0 }' \
        "$ROOT/build/$1/Testing/Temporary/LastTest.log" | sort -u)
}

tell_skipped() {
    ((${#SKIPPED[@]} > 0)) || return 0
    printf '\n==== skipped ====\n'
    printf '%s\n' "${SKIPPED[@]}"
}

main() {
    cd "$ROOT"
    case ${1:-} in
    '') ;;
    --quick) ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        complain "unknown option $1 (see --help)"
        exit 64
        ;;
    esac
    mkdir -p "$LOGS"
    local groups=(run test)
    command -v npm >/dev/null || groups+=(node)
    packages_install "$ROOT/deploy/packages.txt" "$LOGS/packages.log" "${groups[@]}"
    fetch promtool usr/bin/promtool prometheus
    fetch haproxy usr/sbin/haproxy haproxy
    fetch systemd-nspawn usr/bin/systemd-nspawn systemd-container
    fetch_sip
    fetch freeradius usr/sbin/freeradius freeradius freeradius-rest freeradius-utils
    if [[ ${1:-} != --quick ]]; then
        step tidy build tidy
        step asan tests asan -LE 'source|sso' -E 'run_script|readme|flat_memory|saml_(naive|oracles)'
        step tsan tests tsan -LE 'source|fuzz|saml|sso' -E 'run_script|readme|flat_memory'
    fi
    local complete=0
    printf '\n==== ci: every test ====\n'
    build ci || {
        complain "no tests were run: ${FAILED[*]} ci"
        exit 1
    }
    if ((${#FAILED[@]} > 0)); then
        complain "failed before the complete run: ${FAILED[*]}"
    fi
    ctest --test-dir "$ROOT/build/ci" --output-on-failure -j "$(nproc)" || complete=$?
    note_skipped ci
    tell_skipped
    if ((${#FAILED[@]} > 0)); then
        exit 1
    fi
    exit "$complete"
}

main "$@"
