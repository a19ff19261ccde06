# shellcheck shell=bash
# Programs that tests and benchmarks want and nobody should have to install. Sourced with ROOT, the project's folder,
# and LOGS, one for logs, set.

# A program out of its Debian packages and of those that they need, not by installing them: that would start a service
# on this machine. Tests that want it say so where it can't be had.
# fetch PROGRAM PATH PACKAGE...
fetch() {
    local name=$1 path=$2 to=$ROOT/build/$1
    shift 2
    if command -v "$name" >/dev/null || [[ -x $to/$path ]]; then
        return 0
    fi
    mkdir -p "$to"
    { unpack "$to" "$@" || { update && unpack "$to" "$@"; }; } >"$LOGS/$name.log" 2>&1 || echo "$name can't be had (see $LOGS/$name.log)" >&2
}

unpack() {
    local file to=$1
    shift
    (cd "$to" && needed "$@" | xargs apt-get -q download && for file in *.deb; do dpkg-deb -x "$file" . && rm -f "$file" || exit 1; done)
}

# Where nothing had to be installed apt's lists may be missing, or old. Once is enough, also in vain.
update() {
    local as_root=()
    [[ -z ${FETCH_UPDATED:-} ]] || return 1
    FETCH_UPDATED=yes
    ((EUID == 0)) || as_root=(sudo -n)
    "${as_root[@]}" apt-get -q update
}

# What installing the packages would bring, one a line.
needed() {
    apt-get -s install --no-install-recommends "$@" | awk '$1 == "Inst" { print $2 }'
}

# Kamailio and SIPp, which tests/bench/sip/kamailio.sh and the tests under tests/sip run.
fetch_sip() {
    fetch kamailio usr/sbin/kamailio kamailio kamailio-extra-modules kamailio-sqlite-modules kamailio-utils-modules
    fetch sipp usr/bin/sipp sip-tester
}
