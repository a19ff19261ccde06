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
        (umask 077 && "$@" >"$file.made") # whole, before it is the file
        write_secret "$file" <"$file.made"
        rm -f "$file.made"
    fi
}

# new_seal_key [ID]
new_seal_key() {
    printf '%s:%s\n' "${1:-1}" "$(random_hex)"
}

new_hash_key() {
    printf '%s\n' "$(random_hex)"
}

# The secret key of an end of CURVE; `gateway curve-keys` makes the same where there is a gateway.
new_curve_key() {
    printf '%s\n' "$(random_hex)"
}

# curve_public FILE: the public key of the secret one in the file. CURVE's keys are those of X25519,
# which openssl takes with its own bytes in front (RFC 8410).
curve_public() {
    local escaped
    escaped=$(sed 's/../\\x&/g' "$1")
    # shellcheck disable=SC2059 # the bytes are the format: no process may have the key as an argument
    printf "\\x30\\x2e\\x02\\x01\\x00\\x30\\x05\\x06\\x03\\x2b\\x65\\x6e\\x04\\x22\\x04\\x20$escaped" |
        openssl pkey -inform DER -pubout -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \n'
    echo
}
