# shellcheck shell=bash
# run the scenarios by seeds, each seed in two processes
help() {
  cat <<'TEXT'
./dev sim SEED | --count N [--from SEED]: runs the scenarios of tests/sim in the deterministic mode
of the runtime: the seed decides scheduling, time, network and crashes. Each seed runs in two
processes, whose hashes of all events must be equal. The first seed that fails is printed as a
command, with its fibers and last events.

Examples:
  ./dev sim --count 1000
  ./dev sim 7                         again, and where two runs of it part if they do
  ./dev sim 7 --scenario peers
  ./dev sim --count 100000 --from 1001

Options:
  --count N         so many seeds, from 1 or --from
  --from SEED       the first of them
  --scenario NAME   this one only; a wrong name lists them
  --preset P        dev (default), release or asan
Exit code: 0 all held, 1 a seed failed or two runs of it differ, 2 usage, 3 packages missing.
TEXT
}

whole_number() {
  [[ "$1" =~ ^[0-9]{1,19}$ ]] || wrong_usage "$2 wants a whole number, got '$1'"
}

# The command that repeats a seed.
repeat_command() {
  printf './dev sim %s%s%s' "$1" "${scenario:+ --scenario $scenario}" "$preset_words"
}

# report NAME SEED: what a run said before it failed.
report() {
  local log="$logs/$1"
  cat "$log.err"
  printf 'seed %s FAILED; repeat it with:\n  %s\n' "$2" "$(repeat_command "$2")"
}

# One seed, event by event, in two processes at once.
sim_one() {
  local seed="$1" run twin first=0 second=0
  local -a arguments=(--seed "$seed" --events "${scenario_words[@]}")
  "$program" "${arguments[@]}" >"$logs/one" 2>"$logs/one.err" </dev/null &
  run=$!
  "$program" "${arguments[@]}" >"$logs/two" 2>"$logs/two.err" </dev/null &
  twin=$!
  # What the shell itself says of a program that aborts is of no use.
  {
    wait "$run" || first=$?
    wait "$twin" || second=$?
  } 2>/dev/null
  if ! cmp -s "$logs/one" "$logs/two"; then
    printf 'seed %s: two processes went different ways, first at:\n' "$seed"
    # Diff says 1 where it found something, which is what it is asked for.
    diff "$logs/one" "$logs/two" | sed -n '1,12p' || true
    printf 'all events: %s and %s\n' "$(short "$logs/one")" "$(short "$logs/two")"
    printf 'something that no seed decides: the real time, an address, another thread\n'
    return 1
  fi
  if ((first != 0 || second != 0)); then
    report one "$seed"
    return 1
  fi
  read -r _ hash steps <<<"$(tail -n 1 "$logs/one")"
  printf 'seed %s: held; %s steps, hash %s in two processes\n' "$seed" "$steps" "$hash"
}

# run_part NAME FROM COUNT: leaves a line for each seed in a log.
run_part() {
  exec "$program" --from "$2" --count "$3" "${scenario_words[@]}" \
    >"$logs/$1" 2>"$logs/$1.err" </dev/null
}

# judge PART FROM COUNT: both runs of a part. 1 when something is wrong with it.
judge() {
  local part="$1" from="$2" count="$3" twin line other seed
  for twin in "$part.a" "$part.b"; do
    seed=$((from + $(wc -l <"$logs/$twin")))
    if ((seed < from + count)); then
      report "$twin" "$seed"
      return 1
    fi
  done
  cmp -s "$logs/$part.a" "$logs/$part.b" && return 0
  while read -r line && read -r other <&3; do
    [[ "$line" != "$other" ]] || continue
    seed="${line%% *}"
    printf 'seed %s: two processes went different ways; see where with:\n  %s\n' "$seed" \
      "$(repeat_command "$seed")"
    return 1
  done <"$logs/$part.a" 3<"$logs/$part.b"
}

# So many seeds in parts, each part twice, on all cores.
sim_many() {
  local from="$1" count="$2" parts=$(((jobs + 1) / 2)) part first size twin failed=0
  ((parts <= count)) || parts="$count"
  trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
  for ((part = 0; part < parts; part++)); do
    first=$((from + count * part / parts))
    size=$((from + count * (part + 1) / parts - first))
    for twin in a b; do run_part "$part.$twin" "$first" "$size" & done
  done
  # A part that failed shows in its log.
  wait 2>/dev/null
  for ((part = 0; part < parts && failed == 0; part++)); do
    first=$((from + count * part / parts))
    size=$((from + count * (part + 1) / parts - first))
    judge "$part" "$first" "$size" || failed=1
  done
  ((failed == 0)) || return 1
  printf '%s seeds from %s: all held, with equal hashes in two processes\n' "$count" "$from"
}

main() {
  local seed="" count="" from="" scenario="" preset=dev preset_words="" program logs
  local -a scenario_words=()
  while (($# > 0)); do
    case "$1" in
      --count | --from)
        whole_number "${2:-}" "$1"
        if [[ "$1" == --count ]]; then count="$2"; else from="$2"; fi
        shift
        ;;
      --scenario)
        [[ -n "${2:-}" ]] || wrong_usage "--scenario wants a name"
        scenario="$2"
        scenario_words=(--scenario "$2")
        shift
        ;;
      --preset)
        preset="${2:-}"
        check_preset "$preset"
        [[ "$preset" != tsan ]] || wrong_usage "a simulation has one thread, so nothing for tsan"
        [[ "$preset" == dev ]] || preset_words=" --preset $preset"
        shift
        ;;
      -*) wrong_usage "no option '$1'" ;;
      *)
        [[ -z "$seed" ]] || wrong_usage "one SEED, or --count N"
        whole_number "$1" SEED
        seed="$1"
        ;;
    esac
    shift
  done
  [[ -n "$seed" || -n "$count" ]] || wrong_usage "SEED or --count N is missing"
  [[ -z "$seed" || -z "$count$from" ]] || wrong_usage "either SEED or --count N"
  [[ -z "$count" || "$count" -gt 0 ]] || wrong_usage "--count wants at least 1"
  need build
  build "$preset" sim
  sanitizer_environment
  program="$build_root/$preset/tests/sim/sim"
  logs="$build_root/sim"
  mkdir -p "$logs"
  if [[ -n "$scenario" ]] && ! "$program" --count 0 "${scenario_words[@]}" 2>/dev/null; then
    "$program" --list >&2
    wrong_usage "no scenario '$scenario'"
  fi
  if [[ -n "$seed" ]]; then
    sim_one "$seed"
  else
    sim_many "${from:-1}" "$count"
  fi
}
