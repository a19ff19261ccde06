#!/usr/bin/env bash
# The benchmark of call authorization.
#   tests/bench/sip.sh [--quick]
# Calls a second through Kamailio, which asks Linekeeper for each (answers given again from the gateway's memory, and
# every one through the hop), against its own auth_db on SQLite with the same users and against one fixed HA1, the
# floor; CPU of all of the suite's processes and latency of a look-up; 100,000 users and ranges against 100. All of a
# part is interleaved: ratios are of neighbours. Needs wrk (tests/run.sh installs it); unpacks Kamailio and SIPp.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5 seconds=2 calls=8000 users=1000 small=100 large=100000
case ${1:-} in
'') ;;
--quick) rounds=3 seconds=1 calls=2000 large=20000 ;;
--help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) echo "bench: unknown option $1; try --help" >&2 && exit 64 ;;
esac
# shellcheck source=lib.sh
source tests/bench/lib.sh
# shellcheck source=sip/kamailio.sh
source tests/bench/sip/kamailio.sh
# shellcheck disable=SC2034 # fetch.sh's
ROOT=$PWD LOGS=$work
# shellcheck source=../support/fetch.sh
source tests/support/fetch.sh

readonly OPEN=40 CONNECTIONS=64
declare -A bases=() keys=() suites=()
export LK_SIP_REALMS=bench LK_LOG_LEVEL=info

# start_seeded NAME COUNT MIB: a suite of its own with so many users and ranges; keeps up to MIB of answers.
start_seeded() {
    local first=${#pids[@]} number
    new_store "$1"
    "$tools/seed-trunks" --data-dir "$LK_DATA_DIR" --organization "$organization" --trunks 100 --users "$2" --ranges "$2" \
        --seal-key "$LK_SEAL_KEY_FILE" --realm bench >/dev/null
    export LK_ANSWER_CACHE_MIB=$3
    start_suite
    bases[$1]=$base suites[$1]=${pids[*]:first}
    keys[$1]=$("$bin/gateway" key create --organization bench --scope sip 2>/dev/null)
    for ((number = 0; number < $2; number++)); do
        echo "/v1/sip/trunks/ha1?username=user-$number&realm=bench&algorithm=MD5&source_ip=127.0.0.1"
    done | shuf -n 20000 --random-source=<(yes) >"$work/$1.ha1"
    for ((number = 0; number < $2; number++)); do
        echo "/v1/sip/trunks/source?ip=10.$((number >> 16)).$((number >> 8 & 255)).$((number & 255))"
    done | shuf -n 20000 --random-source=<(yes) >"$work/$1.source"
    await "the key of $1" curl -fsS -H "Authorization: Bearer ${keys[$1]}" "$base$(head -n 1 "$work/$1.ha1")"
}

suite_cpu_us() { # suite_cpu_us NAME: of all its processes so far
    local pid
    for pid in ${suites[$1]}; do cpu_us "$pid"; done | awk '{sum += $1} END {print sum}'
}

# ---- calls ----

calls_round() { # calls_round MODE NAME: one line "calls/s failed retransmissions us-of-Kamailio us-of-the-suite" to NAME.calls
    local mode=$1 name=$2 url='' before after suite_before=0 suite_after=0 line
    [[ $mode != LINEKEEPER ]] || url=http://sip:${keys[$name]}@${bases[$name]#http://} suite_before=$(suite_cpu_us "$name")
    kamailio_start "$mode" "$work/users" "$url"
    before=$(kamailio_cpu_us)
    line=$(kamailio_calls "$mode" "$work/users" "$calls" "$OPEN")
    after=$(kamailio_cpu_us)
    [[ $mode != LINEKEEPER ]] || suite_after=$(suite_cpu_us "$name")
    kamailio_stop
    echo "$line $(((after - before) / calls)) $(((suite_after - suite_before) / calls))" >>"$work/$name.calls"
}

compare_calls() {
    local round name
    local -a order=(auth_db kept hop floor)
    kamailio_users "$users" "$work/users"
    echo "Calls through Kamailio, $users users, $OPEN open at a time, $calls calls a round, $rounds rounds:"
    for ((round = 0; round < rounds; round++)); do
        for name in "${order[@]}"; do
            case $name in
            auth_db) calls_round AUTH_DB auth_db ;;
            floor) calls_round FIXED floor ;;
            *) calls_round LINEKEEPER "$name" ;;
            esac
        done
        order=("${order[@]:1}" "${order[0]}")
    done
    for name in floor auth_db kept hop; do
        awk -v name="$name" -v mid="$(cut -d' ' -f1 "$work/$name.calls" | median)" -v kamailio="$(cut -d' ' -f4 "$work/$name.calls" | median)" \
            -v suite="$(cut -d' ' -f5 "$work/$name.calls" | median)" '
            { failed += $2; again += $3; if (NR == 1 || $1 < low) low = $1; if ($1 > high) high = $1 }
            END { printf "  %-8s %6.0f calls/s (%.0f to %.0f)   failed %d, sent again %d   CPU a call: Kamailio %d us, suite %d us\n",
                         name, mid, low, high, failed, again, kamailio, suite }' "$work/$name.calls"
    done
    for name in kept hop floor; do
        printf '  %s against auth_db: %s median %s\n' "$name" "$(ratios "$name.calls" auth_db.calls | tr '\n' ' ')" \
            "$(ratios "$name.calls" auth_db.calls | median)"
    done
    failed=$(cat "$work"/*.calls | awk '{sum += $2} END {print sum + 0}')
}

ratios() { paste -d' ' "$work/$1" "$work/$2" | awk -v columns="$(head -n 1 "$work/$1" | wc -w)" '{printf "%.2f\n", $1 / $(columns + 1)}'; }

# ---- look-ups ----

# look_up NAME KIND CONNECTIONS TAG: a round; "rate p50 p99 us" to TAG
look_up() {
    local before after line
    before=$(suite_cpu_us "$1")
    line=$(BENCH_KEY=${keys[$1]} BENCH_PATHS=$work/$1.$2 run_wrk "${bases[$1]}" "$3" "$seconds")
    after=$(suite_cpu_us "$1")
    echo "$line $(awk -v us=$((after - before)) -v rate="${line%% *}" -v s="$seconds" 'BEGIN {printf "%.1f", us / (rate * s)}')" >>"$work/$4"
}

column() { cut -d' ' -f"$1" "$work/$2" | median; }

full_load() {
    local round name
    echo "A look-up (/ha1, out of $users) at full load, $CONNECTIONS connections, $rounds rounds of $seconds s:"
    for ((round = 0; round < rounds; round++)); do
        for name in kept hop; do look_up "$name" ha1 "$CONNECTIONS" "full-$name"; done
    done
    for name in kept hop; do
        report "$name" "$work/full-$name"
        printf '  %s: %s us of CPU a look-up, all processes of the suite\n' "$name" "$(column 4 "full-$name")"
    done
}

half_load() {
    local round name rate ok refused other lost p50 p99 p999
    echo "At half of that rate, whether answers come or not (open loop), $rounds rounds of $((2 * seconds)) s:"
    for ((round = 0; round < rounds; round++)); do
        for name in kept hop; do
            rate=$(awk -v rate="$(column 1 "full-$name")" 'BEGIN {printf "%d", rate / 2}')
            sed 's/^/GET /' "$work/$name.ha1" | head -n 1000 >"$work/requests"
            read -r _ ok refused other lost _ p50 p99 _ _ p999 < <(
                "$tools/open-loop" "${bases[$name]##*:}" "${keys[$name]}" "$rate" $((2 * seconds)) "$CONNECTIONS" <"$work/requests")
            echo "$ok $p50 $p99 $p999 $refused $other $lost" >>"$work/half-$name"
        done
    done
    for name in kept hop; do
        printf '  %-8s %s/s   p50 %s ms   p99 %s ms   p99.9 %s ms   (worst round %s)   refused, other, lost: %s\n' "$name" \
            "$(column 1 "half-$name")" "$(column 2 "half-$name")" "$(column 3 "half-$name")" "$(column 4 "half-$name")" \
            "$(cut -d' ' -f4 "$work/half-$name" | sort -n | tail -n 1)" \
            "$(awk '{r += $5; o += $6; l += $7} END {print r + 0, o + 0, l + 0}' "$work/half-$name")"
    done
}

scale() {
    local round kind name
    echo "Out of $small and out of $large users and ranges, every look-up through the hop, $rounds rounds of $seconds s:"
    for ((round = 0; round < rounds; round++)); do
        for kind in ha1 source; do
            for name in small large; do
                look_up "$name" "$kind" 1 "one-$kind-$name"
                look_up "$name" "$kind" "$CONNECTIONS" "scale-$kind-$name"
            done
        done
    done
    for kind in ha1 source; do
        awk -v kind="$kind" -v a="$(column 4 "scale-$kind-small")" -v b="$(column 4 "scale-$kind-large")" \
            -v c="$(column 2 "one-$kind-small")" -v d="$(column 2 "one-$kind-large")" \
            'BEGIN {printf "  /%-7s CPU %.1f -> %.1f us (%.2f)   p50 on one connection %.3f -> %.3f ms (%.2f)\n", kind, a, b, b / a, c, d, d / c}'
    done
}

fetch_sip
kamailio_here || { echo "bench: Kamailio and SIPp can't be had" >&2 && exit 1; }
describe_machine
start_seeded kept "$users" 16
start_seeded hop "$users" 0
compare_calls
full_load
half_load
stop_all
start_seeded small "$small" 0
start_seeded large "$large" 0
scale
((failed == 0)) || { echo "bench: $failed calls failed" >&2 && exit 1; }
