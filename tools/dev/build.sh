# shellcheck shell=bash
# configure if needed, and build
help() {
  cat <<'TEXT'
./dev build [--preset dev|release|asan|tsan] [TARGET...]: configures if needed, and builds.

Examples:
  ./dev build                        everything, for daily work
  ./dev build codec_test             one target
  ./dev build --preset release       as shipped and as measured

Options:
  --preset P   dev (default): quick to compile, asserts and symbols; release: optimised, without
               the tests (the target `tests` is theirs);
               asan: AddressSanitizer and UndefinedBehaviorSanitizer; tsan: ThreadSanitizer
The result is in build/<preset>.
Exit code: 0 built, 1 failed, 2 usage, 3 packages missing.
TEXT
}

main() {
  local preset=dev
  local -a targets=()
  while (($# > 0)); do
    case "$1" in
      --preset)
        preset="${2:-}"
        check_preset "$preset"
        shift
        ;;
      -*) wrong_usage "no option '$1'" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  need build
  build "$preset" "${targets[@]}"
}
