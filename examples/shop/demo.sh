#!/usr/bin/env bash
# The shop and a customer, two processes on this machine; then the shop stays open for you.
#
#   demo.sh BUILD_DIR           until Ctrl-C, which closes it cleanly
#   demo.sh BUILD_DIR --once    checks every answer and the commands it prints, then ends: 0 or 1
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 || ($# -eq 2 && $2 != --once) ]]; then
  echo "usage: demo.sh BUILD_DIR [--once]" >&2
  exit 2
fi
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build=$(cd -- "$1" && pwd)
once=${2:-}
parley=$build/bin/parley
for program in "$parley" "$build/examples/shop_service" "$build/examples/shop_client"; do
  if [[ ! -x $program ]]; then
    echo "demo: $program is missing; build it: cmake --build $build --target demo" >&2
    exit 1
  fi
done

work=$(mktemp -d)
service=""
printer=""

# Every way out leads through here: the service ends before this script does.
# shellcheck disable=SC2317 # reached through the trap
clean_up() {
  local code=$?
  trap '' INT TERM HUP
  trap - EXIT
  if [[ -n $service ]]; then
    kill -TERM "$service" 2>/dev/null || true
    if ! wait "$service"; then
      echo "demo: the shop did not end cleanly" >&2
      code=1
    fi
  fi
  if [[ -n $printer ]]; then wait "$printer" || true; fi
  rm -rf "$work"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
  echo "demo: $*" >&2
  exit 1
}

# The service gets a session of its own: Ctrl-C at the terminal reaches this script, which tells the
# service once. (It would take a second signal for impatience and end at once.)
mkfifo "$work/output"
# Should this script be killed outright, the kernel tells the service.
setsid setpriv --pdeathsig TERM \
  "$build/examples/shop_service" "$here/inventory.json" >"$work/output" &
service=$!
exec 3<"$work/output"
read -r -t 20 ready <&3 || fail "the shop did not open within 20 s"
echo "$ready"
address=${ready##* }
tee -i "$work/log" <&3 &
printer=$!

"$build/examples/shop_client" "$address" "$here/orders.jsonl" || fail "the customer complains"

# Shown as somebody in this folder would type it.
shown=$parley
[[ $shown == "$PWD"/* ]] && shown=${shown#"$PWD"/}
call="$shown call $address /order/place '{\"sku\":\"tea\",\"quantity\":2}'"
add="$shown call $address /math/add 1 2"
push="$shown push $address /shop/announce '\"fresh tea\"'"

wait_for_line() {
  for _ in $(seq 200); do
    if grep -qxF "$1" "$work/log"; then return 0; fi
    sleep 0.05
  done
  fail "the shop did not print: $1"
}

# Runs a command as printed, and compares its output.
expect() {
  local output
  output=$(bash -c "$1") || fail "exit code $? from: $1"
  # shellcheck disable=SC2053 # the right side is a pattern
  [[ $output == $2 ]] || fail "$1 printed: $output"
  [[ -z $output ]] || printf '%s\n' "$output"
}

if [[ $once == --once ]]; then
  printf '\n$ %s\n' "$call"
  expect "$call" '{"number":*,"sku":"tea","quantity":2,"total_cents":900}'
  printf '$ %s\n' "$add"
  expect "$add" 3
  printf '$ %s\n' "$push"
  expect "$push" ''
  wait_for_line "shop: announcement: fresh tea"
  exit 0
fi

printf '\nThe shop stays open. From another terminal:\n\n  %s\n  %s\n  %s\n\nCtrl-C closes it.\n' \
  "$call" "$add" "$push"
trap 'exit 0' INT TERM HUP
wait "$service" || true
service=""
fail "the shop ended by itself"
