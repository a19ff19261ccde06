#!/usr/bin/env bash
# Linekeeper as systemd units on this machine: see --help.
set -euo pipefail

PROGRAM=install.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=../lib/keys.sh
source "$ROOT/deploy/lib/keys.sh"
# shellcheck source=../lib/packages.sh
source "$ROOT/deploy/lib/packages.sh"

readonly BAD_USAGE=64
readonly PREFIX=/opt/linekeeper
readonly UNITS=/etc/systemd/system
readonly KEYS=/etc/linekeeper/keys
readonly SERVICES=(trunk-auth fqdn-auth auth-provider)
BUILD_DIR=${LK_BUILD_DIR:-$ROOT/build/run}

usage() {
    cat <<'TEXT'
install.sh: Linekeeper as systemd units on this machine (as root)

  ./deploy/systemd/install.sh

Builds, and puts in place: the programs (/opt/linekeeper), the user linekeeper, the units (/etc/systemd/system), the
keys (/etc/linekeeper/keys, made once) and the settings (/etc/linekeeper/settings, made once). Enables the gateway and two
workers of each service; starts and restarts nothing: systemctl start linekeeper.target. Calling it again installs
what has been changed.

  LK_BUILD_DIR  where it is built (default ./build/run)
  DESTDIR       a directory that stands for /, for packagers: nothing is enabled then, and nobody made the owner
TEXT
}

fail() {
    complain "$1"
    exit "${2:-1}"
}

build() {
    mkdir -p "$BUILD_DIR"
    local log=$BUILD_DIR/build.log
    packages_install "$ROOT/deploy/packages.txt" "$BUILD_DIR/packages.log" run
    tell "building in $BUILD_DIR"
    : >"$log"
    if ! quietly "$log" cmake --preset release -S "$ROOT" -B "$BUILD_DIR" || ! quietly "$log" ninja -C "$BUILD_DIR"; then
        tail -n 40 "$log" >&2
        fail "the build failed (see $log)"
    fi
}

put_in_place() {
    DESTDIR=$TARGET cmake --install "$BUILD_DIR" --prefix "$PREFIX" --strip >/dev/null
    install -D -m 0644 "$ROOT/docs/deploying.md" "$TARGET$PREFIX/share/doc/deploying.md"
    install -D -m 0644 "$ROOT/deploy/systemd/linekeeper.sysusers" "$TARGET/usr/lib/sysusers.d/linekeeper.conf"
    install -d "$TARGET$UNITS/linekeeper-.service.d"
    install -m 0644 -t "$TARGET$UNITS" "$ROOT"/deploy/systemd/*.service "$ROOT"/deploy/systemd/*.target
    install -m 0644 -t "$TARGET$UNITS/linekeeper-.service.d" "$ROOT"/deploy/systemd/linekeeper-.service.d/*.conf
    if [[ ! -e $TARGET/etc/linekeeper/settings ]]; then
        install -d "$TARGET/etc/linekeeper"
        printf '# Settings of all processes, NAME=VALUE: %s/share/doc and the programs'"'"' --help.\n' "$PREFIX" \
            >"$TARGET/etc/linekeeper/settings"
    fi
}

# systemd hands a process those that it needs; the hash key is also read by `gateway key`.
make_keys() {
    make_secret "$TARGET$KEYS/seal.key" new_seal_key
    make_secret "$TARGET$KEYS/api-key-hash" new_hash_key
    LK_CURVE_DIR=$TARGET$KEYS/curve "$BUILD_DIR/bin/gateway" curve-keys >/dev/null
    chmod 0750 "$TARGET$KEYS"
    chmod 0640 "$TARGET$KEYS/api-key-hash"
}

enable() {
    local service workers=()
    for service in "${SERVICES[@]}"; do
        workers+=("linekeeper-$service@1" "linekeeper-$service@2")
    done
    systemd-sysusers /usr/lib/sysusers.d/linekeeper.conf
    chgrp linekeeper "$KEYS" "$KEYS/api-key-hash"
    systemctl daemon-reload
    systemctl --quiet enable linekeeper.target linekeeper-gateway "${workers[@]}"
    tell "systemctl start linekeeper.target   starts it; journalctl -u 'linekeeper-*' shows its log"
}

main() {
    case $#:${1:-} in
    0:) ;;
    1:--help | 1:-h)
        usage
        return
        ;;
    *) fail "wrong arguments (see --help)" "$BAD_USAGE" ;;
    esac
    umask 022
    TARGET=${DESTDIR:-}
    if [[ -z $TARGET ]] && ((EUID != 0)); then
        fail "takes root"
    fi
    build
    put_in_place
    make_keys
    if [[ -z $TARGET ]]; then
        enable
    fi
}

main "$@"
