#!/usr/bin/env bash
# Checks a backup and puts it back: see --help. Next: services/common/restore.h.
set -euo pipefail

PROGRAM=restore.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"

usage() {
    cat <<'TEXT'
restore.sh: checks a backup and puts it back

  ./deploy/restore.sh [--check] [--data DIR] [--bin DIR] BACKUP_DIR   for run.sh (default: ./var, programs in ./build/run/bin)
  ./deploy/restore.sh [--check] --systemd BACKUP_DIR                  for the units, as root
  ./deploy/restore.sh [--check] --compose BACKUP_DIR                  for the volumes, by docker compose

  --check          only checks, and changes nothing; the suite may run
  --new-api-keys   goes on though api-key-hash is lost: no API key of the backup will be known, make new ones

BACKUP_DIR is a linekeeper-TIME that backup.sh has made. Put seal.key and api-key-hash in their places first, and stop the
suite. Before anything is changed all stores are checked, and copied beside those that they will replace, as NAME.db.staged:
the checksums, the soundness of each store, that it is none newer than the programs, that seal.key has every key that values
are sealed with, that it and api-key-hash are those of then, and that there is room. Then the stores are replaced one after the other, each in one step: a matter of names,
not to be interrupted; with --compose it takes a container each, so some seconds. Should it end half way all the same, stores of two
times lie there: don't start the suite, run it again. What was there stays, as NAME.db.before-TIME: delete it yourself.

What comes back is what was then: rows deleted since, passwords changed since, API keys revoked since (revoke those again
before you let clients in: gateway key list). A write that was acknowledged since is gone, and is carried out again if its client sends it again.

  LK_DATA_DIR, LK_BUILD_DIR, LK_SEAL_KEY_FILE, LK_API_KEY_HASH_FILE   as in run.sh
  LK_SECRETS, LK_ENV_FILE                       as in secrets.sh

Exit codes: 0 done, 1 failed, 64 wrong arguments, 65 the backup is damaged or does not fit, 75 the suite runs there.
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
    BACKUP=
    CHECK_ONLY=0
    NEW_API_KEYS=0
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
        --check) CHECK_ONLY=1 ;;
        --new-api-keys) NEW_API_KEYS=1 ;;
        -*) fail "unknown option $1 (see --help)" "$BAD_USAGE" ;;
        *)
            [[ -z $BACKUP && -n $1 ]] || fail "one BACKUP_DIR is needed (see --help)" "$BAD_USAGE"
            BACKUP=$1
            ;;
        esac
        shift
    done
    [[ -n $BACKUP ]] || fail "a BACKUP_DIR is needed (see --help)" "$BAD_USAGE"
}

refuse() {
    fail "$1: $2" "$BAD_DATA"
}

# The values of the lines of a store: listed NAME KEY
listed() {
    sed -n "s/^store $1 $2 //p" "$BACKUP/MANIFEST"
}

# Sets STORES.
check_list() {
    local list=$BACKUP/MANIFEST first last known name
    [[ -f $list && -r $list ]] || refuse "$list" "$(why_not "$list")"
    first=$(head -n 1 "$list" | tr -d '\0')
    [[ $first == "$FORMAT" ]] || refuse "$list" "is not of a format that this version knows ($FORMAT)"
    last=$(tail -n 1 "$list" | tr -d '\0')
    [[ $last == "end $(head -n -1 "$list" | sha256sum | cut -d ' ' -f 1)" ]] || refuse "$list" "is damaged"
    mapfile -t STORES < <(sed -n 's/^store \([a-z-]*\) sha256 .*/\1/p' "$list")
    ((${#STORES[@]} > 0)) || refuse "$list" "names no store"
    known=" gateway $(program gateway services </dev/null | tr '\n' ' ')"
    for name in "${STORES[@]}"; do
        [[ $known == *" $name "* ]] || refuse "$list" "has a store of $name, which this version does not know"
    done
}

check_files() {
    local name file
    for name in "${STORES[@]}"; do
        file=$BACKUP/$name.db
        [[ -f $file && -r $file ]] || refuse "$file" "$(why_not "$file")"
        [[ $(sha256_of "$file") == "$(listed "$name" sha256)" ]] || refuse "$file" "is damaged: its checksum is another"
    done
}

# A program knows its keys by LK_SEAL_KEY_FILE: one that is not there would not be looked at.
check_keys() {
    local id known
    if grep -q '^store [a-z-]* sealed-with ' "$BACKUP/MANIFEST"; then
        [[ -r $KEY_FILE ]] || refuse "$KEY_FILE" "$(why_not "$KEY_FILE"), and values of this backup are sealed: $PUT_BACK"
        known=" $(seal_key_ids | tr '\n' ' ')"
        while read -r id; do
            [[ $known == *" $id "* ]] || refuse "$KEY_FILE" "does not have key $id, which values of this backup are sealed with"
        done < <(sed -n 's/^store [a-z-]* sealed-with //p' "$BACKUP/MANIFEST" | sort -u)
    fi
}

readonly PUT_BACK="put back the one of then, readable for the user who calls this"

# same_key NAME FACTS FILE WHAT: whether the program finds the key that the list tells of.
same_key() {
    local wanted
    wanted=$(listed "$1" "key-check $4")
    if [[ -z $wanted ]]; then
        complain "warning: the backup does not tell whether $3 is the right one"
    elif [[ $'\n'$2$'\n' != *$'\n'"key-check $4 $wanted"$'\n'* ]]; then
        refuse "$3" "is not the one of this backup, or can't be read ($4): $PUT_BACK"
    fi
}

# same_keys NAME FACTS: every installation's first key has the id 1.
same_keys() {
    local id
    for id in $(listed "$1" sealed-with); do
        same_key "$1" "$2" "$KEY_FILE" "seal.key $id"
    done
    if [[ $1 == gateway ]] && ((!NEW_API_KEYS)); then
        same_key "$1" "$2" "$HASH_FILE" api-key-hash
    fi
}

# each DOING ARGUMENT...: has the program of every store work on its copy. Sets BEGUN.
each() {
    local doing=$1 name code found
    BEGUN=()
    shift
    for name in "${STORES[@]}"; do
        code=0
        BEGUN+=("$name")
        if [[ $MODE == compose ]]; then
            found=$(program "$name" restore "$@" - <"$BACKUP/$name.db") || code=$?
        else
            found=$(program "$name" restore "$@" "$BACKUP/$name.db" </dev/null) || code=$?
        fi
        ((code == 0)) || fail "$BACKUP/$name.db was not $doing" "$(ours "$code")"
        same_keys "$name" "$found"
    done
}

unstage() {
    local name
    trap '' INT TERM HUP
    for name in "${BEGUN[@]}"; do
        program "$name" restore --unstage </dev/null || true
    done
}

# Puts each store in place. There is nothing left but names to be given: not to be interrupted.
replace() {
    local i code=0 doubt=" (the first of them perhaps)" # killed, or its container was
    trap - EXIT
    trap '' INT TERM HUP
    for ((i = 0; i < ${#STORES[@]} && code == 0; i++)); do
        program "${STORES[i]}" restore --staged </dev/null || code=$?
    done
    ((code != 0)) || return 0
    unstage
    if ((code < 125)); then
        ((i > 1)) || fail "nothing has been changed" "$(ours "$code")"
        doubt=
    fi
    complain "put back: ${STORES[*]:0:i-1}; NOT put back: ${STORES[*]:i-1}$doubt"
    fail "they are of two times: don't start the suite before restore.sh $BACKUP has been run again" "$(ours "$code")"
}

main() {
    umask 077
    read_arguments "$@"
    stores_find
    BACKUP=$(realpath -m "$BACKUP")
    if [[ $MODE == local && -d $DATA ]] && ((EUID == 0 && $(stat -c %u "$DATA") != 0)); then
        fail "$DATA is $(stat -c %U "$DATA")'s, and what is put there must be: call this as that user (runuser -u $(stat -c %U "$DATA") -- ...)"
    fi
    check_list
    check_files
    check_keys
    if ((CHECK_ONLY)); then
        each checked --check
        tell "$BACKUP is good"
        return
    fi
    trap unstage EXIT
    trap 'fail "interrupted: nothing has been changed"' INT TERM HUP
    each "put back: nothing has been changed" --stage
    replace
    tell "$BACKUP is restored"
}

main "$@"
