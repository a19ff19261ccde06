#!/usr/bin/env bash
# The first process of the test's own namespaces, called by run.sh: has an engine build the images with
# the machine's network, then another one run them in a network of its own, with the test beside it.
set -euo pipefail

PROGRAM=compose
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../deploy/lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=engine.sh
source "$ROOT/tests/compose/engine.sh"

readonly CACHE_KEPT=6GB # of layers, for the next time
readonly ROOM_MIB=4096
# What a build says that fails for lack of something outside the project.
readonly OUTSIDE='Temporary failure resolving|Unable to fetch|Could not (connect|resolve)|No space left|network is unreachable'
export LK_TAG=test

# get COMMAND...: something that only a machine without a mirror at hand fails at.
get() {
    if ! "$@" >"$LK_COMPOSE_DIR/$1.log" 2>&1; then
        skip "$1: $(tail -n 1 "$LK_COMPOSE_DIR/$1.log")"
    fi
}

check_room() {
    local free
    free=$(df -Pm "$LK_COMPOSE_DIR" | awk 'NR == 2 { print $4 }')
    ((free >= ROOM_MIB)) || skip "$free MiB free in $LK_COMPOSE_DIR: it takes $ROOM_MIB"
}

start() {
    engine_start || skip "the engine does not start: $(tail -n 1 "$ENGINE/dockerd.log")"
}

build() {
    start
    if ! docker compose --env-file /dev/null -f "$ROOT/docker-compose.yml" -f "$ROOT/tests/compose/build.yml" \
        build --progress plain >"$LK_COMPOSE_DIR/build.log" 2>&1; then
        if grep -qiE "$OUTSIDE" "$LK_COMPOSE_DIR/build.log"; then
            skip "the images can't be built here: $(grep -iE "$OUTSIDE" "$LK_COMPOSE_DIR/build.log" | tail -n 1)"
        fi
        tail -n 40 "$LK_COMPOSE_DIR/build.log" >&2
        complain "building the images failed"
        exit 1
    fi
    docker image prune -f >/dev/null
    docker builder prune -f --keep-storage "$CACHE_KEPT" >/dev/null
    engine_stop
}

# Called anew by main, in a network of its own: that of the probe goes with it.
probe() {
    ip link set lo up
    start
    engine_clear
    get engine_load_base
    get engine_probe
    engine_stop
}

# Called anew by main, in a network of its own.
drive() {
    local status=0
    ip link set lo up
    start
    engine_clear
    rm -rf "$LK_COMPOSE_DIR"/run-* "$LK_COMPOSE_DIR/project.log"
    /usr/bin/python3 -B -m pytest -q -p no:cacheprovider --tb=short -rA "$ROOT/tests/compose" "$@" || status=$?
    engine_clear
    engine_stop
    return "$status"
}

main() {
    local since=$SECONDS
    engine_at "$LK_COMPOSE_DIR"
    case ${1:-} in
    --drive)
        shift
        drive "$@"
        return
        ;;
    --probe)
        probe
        return
        ;;
    esac
    engine_forget
    check_room
    get engine_fetch
    get engine_base
    tell "the engine's programs and the base image are there after $((SECONDS - since)) s"
    unshare --net "${BASH_SOURCE[0]}" --probe || exit $?
    build
    tell "the images are built after $((SECONDS - since)) s"
    unshare --net "${BASH_SOURCE[0]}" --drive "$@" || exit $?
    engine_forget
    tell "done after $((SECONDS - since)) s"
}

main "$@"
