# shellcheck shell=bash
# build, then run the tests
help() {
  cat <<'TEXT'
./dev test [-R REGEX] [--preset P] [CTEST ARGUMENT...]: builds, then runs the tests with ctest.

Examples:
  ./dev test                                  every test
  ./dev test -R Json                          the tests whose name matches
  ./dev test -R Channel --repeat until-fail:50
  ./dev test --rerun-failed

Options:
  -R REGEX     only tests whose name matches; that none does is an error
  --preset P   dev (default), release, asan or tsan
  anything else goes to ctest
Results also go to build/<preset>/junit.xml (those of this run only).
Exit code: 0 all passed, 1 the build failed, 2 usage, 3 packages missing, 8 a test failed.
TEXT
}

main() {
  local preset=dev
  local -a passed_on=()
  while (($# > 0)); do
    case "$1" in
      --preset)
        preset="${2:-}"
        check_preset "$preset"
        shift
        ;;
      *) passed_on+=("$1") ;;
    esac
    shift
  done
  need build
  run_tests "$preset" "${passed_on[@]}"
}
