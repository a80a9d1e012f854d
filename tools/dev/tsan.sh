# shellcheck shell=bash
# the tests under ThreadSanitizer
help() {
  cat <<'TEXT'
./dev tsan [-R REGEX] [CTEST ARGUMENT...]: the tests of the floors under ThreadSanitizer; the first
race ends a test. Left out are codec's tests but for those with threads, the examples, the command,
what generates code and the tools' own tests: nothing there is shared between threads but what the
others show.

Examples:
  ./dev tsan
  ./dev tsan -R ManyWorkers --repeat until-fail:20

Options: those of ./dev test. TSAN_OPTIONS replaces the defaults when set.
Results also go to build/tsan/junit.xml.
Exit code: 0 all passed, 1 the build failed, 2 usage, 3 packages missing, 8 a test failed.
TEXT
}

main() {
  need build
  # Shadow memory has fixed places, and a kernel that spreads mappings wide (vm.mmap_rnd_bits above
  # 28) may put something there: "FATAL: unexpected memory mapping". So nothing is spread, where the
  # kernel lets us say so (some containers do not).
  if setarch -R true 2>/dev/null; then test_under=(setarch -R); fi
  run_tests tsan "$@"
}
