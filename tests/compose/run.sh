#!/usr/bin/env bash
# docker-compose.yml, tried with a real engine: see --help. Next: inside.sh.
set -euo pipefail

PROGRAM=compose
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../deploy/lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=engine.sh
source "$ROOT/tests/compose/engine.sh"

usage() {
    cat <<'TEXT'
run.sh: docker-compose.yml, tried with a real engine

  tests/compose/run.sh [ARGUMENTS OF PYTEST]...

Takes Docker from Debian's packages, without installing them, and makes the base image from them; builds the images;
brings the project up in a network of its own; drives it through the published port while containers are killed and
added; takes it down. The first time takes some minutes. Nothing of it outlives this program, however it ends: it all
runs in namespaces of its own.

  LK_COMPOSE_DIR  what is kept for the next time (default ./build/compose; about 3 GB)

Exit codes: 0 passed, 1 failed, 77 skipped, since no engine can be had here: one line says why.
TEXT
}

# Everything that an engine takes, or the reason why there is none.
check_machine() {
    local name
    ((EUID == 0)) || skip "an engine takes root"
    for name in apt-get dpkg-deb unshare ip openssl; do
        command -v "$name" >/dev/null || skip "$name is missing"
    done
    [[ -n $(engine_mirror) ]] || skip "no Debian mirror in this machine's apt sources"
    [[ -r $DEBIAN_KEYRING ]] || skip "$DEBIAN_KEYRING is missing"
    unshare --mount --pid --net --fork --mount-proc true 2>/dev/null || skip "no namespaces can be made here"
}

main() {
    case ${1:-} in
    --help | -h)
        usage
        return
        ;;
    esac
    check_machine
    export LK_COMPOSE_DIR=${LK_COMPOSE_DIR:-$ROOT/build/compose}
    mkdir -p "$LK_COMPOSE_DIR"
    exec {LOCK}<"$LK_COMPOSE_DIR"
    flock -n "$LOCK" || {
        complain "already running in $LK_COMPOSE_DIR"
        exit 1
    }
    # The first process of a process namespace: when it ends, or is killed, the kernel ends the rest.
    exec unshare --mount --pid --mount-proc --fork --kill-child "$ROOT/tests/compose/inside.sh" "$@"
}

main "$@"
