#!/usr/bin/env bash
# What more than enough does: goodput and latency at, below and beyond what the suite can do.
#   tests/bench/overload.sh [--quick]
# Reads at four times the connections, password creations at four times the rate; then the curve of an open loop
# (tests/bench/open_loop.c): requests come at a fixed rate whatever becomes of them, and each latency counts from
# the moment its request was due. One gateway, one worker, on loopback; the load takes its part of the same cores.
# About two and a half minutes. Needs wrk (tests/run.sh installs it).
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=3 seconds=4 long=10
case ${1:-} in
'') ;;
--quick) rounds=1 seconds=2 long=5 ;;
--help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) echo "bench: unknown option $1; try --help" >&2 && exit 64 ;;
esac
# shellcheck source=lib.sh
source tests/bench/lib.sh

readonly FEW=64 MANY=256

read_at() { BENCH_KEY=$key BENCH_PATHS=$work/paths run_wrk "$base" "$1" $seconds; }
create_at() { BENCH_KEY=$key BENCH_CREATE=sipuser BENCH_TRUNK=$trunk BENCH_ROUND=$round run_wrk "$base" "$1" $seconds; }

# curve PEAK CONNECTIONS SECONDS REQUESTS: a line for each rate; $work/goodput is the last one's.
curve() {
    local factor rate ok refused other lost given p50 p99 r50 r99
    printf '  %-7s %10s %10s %10s %10s %6s %6s   %s\n' offered req/s goodput refused 'given up' other lost 'p50 and p99 in ms: accepted; refused'
    for factor in 0.5 1 2 4; do
        rate=$(awk -v p="$1" -v f=$factor 'BEGIN {printf "%.1f", p * f}')
        read -r _ ok refused other lost given p50 p99 r50 r99 _ < <("$tools/open-loop" "${base##*:}" "$key" "$rate" "$3" "$2" <"$4")
        printf '  %-7s %10.1f %10.1f %10.1f %10.1f %6d %6d   %.1f %.1f; %.1f %.1f\n' \
            "$factor x" "$rate" "$ok" "$refused" "$given" "$other" "$lost" "$p50" "$p99" "$r50" "$r99"
        echo "$ok" >"$work/goodput"
    done
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }

reads() {
    local round peak
    echo "Reads of one authentication method, out of 1,000, keep-alive, $rounds rounds of $seconds s, in turns:"
    for ((round = 0; round < rounds; round++)); do
        read_at $FEW >>"$work/r-few"
        read_at $MANY >>"$work/r-many"
    done
    report "$FEW connections" "$work/r-few"
    report "$MANY connections" "$work/r-many"
    printf '  goodput at 4 times the connections: %s of the peak (wanted: 0.80)\n' \
        "$(paste -d' ' "$work/r-many" "$work/r-few" | awk '{printf "%.2f\n", $1 / $4}' | median)"
    peak=$(cut -d' ' -f1 "$work/r-few" | median)
    echo "The same as an open loop, $MANY connections; the peak is $peak/s, with $FEW connections in a closed loop:"
    sed 's/^/GET /' "$work/paths" >"$work/gets"
    curve "$peak" $MANY $seconds "$work/gets"
}

creations() {
    local round peak
    echo "Password creations, 4 connections, closed loop, $rounds rounds of $seconds s:"
    for ((round = 0; round < rounds; round++)); do create_at 4 >>"$work/c"; done
    report "creations" "$work/c"
    peak=$(cut -d' ' -f1 "$work/c" | median)
    echo "The same as an open loop, $FEW connections:"
    echo "POST /voip/trunk/$trunk/auth {\"type\":\"sipuser\",\"username\":\"u%n\",\"password\":\"correct horse\"}" >"$work/posts"
    curve "$peak" $FEW $long "$work/posts"
    echo "  goodput at 4 times the rate: $(ratio "$(cat "$work/goodput")" "$peak") of the peak (wanted: 0.80)"
}

describe_machine
new_store small
"$tools/seed-trunks" --data-dir "$LK_DATA_DIR" --organization "$organization" --trunks 100 --methods 1000 >"$work/seeded"
start_suite
awk '{print "/voip/trunk/" $1 "/auth/" $2}' "$work/seeded" >"$work/paths"
trunk=$(api POST /voip/trunk '{"name":"bench"}' | grep -o '"uuid": *"[^"]*"' | cut -d'"' -f4)
reads
creations
