# shellcheck shell=bash
# What backup.sh and restore.sh share: where the suite is, its programs, and the list of a backup.
# Sourced, never run. Needs lib/common.sh and fail.

# shellcheck disable=SC2034 # read by those who source this
readonly BAD_USAGE=64 BAD_DATA=65 IN_USE=75 FORMAT="linekeeper-backup 1"
MODE=local
DATA=
BIN=
KEY_FILE=
HASH_FILE=

# shellcheck source=compose.sh
source "$ROOT/deploy/lib/compose.sh"

# Takes one option of where the suite is; sets TAKEN to how many arguments it was, 0: it was none.
# stores_option ARGUMENT...
stores_option() {
    # shellcheck disable=SC2034 # read by the caller
    TAKEN=1
    case $1 in
    --data | --bin)
        [[ -n ${2:-} ]] || fail "$1 needs a directory" "$BAD_USAGE"
        stores_option "$1=$2"
        TAKEN=2
        ;;
    --data=?*) DATA=${1#*=} ;;
    --bin=?*) BIN=${1#*=} ;;
    --systemd) MODE=systemd ;;
    --compose) MODE=compose ;;
    *) TAKEN=0 ;;
    esac
}

# why_not FILE: why it is of no use to this user, as the end of a sentence.
why_not() {
    local at='' part
    local -a parts
    IFS=/ read -r -a parts <<<"$(dirname "$1")"
    for part in "${parts[@]}"; do
        at+=$part/
        if [[ -d $at && ! -x $at ]]; then
            printf "can't be reached by user %s, since %s is %s's" "$(id -un)" "$at" "$(stat -c %U "$at")"
            return
        fi
    done
    if [[ -e $1 ]]; then
        printf "can't be read (or run) by user %s: it is %s's" "$(id -un)" "$(stat -c %U "$1")"
    else
        printf "is missing"
    fi
}

# try WHAT COMMAND...: a failure is one line of ours.
try() {
    local what=$1 said
    shift
    said=$(LC_ALL=C "$@" 2>&1) || fail "$what: ${said##*: }"
    printf '%s' "$said"
}

# What was not said.
stores_find() {
    case $MODE in
    systemd)
        DATA=${DATA:-/var/lib/linekeeper}
        BIN=${BIN:-/opt/linekeeper/bin}
        KEY_FILE=${LK_SEAL_KEY_FILE:-/etc/linekeeper/keys/seal.key}
        HASH_FILE=${LK_API_KEY_HASH_FILE:-/etc/linekeeper/keys/api-key-hash}
        ;;
    local)
        DATA=${DATA:-${LK_DATA_DIR:-$ROOT/var}}
        BIN=${BIN:-${LK_BUILD_DIR:-$ROOT/build/run}/bin}
        KEY_FILE=${LK_SEAL_KEY_FILE:-$DATA/keys/seal.key}
        HASH_FILE=${LK_API_KEY_HASH_FILE:-$DATA/keys/api-key-hash}
        ;;
    compose)
        [[ -z $DATA && -z $BIN ]] || fail "--compose goes without --data and --bin: the containers have theirs" "$BAD_USAGE"
        command -v docker >/dev/null || fail "docker is missing"
        KEY_FILE=${LK_SECRETS:-$ROOT/secrets}/seal.key
        HASH_FILE=${LK_SECRETS:-$ROOT/secrets}/api-key-hash
        return
        ;;
    esac
    DATA=$(realpath -m "$DATA")
    BIN=$(realpath -m "$BIN")
    [[ -x $BIN/gateway ]] || fail "$BIN/gateway $(why_not "$BIN/gateway"): name the programs' directory by --bin"
}

# Runs a program of the suite. Where there are containers: one more, with the service's volume and secrets.
# program NAME ARGUMENT...
program() {
    local name=$1
    shift
    if [[ $MODE == compose ]]; then
        compose run --rm --no-deps -T "$name" "$name" "$@"
    else
        LK_DATA_DIR=$DATA LK_API_KEY_HASH_FILE=$HASH_FILE LK_SEAL_KEY_FILE=$([[ ! -e $KEY_FILE ]] || printf '%s' "$KEY_FILE") "$BIN/$name" "$@"
    fi
}

# The ids of the keys in the file of seal keys, and nothing else of it.
seal_key_ids() {
    sed -n 's/^\([1-9][0-9]*\):.*/\1/p' "$KEY_FILE"
}

# The exit code of a program, as ours: what the caller can't act upon is 1.
ours() {
    case $1 in
    "$BAD_DATA" | "$IN_USE") printf '%s' "$1" ;;
    *) printf 1 ;;
    esac
}

sha256_of() {
    sha256sum <"$1" | cut -d ' ' -f 1
}
