# shellcheck shell=bash
# the tests under AddressSanitizer and UndefinedBehaviorSanitizer
help() {
  cat <<'TEXT'
./dev asan [-R REGEX] [CTEST ARGUMENT...]: the tests under AddressSanitizer (with leak check) and
UndefinedBehaviorSanitizer; the first finding ends a test.

Examples:
  ./dev asan
  ./dev asan -R Bytes

Options: those of ./dev test. ASAN_OPTIONS and UBSAN_OPTIONS replace the defaults when set.
Results also go to build/asan/junit.xml.
Exit code: 0 all passed, 1 the build failed, 2 usage, 3 packages missing, 8 a test failed.
TEXT
}

main() {
  need build
  run_tests asan "$@"
}
