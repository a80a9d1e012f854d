# shellcheck shell=bash
# everything CI does, on this machine
help() {
  cat <<'TEXT'
./dev ci: everything CI does, in its order, stopping at the first stage that fails.

Examples:
  ./dev ci
  PARLEY_FUZZ_TOTAL=30 ./dev ci      fuzz for half a minute instead of eight

Environment:
  PARLEY_FUZZ_TOTAL   seconds of fuzzing, shared by all fuzz programs (default: 480)
A table of the stages and their seconds ends the output.
Exit code: 0 all stages passed, 1 one failed.
TEXT
}

main() {
  (($# == 0)) || wrong_usage "no option '$1'"
  exec "$root/.ci/run"
}
