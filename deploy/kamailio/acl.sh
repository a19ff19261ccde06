#!/usr/bin/env bash
# Keeps the file of sources that suffice alone (kamailio.cfg with -A LK_SOURCES_FILE): see --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
acl.sh: fetches Linekeeper's list of source addresses for Kamailio, and has it reloaded if it has changed

  LK_URL=http://kamailio:lk_...@127.0.0.1:8080 LK_FAMILY=trunks LK_SOURCES=/etc/kamailio/sources ./acl.sh

To be run every minute or so, and once before Kamailio starts: as long as that is, a source that was taken away may
still call. When the list can't be had it is kept for LK_SOURCES_KEEP seconds (900), and emptied then: nobody
calls on the word of an authority that has not been heard for so long.
KAMCMD is the program that reloads, "kamcmd" by default; "true" before Kamailio runs.
Exit code: 0 if the list is current.
TEXT
}

if [[ ${1:-} == --help ]]; then
    usage
    exit 0
fi
: "${LK_URL:?}" "${LK_FAMILY:?}" "${LK_SOURCES:?}"

work=$(mktemp -d "$LK_SOURCES.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Kamailio takes one reload in 5 s and refuses those between; kamcmd's exit code does not tell.
reload() {
    local said
    said=$(${KAMCMD:-kamcmd} permissions.addressReload 2>&1) || said="error: $said"
    if [[ $said == *rror* ]]; then
        echo "acl.sh: the list was not reloaded: $said" >&2
        return 1
    fi
}

# The key stands in a file, not in an argument that all users of the machine see.
configure() {
    local credentials=${LK_URL#*://} host
    host=${credentials##*@}
    (umask 077 && printf 'url = "%s"\nuser = "%s"\n' "${LK_URL%%://*}://$host/v1/sip/$LK_FAMILY/acl?format=kamailio" "${credentials%@*}" >"$work/curl")
}

fetch() {
    local known=()
    if [[ -f $LK_SOURCES.etag && -f $LK_SOURCES ]]; then
        known=(--etag-compare "$LK_SOURCES.etag")
    fi
    curl -sS --max-time 10 --config "$work/curl" "${known[@]}" --etag-save "$work/etag" -o "$work/list" -w '%{http_code}'
}

# Kamailio may refuse to load it now: the mark stays then, and the next run tries again.
put() {
    chmod 644 "$work/list"
    touch "$LK_SOURCES.new"
    mv "$work/list" "$LK_SOURCES"
}

configure
status=$(fetch) || status=000
code=0
case $status in
200)
    put
    mv "$work/etag" "$LK_SOURCES.etag"
    ;;
304)
    touch "$LK_SOURCES"
    ;;
*)
    code=1
    echo "acl.sh: no list from Linekeeper: status $status" >&2
    if [[ -s $LK_SOURCES ]] && (($(date +%s) - $(stat -c %Y "$LK_SOURCES") > ${LK_SOURCES_KEEP:-900})); then
        echo "acl.sh: the list is too old and has been emptied" >&2
        rm -f "$LK_SOURCES.etag"
        : >"$work/list"
        put
    fi
    ;;
esac
if [[ -e $LK_SOURCES.new ]]; then
    reload
    rm -f "$LK_SOURCES.new"
fi
exit "$code"
