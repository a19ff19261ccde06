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
export LK_TAG=test

# get COMMAND...: something that only a machine without a mirror at hand fails at.
get() {
    if ! "$@" >"$LK_COMPOSE_DIR/$1.log" 2>&1; then
        skip "$1: $(tail -n 1 "$LK_COMPOSE_DIR/$1.log")"
    fi
}

start() {
    engine_start || skip "the engine does not start: $(tail -n 1 "$ENGINE/dockerd.log")"
}

build() {
    start
    engine_load_base
    if ! docker compose --env-file /dev/null -f "$ROOT/docker-compose.yml" -f "$ROOT/tests/compose/build.yml" \
        build --progress plain >"$LK_COMPOSE_DIR/build.log" 2>&1; then
        tail -n 40 "$LK_COMPOSE_DIR/build.log" >&2
        complain "building the images failed"
        exit 1
    fi
    docker image prune -f >/dev/null
    docker builder prune -f --keep-storage "$CACHE_KEPT" >/dev/null
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
    if [[ ${1:-} == --drive ]]; then
        shift
        drive "$@"
        return
    fi
    engine_forget
    get engine_fetch
    get engine_base
    tell "the engine's programs and the base image are there after $((SECONDS - since)) s"
    build
    tell "the images are built after $((SECONDS - since)) s"
    unshare --net "${BASH_SOURCE[0]}" --drive "$@" || exit 1
    engine_forget
    tell "done after $((SECONDS - since)) s"
}

main "$@"
