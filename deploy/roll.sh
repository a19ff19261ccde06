#!/usr/bin/env bash
# Replaces the containers of docker-compose.yml one service after the other, while the rest serves: see --help.
set -euo pipefail

PROGRAM=roll.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"

readonly BAD_USAGE=64
readonly SERVICES=(trunk-auth fqdn-auth auth-provider gateway) # workers first: what a gateway sends, they must know
readonly SEEN_SECONDS=3 # until the others know who is new: names are looked up every second, and new ones dialled then

usage() {
    cat <<'TEXT'
roll.sh: replaces running containers by new ones of the images and settings there are now, without a failed request

  docker compose build && ./deploy/roll.sh [SERVICE]...

  SERVICE  trunk-auth, fqdn-auth, auth-provider or gateway (default: all of them, in this order)

For each: as many new containers as there are old ones, beside them; when those are healthy, the old ones are stopped
one by one, and removed. There must be room for twice the containers of a service. The balancer is not replaced.
Options of docker compose itself go by its variables: COMPOSE_FILE, COMPOSE_ENV_FILES, COMPOSE_PROJECT_NAME.

Exit codes: 0 all replaced, 1 failed: what had not been replaced still runs, 64 wrong arguments.
TEXT
}

roll() {
    local service=$1 old=() container
    mapfile -t old < <(docker compose ps -q "$service")
    if ((${#old[@]} == 0)); then
        tell "$service: none runs"
        return
    fi
    tell "$service: ${#old[@]} new"
    docker compose up -d --no-build --no-deps --no-recreate --wait --scale "$service=$((2 * ${#old[@]}))" "$service"
    sleep "$SEEN_SECONDS"
    for container in "${old[@]}"; do
        tell "$service: $container goes"
        docker stop "$container" >/dev/null
        docker rm "$container" >/dev/null
    done
}

main() {
    local service chosen=("$@")
    case ${1:-} in
    --help | -h)
        usage
        return
        ;;
    '') chosen=("${SERVICES[@]}") ;;
    esac
    for service in "${chosen[@]}"; do
        if [[ " ${SERVICES[*]} " != *" $service "* ]]; then
            complain "$service: none of ${SERVICES[*]} (see --help)"
            exit "$BAD_USAGE"
        fi
    done
    cd "$ROOT"
    for service in "${chosen[@]}"; do
        roll "$service"
    done
}

main "$@"
