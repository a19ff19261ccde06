# shellcheck shell=bash disable=SC2034 # what is set here is for the callers
# What the benchmarks share: a suite to measure, and how. Sourced from the project's folder, with
# `rounds` and `seconds` set; `key`, `organization`, `base` and the pids are for the caller.

build=${LK_BUILD_DIR:-build/bench}
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

if ! { cmake --preset ci -B "$build" && cmake --build "$build"; } >"$work/build.log" 2>&1; then
    cat "$work/build.log" >&2
    exit 1
fi
bin=$build/bin tools=$build/tests

# ---- the programs ----

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

await() { # await TEXT COMMAND...: until it succeeds, 20 s at most
    local what=$1 deadline=$((SECONDS + 20))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || { echo "bench: $what does not come up; logs: $(tail -n 3 "$work"/*.log)" >&2; exit 1; }
        read -rt 0.05 <> <(:) || true
    done
}

hex32() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

new_store() { # new_store NAME: a data directory with its keys
    local dir=$work/$1
    mkdir -p "$dir/keys"
    (umask 077 && hex32 >"$dir/keys/api-key-hash" && echo "1:$(hex32)" >"$dir/keys/seal")
    export LK_DATA_DIR=$dir LK_API_KEY_HASH_FILE=$dir/keys/api-key-hash LK_SEAL_KEY_FILE=$dir/keys/seal
    export LK_CURVE_DIR=$dir/keys/curve
    "$bin/gateway" curve-keys >/dev/null
    key=$(make_key bench)
    organization=$("$bin/gateway" key list --json | grep -o '"organization_id": *"[^"]*"' | head -n 1 | cut -d'"' -f4)
}

make_key() { # make_key ORGANIZATION: an admin key of its own, in the data directory that stands
    "$bin/gateway" key create --organization "$1" --scope admin 2>/dev/null
}

start_suite() { # over the data directory that stands: gateway and one worker of each service
    local port worker_port service
    port=$(free_port) worker_port=$(free_port)
    base=http://127.0.0.1:$port
    local link=${BENCH_LINK:-tcp://127.0.0.1:$worker_port}
    LK_LISTEN=127.0.0.1:$port LK_WORKER_LISTEN=$link "$bin/gateway" 2>>"$work/gateway.log" &
    pids+=($!) gateway_pid=$!
    for service in $("$bin/gateway" services); do
        LK_GATEWAYS=$link LK_PUBLIC_URL=$base "$bin/$service" 2>>"$work/$service.log" &
        pids+=($!) worker_pids[$service]=$!
    done
    await "the suite" curl -fsS "$base/readyz"
}
declare -A worker_pids=()

stop_all() {
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
    pids=()
}

# ---- measuring ----

# run_wrk URL CONNECTIONS SECONDS: "requests/s p50 p99" in ms; complains of answers that are no success.
run_wrk() {
    local line threads=2
    (($2 >= 4)) || threads=1
    line=$(wrk --timeout 30s -t$threads -c"$2" -d"$3s" -s tests/bench/requests.lua "$1" | grep '^RESULT')
    read -r _ rate p50 p99 bad errors <<<"$line"
    ((bad == 0 && errors == 0)) || echo "bench: $1: $bad answers were no success, $errors connections lost" >&2
    echo "$rate $p50 $p99"
}

median() { sort -n | awk '{v[NR] = $1} END {printf "%s", v[int((NR + 1) / 2)]}'; }

report() { # report NAME FILE-OF-"rate p50 p99"
    printf '  %-42s %9.0f/s   p50 %7.3f ms   p99 %7.3f ms   (rounds %.0f to %.0f)\n' "$1" \
        "$(cut -d' ' -f1 "$2" | median)" "$(cut -d' ' -f2 "$2" | median)" "$(cut -d' ' -f3 "$2" | median)" \
        "$(sort -n "$2" | head -n 1 | cut -d' ' -f1)" "$(sort -n "$2" | tail -n 1 | cut -d' ' -f1)"
}

cpu_us() { awk '{print ($14 + $15) * 10000}' "/proc/$1/stat"; }

api() { # api METHOD PATH [BODY]: the answer's body
    curl -fsS -X "$1" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' ${3:+-d "$3"} "$base$2"
}

describe_machine() { echo "$(nproc) cores, $(uname -r); load before: $(cut -d' ' -f1-3 /proc/loadavg); $(git rev-parse --short HEAD 2>/dev/null || echo 'no git')"; }
