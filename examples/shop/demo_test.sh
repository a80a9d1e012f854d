#!/usr/bin/env bash
# Ctrl-C ends the demo with exit code 0, after the shop said good bye, and leaves no process behind.
#
#   demo_test.sh BUILD_DIR
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
demo=""
trap '[[ -z $demo ]] || kill -TERM "$demo" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
  echo "demo_test: $*" >&2
  cat "$work/output" >&2
  exit 1
}

# A shell without job control starts what runs beside it with SIGINT ignored, and the demo could not
# undo that; with job control it is as at a terminal.
set -m
"$here/demo.sh" "$1" >"$work/output" 2>&1 &
demo=$!
set +m
for _ in $(seq 600); do
  if grep -q '^Ctrl-C closes it' "$work/output"; then break; fi
  kill -0 "$demo" 2>/dev/null || fail "the demo ended by itself"
  sleep 0.1
done
grep -q '^Ctrl-C closes it' "$work/output" || fail "the demo was not ready within a minute"
address=$(sed -n 's/^shop: open at //p' "$work/output")

kill -INT -- "-$demo"  # the whole group, as a terminal does
code=0
wait "$demo" || code=$?
demo=""
[[ $code -eq 0 ]] || fail "exit code $code"
grep -q '^shop: closed after [0-9]* calls; good bye$' "$work/output" || fail "no farewell"
if "$1/bin/parley" call "$address" /math/add 1 2 2>/dev/null; then fail "the shop is still open"; fi
echo "ended cleanly"
