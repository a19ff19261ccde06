#!/usr/bin/env bash
# Replaces the seal key of a running suite: see --help. Next: services/common/reseal.h, docs/adr/0028.
set -euo pipefail

PROGRAM=rotate-seal-key.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=lib/keys.sh
source "$ROOT/deploy/lib/keys.sh"
# shellcheck source=lib/units.sh
source "$ROOT/deploy/lib/units.sh"

readonly KEYS_MAX=16 # services/common/seal.h
readonly READS_END=5 # seconds: reads that began before the last row was sealed again are over
WAIT=3600

usage() {
    cat <<'TEXT'
rotate-seal-key.sh: replaces the seal key of a suite while it runs

  ./deploy/rotate-seal-key.sh [--data DIR] [--bin DIR]   of run.sh (default: ./var, programs in ./build/run/bin)
  ./deploy/rotate-seal-key.sh --systemd                  of the units, as root: workers are restarted one by one
  ./deploy/rotate-seal-key.sh --compose                  of the containers

  --wait SECONDS   for each step, at most (default 3600)

  1. A new key goes into the file of seal keys, behind the one in use; every worker takes notice.
  2. It goes in front: it seals from now on, and the workers seal again what others have sealed.
  3. When nothing in any store needs the old keys, they are moved to the file seal.retired beside it.

No request fails or waits meanwhile. Interrupted or killed at any point: call it again, and it goes on from there.
Keep seal.retired, apart from the stores: a backup that was taken before can be read with the key of then alone.

  LK_DATA_DIR, LK_BUILD_DIR, LK_SEAL_KEY_FILE, LK_API_KEY_HASH_FILE   as in run.sh
  LK_SECRETS, LK_ENV_FILE                       as in secrets.sh

Exit codes: 0 done, 1 failed, 64 wrong arguments, 75 a step took too long: call it again.
TEXT
}

# fail TEXT [CODE]
fail() {
    complain "$1"
    exit "${2:-1}"
}
# shellcheck source=lib/stores.sh
source "$ROOT/deploy/lib/stores.sh"

read_arguments() {
    while (($# > 0)); do
        stores_option "$@"
        if ((TAKEN > 0)); then
            shift "$TAKEN"
            continue
        fi
        case $1 in
        --help | -h)
            usage
            exit 0
            ;;
        --wait)
            [[ ${2:-} =~ ^[0-9]{1,6}$ ]] || fail "--wait needs a number of seconds" "$BAD_USAGE"
            WAIT=$((10#$2))
            shift
            ;;
        *) fail "unknown option $1 (see --help)" "$BAD_USAGE" ;;
        esac
        shift
    done
}

# ---- the file ----

# One rotation at a time. What a killed call was waiting in ends within that time.
lock_keys() {
    exec {LOCK}<"$(dirname "$KEY_FILE")"
    flock -w 15 "$LOCK" || fail "$(dirname "$KEY_FILE") is in use by another call"
}

# A container has the file itself mounted, not its folder: it must stay the same file. So it is written in place, after
# the whole of it stands beside it; who finds that, finishes. Workers read it twice before they believe it.
# Otherwise the new file takes the name of the old one, in one step.
finish_keys() {
    local mode
    [[ -s $KEY_FILE.next ]] || return 0
    mode=$(stat -c %a "$KEY_FILE")
    if [[ $MODE == compose ]]; then
        chmod u+w "$KEY_FILE"
        dd if="$KEY_FILE.next" of="$KEY_FILE" bs=16384 conv=notrunc,fsync status=none
        truncate -s "$(stat -c %s "$KEY_FILE.next")" "$KEY_FILE"
        chmod "$mode" "$KEY_FILE"
        sync "$KEY_FILE"
        rm -f "$KEY_FILE.next"
    else
        chown --reference="$KEY_FILE" "$KEY_FILE.next"
        chmod "$mode" "$KEY_FILE.next"
        mv -f "$KEY_FILE.next" "$KEY_FILE"
    fi
    sync "$(dirname "$KEY_FILE")"
}

# What comes in becomes the file of keys, if no key is lost by that: whoever wrote it may have been killed halfway.
write_keys() {
    write_secret "$KEY_FILE.made"
    if ! holds_all_keys "$KEY_FILE.made"; then
        rm -f "$KEY_FILE.made"
        fail "the new $KEY_FILE would lose a key: it stays as it was"
    fi
    mv -f "$KEY_FILE.made" "$KEY_FILE.next"
    finish_keys
}

# holds_all_keys FILE: whether each key of the file of keys is in it or retired.
holds_all_keys() {
    local kept=("$1")
    [[ ! -e $RETIRED ]] || kept+=("$RETIRED")
    awk -v keys="$KEY_FILE" 'FILENAME == keys && /^[1-9][0-9]*:/ && !($0 in kept) { lost = 1 }
        FILENAME != keys { kept[$0] = 1 }
        END { exit lost }' "${kept[@]}" "$KEY_FILE"
}

lines_of_keys() {
    grep '^[1-9][0-9]*:' "$1" || true
}

# Sets IDS: of the file, the first seals.
read_ids() {
    mapfile -t IDS < <(seal_key_ids)
    ((${#IDS[@]} > 0)) || fail "$KEY_FILE holds no key"
    ((${#IDS[@]} < KEYS_MAX)) || fail "$KEY_FILE holds $KEYS_MAX keys: move those that nothing needs (PROGRAM seal-keys) aside"
}

# The highest number that a key has or had.
newest() {
    {
        seal_key_ids
        if [[ -e $RETIRED ]]; then
            sed -n 's/^\([1-9][0-9]*\):.*/\1/p' "$RETIRED"
        fi
    } | sort -n | tail -n 1
}

add_key() {
    local id=$(($(newest) + 1))
    {
        lines_of_keys "$KEY_FILE"
        new_seal_key "$id"
    } | write_keys
    tell "key $id is in $KEY_FILE, behind key ${IDS[0]}"
}

put_in_front() {
    {
        lines_of_keys "$KEY_FILE" | grep "^$1:"
        lines_of_keys "$KEY_FILE" | grep -v "^$1:"
    } | write_keys
    tell "key $1 is in front"
}

# Kept first: a key that is in no file is lost. Those that are there from a killed call are not written twice.
retire_all_but() {
    {
        if [[ -e $RETIRED ]]; then
            cat "$RETIRED"
        fi
        lines_of_keys "$KEY_FILE" | grep -v "^$1:"
    } | awk '!seen[$0]++' | write_secret "$RETIRED"
    chmod 0400 "$RETIRED"
    chown --reference="$KEY_FILE" "$RETIRED"
    lines_of_keys "$KEY_FILE" | grep "^$1:" | write_keys
    tell "the others are in $RETIRED"
}

# ---- the workers ----

# look: sets ROWS, how many the old keys still hold, and OTHERS, the services with a worker that has other keys.
look() {
    local service facts kind id rows
    ROWS=0
    OTHERS=
    for service in $SERVICES; do
        facts=$(program "$service" seal-keys </dev/null) || fail "$service seal-keys failed"
        while read -r kind id rows; do
            case $kind in
            key) [[ $id == "$FRONT" ]] || ROWS=$((ROWS + rows)) ;;
            workers) [[ $id == same ]] || OTHERS+=" $service" ;;
            esac
        done <<<"$facts"
    done
}

# await WHAT: until it holds; tells of progress. every_worker_has_them, no_row_is_left
await() {
    local until=$((SECONDS + WAIT)) told=-1
    until "$1"; do
        if ((SECONDS >= until)); then
            fail "not within $WAIT s: $WAITS_FOR. The logs tell more. Call this again to go on" 75
        fi
        if ((told < 0 || SECONDS - told >= 10)); then
            tell "waiting: $WAITS_FOR"
            told=$SECONDS
        fi
        sleep 0.5
    done
}

every_worker_has_them() {
    look
    WAITS_FOR="workers of$OTHERS have not the keys of $KEY_FILE yet"
    [[ -z $OTHERS ]]
}

# With workers of one kind stopped their rows stay: whoever starts one goes on.
no_row_is_left() {
    look
    WAITS_FOR="$ROWS values to be sealed again"
    ((ROWS == 0)) && [[ -z $OTHERS ]]
}

take_notice() {
    read_ids
    FRONT=${IDS[0]}
    if [[ $MODE == systemd ]]; then
        restart_workers '*' # it hands a unit the keys when that starts
    fi
    await every_worker_has_them
}

main() {
    local last
    umask 077
    read_arguments "$@"
    stores_find
    [[ -r $KEY_FILE ]] || fail "$KEY_FILE $(why_not "$KEY_FILE")"
    RETIRED=$(dirname "$KEY_FILE")/seal.retired
    lock_keys
    finish_keys
    SERVICES=$(program gateway services </dev/null)
    read_ids
    if ((${#IDS[@]} == 1)); then
        add_key
    else
        tell "goes on with what was begun: keys ${IDS[*]}"
    fi
    take_notice
    last=$(seal_key_ids | sort -n | tail -n 1)
    if [[ $FRONT != "$last" ]]; then
        put_in_front "$last"
        take_notice
    fi
    await no_row_is_left
    sleep "$READS_END"
    no_row_is_left || fail "values came in that are sealed with an old key. Call this again"
    retire_all_but "$last"
    take_notice
    tell "done: key $last seals, and nothing needs another"
}

main "$@"
