#!/usr/bin/env bash
# The benchmark of logins.
#   tests/bench/sso.sh [--quick]
# Whole logins a second over one gateway and one auth-provider: each is one GET that begins a login and one POST of a signed
# Response (RSA, 2048 bits) that ends one; CPU of both processes for each; the latency is of either request. Then the CPU
# of verifying one Response, alone. Responses are signed before each round, by a key that is made here: nothing is
# fetched. Needs wrk, python3-lxml and python3-cryptography (tests/run.sh installs them).
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=3 seconds=4 most=1500
case ${1:-} in
'') ;;
--quick) rounds=1 seconds=2 most=1200 ;;
--help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
*) echo "bench: unknown option $1; try --help" >&2 && exit 64 ;;
esac
# shellcheck source=lib.sh
source tests/bench/lib.sh
export LK_SSO_RATE_LIMIT=0

# one_round CONNECTIONS: a line "logins/s p50 p99" to the file of that name, and CPU of gateway and worker to NAME.cpu.
one_round() {
    local gateway worker line rate done_
    /usr/bin/python3 tests/bench/sso_fill.py "$base" "$key" $((most * seconds)) "$work/logins"
    gateway=$(cpu_us "$gateway_pid") worker=$(cpu_us "${worker_pids[auth-provider]}")
    line=$(BENCH_LOGINS=$work/logins BENCH_SSO=bench run_wrk "$base" "$1" "$seconds")
    read -r rate _ <<<"$line"
    done_=$(awk -v rate="$rate" -v seconds="$seconds" 'BEGIN {printf "%d", rate * seconds / 2}')
    echo "$line" | awk '{print $1 / 2, $2, $3}' >>"$work/c-$1"
    echo "$((($(cpu_us "$gateway_pid") - gateway) / done_)) $((($(cpu_us "${worker_pids[auth-provider]}") - worker) / done_))" >>"$work/c-$1.cpu"
}

logins() {
    local round connections
    echo "Logins, $rounds rounds of $seconds s:"
    for ((round = 0; round < rounds; round++)); do
        for connections in 16 64; do one_round "$connections"; done
    done
    for connections in 16 64; do
        report "$connections connections" "$work/c-$connections"
        printf '  %-42s gateway %d us, auth-provider %d us\n' "  CPU of a login" "$(cut -d' ' -f1 "$work/c-$connections.cpu" | median)" \
            "$(cut -d' ' -f2 "$work/c-$connections.cpu" | median)"
    done
}

describe_machine
new_store sso
start_suite
logins
echo 'CPU of verifying a Response, alone:'
"$tools/saml-verify"
