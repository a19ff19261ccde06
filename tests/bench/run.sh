#!/usr/bin/env bash
# The benchmark: the suite and the bare stack, side by side, in one run.
#   tests/bench/run.sh [--quick]
# Rows marked "suite" go through gateway and worker over HTTP; "bare" is the same libraries with nothing in
# between (tests/bench/bare_gateway.c). Rounds are interleaved, since machines are noisy; medians are printed
# with the worst and best round. Everything listens on loopback. Needs wrk (tests/run.sh installs it).
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5 seconds=4 large=1000000 flat_requests=1000000
case ${1:-} in
'') ;;
--quick) rounds=3 seconds=2 large=100000 flat_requests=100000 ;;
--help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) echo "bench: unknown option $1; try --help" >&2 && exit 64 ;;
esac
# shellcheck source=lib.sh
source tests/bench/lib.sh

start_bare() { # start_bare broker|direct: over the suite's own database
    local port worker_port
    port=$(free_port) worker_port=$(free_port)
    local listener=bind
    [ "$1" = direct ] || listener=connect
    "$tools/bare-gateway" "127.0.0.1:$port" "tcp://127.0.0.1:$worker_port" "$1" 2>"$work/bare-$1.log" &
    pids+=($!)
    "$tools/bare-worker" "$LK_DATA_DIR/trunk-auth.db" "tcp://127.0.0.1:$worker_port" "$listener" 2>>"$work/bare-$1.log" &
    pids+=($!)
    bare_base=http://127.0.0.1:$port
    await "the bare stack" curl -fsS "$bare_base/x/$method"
}

compare_reads() {
    local connections kind round
    echo "GET of one authentication method, out of 1,000, keep-alive, median of $rounds rounds of $seconds s:"
    for connections in 64 4 1; do
        rm -f "$work"/r-*
        for ((round = 0; round < rounds; round++)); do
            for kind in bare-broker bare-direct suite; do
                local url=${urls[$kind]} before after
                before=$(($(cpu_us "$gateway_pid") + $(cpu_us "${worker_pids[trunk-auth]}")))
                BENCH_KEY=$key BENCH_PATHS=$work/paths run_wrk "$url" $connections $seconds >>"$work/r-$kind"
                after=$(($(cpu_us "$gateway_pid") + $(cpu_us "${worker_pids[trunk-auth]}")))
                [ $kind != suite ] || echo $((after - before)) >>"$work/r-cpu"
            done
        done
        for kind in bare-broker bare-direct suite; do report "$kind, $connections connections" "$work/r-$kind"; done
        for kind in bare-broker bare-direct; do
            printf '  suite against %s: ' $kind
            paste -d' ' "$work/r-suite" "$work/r-$kind" | awk '{printf "%.2f\n", $1 / $4}' | tee "$work/ratios" | tr '\n' ' '
            printf ' median %.2f\n' "$(median <"$work/ratios")"
        done
        printf '  suite: %s us of CPU a request, gateway and worker together\n' \
            "$(paste -d' ' "$work/r-cpu" "$work/r-suite" | awk -v s=$seconds '{printf "%.0f\n", $1 / ($2 * s)}' | median)"
        [ $connections != 64 ] || cp "$work/r-suite" "$work/full"
    done
}

# Whether answers come or not: what waits behind a slow one counts.
half_load() {
    local rate round kind p50 p99
    rate=$(cut -d' ' -f1 "$work/full" | median | awk '{printf "%d", $1 / 2}')
    echo "The same at $rate/s, half of the suite's rate, open loop, 64 connections, median of $rounds rounds of $seconds s:"
    sed 's/^/GET /' "$work/paths" >"$work/requests"
    for ((round = 0; round < rounds; round++)); do
        for kind in bare-broker bare-direct suite; do
            read -r _ _ _ _ _ _ p50 p99 _ < <("$tools/open-loop" "${urls[$kind]##*:}" "$key" "$rate" "$seconds" 64 <"$work/requests")
            echo "$rate $p50 $p99" >>"$work/half-$kind"
        done
    done
    for kind in bare-broker bare-direct suite; do report "$kind, half load" "$work/half-$kind"; done
}

creates() {
    local type round connections
    echo "Creation, 32 connections (sipuser: 8), median of $rounds rounds of $seconds s; each is durable when answered:"
    for type in ip sipuser; do
        rm -f "$work/c"
        connections=32
        [ $type = ip ] || connections=8
        for ((round = 0; round < rounds; round++)); do
            BENCH_KEY=$key BENCH_CREATE=$type BENCH_TRUNK=$trunk BENCH_ROUND=$round \
                run_wrk "$base" $connections $seconds >>"$work/c"
        done
        report "create $type" "$work/c"
    done
}

reads_in_a_storm() {
    local round
    echo "Reads at 16 connections, without and with a storm of password creations (8 connections):"
    rm -f "$work"/s-*
    for ((round = 0; round < rounds; round++)); do
        BENCH_KEY=$key BENCH_PATHS=$work/paths run_wrk "$base" 16 $seconds >>"$work/s-quiet"
        BENCH_KEY=$key BENCH_CREATE=sipuser BENCH_TRUNK=$trunk BENCH_ROUND=$((round + 10)) run_wrk "$base" 8 $((seconds + 1)) >>"$work/s-creates" &
        local storm=$!
        BENCH_KEY=$key BENCH_PATHS=$work/paths run_wrk "$base" 16 $seconds >>"$work/s-storm"
        wait $storm
    done
    report "reads, quiet" "$work/s-quiet"
    report "reads, in the storm" "$work/s-storm"
    report "  the storm's creations" "$work/s-creates"
    printf '  p99 in the storm against quiet: '
    paste -d' ' "$work/s-storm" "$work/s-quiet" | awk '{printf "%.2f\n", $3 / $6}' | median
    echo
}

# Latency of one connection: reading one, listing one trunk, creating with the overlap check.
sizes() {
    local size name what
    echo "One store of 1,000 and of $large methods (IPv4, IPv6 and sipuser), 1 connection, median of $rounds rounds:"
    for size in 1000 "$large"; do
        new_store "size-$size"
        "$tools/seed-trunks" --data-dir "$LK_DATA_DIR" --organization "$organization" --trunks $((size / 10)) --methods "$size" >"$work/seeded"
        start_suite
        awk '{print "/voip/trunk/" $1 "/auth/" $2}' "$work/seeded" >"$work/paths-one"
        awk '{print "/voip/trunk/" $1 "/auth"}' "$work/seeded" >"$work/paths-list"
        new_trunk
        for what in one list ip; do
            name=$work/z-$size-$what
            local round
            for ((round = 0; round < rounds; round++)); do
                if [ $what = ip ]; then
                    BENCH_KEY=$key BENCH_CREATE=ip BENCH_TRUNK=$trunk BENCH_ROUND=$round run_wrk "$base" 1 $seconds >>"$name"
                else
                    BENCH_KEY=$key BENCH_PATHS=$work/paths-$what run_wrk "$base" 1 $seconds >>"$name"
                fi
            done
            report "$size methods: $([ $what = ip ] && echo 'create ip' || echo "GET $what")" "$name"
        done
        stop_all
    done
    for what in one list ip; do
        printf '  cost at %s against 1,000, %s: %.2f\n' "$large" "$what" "$(awk -v a="$(cut -d' ' -f2 "$work/z-$large-$what" | median)" \
            -v b="$(cut -d' ' -f2 "$work/z-1000-$what" | median)" 'BEGIN {print a / b}')"
    done
}

new_trunk() {
    trunk=$(api POST /voip/trunk '{"name":"bench"}' | grep -o '"uuid": *"[^"]*"' | cut -d'"' -f4)
}

flat_memory() {
    local before after done_requests=0
    BENCH_KEY=$key BENCH_PATHS=$work/paths run_wrk "$base" 64 2 >/dev/null
    before=$(memory)
    while ((done_requests < flat_requests)); do
        local rate
        rate=$(BENCH_KEY=$key BENCH_PATHS=$work/paths run_wrk "$base" 64 10 | cut -d' ' -f1)
        done_requests=$((done_requests + ${rate%.*} * 10))
    done
    after=$(memory)
    echo "Gateway and worker over $done_requests requests: resident KiB and open files, before: $before; after: $after"
}

memory() {
    local pid
    for pid in "$gateway_pid" "${worker_pids[trunk-auth]}"; do
        printf '%s KiB %s files  ' "$(awk '/VmRSS/ {print $2}' "/proc/$pid/status")" "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)"
    done
}

# ---- the run ----

describe_machine
new_store small
"$tools/seed-trunks" --data-dir "$LK_DATA_DIR" --organization "$organization" --trunks 100 --methods 1000 >"$work/seeded"
start_suite
awk '{print "/voip/trunk/" $1 "/auth/" $2}' "$work/seeded" >"$work/paths"
method=$(awk 'NR == 1 {print $2}' "$work/seeded")
new_trunk
declare -A urls=([suite]=$base)
start_bare broker
urls[bare-broker]=$bare_base
start_bare direct
urls[bare-direct]=$bare_base
compare_reads
half_load
creates
reads_in_a_storm
flat_memory
stop_all
sizes
