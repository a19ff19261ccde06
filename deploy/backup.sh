#!/usr/bin/env bash
# Copies the stores of a suite, running or not: see --help. Next: services/common/backup.h, restore.sh.
set -euo pipefail

PROGRAM=backup.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"

usage() {
    cat <<'TEXT'
backup.sh: copies the stores of a suite, running or not

  ./deploy/backup.sh [--data DIR] [--bin DIR] TARGET_DIR   of run.sh (default: ./var, programs in ./build/run/bin)
  ./deploy/backup.sh --systemd TARGET_DIR                  of the units: as root, or as the user linekeeper
  ./deploy/backup.sh --compose TARGET_DIR                  of the volumes, by docker compose

  --without SERVICE   leaves its store out, which else must be there; may be given several times

Makes TARGET_DIR/linekeeper-YYYYmmddTHHMMSSZ, all of it or nothing, and writes its name to standard output:

  NAME.db    each store, as it was at one moment, in one file; the suite writes on meanwhile
  MANIFEST   format, program version; of each store its schema, rows, the ids of the seal keys in use and SHA-256;
             the ids of the keys in the key file; check values, which tell a key from another and nothing of it

No key is in it. Keep these apart from it, or it is of little use: seal.key (without it passwords of SIP digest and
tokens are lost), api-key-hash (without it no API key is known), and, to save making them anew, the keys of CURVE.
Who has a backup and seal.key can call as any of your users.

  LK_DATA_DIR, LK_BUILD_DIR, LK_SEAL_KEY_FILE, LK_API_KEY_HASH_FILE   as in run.sh
  LK_SECRETS, LK_ENV_FILE                       as in secrets.sh

Exit codes: 0 done, 1 failed, 64 wrong arguments, 65 a store is damaged, 75 a store is being restored.
TEXT
}

# fail TEXT [CODE]
fail() {
    complain "$1"
    exit "${2:-1}"
}
# shellcheck source=lib/stores.sh
source "$ROOT/deploy/lib/stores.sh"

WORK=
tidy_up() {
    if [[ -n $WORK ]]; then
        rm -rf "$WORK"
    fi
}

read_arguments() {
    TARGET=
    WITHOUT=' '
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
        --without)
            [[ ${2:-} =~ ^[a-z-]+$ ]] || fail "--without needs the name of a service" "$BAD_USAGE"
            WITHOUT+="$2 "
            shift
            ;;
        --without=?*) WITHOUT+="${1#*=} " ;;
        -*) fail "unknown option $1 (see --help)" "$BAD_USAGE" ;;
        *)
            [[ -z $TARGET && -n $1 ]] || fail "one TARGET_DIR is needed (see --help)" "$BAD_USAGE"
            TARGET=$1
            ;;
        esac
        shift
    done
    [[ -n $TARGET ]] || fail "a TARGET_DIR is needed (see --help)" "$BAD_USAGE"
}

# What is in the copy, a fact a line. A container's files are not ours: the copy comes as a stream.
# copy NAME FILE
copy() {
    if [[ $MODE == compose ]]; then
        program "$1" backup - >"$2" </dev/null && program "$1" restore --check - <"$2"
    else
        program "$1" backup "$2" </dev/null
    fi
}

# store NAME: its copy, and its lines of the list.
store() {
    local name=$1 file=$WORK/$1.db facts line code=0
    facts=$(copy "$name" "$file") || code=$?
    ((code == 0)) || fail "$name.db was not copied" "$(ours "$code")"
    {
        while read -r line; do
            printf 'store %s %s\n' "$name" "$line"
        done <<<"$facts"
        printf 'store %s bytes %s\n' "$name" "$(stat -c %s "$file")"
        printf 'store %s sha256 %s\n' "$name" "$(sha256_of "$file")"
    } >>"$WORK/MANIFEST"
}

# Sets STORES: all that must be there. Before a program makes its gate in a directory that is none of the suite's.
find_stores() {
    local services name
    services=$(program gateway services </dev/null)
    for name in $WITHOUT; do
        grep -qx -- "$name" <<<"$services" || fail "--without $name: there is no such service" "$BAD_USAGE"
    done
    STORES=()
    for name in $services gateway; do # the gateway last: whom the others' rows belong to is in it
        [[ $WITHOUT != *" $name "* ]] || continue
        STORES+=("$name")
        [[ $MODE == compose || -r $DATA/$name.db ]] ||
            fail "$DATA/$name.db $(why_not "$DATA/$name.db")$([[ $name == gateway ]] || printf '%s' "; --without $name leaves it out")"
    done
}

# Sets WORK, which is locked for life: what nobody locks was left by a killed backup. One at a time looks and makes.
make_work() {
    local turn left lock
    exec {turn}<"$TARGET"
    if flock -w 10 "$turn"; then
        for left in "$TARGET"/.linekeeper-????????T??????Z.??????; do
            if [[ -d $left && ! -L $left && -O $left ]] && flock -n "$left" true; then
                rm -rf "$left"
            fi
        done
    fi
    WORK=$(try "can't write to $TARGET" mktemp -d "$TARGET/.linekeeper-$1.XXXXXX")
    exec {lock}<"$WORK"
    flock -n "$lock" || tell "$TARGET: no locks there: a killed backup will not be cleared away" >&2
    exec {turn}<&-
}

list_keys() {
    local id known=' '
    if [[ ! -r $KEY_FILE ]]; then
        printf 'seal-keys unknown\n' >>"$WORK/MANIFEST"
        tell "$KEY_FILE $(why_not "$KEY_FILE"): it is not known whether it has the keys in use" >&2
        return
    fi
    for id in $(seal_key_ids); do
        known+="$id "
    done
    printf 'seal-keys%s\n' "${known% }" >>"$WORK/MANIFEST"
    while read -r id; do
        if [[ $known != *" $id "* ]]; then
            complain "warning: values are sealed with key $id, which $KEY_FILE does not have"
        fi
    done < <(sed -n 's/^store [a-z-]* sealed-with //p' "$WORK/MANIFEST" | sort -u)
}

main() {
    local stamp name version
    umask 077
    read_arguments "$@"
    stores_find
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    find_stores
    try "can't make $TARGET" mkdir -p "$TARGET"
    [[ -r $TARGET && -w $TARGET && -x $TARGET ]] || fail "can't write to $TARGET: it is $(stat -c %U "$TARGET")'s"
    TARGET=$(realpath "$TARGET")
    [[ ! -e $TARGET/linekeeper-$stamp ]] || fail "$TARGET/linekeeper-$stamp is there already, of this second: try again"
    trap tidy_up EXIT
    trap 'fail "interrupted: no backup was made"' INT TERM HUP
    make_work "$stamp"
    version=$(program gateway --version </dev/null)
    printf '%s\ntaken %s\nprogram %s\n' "$FORMAT" "$stamp" "$version" >"$WORK/MANIFEST"
    for name in "${STORES[@]}"; do
        store "$name"
    done
    list_keys
    printf 'end %s\n' "$(sha256_of "$WORK/MANIFEST")" >>"$WORK/MANIFEST"
    sync "$WORK"/* "$WORK"
    trap '' INT TERM HUP
    try "can't make $TARGET/linekeeper-$stamp" mv -nT "$WORK" "$TARGET/linekeeper-$stamp"
    [[ ! -e $WORK ]] || fail "$TARGET/linekeeper-$stamp is there already, of this second: try again"
    WORK=
    sync "$TARGET"
    printf '%s\n' "$TARGET/linekeeper-$stamp"
}

main "$@"
