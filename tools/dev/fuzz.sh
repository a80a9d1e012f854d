# shellcheck shell=bash
# let libFuzzer look for inputs that break a parser
help() {
  cat <<'TEXT'
./dev fuzz [NAME...] [--seconds N | --total N] [--seed N]: builds with clang-19, ASan and UBSan,
then lets libFuzzer run NAME, or every fuzz program. It starts from the committed corpus and keeps
what it learns in build/fuzz-corpus.

Examples:
  ./dev fuzz                           all, a minute each
  ./dev fuzz json_fuzz --seconds 600
  ./dev fuzz --total 480               eight minutes, shared by all
  ./dev fuzz --list

Options:
  --seconds N   seconds for each program (default: 60)
  --total N     N seconds in all: each program gets its share, at least one second
  --seed N      where the random numbers begin (default: a number made from the last commit, so that
                what was found there is found again)
  --list        name the fuzz programs and leave
A finding is kept in build/fuzz-artifacts and printed with the command that repeats it; once mended,
put it into the corpus (parley/<floor>/corpus/<name>), where every ./dev test replays it.
Exit code: 0 nothing found, 1 a finding or a failed build, 2 usage, 3 packages missing.
TEXT
}

positive() {
  [[ "$1" =~ ^[1-9][0-9]*$ ]] || wrong_usage "$2 wants a number of seconds above 0, got '$1'"
}

# fuzz_one NAME CORPUS PROGRAM SECONDS: its output goes to a log, a verdict to stdout.
fuzz_one() {
  local fuzzer="$1" corpus="$2" program="$3" seconds="$4"
  local learned="$build_root/fuzz-corpus/$fuzzer" log="$build_root/fuzz-artifacts/$fuzzer.log"
  local prefix="$build_root/fuzz-artifacts/$fuzzer-" artifact="" status=0 child=""
  local -a inputs=("$learned") extra=()
  mkdir -p "$learned"
  [[ ! -d "$corpus" ]] || inputs+=("$corpus")
  [[ ! -f "$corpus.dict" ]] || extra+=("-dict=$corpus.dict")
  "$program" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$prefix" "${extra[@]}" "${inputs[@]}" \
    >"$log" 2>&1 </dev/null &
  # Bash gives a job in the background no Ctrl-C, so it is passed on.
  trap 'kill "$child" 2>/dev/null' TERM
  child=$!
  wait "$child" || status=$?
  if ((status == 0)); then
    printf '%-24s %4ss  %s runs, nothing found\n' "$fuzzer" "$seconds" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    return 0
  fi
  artifact="$(sed -n 's/^.*Test unit written to //p' "$log" | head -n 1)"
  {
    printf '%s FOUND SOMETHING (exit code %s); the end of %s:\n' \
      "$fuzzer" "$status" "$(short "$log")"
    tail -n 40 "$log"
    printf 'repeat it with:\n  %s %s\n' "$(short "$program")" "$(short "${artifact:-$corpus}")"
  }
  return 1
}

main() {
  local seconds=60 total="" seed="" list="" fuzzer corpus program found=0 running=0
  local -a wanted=() names=() chosen=()
  while (($# > 0)); do
    case "$1" in
      --seconds)
        seconds="${2:-}"
        positive "$seconds" --seconds
        shift
        ;;
      --total)
        total="${2:-}"
        positive "$total" --total
        shift
        ;;
      --seed)
        seed="${2:-}"
        [[ "$seed" =~ ^[1-9][0-9]{0,8}$ ]] ||
          wrong_usage "--seed wants a number from 1 to 999999999, got '$seed'"
        shift
        ;;
      --list) list=1 ;;
      -*) wrong_usage "no option '$1'" ;;
      *) wanted+=("$1") ;;
    esac
    shift
  done
  need build
  configure asan
  # Brings the list of programs up to date when a CMakeLists.txt changed.
  cmake --build "$build_root/asan" --target fuzz_programs_listed >/dev/null </dev/null ||
    fail 1 "configuring the asan build failed: cmake --build $(short "$build_root/asan")"
  local -A corpus_of=() program_of=()
  while IFS='|' read -r fuzzer corpus program; do
    [[ -n "$fuzzer" ]] || continue
    names+=("$fuzzer")
    corpus_of[$fuzzer]="$corpus"
    program_of[$fuzzer]="$program"
  done <"$build_root/asan/fuzzers.txt"
  ((${#names[@]} > 0)) || fail 1 "no floor names a fuzz program (FUZZ in its CMakeLists.txt)"
  if [[ -n "$list" ]]; then
    printf '%s\n' "${names[@]}"
    return
  fi
  chosen=("${wanted[@]}")
  ((${#chosen[@]} > 0)) || chosen=("${names[@]}")
  for fuzzer in "${chosen[@]}"; do
    [[ -z "${program_of[$fuzzer]:-}" ]] || continue
    wrong_usage "no fuzz program '$fuzzer'$(did_you_mean "$fuzzer" "${names[@]}")"
  done
  if [[ -n "$total" ]]; then
    seconds=$((total / ${#chosen[@]}))
    ((seconds > 0)) || seconds=1
  fi
  build asan "${chosen[@]}"
  sanitizer_environment
  mkdir -p "$build_root/fuzz-artifacts"
  if [[ -z "$seed" ]]; then
    seed=$((16#$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1)))
  fi
  say "fuzzing ${chosen[*]}, $seconds s each, $jobs at a time, seed $seed"
  trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
  for fuzzer in "${chosen[@]}"; do
    if ((running >= jobs)); then
      wait -n || found=1
      running=$((running - 1))
    fi
    fuzz_one "$fuzzer" "${corpus_of[$fuzzer]}" "${program_of[$fuzzer]}" "$seconds" &
    running=$((running + 1))
  done
  while ((running > 0)); do
    wait -n || found=1
    running=$((running - 1))
  done
  return "$found"
}
