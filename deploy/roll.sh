#!/usr/bin/env bash
# Replaces what runs, one service after the other, while the rest serves: see --help.
set -euo pipefail

PROGRAM=roll.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$ROOT/deploy/lib/common.sh"
# shellcheck source=lib/compose.sh
source "$ROOT/deploy/lib/compose.sh"
# shellcheck source=lib/units.sh
source "$ROOT/deploy/lib/units.sh"

readonly BAD_USAGE=64
readonly SERVICES=(trunk-auth fqdn-auth auth-provider gateway) # workers first: what a gateway sends, they must know
readonly SEEN_SECONDS=3 # until the others know who is new: names are looked up every second, and new ones dialled then

usage() {
    cat <<'TEXT'
roll.sh: replaces what runs by what there is now of images or programs, settings and keys, without a failed request

  docker compose build && ./deploy/roll.sh [SERVICE]...            the containers of docker-compose.yml
  ./deploy/systemd/install.sh && ./deploy/roll.sh --systemd [SERVICE]...   the units of systemd, as root

  SERVICE  trunk-auth, fqdn-auth, auth-provider or gateway (default: all of them, in this order)

Containers, for each service: as many new containers as there are old ones, beside them; when those are healthy, the old ones are stopped
one by one, and removed. There must be room for twice the containers of a service. The balancer is not replaced.
Units: workers are restarted one by one, each when its gateways know the one before it again. The gateway is one a
machine, so its clients are without it, or on another machine's, for some seconds (LK_NOT_READY_MS, LK_DRAIN_SECONDS).
Options of docker compose itself go by its variables: COMPOSE_FILE, COMPOSE_PROJECT_NAME.

  LK_ENV_FILE  another file of settings than ./.env

Exit codes: 0 all replaced, 1 failed: what had not been replaced still runs, and new ones that were not healthy are removed,
64 wrong arguments.
TEXT
}

# containers SERVICE: all of them, stopped ones too.
containers() {
    compose ps -a -q "$1"
}

# remove_new SERVICE CONTAINER...: all of the service but these.
remove_new() {
    local service=$1 container
    shift
    for container in $(containers "$service"); do
        if [[ " $* " != *" $container "* ]]; then
            docker rm -f "$container" >/dev/null || true
        fi
    done
}

roll_containers() {
    local service=$1 old=() before=() container
    mapfile -t before < <(containers "$service")
    mapfile -t old < <(compose ps -q "$service")
    if ((${#old[@]} == 0)); then
        tell "$service: none runs"
        return
    fi
    tell "$service: ${#old[@]} new"
    if ! compose up -d --no-build --no-deps --no-recreate --wait --scale "$service=$((2 * ${#old[@]}))" "$service"; then
        remove_new "$service" "${before[@]}"
        complain "$service: the new ones are not healthy, and removed; the old ones serve on"
        exit 1
    fi
    sleep "$SEEN_SECONDS"
    for container in "${old[@]}"; do
        tell "$service: $container goes"
        docker stop "$container" >/dev/null
        docker rm "$container" >/dev/null
    done
}

roll_units() {
    tell "$1"
    case $1 in
    gateway) restart_gateway ;;
    *) restart_workers "$1" ;;
    esac
}

main() {
    local service how=roll_containers chosen
    case ${1:-} in
    --help | -h)
        usage
        return
        ;;
    --systemd)
        how=roll_units
        shift
        ;;
    esac
    chosen=("$@")
    if (($# == 0)); then
        chosen=("${SERVICES[@]}")
    fi
    for service in "${chosen[@]}"; do
        if [[ " ${SERVICES[*]} " != *" $service "* ]]; then
            complain "$service: none of ${SERVICES[*]} (see --help)"
            exit "$BAD_USAGE"
        fi
    done
    for service in "${chosen[@]}"; do
        "$how" "$service"
    done
}

main "$@"
