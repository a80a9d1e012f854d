# shellcheck shell=bash
# format, house style, clang-tidy, and headers that stand alone
help() {
  cat <<'TEXT'
./dev lint [--changed | --new | --tests] [--quick]: everything a machine can say about the style.
It changes no file of yours. clang-format, then tools/tidy (the house's own rules), then
clang-tidy-19 over the dev build, then each header compiled alone. clang-tidy remembers clean files:
a second run looks only at what changed, in the file itself or in a header it includes. It leaves
tests out unless they are asked for or have changed: half of its time for what the compiler's
warnings mostly find as well. A clean run over all is recorded in tools/dev/linted.txt, by the text
of each file; CI looks only at what is not recorded, so commit the record with what you changed.

Examples:
  ./dev lint
  ./dev lint --changed      clang-tidy only on what differs from the last commit
  ./dev lint --quick        only what needs no build: clang-format and tools/tidy

Options:
  --changed   clang-tidy looks only at files changed against HEAD, and at those that include one
  --new       clang-tidy looks only at files that tools/dev/linted.txt does not have as they are
  --tests     clang-tidy looks at tests and fuzz programs too
  --quick     stop after tools/tidy
Exit code: 0 clean, 1 something to mend, 2 usage, 3 packages missing.
TEXT
}

main() {
  local quick=""
  local -a which=(--record tools/dev/linted.txt)
  while (($# > 0)); do
    case "$1" in
      --changed) which=(--changed) ;;
      --new) which=(--unrecorded tools/dev/linted.txt) ;;
      --tests) which=(--tests) ;;
      --quick) quick=1 ;;
      *) wrong_usage "no option '$1'" ;;
    esac
    shift
  done
  need build format lint
  (source "$root/tools/dev/fmt.sh" && main --check)
  say "tools/tidy"
  python3 tools/tidy || fail 1 "tools/tidy found something, see above"
  [[ -z "$quick" ]] || return 0
  # Also builds what clang-tidy reads: the compile database and the list of included headers.
  build dev all headers
  say "clang-tidy"
  python3 tools/dev/clang_tidy.py --build "$build_root/dev" --stamps "$build_root/tidy" \
    --jobs "$jobs" "${which[@]}" || fail 1 "clang-tidy found something, see above"
}
