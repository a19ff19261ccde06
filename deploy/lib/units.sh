# shellcheck shell=bash
# The units of a suite that systemd runs, replaced while the rest serves. Sourced, never run. Needs lib/common.sh.

readonly KNOWN_SECONDS=60 # for a worker to dial its gateways, the slowest of them too

# running_units PATTERN: those that run, a name a line.
running_units() {
    systemctl list-units --plain --no-legend --state=running "$1" | cut -d ' ' -f 1
}

# How many gateways know the worker: it tells systemd (services/common/link.c). Nothing while it starts.
# gateways_of UNIT
gateways_of() {
    systemctl show -P StatusText "$1" | sed -n 's/^known to \([0-9]*\) of .*/\1/p'
}

# await_known UNIT NUMBER: until so many gateways know it. systemd can't wait for that: workers start before gateways,
# so that being known can't be what makes one started.
await_known() {
    local until=$((SECONDS + KNOWN_SECONDS)) known
    until known=$(gateways_of "$1") && ((${known:-0} >= $2)); do
        if ((SECONDS >= until)); then
            complain "$1: after $KNOWN_SECONDS s ${known:-no} gateways know it, and $2 did before. See journalctl -u $1"
            exit 1
        fi
        sleep 0.1
    done
}

# restart_workers SERVICE: one by one, the next when this one's gateways know it again. '*' for all services.
restart_workers() {
    local unit units known
    mapfile -t units < <(running_units "linekeeper-$1@*.service")
    for unit in "${units[@]}"; do
        known=$(gateways_of "$unit")
        systemctl restart "$unit"
        await_known "$unit" "${known:-0}"
    done
}

# restart_gateway: until the workers that it had know the new one. Nobody answers for it meanwhile.
restart_gateway() {
    local unit units known=()
    mapfile -t units < <(running_units 'linekeeper-*@*.service')
    for unit in "${units[@]}"; do
        known+=("$(gateways_of "$unit")")
    done
    systemctl restart linekeeper-gateway
    for unit in "${!units[@]}"; do
        await_known "${units[unit]}" "${known[unit]:-0}"
    done
}
