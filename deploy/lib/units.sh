# shellcheck shell=bash
# The units of a suite that systemd runs, replaced while the rest serves. Sourced, never run. Needs lib/common.sh.

readonly KNOWN_SECONDS=60 # for a worker to dial its gateways, the slowest of them too

# list_units PATTERN: sets UNITS to those that are meant to run. What doesn't (failed, or on its way) comes first: a call
# before this one may have left it so, and those that run serve meanwhile.
list_units() {
    local listed
    listed=$(systemctl list-units --plain --no-legend --state=active,activating,deactivating,failed "$1")
    mapfile -t UNITS < <(awk '{ print ($3 == "active"), $1 }' <<<"$listed" | sort | awk 'NF == 2 { print $2 }')
}

# fact UNIT NAME
fact() {
    systemctl show -P "$2" "$1"
}

# How many gateways know the worker: it tells systemd (services/common/link.c). Nothing before it serves.
# gateways_of UNIT
gateways_of() {
    fact "$1" StatusText | sed -n 's/^known to no .*/0/p; s/^known to \([0-9]*\) of .*/\1/p'
}

# give_up UNIT WHAT
give_up() {
    complain "$1 $2: see journalctl -u $1. What has not been replaced runs on; when that is mended call this again"
    exit 1
}

# await_known UNIT NUMBER: until it serves and so many gateways know it. systemd can't wait for that: workers start
# before gateways, so that being known can't be what makes one started. Its store may take it as long as it needs, once.
await_known() {
    local until=$((SECONDS + KNOWN_SECONDS)) known said restarts
    restarts=$(fact "$1" NRestarts)
    until known=$(gateways_of "$1") && [[ -n $known ]] && ((known >= $2)); do
        if [[ $(fact "$1" ActiveState) == failed ]]; then
            give_up "$1" "has ended"
        fi
        said=$(fact "$1" StatusText)
        if [[ $said == "its store"* && $(fact "$1" NRestarts) == "$restarts" ]]; then
            until=$((SECONDS + KNOWN_SECONDS))
        elif ((SECONDS >= until)); then
            give_up "$1" "is known to ${known:-no} gateways after $KNOWN_SECONDS s, and should be to $2"
        fi
        sleep 0.1
    done
}

# The most gateways that one of UNITS of the same service knows: this one may have been started a moment ago.
# most_known UNIT
most_known() {
    local unit known most=0
    for unit in "${UNITS[@]}"; do
        if [[ ${unit%@*} == "${1%@*}" && $(fact "$unit" ActiveState) == active ]]; then
            known=$(gateways_of "$unit")
            most=$((${known:-0} > most ? ${known:-0} : most))
        fi
    done
    printf '%s' "$most"
}

# restart_workers SERVICE: one by one, the next when this one's gateways know it again. '*' for all services.
restart_workers() {
    local unit wanted
    list_units "linekeeper-$1@*.service"
    if ((${#UNITS[@]} == 0)); then
        tell "no worker of ${1/\*/any service} runs here"
    fi
    for unit in "${UNITS[@]}"; do
        wanted=$(most_known "$unit")
        systemctl restart "$unit" || give_up "$unit" "does not start"
        await_known "$unit" "$wanted"
    done
}

# restart_gateway: until the workers that it had know the new one. Nobody answers for it meanwhile.
restart_gateway() {
    local unit known=()
    list_units linekeeper-gateway.service
    if ((${#UNITS[@]} == 0)); then
        tell "no gateway runs here"
        return
    fi
    list_units 'linekeeper-*@*.service'
    for unit in "${UNITS[@]}"; do
        known+=("$([[ $(fact "$unit" ActiveState) != active ]] || gateways_of "$unit")")
    done
    systemctl restart linekeeper-gateway || give_up linekeeper-gateway "does not start"
    for unit in "${!UNITS[@]}"; do
        if [[ -n ${known[unit]} ]]; then
            await_known "${UNITS[unit]}" "${known[unit]}"
        fi
    done
}
