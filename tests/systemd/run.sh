#!/usr/bin/env bash
# The units of deploy/systemd, tried with a real systemd: see --help.
set -euo pipefail

PROGRAM=systemd
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../deploy/lib/common.sh
source "$ROOT/deploy/lib/common.sh"

readonly SKIPPED=77
readonly GROUP=linekeeper-systemd
readonly LONGEST=800 # seconds
BUILD_DIR=${LK_RUN_BUILD_DIR:-$ROOT/build/run}
NSPAWN=$(command -v systemd-nspawn || printf '%s' "$ROOT/build/systemd-nspawn/usr/bin/systemd-nspawn")

usage() {
    cat <<'TEXT'
run.sh: the units of deploy/systemd, tried with a real systemd

  tests/systemd/run.sh [ARGUMENTS OF PYTEST]...

Boots the systemd of this machine in a container of systemd-nspawn, over this machine's own files: what is written to
them stays in memory and is gone at the end. In there the units are installed as the documents say, and driven. The
network is the container's own. Nothing of it outlives this program, however it ends.

  LK_RUN_BUILD_DIR  where the release build is (default ./build/run); built if it is not

Exit codes: 0 passed, 1 failed, 77 skipped, since no systemd can be booted here: one line says why.
TEXT
}

skip() {
    printf 'systemd: skipped: %s\n' "$1"
    exit "$SKIPPED"
}

check_machine() {
    ((EUID == 0)) || skip "a container takes root"
    [[ -x /lib/systemd/systemd ]] || skip "systemd is missing"
    "$NSPAWN" --version >/dev/null 2>&1 || skip "systemd-nspawn is missing, or not of this machine's systemd"
    unshare --mount --pid --fork --mount-proc true 2>/dev/null || skip "no namespaces can be made here"
}

# The hierarchies of control groups that systemd works with: one, or with the old ones two.
hierarchies() {
    local at
    for at in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        if [[ -e $at/cgroup.procs ]]; then
            printf '%s\n' "$at"
        fi
    done
}

# In a group of our own, which forget_group removes: nspawn makes more below it, and leaves them.
enter_group() {
    local at
    for at in $(hierarchies); do
        mkdir -p "$at/$GROUP"
        echo $$ >"$at/$GROUP/cgroup.procs"
    done
}

forget_group() {
    find /sys/fs/cgroup -depth -path "*/$GROUP*" -type d -exec rmdir {} + 2>/dev/null || true
}

# The files of the container: this machine's, under what is written in memory. Sets CONTAINER.
lay_files() {
    local memory=$1
    mount -t tmpfs -o mode=0755 tmpfs "$memory"
    mkdir "$memory/files" "$memory/written" "$memory/work"
    mount -t overlay -o "lowerdir=/,upperdir=$memory/written,workdir=$memory/work" overlay "$memory/files"
    CONTAINER=$memory/files
}

# write_unit ARGUMENTS OF PYTEST...: what the container is booted for; its exit code becomes the container's.
write_unit() {
    local arguments=
    printf -v arguments ' "%s"' "$ROOT/tests/systemd" "$@"
    cat >"$CONTAINER/etc/systemd/system/drive-the-units.service" <<UNIT
[Service]
Type=oneshot
WorkingDirectory=$ROOT
Environment=LK_BUILD_DIR=$BUILD_DIR PYTHONUNBUFFERED=1
ExecStart=/usr/bin/python3 -B -m pytest -v -p no:cacheprovider --tb=short -rA$arguments
ExecStopPost=/bin/sh -c 'case \$EXIT_STATUS in [0-9]*) ;; *) EXIT_STATUS=1 ;; esac; systemctl --no-block exit \$EXIT_STATUS'
StandardOutput=append:$OUTPUT
StandardError=inherit
TimeoutStartSec=$LONGEST
UNIT
}

# Called anew by main, in namespaces of its own.
inside() {
    MEMORY=$1 OUTPUT=$2
    shift 2
    enter_group
    lay_files "$MEMORY"
    write_unit "$@"
    exec "$NSPAWN" -D "$CONTAINER" --bind="$ROOT" --bind="$BUILD_DIR" --keep-unit --register=no --private-network \
        --machine=linekeeper --link-journal=no --kill-signal=SIGRTMIN+3 --quiet \
        -b systemd.unit=drive-the-units.service systemd.show_status=false
}

main() {
    local memory status=0 output=$BUILD_DIR/systemd.log boot=$BUILD_DIR/systemd-boot.log
    case ${1:-} in
    --help | -h)
        usage
        return
        ;;
    --inside)
        shift
        inside "$@"
        ;;
    esac
    check_machine
    mkdir -p "$BUILD_DIR"
    exec {LOCK}<"$BUILD_DIR"
    flock -n "$LOCK" || {
        complain "already running in $BUILD_DIR"
        exit 1
    }
    forget_group
    : >"$output"
    memory=$(mktemp -d)
    # The first process of a process namespace: when it ends, or is killed, the kernel ends the rest.
    unshare --mount --pid --mount-proc --fork --kill-child "${BASH_SOURCE[0]}" --inside "$memory" "$output" "$@" \
        >"$boot" 2>&1 </dev/null {LOCK}<&- || status=$?
    forget_group
    rmdir "$memory"
    cat "$output"
    if [[ ! -s $output ]]; then
        skip "no container boots: $(tail -n 1 "$boot")"
    fi
    return "$status"
}

main "$@"
