# What the subcommands of ./dev share. Sourced by ./dev, which sets `root` and changes into it.
# shellcheck shell=bash

build_root="${PARLEY_BUILD_DIR:-build}"
[[ "$build_root" == /* ]] || build_root="$root/$build_root"
jobs="${PARLEY_JOBS:-$(nproc 2>/dev/null || echo 2)}"
export CXX="${CXX:-g++}"
# Without this ccache keeps nothing that was compiled with a precompiled header.
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros}"

source "$root/tools/dev/packages.sh"

# Progress goes to stderr: stdout belongs to what a subcommand was asked for.
say() { printf 'dev: %s\n' "$*" >&2; }

fail() {
  say "$2"
  exit "$1"
}

wrong_usage() { fail 2 "$1; see ./dev ${name:-} --help"; }

# A path as people want to read it: relative to the repository where possible.
short() { printf '%s' "${1#"$root"/}"; }

# Edits (insert, delete, replace) that turn $1 into $2.
edit_distance() {
  local a="$1" b="$2" i j cost least
  local -a before now
  for ((j = 0; j <= ${#b}; j++)); do before[j]=$j; done
  for ((i = 1; i <= ${#a}; i++)); do
    now=("$i")
    for ((j = 1; j <= ${#b}; j++)); do
      cost=1
      [[ "${a:i-1:1}" == "${b:j-1:1}" ]] && cost=0
      least=$((before[j - 1] + cost))
      ((before[j] + 1 < least)) && least=$((before[j] + 1))
      ((now[j - 1] + 1 < least)) && least=$((now[j - 1] + 1))
      now[j]=$least
    done
    before=("${now[@]}")
  done
  echo "${before[${#b}]}"
}

# did_you_mean WORD KNOWN...: ", did you mean 'x'?" for the nearest, or nothing when none is near.
did_you_mean() {
  local word="$1" best="" best_distance=3 known distance
  shift
  for known in "$@"; do
    distance="$(edit_distance "$word" "$known")"
    if [[ "$known" == "$word"* && ${#word} -ge 2 ]]; then distance=1; fi
    if ((distance < best_distance)); then
      best="$known"
      best_distance="$distance"
    fi
  done
  [[ -z "$best" ]] || printf ", did you mean '%s'?" "$best"
}

# need SET...: makes sure that the packages of these sets (tools/dev/packages.sh) are installed.
# Silent, and a matter of milliseconds, when they are.
need() {
  local set command missing=()
  local -a packages=() commands=()
  for set in "$@"; do
    read -ra words <<<"${packages_of[$set]}"
    packages+=("${words[@]}")
    read -ra words <<<"${commands_of[$set]}"
    commands+=("${words[@]}")
  done
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian. Libraries cannot be looked for here: CMake names those it does not find.
    for command in "${commands[@]}"; do
      command -v "$command" >/dev/null || missing+=("$command")
    done
    ((${#missing[@]} == 0)) && return
    say "not found: ${missing[*]}"
    fail 3 "this is not Debian: install what these Debian 12 packages hold: ${packages[*]}"
  fi
  mapfile -t missing < <(missing_packages "${packages[@]}")
  ((${#missing[@]} == 0)) && return
  install_packages "${missing[@]}"
}

missing_packages() {
  local package
  local -A present=()
  while read -r package; do
    present["$package"]=1
  done < <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
    sed -n 's/ installed$//p')
  for package in "$@"; do
    [[ -n "${present[$package]:-}" ]] || echo "$package"
  done
}

install_packages() {
  local -a as_root=()
  local log="$build_root/apt.log" by_hand="apt-get install --no-install-recommends $*"
  if [[ -n "${PARLEY_NO_INSTALL:-}" ]]; then
    fail 3 "missing, and PARLEY_NO_INSTALL is set: $by_hand"
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      fail 3 "missing, and neither root nor sudo here; as root: $by_hand"
    fi
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(-n)
  fi
  mkdir -p "$build_root"
  : >"$log"
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q
    -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0
    -o Dpkg::Options::=--force-confold)
  say "installing $*"
  if ! "${apt[@]}" update >>"$log" 2>&1 </dev/null; then
    say "apt-get update failed (see $(short "$log")); trying with the package lists there are"
  fi
  if ! "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    fail 3 "apt-get could not install: $* (all it said is in $(short "$log"))"
  fi
  # A build that was configured without them looks again (see configure).
  rm -f "$build_root"/*/.configured
}

# configure PRESET: once, and again when the presets changed or packages came. CMake itself sees to
# the rest.
configure() {
  local preset="$1" dir="$build_root/$1"
  if [[ -f "$dir/build.ninja" && ! CMakePresets.json -nt "$dir/.configured" ]]; then return; fi
  say "configuring $(short "$dir")"
  mkdir -p "$dir"
  # Its chatter belongs on stderr: stdout of ./dev bench is JSON.
  cmake --preset "$preset" -B "$dir" --log-level=WARNING >&2 </dev/null ||
    fail 1 "configuring $preset failed, see above"
  touch "$dir/.configured"
}

# build PRESET [TARGET...]
build() {
  local preset="$1" dir="$build_root/$1"
  shift
  configure "$preset"
  say "building $(short "$dir")${*:+: $*}"
  cmake --build "$dir" -j "$jobs" ${1:+--target "$@"} >&2 </dev/null ||
    fail 1 "the $preset build failed, see above"
}

check_preset() {
  local preset
  for preset in dev release asan tsan; do
    [[ "$1" == "$preset" ]] && return
  done
  wrong_usage "no preset '$1': dev, release, asan or tsan"
}

# Sanitizers end the program at the first finding. Stack-use-after-return moves locals off the
# stack, which programs that switch stacks cannot follow.
sanitizer_environment() {
  local symbolizer=/usr/lib/llvm-19/bin/llvm-symbolizer
  export ASAN_OPTIONS="${ASAN_OPTIONS:-halt_on_error=1:detect_stack_use_after_return=0}"
  export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"
  local tsan="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/dev/tsan.supp"
  export TSAN_OPTIONS="${TSAN_OPTIONS:-$tsan}"
  if [[ -x "$symbolizer" ]]; then export ASAN_SYMBOLIZER_PATH="$symbolizer"; fi
}

# Packages of npm that tests ask as foreign witnesses, as tests/foreign/package-lock.json pins them.
# Without them, as without a network, those tests are skipped and say so.
node_packages() {
  local dir="$build_root/node" log="$build_root/npm.log" lock=tests/foreign/package-lock.json
  mkdir -p "$dir"
  NODE_PATH="$(cd "$dir" && pwd)/node_modules"
  export NODE_PATH
  if [[ "$dir/node_modules/.package-lock.json" -nt "$lock" ]]; then return; fi
  [[ -z "${PARLEY_NO_INSTALL:-}" ]] || return 0
  # Some packages of nodejs bring npm along.
  if ! command -v npm >/dev/null; then
    (! command -v apt-get >/dev/null || install_packages npm) || true
  fi
  printf '%s' "$(<tests/foreign/package.json)" >"$dir/package.json"
  printf '%s' "$(<"$lock")" >"$dir/package-lock.json"
  npm ci --prefix "$dir" --no-audit --no-fund --fetch-retries 1 --fetch-timeout 20000 \
    >"$log" 2>&1 </dev/null ||
    say "npm could not, see $(short "$log"): tests that need it are skipped"
}

# run_tests PRESET [CTEST ARGUMENT...]: builds all, runs ctest, leaves <build>/junit.xml. Tests are
# started by the command `test_under`, if there is one. With PARLEY_SECOND_TRY set, a test that only
# an expectation or the time failed is run once more; it is named as flaky at the end.
test_under=()
run_tests() {
  local preset="$1" dir="$build_root/$1" log="$build_root/$1/ctest.log" status=0
  shift
  build "$preset" all tests
  node_packages
  sanitizer_environment
  say "testing $(short "$dir")"
  local -a tries=()
  [[ -z "${PARLEY_SECOND_TRY:-}" ]] || tries=(--repeat until-pass:2)
  "${test_under[@]}" ctest --test-dir "$dir" --output-on-failure --no-tests=error --timeout 120 \
    -j "$jobs" --output-junit "$dir/junit.xml" "${tries[@]}" "$@" </dev/null 2>&1 | tee "$log" ||
    status=$?
  ((status == 0)) || return "$status"
  [[ -z "${PARLEY_SECOND_TRY:-}" ]] || judge_second_tries "$log"
}

# What sanitizers print when they found something.
sanitizer_findings='ERROR: .*Sanitizer|WARNING: ThreadSanitizer|runtime error:'

# judge_second_tries LOG: fails where what a second try passed over is no matter of luck: a
# sanitizer's finding, a crash, or more than two tests.
judge_second_tries() {
  local flaky crashed
  flaky="$(grep -v '[*]Skipped' "$1" |
    sed -nE 's/^( *[0-9]+\/[0-9]+| +) Test +#[0-9]+: ([^ ]+) .*\*\*\*.*/\2/p' | sort -u)"
  [[ -n "$flaky" ]] || return 0
  # A fiber test whose time is over dumps its fibers and aborts.
  crashed="$(awk '/ Test +#[0-9]+: / { test = ""; if (/[*]Exception/) { test = $0; bad[test] = 1 } }
    /^the test did not end within/ { delete bad[test] } END { for (one in bad) print one }' "$1")"
  judge_flaky "$flaky" "$1" || return 8
  if [[ -n "$crashed" ]] || grep -qE "$sanitizer_findings" "$1"; then
    say "but what failed first is a crash or a sanitizer's finding: see $(short "$1")"
    return 8
  fi
}

# judge_flaky NAMES LOG: names, one a line, what passed in a second try. 1 when they are too many.
judge_flaky() {
  printf 'flaky: %s failed and passed when run again\n' "${1//$'\n'/, }"
  (($(wc -l <<<"$1") > 2)) || return 0
  say "more than two tests are no luck: see $(short "$2")"
  return 1
}

# All our C++ files, committed or about to be.
cxx_files() {
  git ls-files --cached --others --exclude-standard -- '*.h' '*.cc' |
    while read -r file; do
      [[ ! -f "$file" ]] || echo "$file"
    done | sort -u
}
