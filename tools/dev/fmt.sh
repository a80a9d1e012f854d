# shellcheck shell=bash
# format all C++ files
help() {
  cat <<'TEXT'
./dev fmt [--check]: formats every .h and .cc file with clang-format-19 and the repository's style.

Examples:
  ./dev fmt
  ./dev fmt --check     change nothing, name what would change

Options:
  --check   write no file; exit 1 when one would change
Exit code: 0 formatted, 1 --check found something, 2 usage, 3 packages missing.
TEXT
}

main() {
  local check=""
  case "${1:-}" in
    "") ;;
    --check) check=1 ;;
    *) wrong_usage "no option '$1'" ;;
  esac
  need format
  local -a files
  mapfile -t files < <(cxx_files)
  if ((${#files[@]} == 0)); then
    say "no C++ file to format"
    return
  fi
  local -a mode=(-i)
  [[ -z "$check" ]] || mode=(--dry-run --Werror)
  say "clang-format ${mode[0]} on ${#files[@]} files"
  printf '%s\0' "${files[@]}" | xargs -0 -P "$jobs" -n 20 clang-format-19 "${mode[@]}" ||
    fail 1 "some files are not formatted: run ./dev fmt"
}
