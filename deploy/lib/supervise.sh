# shellcheck shell=bash
# Keeps processes running: starts them again with a back-off, and ends them all in time. One loop in
# one shell, without a process of its own per child, so that nothing outlives it: every child asks
# the kernel for SIGTERM when this shell dies. Sourced after common.sh.

readonly BACK_OFF_FIRST_MS=100 BACK_OFF_LAST_MS=1000
readonly RAN_WELL_MS=10000  # after that long a death starts the back-off anew
readonly HOPELESS=6         # deaths of one process before the suite was ever ready
readonly GATEWAY_MORE_MS=2000 # beyond its own limits the workers stay so long, for what the gateway still has to answer
readonly KILL_MORE_MS=300   # beyond all limits; by run.sh's settings the rest of 5 s is for the shell, on a busy machine too
readonly HURRY_MS=1000      # after a second signal
readonly EXIT_BAD_CONFIG=78 # of the programs: starting again won't help
readonly EXIT_DAMAGED=65    # of the programs: their database is; nothing changes until it is restored
readonly DAMAGED_MS=30000

# One entry each per process.
CHILD_NAME=()  # gateway.1
CHILD_PROGRAM=()
CHILD_PID=()   # "" while it is down
CHILD_SINCE=() # when it was started, or is to be
CHILD_DELAY=()
CHILD_DEATHS=()

# A pipe that nobody writes to: `read -t` on it sleeps without a process.
exec {NEVER}<> <(:)

# now_ms VARIABLE: sets it, without a process.
now_ms() {
    local microseconds=${EPOCHREALTIME/[.,]/}
    printf -v "$1" '%s' "${microseconds%???}"
}

pause() {
    read -r -t "$1" -u "$NEVER" || true
}

# child_add PROGRAM NUMBER
child_add() {
    CHILD_NAME+=("${1##*/}.$2")
    CHILD_PROGRAM+=("$1")
    CHILD_PID+=("")
    CHILD_SINCE+=(0)
    CHILD_DELAY+=("$BACK_OFF_FIRST_MS")
    CHILD_DEATHS+=(0)
}

child_pid_file() {
    printf '%s/%s.pid' "$RUN_DIR" "${CHILD_NAME[$1]}"
}

child_start() {
    local i=$1 now file
    file=$(child_pid_file "$i")
    now_ms now
    # A session of its own: Ctrl-C in a terminal is for this shell, which ends them in order.
    setpriv --pdeathsig TERM -- setsid -- "${CHILD_PROGRAM[i]}" </dev/null {NEVER}<&- &
    CHILD_PID[i]=$!
    CHILD_SINCE[i]=$now
    printf '%s\n' "$!" >"$file.new"
    mv -f "$file.new" "$file"
}

# Looks after one child; fails, with what to exit with, when the suite can't go on.
# child_watch INDEX READY
child_watch() {
    local i=$1 ready=$2 now status=0
    now_ms now
    if [[ -z ${CHILD_PID[i]} ]]; then
        if ((now >= CHILD_SINCE[i])); then
            child_start "$i"
        fi
        return 0
    fi
    if kill -0 "${CHILD_PID[i]}" 2>/dev/null; then
        return 0
    fi
    wait "${CHILD_PID[i]}" || status=$?
    CHILD_PID[i]=
    rm -f "$(child_pid_file "$i")"
    CHILD_DEATHS[i]=$((CHILD_DEATHS[i] + 1))
    if ((status == EXIT_BAD_CONFIG)); then
        complain "${CHILD_NAME[i]} can't run as it is configured (exit code $status): its own message stands above"
        return "$EXIT_BAD_CONFIG"
    fi
    if ((status == EXIT_DAMAGED)); then
        complain "${CHILD_NAME[i]} can't run: its database is damaged; its own message stands above"
        ((ready)) || return "$EXIT_DAMAGED"
        CHILD_SINCE[i]=$((now + DAMAGED_MS))
        return 0
    fi
    # An address that is taken stays so; by a signal it may have died for other reasons.
    if ((!ready && status < 128)) && [[ ${CHILD_NAME[i]} == gateway.* ]]; then
        complain "${CHILD_NAME[i]} can't start (exit code $status): its own message stands above"
        return 1
    fi
    if ((!ready && CHILD_DEATHS[i] >= HOPELESS)); then
        complain "${CHILD_NAME[i]} died ${CHILD_DEATHS[i]} times (exit code $status) and the suite was never ready"
        return 1
    fi
    if ((now - CHILD_SINCE[i] >= RAN_WELL_MS)); then
        CHILD_DELAY[i]=$BACK_OFF_FIRST_MS
    fi
    complain "${CHILD_NAME[i]} died (exit code $status); starting it again in ${CHILD_DELAY[i]} ms"
    CHILD_SINCE[i]=$((now + CHILD_DELAY[i]))
    CHILD_DELAY[i]=$((CHILD_DELAY[i] * 2 > BACK_OFF_LAST_MS ? BACK_OFF_LAST_MS : CHILD_DELAY[i] * 2))
}

# Looks after all of them.
children_watch() {
    local i
    for i in "${!CHILD_NAME[@]}"; do
        child_watch "$i" "$1" || return
    done
}

# children_signal SIGNAL PATTERN: those alive whose name fits; fails if there are none.
children_signal() {
    local i any=1
    for i in "${!CHILD_NAME[@]}"; do
        # shellcheck disable=SC2053 # a pattern is meant
        if [[ -n ${CHILD_PID[i]} && ${CHILD_NAME[i]} == $2 ]] && kill -"$1" "${CHILD_PID[i]}" 2>/dev/null; then
            any=0
        fi
    done
    return "$any"
}

# children_await PATTERN UNTIL_MS SIGNALS: until none of them lives, the time has come, or this shell
# has been told to stop more often than that.
children_await() {
    local now
    now_ms now
    while children_signal 0 "$1" && ((now < $2 && STOPPING <= $3)); do
        pause 0.02
        now_ms now
    done
}

# number VALUE: a setting that the programs will refuse counts as nothing.
number() {
    if [[ $1 =~ ^[0-9]{1,7}$ ]]; then
        printf '%s' "$((10#$1))"
    else
        printf '0'
    fi
}

# Ends all: the gateway first, so that it can answer what it has taken; then the workers. Signalled
# together with it, the workers would turn away what waits in the gateway. A second signal to this
# shell ends the waiting.
children_stop() {
    local gateway_ms kill_ms drain_ms now i
    drain_ms=$(($(number "${LK_DRAIN_SECONDS:-}") * 1000))
    now_ms now
    gateway_ms=$((now + $(number "${LK_NOT_READY_MS:-}") + drain_ms + GATEWAY_MORE_MS))
    kill_ms=$((gateway_ms + drain_ms + KILL_MORE_MS))
    children_signal TERM 'gateway.*' || true
    children_await 'gateway.*' "$gateway_ms" 1
    children_signal TERM '*' || true
    children_await '*' "$kill_ms" 1
    if ((STOPPING > 1)); then
        children_signal TERM '*' || true
        now_ms now
        children_await '*' $((now + HURRY_MS)) "$STOPPING"
    fi
    children_signal KILL '*' || true
    for i in "${!CHILD_NAME[@]}"; do
        if [[ -n ${CHILD_PID[i]} ]]; then
            wait "${CHILD_PID[i]}" 2>/dev/null || true
        fi
        rm -f "$(child_pid_file "$i")"
    done
}
