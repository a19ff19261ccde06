# shellcheck shell=bash disable=SC2034 # what is set here is for the caller
# Kamailio and SIPp for tests/bench/sip.sh, Debian's, which tests/run.sh unpacks. Sourced from the project's folder
# after lib.sh; `work` is a folder for what it writes.
#
#   kamailio_here                     whether the programs are
#   kamailio_users COUNT FOLDER       the users: users.py
#   kamailio_start MODE FOLDER [URL]  MODE of kamailio.cfg, FOLDER's users, URL http://x:KEY@HOST:PORT for LINEKEEPER.
#                                     Sets kamailio_pid, kamailio_port
#   kamailio_calls MODE FOLDER COUNT OPEN   prints "calls/s failed retransmissions", OPEN calls at a time
#   kamailio_cpu_us                   CPU of all its processes so far
#   kamailio_stop

# sip_run PROGRAM ARGUMENTS...: the machine's own, or the unpacked one, in place of this shell.
sip_run() {
    local program=$1 path root=$PWD/build/$1 modules=()
    shift
    if path=$(PATH=$PATH:/usr/sbin command -v "$program"); then
        exec "$path" "$@"
    fi
    path=$(compgen -G "$root/usr/*bin/$program") || return 127
    [[ $program != kamailio ]] || modules=(-L "$(compgen -G "$root/usr/lib/*/kamailio/modules")")
    LD_LIBRARY_PATH=$(compgen -G "$root/usr/lib/*-linux-gnu*" | paste -sd:):$(compgen -G "$root/usr/lib/*/kamailio" | paste -sd:)
    export LD_LIBRARY_PATH
    exec "$path" "${modules[@]}" "$@"
}

sip_has() { [[ $(sip_run "$1" -v 2>&1) == *"$2"* ]]; }
kamailio_here() { sip_has kamailio 'version: kamailio' && sip_has sipp SIPp; }

kamailio_users() {
    mkdir -p "$2"
    /usr/bin/python3 tests/bench/sip/users.py "$1" "$2"
}

kamailio_answers() {
    /usr/bin/python3 - "$kamailio_port" <<'PY'
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    line.settimeout(0.5)
    line.connect(("127.0.0.1", int(sys.argv[1])))
    here = "%s:%d" % line.getsockname()
    line.send(f"OPTIONS sip:x@x SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKx\r\nFrom: <sip:x@x>;tag=x\r\nTo: <sip:x@x>\r\n"
              "Call-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode())
    sys.exit(not line.recv(4096).startswith(b"SIP/2.0 200"))
PY
}

kamailio_start() {
    local mode=$1 folder=$2
    kamailio_port=$(free_port)
    (
        BENCH_URL=${3:-} BENCH_DB=$folder/users.db BENCH_HA1=$(cat "$folder/ha1")
        export BENCH_URL BENCH_DB BENCH_HA1
        sip_run kamailio -f tests/bench/sip/kamailio.cfg -A "$mode" -l "udp:127.0.0.1:$kamailio_port" -m 256 -DD -w "$folder" -P "$folder/kamailio.pid"
    ) >>"${work:?}/kamailio.log" 2>&1 &
    kamailio_pid=$!
    pids+=("$kamailio_pid")
    await "kamailio ($mode)" kamailio_answers
}

kamailio_stop() {
    kill "$kamailio_pid" 2>/dev/null || true
    wait "$kamailio_pid" 2>/dev/null || true
}

# The last line of SIPp's statistics, by the head's names.
kamailio_calls() {
    local mode=$1 folder=$2 users=users.csv
    [[ $mode != FIXED ]] || users=one.csv
    (sip_run sipp "127.0.0.1:$kamailio_port" -sf tests/bench/sip/call.xml -inf "$folder/$users" -m "$3" -l "$4" -r 100000 -i 127.0.0.1 \
        -p "$(free_port)" -nostdin -trace_stat -stf "$folder/calls.csv" -fd 60 -timeout 120 -timeout_error) >"$work/sipp.log" 2>&1 || true
    awk -F';' '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { split($at["StartTime"], begun, "\t"); split($at["CurrentTime"], ended, "\t")
          done = $at["SuccessfulCall(C)"]; failed = $at["FailedCall(C)"]; again = $at["Retransmissions(C)"]
          seconds = ended[3] - begun[3] }
        END { printf "%.0f %d %d\n", done / seconds, failed, again }' "$folder/calls.csv"
}

kamailio_cpu_us() {
    local pid
    for pid in $kamailio_pid $(pgrep -P "$kamailio_pid"); do
        awk '{print ($14 + $15) * 10000}' "/proc/$pid/stat"
    done | awk '{sum += $1} END {print sum + 0}'
}
