#!/usr/bin/env bash
# Random operations of all services, random faults, and a verdict: see --help.
set -euo pipefail

PROGRAM=tests/soak/run.sh
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../deploy/lib/common.sh
source "$ROOT/deploy/lib/common.sh"

usage() {
    cat <<'TEXT'
tests/soak/run.sh MINUTES [--kills [--load]] [--every SECONDS] [--clients N] [--seed N]

Starts two gateways and three workers of each service in a directory of their own, writes and reads without a
pause, lets something go wrong every two seconds, and compares what clients were told with what is kept.

  MINUTES     how long; 0.5 is half a minute. A state line every ten seconds, counts and a verdict at the end
  --kills     one gateway, and nothing but kill -9: of a random worker, or of one in the midst of a write.
              Clients give no Idempotency-Key, and a single error that one of them sees is a failure
  --load      besides, as many reads and writes as the machine will do, by wrk
  --every     seconds from one fault to the next (2)
  --clients   how many at the same time (8)
  --seed      choices as in the run that named it; what happens between processes is never the same

Faults: workers and gateways killed, workers at one exact moment of a write too; both ended, or stopped for a
while; the network between a gateway and its workers cut, one way or both; the wall clock put forward or back; the
write gate held by another process; the database locked; file descriptors exhausted; API keys revoked; strangers'
bytes; clients that send half a request. A full disk and a damaged database are not among them: integration_loss_disk
and integration_loss_database show these by themselves. One gateway and one worker of each service are never ended:
their memory, descriptors and threads may not grow; write-ahead logs and databases have bounds too.

Programs come from LK_BIN_DIR; without it build/ci is built first, as tests/run.sh does. Exit code 0: nothing
is wrong.
TEXT
}

case ${1:-} in
'' | --help | -h)
    usage
    [[ -n ${1:-} ]] || exit 64
    exit 0
    ;;
esac
if [[ -z ${LK_BIN_DIR:-} ]]; then
    mkdir -p "$ROOT/build/logs"
    log=$ROOT/build/logs/soak.log
    : >"$log"
    tell "building (log: $log)"
    if ! quietly "$log" cmake --preset ci -S "$ROOT" || ! quietly "$log" cmake --build "$ROOT/build/ci"; then
        tail -n 20 "$log" >&2
        complain "the build failed"
        exit 1
    fi
    export LK_BIN_DIR=$ROOT/build/ci/bin
fi
exec /usr/bin/python3 "$ROOT/tests/soak/soak.py" "$@"
