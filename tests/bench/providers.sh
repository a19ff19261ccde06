#!/usr/bin/env bash
# The benchmark of authentication providers and FQDN authentication.
#   tests/bench/providers.sh [--quick]
# Lists and reads of a suite with 100 providers and of one with 100,000 (--quick: 20,000) of one organization,
# interleaved; reads while metadata hosts hang; FQDN authentication set. Medians of the rounds' medians, 1
# connection where nothing else is said. Needs wrk (tests/run.sh installs it).
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=3 seconds=2 large=100000
case ${1:-} in
'') ;;
--quick) rounds=3 seconds=1 large=20000 ;;
--help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) echo "bench: unknown option $1; try --help" >&2 && exit 64 ;;
esac
# shellcheck source=lib.sh
source tests/bench/lib.sh

readonly PROVIDERS=/v2/authentication_providers SIZE=20
declare -A bases=() keys=() ids=()

start_filled() { # start_filled COUNT
    new_store "providers-$1"
    start_suite
    bases[$1]=$base keys[$1]=$key
    ids[$1]=$(/usr/bin/python3 tests/bench/fill.py "$base" "$key" "$1")
}

ask() { # ask COUNT PATH FILE: one round
    echo "$2" >"$work/path"
    BENCH_KEY=${keys[$1]} BENCH_PATHS=$work/path run_wrk "${bases[$1]}" 1 "$seconds" >>"$3"
}

p50() { cut -d' ' -f2 "$1" | median; }

list_page() { # list_page SORT: first and last page of both sizes, the middle one of the large
    local sort=$1 round size what page
    rm -f "$work"/l-*
    for ((round = 0; round < rounds; round++)); do
        for size in 100 "$large"; do
            for what in first last middle; do
                case $what in
                first) page=1 ;;
                last) page=$((size / SIZE)) ;;
                middle) page=$((size / SIZE / 2)) ;;
                esac
                [ "$size-$what" = 100-middle ] ||
                    ask "$size" "$PROVIDERS?page[size]=$SIZE&page[number]=$page&sort=$sort" "$work/l-$size-$what"
            done
        done
    done
    awk -v sort="$sort" -v f="$(p50 "$work/l-100-first")" -v F="$(p50 "$work/l-$large-first")" -v l="$(p50 "$work/l-100-last")" \
        -v L="$(p50 "$work/l-$large-last")" -v M="$(p50 "$work/l-$large-middle")" \
        'BEGIN {printf "  %-12s first %.3f -> %.3f ms (%.2f)   last %.3f -> %.3f ms (%.2f)   middle %.3f ms\n", sort, f, F, F / f, l, L, L / l, M}'
}

lists() {
    local sort
    echo "Page of $SIZE providers, p50, out of 100 -> out of $large (ratio):"
    for sort in name -name short_name -short_name active -active created_at -created_at updated_at -updated_at; do
        list_page "$sort"
    done
}

reads() {
    local round size
    echo "GET of one provider, median of $rounds rounds of $seconds s:"
    rm -f "$work"/o-*
    for ((round = 0; round < rounds; round++)); do
        for size in 100 "$large"; do ask "$size" "$PROVIDERS/${ids[$size]}" "$work/o-$size"; done
    done
    for size in 100 "$large"; do report "1 connection, out of $size" "$work/o-$size"; done
}

# A host that takes connections and never says a word.
start_silent_host() {
    /usr/bin/python3 -c 'import signal, socket
s = socket.create_server(("127.0.0.1", 0), backlog=128)
print(s.getsockname()[1], flush=True)
signal.pause()' >"$work/silent" &
    pids+=($!)
    await "the silent host" test -s "$work/silent"
}

hanging_fetches() { # hanging_fetches N: each of another organization; takes its 5 s and is refused
    local number
    for ((number = 0; number < $1; number++)); do
        curl -sS -o /dev/null -w '%{http_code} %{time_total}\n' -H "Authorization: Bearer ${fetchers[number]}" -H 'Content-Type: application/json' \
            -d "{\"name\":\"x\",\"short_name\":\"silent-$number\",\"settings_url\":\"http://127.0.0.1:$(cat "$work/silent")/\"}" \
            "$base$PROVIDERS" >>"$work/fetches" &
    done
}

fetches_ended() { (($(wc -l <"$work/fetches") >= $1)); }

reads_while_fetches_hang() {
    local round number
    local -a fetchers=()
    export LK_METADATA_ALLOW_PRIVATE=1
    new_store hanging
    for ((number = 0; number < 4; number++)); do fetchers+=("$(make_key "bench-$number")"); done
    start_suite
    start_silent_host
    echo "$PROVIDERS/$(/usr/bin/python3 tests/bench/fill.py "$base" "$key" 100)" >"$work/path"
    rm -f "$work"/h-* "$work/fetches"
    echo "Reads at 64 connections, without and with 4 metadata fetches of 4 organizations that hang for 5 s, rounds of 4 s:"
    for ((round = 0; round < rounds; round++)); do
        BENCH_KEY=$key BENCH_PATHS=$work/path run_wrk "$base" 64 4 >>"$work/h-quiet"
        hanging_fetches 4
        BENCH_KEY=$key BENCH_PATHS=$work/path run_wrk "$base" 64 4 >>"$work/h-hanging"
        await "the end of the fetches" fetches_ended $(((round + 1) * 4))
    done
    report "reads, quiet" "$work/h-quiet"
    report "reads, fetches hanging" "$work/h-hanging"
    printf '  p99 against quiet: %s\n' "$(paste -d' ' "$work/h-hanging" "$work/h-quiet" | awk '{printf "%.2f\n", $3 / $6}' | median)"
    echo "  the fetches (status, seconds): $(sort "$work/fetches" | uniq -c | awk '{print $2, $3}' | head -n 3 | paste -sd, -) ..."
    unset LK_METADATA_ALLOW_PRIVATE
}

sets() {
    local round
    connection=$(api POST /security/connections '{"connection_name":"bench"}' | grep -o '"id": *"[^"]*"' | head -n 1 | cut -d'"' -f4)
    echo "FQDN authentication set, with Argon2id, 8 connections, median of $rounds rounds of $seconds s:"
    rm -f "$work/f"
    for ((round = 0; round < rounds; round++)); do
        BENCH_KEY=$key BENCH_CREATE=fqdn BENCH_CONNECTION=$connection BENCH_ROUND=$round run_wrk "$base" 8 $((2 * seconds)) >>"$work/f"
    done
    report "set" "$work/f"
}

describe_machine
start_filled 100
start_filled "$large"
lists
reads
stop_all
reads_while_fetches_hang
sets
