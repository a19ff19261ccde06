# shellcheck shell=bash
# The secrets that a suite needs before its first start. Each is made once: what is there stays.
# Sourced, never run.

# write_secret FILE: what comes in becomes the file's content, all of it or nothing, for the owner alone.
write_secret() {
    (umask 077 && cat >"$1.new")
    sync "$1.new"
    mv -f "$1.new" "$1"
}

random_hex() {
    od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# make_secret FILE COMMAND...: the file with what the command writes, and its folder.
make_secret() {
    local file=$1
    shift
    if [[ ! -e $file ]]; then
        mkdir -p "$(dirname "$file")"
        "$@" | write_secret "$file"
    fi
}

new_seal_key() {
    printf '1:%s\n' "$(random_hex)"
}

new_hash_key() {
    printf '%s\n' "$(random_hex)"
}
