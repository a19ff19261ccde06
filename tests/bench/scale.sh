#!/usr/bin/env bash
# What more processes bring: hashing, reads, reads with slow workers; how soon a new replica takes part, and
# what one that goes costs. Then tests/bench/idle.py: 9,000 idle clients, at the load balancer and without it.
#   tests/bench/scale.sh [--quick] [hashing|reads|slow|replicas|idle]...   without a name: all of them
# Suites side by side, measured in turns; each worker hashes with one thread. On loopback; the load takes its part
# of the same cores. About three minutes. Needs wrk; "slow" needs root and a cpu cgroup, "idle" HAProxy
# (tests/run.sh fetches both): without them they are skipped, aloud.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5 seconds=4 parts=()
for argument; do
    case $argument in
    --quick) rounds=2 seconds=2 ;;
    --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
    hashing | reads | slow | replicas | idle) parts+=("$argument") ;;
    *) echo "bench: unknown option $argument; try --help" >&2 && exit 64 ;;
    esac
done
((${#parts[@]} > 0)) || parts=(hashing reads slow replicas idle)
# shellcheck source=lib.sh
source tests/bench/lib.sh

export LK_SLOW_THREADS=1 LK_SLOW_WAIT_MS=60000
declare -A bases=() keys=() trunks=()
groups=()

# more_workers COUNT: further workers of trunk-auth for the suite that was started last.
more_workers() {
    for ((i = 0; i < $1; i++)); do
        LK_GATEWAYS=$link "$bin/trunk-auth" 2>>"$work/trunk-auth.log" &
        pids+=($!) more+=($!)
    done
}

# start_with NAME COUNT: a suite of its own with so many workers of trunk-auth.
start_with() {
    new_store "$1"
    "$tools/seed-trunks" --data-dir "$LK_DATA_DIR" --organization "$organization" --trunks 100 --methods 1000 >"$work/seeded"
    awk '{print "/voip/trunk/" $1 "/auth/" $2}' "$work/seeded" >"$work/paths-$1"
    link=tcp://127.0.0.1:$(free_port) more=()
    BENCH_LINK=$link start_suite
    more_workers $(($2 - 1))
    bases[$1]=$base keys[$1]=$key
    trunks[$1]=$(api POST /voip/trunk '{"name":"bench"}' | grep -o '"uuid": *"[^"]*"' | cut -d'"' -f4)
    await "$2 workers" workers_joined "$2"
}

# workers_joined COUNT: whether the gateway that was started last has so many of trunk-auth.
workers_joined() {
    local port
    port=$(grep -o "event=started .*metrics=[0-9.]*:[0-9]*" "$work/gateway.log" | tail -n 1 | grep -o '[0-9]*$')
    [ "$(curl -fsS "http://127.0.0.1:$port/metrics" | awk '/^lk_workers\{.*service="trunk-auth",state="live"/ {print $NF}')" -ge "$1" ]
}

read_from() { BENCH_KEY=${keys[$1]} BENCH_PATHS=$work/paths-$1 run_wrk "${bases[$1]}" "$2" $seconds; }
create_at() { BENCH_KEY=${keys[$1]} BENCH_CREATE=sipuser BENCH_TRUNK=${trunks[$1]} BENCH_ROUND=$round run_wrk "${bases[$1]}" "$2" $seconds; }

# compare COMMAND CONNECTIONS WANTED ONE OTHER: in turns; the other's rate to the one's.
compare() {
    local round name
    rm -f "$work"/r-*
    for ((round = 0; round < rounds; round++)); do
        for name in "$4" "$5"; do "$1" "$name" "$2" >>"$work/r-$name"; done
    done
    for name in "$4" "$5"; do report "$name, $2 connections" "$work/r-$name"; done
    printf '  %s against %s: ' "$5" "$4"
    paste -d' ' "$work/r-$5" "$work/r-$4" | awk '{printf "%.2f\n", $1 / $4}' | tee "$work/ratios" | tr '\n' ' '
    printf ' median %s (wanted: %s)\n' "$(median <"$work/ratios")" "$3"
}

hashing() {
    echo "Password creations, one hashing thread a worker; $rounds rounds of $seconds s:"
    start_with one-hashing 1
    start_with two-hashing 2
    compare create_at 6 1.70 one-hashing two-hashing
    stop_all
}

reads() {
    echo "Reads of one authentication method, out of 1,000; $rounds rounds of $seconds s:"
    start_with one-worker 1
    start_with three-workers 3
    compare read_from 64 0.95 one-worker three-workers
    stop_all
}

# hold_back PID: 2 % of a processor for it, so that it, and not the machine, is the bound.
hold_back() {
    local group
    if [ -w /sys/fs/cgroup/cpu ] && [ -e /sys/fs/cgroup/cpu/cpu.cfs_quota_us ]; then
        group=/sys/fs/cgroup/cpu/linekeeper-bench-$1
        mkdir "$group" && groups+=("$group") && echo 50000 >"$group/cpu.cfs_period_us" && echo 1000 >"$group/cpu.cfs_quota_us"
    elif [ -w /sys/fs/cgroup/cgroup.subtree_control ] && grep -qw cpu /sys/fs/cgroup/cgroup.subtree_control; then
        group=/sys/fs/cgroup/linekeeper-bench-$1
        mkdir "$group" && groups+=("$group") && echo "1000 50000" >"$group/cpu.max"
    else
        return 1
    fi 2>/dev/null
    echo "$1" >"$group/cgroup.procs" 2>/dev/null
}

slow() {
    local pid
    echo "The same, each worker held to 2 % of a processor (1 ms of 50, by a cgroup), so that it is the bound. Connections"
    echo "and window are large enough to keep it busy for its millisecond:"
    export LK_WINDOW=256 LK_HTTP_THREADS=600
    for count in 1 3; do
        start_with "$count-slow" $count
        for pid in "${worker_pids[trunk-auth]}" "${more[@]}"; do
            hold_back "$pid" || { echo '  SKIPPED: no cpu cgroup that this user may write' && stop_all && return; }
        done
    done
    compare read_from 400 3.00 1-slow 3-slow
    stop_all
    rmdir "${groups[@]}" 2>/dev/null || true
    unset LK_WINDOW LK_HTTP_THREADS
}

replicas() {
    local round begun port first=() removed=0
    echo "A replica added and removed under load (64 connections), $rounds times:"
    start_with replicas 1
    BENCH_KEY=$key BENCH_PATHS=$work/paths-replicas run_wrk "$base" 64 $((rounds * 2 + 2)) >"$work/under" 2>"$work/complaints" &
    local load=$!
    for ((round = 0; round < rounds; round++)); do
        begun=$(date +%s%N) port=$(free_port) more=()
        LK_METRICS_LISTEN=127.0.0.1:$port more_workers 1
        await "the new worker's first call" has_calls "$port"
        first+=($((($(date +%s%N) - begun) / 1000000)))
        kill "${more[0]}" && wait "${more[0]}" && removed=$((removed + 1))
    done
    wait $load
    echo "  from its start to its first calls: ${first[*]} ms (wanted: below 2000); removed: $removed with exit code 0"
    report "reads meanwhile" "$work/under"
    [ -s "$work/complaints" ] && cat "$work/complaints" || echo "  0 requests failed, 0 connections lost"
    stop_all
}

has_calls() { curl -fsS "http://127.0.0.1:$1/metrics" | grep -q '^lk_worker_calls_total{.*outcome="OK"'; }

idle() { LK_BIN_DIR=$bin /usr/bin/python3 tests/bench/idle.py $seconds; }

describe_machine
for part in "${parts[@]}"; do "$part"; done
