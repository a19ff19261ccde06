#!/usr/bin/env bash
# healthy gateway|worker|balancer: what the engine asks every few seconds inside a container. Exit 0:
# good. Asks the process itself; a healthy worker is one that a gateway can reach.
set -euo pipefail

# serves PORT PATH: an HTTP server on this container's own address answers that path with 200.
serves() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
    read -r -t 2 _ status _ <&3
    [[ $status == 200 ]]
}

runs() {
    local state
    read -r _ _ state _ </proc/1/stat
    [[ $state != [TtZX] ]]
}

# A connection to a gateway's port is established (state 01 of /proc/net/tcp).
linked() {
    local port
    printf -v port '%04X' "${LK_GATEWAYS##*:}"
    grep -qE "^ *[0-9]+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:$port 01 " /proc/net/tcp /proc/net/tcp6
}

case ${1:-} in
gateway) serves 8080 /healthz ;;
worker) runs && linked ;;
balancer) serves 8404 /healthz ;;
*)
    printf 'healthy gateway|worker|balancer\n' >&2
    exit 64
    ;;
esac
