# shellcheck shell=bash
# Debian packages: which are missing, and installing them. Sourced after common.sh.

# Names of the given groups of deploy/packages.txt, one a line.
# packages_of LIST GROUP...
packages_of() {
    local list=$1 group name wanted
    shift
    while read -r group name _; do
        for wanted in "$@"; do
            if [[ $group == "$wanted" ]]; then
                printf '%s\n' "$name"
            fi
        done
    done <"$list"
}

# Those of the given packages that are not installed, one a line.
packages_missing() {
    local name state
    for name in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || state=
        if [[ $state != installed ]]; then
            printf '%s\n' "$name"
        fi
    done
}

# Installs what is missing of the groups; apt-get is not touched when nothing is. Fails after one
# line on standard error.
# packages_install LIST LOG GROUP...
packages_install() {
    local list=$1 log=$2
    shift 2
    local names missing as_root=()
    mapfile -t names < <(packages_of "$list" "$@")
    mapfile -t missing < <(packages_missing "${names[@]}")
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            complain "missing packages, and neither root nor sudo to install them: ${missing[*]}"
            return 1
        fi
        as_root=(sudo)
    fi
    tell "installing ${missing[*]}"
    local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q)
    if ! quietly "$log" "${install[@]}" update ||
        ! quietly "$log" "${install[@]}" install --no-install-recommends "${missing[@]}"; then
        complain "can't install ${missing[*]}: $(grep '^E: ' "$log" | tail -n 1) (see $log)"
        return 1
    fi
}
