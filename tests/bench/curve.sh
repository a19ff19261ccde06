#!/usr/bin/env bash
# What CURVE costs: two suites side by side, one by CURVE and one in plain text, read in turns.
#   tests/bench/curve.sh [--quick]
# Everything listens on loopback. Needs wrk (tests/run.sh installs it).
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=7 seconds=4
case ${1:-} in
'') ;;
--quick) rounds=3 seconds=2 ;;
--help) sed -n '2,4s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) echo "bench: unknown option $1; try --help" >&2 && exit 64 ;;
esac
# shellcheck source=lib.sh
source tests/bench/lib.sh

declare -A bases=() keys=() gateways=() workers=()

start_kind() { # start_kind plain|curve
    new_store "$1"
    "$tools/seed-trunks" --data-dir "$LK_DATA_DIR" --organization "$organization" --trunks 100 --methods 1000 >"$work/seeded"
    LK_CURVE=$([ "$1" = curve ] && echo on || echo off)
    export LK_CURVE
    start_suite
    awk '{print "/voip/trunk/" $1 "/auth/" $2}' "$work/seeded" >"$work/paths-$1"
    bases[$1]=$base keys[$1]=$key gateways[$1]=$gateway_pid workers[$1]=${worker_pids[trunk-auth]}
}

cpu_of() { echo $(($(cpu_us "${gateways[$1]}") + $(cpu_us "${workers[$1]}"))); }

describe_machine
start_kind plain
start_kind curve
echo "GET of one authentication method, out of 1,000, keep-alive, median of $rounds rounds of $seconds s, in turns:"
for connections in 64 4 1; do
    rm -f "$work"/r-*
    for ((round = 0; round < rounds; round++)); do
        for kind in plain curve; do
            before=$(cpu_of $kind)
            BENCH_KEY=${keys[$kind]} BENCH_PATHS=$work/paths-$kind run_wrk "${bases[$kind]}" $connections $seconds >>"$work/r-$kind"
            echo $(($(cpu_of $kind) - before)) >>"$work/r-cpu-$kind"
        done
    done
    for kind in plain curve; do
        report "$kind, $connections connections" "$work/r-$kind"
        printf '    %s us of CPU a request, gateway and worker together\n' \
            "$(paste -d' ' "$work/r-cpu-$kind" "$work/r-$kind" | awk -v s=$seconds '{printf "%.0f\n", $1 / ($2 * s)}' | median)"
    done
    printf '  curve against plain: '
    paste -d' ' "$work/r-curve" "$work/r-plain" | awk '{printf "%.2f\n", $1 / $4}' | tee "$work/ratios" | tr '\n' ' '
    printf ' median %.2f\n' "$(median <"$work/ratios")"
done
