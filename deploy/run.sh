#!/usr/bin/env bash
# Builds Linekeeper and runs it in the foreground: see --help.
# Next: lib/packages.sh (what must be installed), lib/supervise.sh (who keeps it running).
set -euo pipefail

PROGRAM=run.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=lib/keys.sh
source "$ROOT/deploy/lib/keys.sh"
# shellcheck source=lib/packages.sh
source "$ROOT/deploy/lib/packages.sh"
# shellcheck source=lib/supervise.sh
source "$ROOT/deploy/lib/supervise.sh"

readonly SCALE_MAX=64
readonly BAD_USAGE=64
readonly DRAIN_SECONDS=1 # all is over within 5 s of Ctrl-C
declare -A SCALE=()
STOPPING=0
QUIET_PID=
HAS_LOCK=0
MADE_DIRS=() # by this run

usage() {
    cat <<'TEXT'
run.sh: builds Linekeeper and runs it in the foreground

  ./deploy/run.sh [--scale WORKER=N]...

  --scale WORKER=N  so many processes of that service, 1 to 64 (default 1)
  --help            this text

Missing Debian packages are installed first (apt-get, by sudo where you are not root).
When the suite is ready, one line that begins with "ready: http://" is written to standard output,
and a call to try. Logs go to standard error. Ctrl-C or SIGTERM ends it.

  LK_LISTEN         where HTTP is served (default 127.0.0.1:8080)
  LK_DATA_DIR       databases, keys, process ids (default ./var)
  LK_BUILD_DIR      where it is built (default ./build/run); programs are in bin/ below it
  LK_WORKER_LISTEN  where workers dial in: tcp:// or ipc:// (default tcp://127.0.0.1:, HTTP port + 1)

Every other setting of the programs is passed on: docs/settings.md. If they are not set,
LK_DRAIN_SECONDS is 1 here and LK_NOT_READY_MS 0, so that Ctrl-C is quick; a second Ctrl-C ends the waiting.

  $LK_DATA_DIR/admin.key            the first API key (scope admin, of an operator), made once
  $LK_DATA_DIR/keys/                the keys that seal and hash (without them the data is lost), and in curve/ those of the worker port
  $LK_DATA_DIR/run/NAME.N.pid       process ids: gateway.1.pid, ...

Exit codes: 0 stopped on request, 1 failed, 64 wrong arguments or settings, 65 a database is damaged, 78 a program refuses its settings.
TEXT
}

# fail TEXT [CODE]
fail() {
    complain "$1"
    exit "${2:-1}"
}

# At exit. Directories that are empty were made in vain.
tidy_up() {
    local i
    if ((HAS_LOCK)); then
        rm -f "$RUN_DIR/supervisor"
    fi
    for ((i = ${#MADE_DIRS[@]} - 1; i >= 0; i--)); do
        rmdir "${MADE_DIRS[i]}" 2>/dev/null || true
    done
}

read_arguments() {
    while (($# > 0)); do
        case $1 in
        --help | -h)
            usage
            exit 0
            ;;
        --scale)
            (($# > 1)) || fail "--scale needs WORKER=N" "$BAD_USAGE"
            read_scale "$2"
            shift 2
            ;;
        --scale=*)
            read_scale "${1#--scale=}"
            shift
            ;;
        *) fail "unknown option $1 (see --help)" "$BAD_USAGE" ;;
        esac
    done
}

read_scale() {
    if [[ ! $1 =~ ^([a-z][a-z0-9-]*)=([0-9]{1,4})$ ]]; then
        fail "--scale $1: is not WORKER=N" "$BAD_USAGE"
    fi
    local name=${BASH_REMATCH[1]} number=$((10#${BASH_REMATCH[2]}))
    [[ $name != gateway ]] || fail "--scale gateway: one gateway only; scale the workers" "$BAD_USAGE"
    ((number >= 1 && number <= SCALE_MAX)) || fail "--scale $1: N is 1 to $SCALE_MAX" "$BAD_USAGE"
    SCALE[$name]=$number
}

# check_scale WORKER...: --scale names none but these.
check_scale() {
    local name
    for name in "${!SCALE[@]}"; do
        if [[ " $* " != *" $name "* ]]; then
            fail "--scale $name: no such worker; there is $*" "$BAD_USAGE"
        fi
    done
}

# Before there is a gateway to ask: a service is a folder with a program in it.
check_scale_early() {
    local file workers=()
    for file in "$ROOT"/services/*/main.c; do
        file=${file%/main.c}
        workers+=("${file##*/}")
    done
    check_scale "${workers[@]}"
}

# Sets what the programs read from the environment.
read_settings() {
    export LK_LISTEN=${LK_LISTEN:-127.0.0.1:8080}
    if [[ ! $LK_LISTEN =~ ^([0-9.]+):([0-9]{1,5})$ ]] || ((10#${BASH_REMATCH[2]} < 1 || 10#${BASH_REMATCH[2]} > 65535)); then
        fail "LK_LISTEN=$LK_LISTEN: is not ADDRESS:PORT, such as 127.0.0.1:8080" "$BAD_USAGE"
    fi
    HTTP_HOST=$(reachable "${BASH_REMATCH[1]}")
    HTTP_PORT=$((10#${BASH_REMATCH[2]}))
    export LK_PUBLIC_URL=${LK_PUBLIC_URL:-http://$HTTP_HOST:$HTTP_PORT}
    if [[ -z ${LK_WORKER_LISTEN:-} ]]; then
        ((HTTP_PORT < 65535)) || fail "LK_LISTEN=$LK_LISTEN: no port above it for LK_WORKER_LISTEN; set that too" "$BAD_USAGE"
        LK_WORKER_LISTEN=tcp://127.0.0.1:$((HTTP_PORT + 1))
    fi
    export LK_WORKER_LISTEN
    case $LK_WORKER_LISTEN in
    ipc://?*) LINK=$LK_WORKER_LISTEN ;;
    *)
        if [[ ! $LK_WORKER_LISTEN =~ ^tcp://([0-9.]+|\*):([0-9]{1,5})$ ]]; then
            fail "LK_WORKER_LISTEN=$LK_WORKER_LISTEN: is neither tcp://ADDRESS:PORT nor ipc://PATH" "$BAD_USAGE"
        fi
        LINK=tcp://$(reachable "${BASH_REMATCH[1]}"):$((10#${BASH_REMATCH[2]}))
        ;;
    esac
    export LK_GATEWAYS=${LK_GATEWAYS:-$LINK}
    export LK_DRAIN_SECONDS=${LK_DRAIN_SECONDS:-$DRAIN_SECONDS}
    export LK_NOT_READY_MS=${LK_NOT_READY_MS:-0} # nobody in front who should see it
    BUILD_DIR=$(realpath -m "${LK_BUILD_DIR:-$ROOT/build/run}")
    LK_DATA_DIR=$(realpath -m "${LK_DATA_DIR:-$ROOT/var}")
    export LK_DATA_DIR
    RUN_DIR=$LK_DATA_DIR/run
    ADMIN_KEY=$LK_DATA_DIR/admin.key
    export LK_SEAL_KEY_FILE=${LK_SEAL_KEY_FILE:-$LK_DATA_DIR/keys/seal.key}
    export LK_CURVE_DIR=${LK_CURVE_DIR:-$LK_DATA_DIR/keys/curve}
    export LK_API_KEY_HASH_FILE=${LK_API_KEY_HASH_FILE:-$LK_DATA_DIR/keys/api-key-hash}
}

# Where something that listens there can be reached from this machine.
reachable() {
    if [[ $1 == 0.0.0.0 || $1 == '*' ]]; then
        printf '127.0.0.1'
    else
        printf '%s' "$1"
    fi
}

# A folder of ours, made where it is missing. Says whose it is if we can't have it.
make_dir() {
    local there=$1 error
    if [[ ! -d $1 ]]; then
        if ! error=$(LC_ALL=C mkdir -p "$1" 2>&1); then
            until [[ -e $there ]]; do
                there=$(dirname "$there")
            done
            fail "can't make the directory $1: ${error##*: } ($there is $(stat -c %U "$there")'s)"
        fi
        MADE_DIRS+=("$1")
    fi
    [[ -r $1 && -w $1 && -x $1 ]] ||
        fail "can't write to $1, which is $(stat -c %U "$1")'s: start this as that user, or name others by LK_DATA_DIR and LK_BUILD_DIR"
}

# One suite per data directory: the lock is on the directory itself, and the children hold it too,
# so that what is left of a killed run.sh keeps a second one out until it has gone.
lock_data_dir() {
    make_dir "$LK_DATA_DIR"
    make_dir "$RUN_DIR"
    exec {DATA_LOCK}<"$RUN_DIR"
    if ! flock -n "$DATA_LOCK"; then
        local holder=
        { read -r holder <"$RUN_DIR/supervisor"; } 2>/dev/null || true
        if [[ -z $holder ]] || kill -0 "$holder" 2>/dev/null || ! flock -w 6 "$DATA_LOCK"; then
            fail "already running in $LK_DATA_DIR${holder:+ (process $holder)}"
        fi
    fi
    HAS_LOCK=1
    printf '%s\n' "$$" >"$RUN_DIR/supervisor"
    # A killed run.sh leaves them, and nobody lives who holds no lock.
    rm -f "$RUN_DIR"/*.pid "$RUN_DIR"/*.pid.new
}

port_is_taken() {
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

check_ports() {
    if port_is_taken "$HTTP_HOST" "$HTTP_PORT"; then
        fail "port $HTTP_PORT is taken: choose another by LK_LISTEN=ADDRESS:PORT"
    fi
    if [[ $LINK =~ ^tcp://(.*):([0-9]+)$ ]] && port_is_taken "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"; then
        fail "port ${BASH_REMATCH[2]} (for the workers) is taken: choose another by LK_WORKER_LISTEN"
    fi
}

build() {
    make_dir "$BUILD_DIR"
    local log=$BUILD_DIR/build.log
    packages_install "$ROOT/deploy/packages.txt" "$BUILD_DIR/packages.log" run || exit 1
    # Two starts that share a build directory take turns.
    exec {BUILD_LOCK}<"$BUILD_DIR"
    quietly "$log" flock "$BUILD_LOCK"
    : >"$log"
    tell "building in $BUILD_DIR (the first time takes a minute or two)"
    if ! quietly "$log" cmake --preset release -S "$ROOT" -B "$BUILD_DIR" ||
        ! quietly "$log" ninja -C "$BUILD_DIR"; then
        tail -n 40 "$log" >&2
        complain "the build failed (see $log)"
        exit 1
    fi
    exec {BUILD_LOCK}<&-
}

make_keys() {
    make_secret "$LK_SEAL_KEY_FILE" new_seal_key
    make_secret "$LK_API_KEY_HASH_FILE" new_hash_key
    local log=$LK_DATA_DIR/run/key.log
    mkdir -p "$(dirname "$LK_CURVE_DIR")"
    if ! "$BUILD_DIR/bin/gateway" curve-keys >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "can't make CURVE's keys: the gateway's message stands above"
    fi
    if [[ ! -e $ADMIN_KEY ]]; then
        local key
        if ! key=$("$BUILD_DIR/bin/gateway" key create --organization default --scope admin --operator --name run.sh 2>"$log"); then
            cat "$log" >&2
            rm -f "$log"
            fail "can't make the first API key: the gateway's message stands above"
        fi
        printf '%s\n' "$key" | write_secret "$ADMIN_KEY"
    fi
    rm -f "$log"
}

# Who runs: the gateway, and what its registry names.
plan() {
    local services name number
    mapfile -t services < <("$BUILD_DIR/bin/gateway" services)
    check_scale "${services[@]}"
    child_add "$BUILD_DIR/bin/gateway" 1
    for name in "${services[@]}"; do
        for ((number = 1; number <= ${SCALE[$name]:-1}; number++)); do
            child_add "$BUILD_DIR/bin/$name" "$number"
        done
    done
}

is_ready() {
    curl -fs --noproxy '*' --max-time 1 -o /dev/null "http://$HTTP_HOST:$HTTP_PORT/readyz"
}

announce() {
    printf 'ready: http://%s:%s\n' "$HTTP_HOST" "$HTTP_PORT"
    printf "  curl -s -H \"Authorization: Bearer \$(cat %q)\" http://%s:%s/voip/trunk\n" "$ADMIN_KEY" "$HTTP_HOST" "$HTTP_PORT"
}

run() {
    local ready=0 code=0
    while ((!STOPPING)); do
        children_watch "$ready" || code=$?
        ((code == 0)) || break
        if ((!ready)) && is_ready; then
            ready=1
            announce
        fi
        pause 0.1
    done
    children_stop
    return "$code"
}

stop_early() {
    if [[ -n $QUIET_PID ]]; then
        kill -TERM "$QUIET_PID" 2>/dev/null || true
    fi
    exit 0
}

main() {
    umask 077
    read_arguments "$@"
    check_scale_early
    read_settings
    trap tidy_up EXIT
    trap stop_early INT TERM HUP
    lock_data_dir
    check_ports
    build
    make_keys
    plan
    trap 'STOPPING=$((STOPPING + 1))' INT TERM HUP
    MADE_DIRS=() # from here on they are in use
    run
}

main "$@"
