# shellcheck shell=bash
# repeat the concurrency tests, shuffled and on a machine that is too small
help() {
  cat <<'TEXT'
./dev stress TIME [--preset P]: repeats the tests of fibers, network and peers for so long: in an
order that is shuffled each time, two programs at once on one processor, then on all; and new seeds
of ./dev sim beside them. Ends at the first failure and prints the command that repeats it.

Examples:
  ./dev stress 30s
  ./dev stress 10m --preset asan
  ./dev stress 8h

Options:
  TIME         seconds, minutes or hours: 30s, 10m, 8h
  --preset P   dev (default), release, asan or tsan
Exit code: 0 nothing failed, 1 a test failed, 2 usage, 3 packages missing.
TEXT
}

# A test program that has not ended after so long hangs.
program_timeout=300

seconds_of() {
  local number="${1%[smh]}"
  [[ "$1" =~ ^[1-9][0-9]{0,5}[smh]$ ]] ||
    wrong_usage "TIME wants a number and s, m or h (30s, 10m, 8h), got '$1'"
  case "$1" in
    *s) echo "$number" ;;
    *m) echo $((number * 60)) ;;
    *) echo $((number * 3600)) ;;
  esac
}

# Which processors a round has: `0`, `0-3`.
processors_of() {
  local all
  all="$(taskset -cp $$ 2>/dev/null | sed 's/.*: *//')"
  if (($1 % 2 == 0)); then echo "${all%%[-,]*}"; else echo "$all"; fi
}

# second_try LOG COMMAND...: with PARLEY_SECOND_TRY set, runs the tests that an expectation failed
# once more, by themselves, and takes down their names. 1 when they fail again or must not be tried.
second_try() {
  local log="$1" names
  shift
  [[ -n "${PARLEY_SECOND_TRY:-}" ]] || return 1
  ! grep -qaE "$sanitizer_findings" "$log" || return 1
  names="$(sed -nE 's/^\[  FAILED  \] ([^ ,]+\.[^ ,]+).*/\1/p' "$log" | sort -u)"
  [[ -n "$names" ]] || return 1
  "$@" --gtest_brief=1 --gtest_filter="${names//$'\n'/:}" >"$log.second" 2>&1 </dev/null ||
    return 1
  echo "$names" >>"$logs/flaky"
}

# stress_one PROGRAM FILTER SEED PROCESSORS: once, to a log of its own. 1 when it failed.
stress_one() {
  local test="$1" filter="$2" seed="$3" processors="$4" status=0
  local log
  log="$logs/$(basename "$test").log"
  local -a command=("$test" --gtest_brief=1 --gtest_shuffle --gtest_random_seed="$seed"
    --gtest_filter="$filter")
  timeout "$program_timeout" taskset -c "$processors" "${command[@]}" >"$log" 2>&1 </dev/null ||
    status=$?
  ((status != 0)) || return 0
  if ((status == 1)) && second_try "$log" taskset -c "$processors" "$test"; then return 0; fi
  {
    # What failed first: reports of fibers that held their worker may be long.
    grep -a -A 8 -e ': Failure$' -e 'ERROR: ' -e 'WARNING: ThreadSanitizer' "$log" | head -n 60
    tail -n 40 "$log"
    ((status != 124)) || echo "it did not end within $program_timeout s"
    printf '%s FAILED (exit code %s); repeat it with:\n  taskset -c %s' \
      "$(basename "$test")" "$status" "$processors"
    printf ' %q' "$(short "${command[0]}")" "${command[@]:1}"
    printf '\nand one test of it, until it fails, with:\n  %s' "$(short "$test")"
    printf ' --gtest_repeat=-1 --gtest_fail_fast --gtest_filter=Suite.test\n'
  } >"$logs/failure.$$.$BASHPID"
  return 1
}

# So many new seeds; main counts on where to begin.
stress_seeds() {
  local from="$1" count="$2" log="$logs/sim.log" status=0
  "$build_root/$preset/tests/sim/sim" --from "$from" --count "$count" >"$log" 2>"$log.err" \
    </dev/null || status=$?
  ((status != 0)) || return 0
  {
    cat "$log.err"
    printf 'repeat it with:\n  ./dev sim %s\n' $((from + $(wc -l <"$log")))
  } >"$logs/failure.$$.$BASHPID"
  return 1
}

# All programs once, at once. 1 when one failed.
round() {
  local number="$1" processors seed failed=0 job
  local -a running=()
  processors="$(processors_of "$number")"
  seed=$((RANDOM + 1))
  for ((job = 0; job < ${#tests[@]}; job++)); do
    stress_one "${tests[job]}" "${filters[job]}" "$seed" "$processors" &
    running+=("$!")
    if ((${#running[@]} == 2)); then
      wait "${running[0]}" || failed=1
      running=("${running[1]}")
    fi
  done
  if [[ "$preset" != tsan ]]; then
    stress_seeds $((RANDOM * 1000000 + RANDOM)) 20 &
    running+=("$!")
  fi
  for job in "${running[@]}"; do wait "$job" || failed=1; done
  return "$failed"
}

main() {
  local time="" limit="" preset=dev logs rounds=0 started=$SECONDS
  while (($# > 0)); do
    case "$1" in
      --preset)
        preset="${2:-}"
        check_preset "$preset"
        shift
        ;;
      -*) wrong_usage "no option '$1'" ;;
      *)
        [[ -z "$time" ]] || wrong_usage "one TIME"
        time="$1"
        ;;
    esac
    shift
  done
  [[ -n "$time" ]] || wrong_usage "TIME is missing (30s, 10m, 8h)"
  limit="$(seconds_of "$time")" || exit 2
  need build
  local floors="$build_root/$preset/parley"
  local -a tests=("$floors/rt/rt_test" "$floors/rt/rt_traps_test" "$floors/net/net_test"
    "$floors/peer/peer_test") targets=(rt_test rt_traps_test net_test peer_test)
  # Of the floors above rt, what has more than one worker.
  local -a filters=('*' '*ManyWorkers*'
    '*Workers*:*workers*:Shards*:*under_load*:*on_many*:Serve*:StreamReadiness*' '*')
  [[ "$preset" == tsan ]] || targets+=(sim)
  build "$preset" "${targets[@]}"
  sanitizer_environment
  logs="$build_root/stress"
  rm -rf "$logs"
  mkdir -p "$logs"
  trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
  started=$SECONDS
  while ((rounds == 0 || SECONDS - started < limit)); do
    if ! round "$rounds"; then
      cat "$logs"/failure.*
      return 1
    fi
    rounds=$((rounds + 1))
  done
  if [[ -s "$logs/flaky" ]]; then judge_flaky "$(sort -u "$logs/flaky")" "$logs" || return 1; fi
  printf '%s rounds of %s test programs in %s s: nothing failed\n' "$rounds" "${#tests[@]}" \
    $((SECONDS - started))
}
