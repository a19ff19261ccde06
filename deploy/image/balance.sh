#!/usr/bin/env bash
# The balancer's process: HAProxy, told where it listens if this machine has no IPv6.
set -euo pipefail

if [[ ! -e /proc/net/if_inet6 ]]; then
    export LK_BALANCER_LISTEN=${LK_BALANCER_LISTEN:-0.0.0.0:8443}
fi
exec haproxy -db -f /etc/haproxy/haproxy.cfg
