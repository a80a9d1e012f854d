# shellcheck shell=bash
# install what all subcommands need, now rather than later
help() {
  cat <<'TEXT'
./dev setup [--list]: installs what all subcommands need, so that none of them has to later.

Examples:
  ./dev setup
  ./dev setup --list      name the Debian packages, install nothing

Options:
  --list   print the packages, one a line
Exit code: 0 all there, 2 usage, 3 something could not be installed.
TEXT
}

main() {
  case "${1:-}" in
    "")
      need build format lint bench conformance aarch64
      node_packages
      ;;
    --list) printf '%s\n' "${packages_of[@]}" | tr -s ' ' '\n' | sort -u ;;
    *) wrong_usage "no option '$1'" ;;
  esac
}
