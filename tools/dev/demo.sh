# shellcheck shell=bash
# see Parley at work
help() {
  cat <<'TEXT'
./dev demo [--once]: builds, then runs the shop example: a service and a customer, two processes.
The shop then stays open for you until Ctrl-C.

Examples:
  ./dev demo
  ./dev demo --once     check every answer, then close the shop

Options:
  --once   end when the customer has gone; the exit code says whether all was as it should be
Exit code: 0 the demo did what it says, 1 it did not, 2 usage, 3 packages missing.
TEXT
}

main() {
  case "${1:-}" in
    "" | --once) ;;
    *) wrong_usage "no option '$1'" ;;
  esac
  [[ -f examples/shop/demo.sh ]] || fail 1 "examples/shop/demo.sh is not there"
  need build
  build dev demo
  exec bash examples/shop/demo.sh "$build_root/dev" "$@"
}
