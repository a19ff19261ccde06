#!/usr/bin/env bash
# What docker-compose.yml needs before its first start: see --help.
set -euo pipefail

PROGRAM=secrets.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=lib/keys.sh
source "$ROOT/deploy/lib/keys.sh"

readonly BAD_USAGE=64
readonly OWNER=10001 # of secrets and processes, when root calls this: deploy/Dockerfile has the same
readonly CERTIFICATE_DAYS=825
readonly SERVICES=(trunk-auth fqdn-auth auth-provider)

usage() {
    cat <<'TEXT'
secrets.sh: makes what docker-compose.yml needs before its first start

  ./deploy/secrets.sh                         makes what is missing; what is there stays
  ./deploy/secrets.sh --tls CHAIN.pem KEY.pem  takes your certificate (and its chain) and key, in place of the one it has

  ./.env                  settings, of deploy/env.example
  ./secrets/seal.key      seals what must be had back: without it that is lost. Back it up apart from the volumes.
                          rotate-seal-key.sh --compose replaces it
  ./secrets/api-key-hash  keys the hashes of API keys: without it no key is known any more
  ./secrets/gateway.key, gateway.pub, SERVICE.key, workers
                          CURVE, between gateways and workers: a key for each, and which may serve what
  ./secrets/tls.pem       certificate and key of the load balancer: self-made, for a first try

  LK_SECRETS   another directory than ./secrets
  LK_ENV_FILE  another file than ./.env

An engine hands secrets on with their owner and mode, so the processes run as the owner: user 10001, or you where you
are not root (LK_UID and LK_GID in .env, which the images are built with).
TEXT
}

fail() {
    complain "$1"
    exit "${2:-1}"
}

# identity NAME: the number of a line NAME=NUMBER of .env. Compose takes it in quotes too.
identity() {
    local value
    value=$(sed -n "s/^$1=//p" "$ENV_FILE" | tail -n 1 | tr -d "\"' \t\r")
    [[ $value =~ ^[0-9]{0,9}$ ]] || fail "$ENV_FILE: $1=$value is not a number"
    printf '%s' "$((10#${value:-$OWNER}))"
}

# One at a time, or keys would not fit each other.
lock_folder() {
    mkdir -p "$SECRETS" 2>/dev/null || fail "can't make the folder $SECRETS: name another by LK_SECRETS"
    [[ -r $SECRETS && -w $SECRETS && -x $SECRETS ]] ||
        fail "can't write to $SECRETS, which is $(stat -c %U "$SECRETS")'s: call this as that user or as root"
    exec {LOCK}<"$SECRETS"
    flock -w 60 "$LOCK" || fail "another secrets.sh is at work in $SECRETS"
}

new_env() {
    cat "$ROOT/deploy/env.example" || return
    if ((EUID != 0)); then
        printf '\nLK_UID=%s\nLK_GID=%s\n' "$EUID" "$(id -g)"
    fi
}

make_env() {
    if [[ ! -e $ENV_FILE ]]; then
        new_env 2>/dev/null >"$ENV_FILE.new" || fail "can't write $ENV_FILE: name another file by LK_ENV_FILE"
        mv "$ENV_FILE.new" "$ENV_FILE"
    fi
    [[ -r $ENV_FILE ]] || fail "can't read $ENV_FILE: call this as its owner or as root"
    RUN_UID=$(identity LK_UID)
    RUN_GID=$(identity LK_GID)
    ((EUID == 0 || EUID == RUN_UID)) || fail "$ENV_FILE has LK_UID=$RUN_UID: you are $EUID; call this as that user or as root"
}

# secret NAME COMMAND...: made once, and readable for the processes alone.
secret() {
    local file=$SECRETS/$1
    shift
    make_secret "$file" "$@"
    keep "$file"
}

# keep FILE: a secret that is there.
keep() {
    [[ -f $1 && -s $1 ]] || fail "$1 is empty, or no file: put back your copy of it, or delete it if it was never in use"
    hand_over "$1"
}

hand_over() {
    chmod 0400 "$1" 2>/dev/null || fail "$1 is $(stat -c %U "$1")'s: call this as root"
    if ((EUID == 0)); then
        chown "$RUN_UID:$RUN_GID" "$1"
    fi
}

# worker SERVICE: a key for it, and its line in the gateways' list of which key serves what. With the key there, the list
# is its owner's: a line that is gone revokes the key. As `gateway curve-keys` has it: the line comes before the key.
worker() {
    local key=$SECRETS/$1.key list=$SECRETS/workers public
    if [[ -e $key ]]; then
        keep "$key"
        return
    fi
    rm -f "$key.made" # of a run that was killed
    (umask 077 && new_curve_key >"$key.made")
    public=$(curve_public "$key.made")
    ((${#public} == 64)) || fail "openssl makes no public key of X25519"
    {
        if [[ -e $list ]]; then
            awk 1 "$list" # each line with its end, the last one too
        fi
        printf '%s %s\n' "$1" "$public"
    } | write_secret "$list"
    sync "$key.made"
    hand_over "$key.made"
    mv -f "$key.made" "$key"
}

new_certificate() {
    local work status=0
    work=$(mktemp -d 2>/dev/null) || fail "can't make a temporary folder: name one with room by TMPDIR"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$CERTIFICATE_DAYS" \
        -subj /CN=localhost -addext "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1" \
        -keyout "$work/key" -out "$work/certificate" 2>"$work/log" || status=$?
    if ((status == 0)); then
        cat "$work/certificate" "$work/key"
    else
        cat "$work/log" >&2
    fi
    rm -rf "$work"
    return "$status"
}

take_certificate() {
    local file certified own
    for file in "$1" "$2"; do
        [[ -r $file ]] || fail "can't read $file"
    done
    certified=$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null) || fail "$1 is no certificate in PEM"
    own=$(openssl pkey -in "$2" -passin pass: -pubout 2>/dev/null) || fail "$2 is no key in PEM without a password"
    [[ -n $certified && $certified == "$own" ]] || fail "$2 is not the key of the certificate in $1"
    cat "$1" "$2" | write_secret "$SECRETS/tls.pem"
    hand_over "$SECRETS/tls.pem"
    tell "the load balancer takes it when it starts: docker compose restart balancer"
}

main() {
    local service
    command -v openssl >/dev/null || fail "openssl is missing: install it first"
    SECRETS=${LK_SECRETS:-$ROOT/secrets}
    ENV_FILE=${LK_ENV_FILE:-$ROOT/.env}
    case $#:${1:-} in
    0:)
        lock_folder
        make_env
        ;;
    1:--help | 1:-h)
        usage
        return
        ;;
    3:--tls)
        lock_folder
        make_env
        take_certificate "$2" "$3"
        ;;
    *)
        complain "wrong arguments (see --help)"
        exit "$BAD_USAGE"
        ;;
    esac
    secret seal.key new_seal_key
    secret api-key-hash new_hash_key
    secret gateway.key new_curve_key
    secret gateway.pub curve_public "$SECRETS/gateway.key"
    [[ $(<"$SECRETS/gateway.pub") == "$(curve_public "$SECRETS/gateway.key")" ]] ||
        fail "$SECRETS/gateway.pub is not that of gateway.key: delete it, and call this again"
    for service in "${SERVICES[@]}"; do
        worker "$service"
    done
    [[ -e $SECRETS/workers ]] || fail "$SECRETS/workers is gone: put it back, or delete the workers' keys for new ones"
    hand_over "$SECRETS/workers"
    secret tls.pem new_certificate
    tell "secrets are in $SECRETS, settings in $ENV_FILE"
}

main "$@"
