#!/usr/bin/env bash
# The units of deploy/systemd, tried with a real systemd: see --help.
set -euo pipefail

PROGRAM=systemd
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../deploy/lib/common.sh
source "$ROOT/deploy/lib/common.sh"

readonly SKIPPED=77
readonly GROUP=linekeeper-systemd
readonly LONGEST=800 BOOT=60 # seconds
readonly KILLED=137
readonly CONTAINER=/run/files # in a mount namespace of its own
BUILD_DIR=$(realpath -m "${LK_RUN_BUILD_DIR:-$ROOT/build/run}")
UNSHARED=
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

# In a group of our own, which forget_groups removes: nspawn makes more below it, and leaves them. Two runs in one would
# end each other's units.
# enter_group RUN
enter_group() {
    local at
    for at in $(hierarchies); do
        mkdir -p "$at/$GROUP.$1"
        echo $$ >"$at/$GROUP.$1/cgroup.procs"
    done
}

# Ours, and those of runs that were killed.
forget_groups() {
    local at group
    for at in $(hierarchies); do
        for group in "$at/$GROUP".*; do
            if [[ ${group##*.} == "$$" || ! -e /proc/${group##*.} ]]; then
                find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
            fi
        done
    done
}

# The files of the container: this machine's, under what is written in memory. So is what nspawn writes to /run.
lay_files() {
    mount -t tmpfs -o mode=0755 tmpfs /run
    mkdir "$CONTAINER" /run/written /run/work
    mount -t overlay -o "lowerdir=/,upperdir=/run/written,workdir=/run/work" overlay "$CONTAINER"
}

# write_unit OUTPUT ARGUMENTS OF PYTEST...: what the container is booted for; its exit code becomes the container's. The
# words stand in a script, since systemd reads %, $ and quotes in its own way, and a unit that it can't read hangs the boot.
write_unit() {
    local output=$1
    shift
    {
        printf 'exec >>%q 2>&1\ncd %q || exit 1\n' "$output" "$ROOT"
        printf 'exec env LK_BUILD_DIR=%q PYTHONUNBUFFERED=1 /usr/bin/python3 -B -m pytest' "$BUILD_DIR"
        printf ' %q' -v -p no:cacheprovider --tb=short -rA "$ROOT/tests/systemd" "$@"
    } >"$CONTAINER/etc/drive-the-units"
    cat >"$CONTAINER/etc/systemd/system/drive-the-units.service" <<UNIT
[Service]
Type=oneshot
ExecStart=/bin/bash /etc/drive-the-units
ExecStopPost=/bin/sh -c 'case \$EXIT_STATUS in [0-9]*) ;; *) EXIT_STATUS=1 ;; esac; systemctl --no-block exit \$EXIT_STATUS'
TimeoutStartSec=$LONGEST
UNIT
}

# Called anew by main, in namespaces of its own.
# inside RUN OUTPUT ARGUMENTS OF PYTEST...
inside() {
    local output=$2
    enter_group "$1"
    shift 2
    lay_files
    write_unit "$output" "$@"
    exec timeout --foreground -s KILL "$((LONGEST + BOOT))" \
        "$NSPAWN" -D "$CONTAINER" --bind="$ROOT" --bind="$BUILD_DIR" --keep-unit --register=no --private-network \
        --machine=linekeeper --link-journal=no --kill-signal=SIGRTMIN+3 --quiet \
        -b systemd.unit=drive-the-units.service systemd.show_status=false
}

# Its first process: when that ends the kernel ends the rest, and unshare, which waits for that, comes last.
end_container() {
    if [[ -n $UNSHARED ]] && kill -0 "$UNSHARED" 2>/dev/null; then
        pkill -KILL -P "$UNSHARED" || true
        wait "$UNSHARED" || true
    fi
    forget_groups
}

main() {
    local status=0 output=$BUILD_DIR/systemd.log boot=$BUILD_DIR/systemd-boot.log
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
    : >"$output"
    trap end_container EXIT
    trap 'exit 1' INT TERM HUP
    # In namespaces of its own, which end with their first process, that one with unshare, and unshare with this shell.
    setpriv --pdeathsig KILL unshare --mount --pid --mount-proc --fork --kill-child \
        "${BASH_SOURCE[0]}" --inside "$$" "$output" "$@" >"$boot" 2>&1 </dev/null {LOCK}<&- &
    UNSHARED=$!
    wait "$UNSHARED" || status=$?
    cat "$output"
    if [[ ! -s $output && $status != "$KILLED" ]]; then
        skip "no container boots: $(tail -n 1 "$boot")"
    fi
    # A container that is shut down by somebody else ends well, too.
    if ((status == 0)) && ! tail -n 1 "$output" | grep -q ' passed'; then
        status=1
    fi
    ((status == 0)) || complain "failed; see $output and $boot"
    return "$status"
}

main "$@"
