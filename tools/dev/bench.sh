# shellcheck shell=bash
# run a benchmark
help() {
  cat <<'TEXT'
./dev bench [NAME [ARGUMENT...]]: builds the release preset and runs bench/NAME.py, which writes
JSON lines to stdout and what it does to stderr. Without NAME, lists the benchmarks.

Examples:
  ./dev bench
  ./dev bench rpc
  ./dev bench rpc --runs 9 > rpc.jsonl

Options:
  --runs N     measure N times; below 5 there are no JSON lines
  anything else goes to the benchmark (bench/NAME.py --help explains)
Exit code: 0 measured, 1 failed, 2 usage, 3 packages missing.
TEXT
}

bench_names() {
  local file
  # What can be started has a shebang; what is only imported has none.
  for file in bench/*.py; do
    if [[ -f "$file" && "$(head -c 2 "$file")" == '#!' ]]; then basename "$file" .py; fi
  done
}

main() {
  local -a names
  mapfile -t names < <(bench_names)
  if (($# == 0)); then
    ((${#names[@]} == 0)) && fail 1 "no benchmark stands in bench/"
    printf '%s\n' "${names[@]}"
    return
  fi
  local which="$1"
  shift
  if [[ " ${names[*]} " != *" $which "* ]]; then
    wrong_usage "no benchmark '$which'$(did_you_mean "$which" "${names[@]}")"
  fi
  need build bench
  build release
  say "bench/$which.py"
  exec python3 "bench/$which.py" --build "$build_root/release" "$@" </dev/null
}
