#!/bin/sh
# split_test.sh PROGRAM: as two processes it says what it says as one.
set -eu
program=$1
address=unix:@parley-inprocess-$$
together=$("$program")
"$program" shop "$address" &
shop=$!
trap 'kill "$shop" 2>/dev/null || true' EXIT
apart=$("$program" till "$address")
kill -TERM "$shop"
trap - EXIT
wait "$shop"
[ "$together" = "$apart" ] || { echo "one process: $together; two: $apart"; exit 1; }
