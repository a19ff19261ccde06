# shellcheck shell=bash
# What run.sh and tests/run.sh share: one line for an error, and commands that are quiet unless
# they fail. Sourced, never run.

# The last word on standard error: one line.
complain() {
    printf '%s: %s\n' "${PROGRAM:-linekeeper}" "$*" >&2
}

# What happens, for people.
tell() {
    printf '%s: %s\n' "${PROGRAM:-linekeeper}" "$*"
}

# Runs a command with its output in a file. In the background, so that a signal is served at once;
# and it dies with this shell.
# quietly LOG COMMAND...
quietly() {
    local log=$1 status=0
    shift
    setpriv --pdeathsig TERM -- "$@" >>"$log" 2>&1 </dev/null &
    QUIET_PID=$!
    wait "$QUIET_PID" || status=$?
    QUIET_PID=
    return "$status"
}
