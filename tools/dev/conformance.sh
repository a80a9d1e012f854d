# shellcheck shell=bash
# hold the codec against protobuf's own conformance suite
help() {
  cat <<'TEXT'
./dev conformance: builds the runner of protobuf's conformance suite from Debian's source package,
and a program that answers it with the structs protoc-gen-parley makes of the suite's own proto3
messages; then runs all cases, in protobuf's binary form and in JSON. Those that may fail stand in
tests/conformance/expected_failures.txt, each with its reason; one that fails and is not there is an
error, and so is one there that passes.

Examples:
  ./dev conformance
  ./dev conformance --verbose     with every case, in build/conformance/run.log

Options:
  --verbose   have the runner log each case with what went in and came out

Environment:
  PARLEY_DEBIAN_KEYS  the keys apt-get trusts Debian's packages by
                      (default: /usr/share/keyrings/debian-archive-keyring.gpg)

The source package and the runner are kept in build/conformance. apt-get fetches the package by
lists of its own there; nothing of the system's is touched. On other systems than Debian, unpack the
sources of the protobuf that is installed as build/conformance/protobuf-VERSION (VERSION as protoc
--version says).
Exit code: 0 as expected, 1 not so or a failed build, 2 usage, 3 packages or the source package are
missing: it says which, and what to try.
TEXT
}

# no_sources WHY_AND_WHAT_TO_TRY: ends with that and the other way out. Uses fetch_protobuf's
# variables.
no_sources() {
  fail 3 "$1; or unpack the sources of protobuf $version by hand, so that there is \
$(short "$dir/protobuf-$version/conformance/conformance.proto")"
}

# fetch_protobuf DIR VERSION: leaves the sources in DIR/protobuf-VERSION.
fetch_protobuf() {
  local dir="$1" version="$2" fetch="$1/fetch" log="$1/apt.log"
  local keys="${PARLEY_DEBIAN_KEYS:-/usr/share/keyrings/debian-archive-keyring.gpg}" command
  [[ ! -f "$dir/protobuf-$version/conformance/conformance.proto" ]] || return 0
  for command in apt-get dpkg-source; do
    command -v "$command" >/dev/null ||
      no_sources "the runner is built from Debian's source package of protobuf, and there is no \
$command to get it with: run this on Debian 12"
  done
  [[ -r "$keys" ]] ||
    no_sources "Debian's source package of protobuf cannot be checked without Debian's keys, and \
there is no $keys: install debian-archive-keyring, or say in PARLEY_DEBIAN_KEYS where it is"
  say "fetching Debian's source package of protobuf $version"
  rm -rf "$fetch" "$dir/protobuf-$version"
  mkdir -p "$fetch/lists/partial" "$fetch/cache/archives/partial"
  cat >"$fetch/sources.list" <<TEXT
deb-src [signed-by=$keys] http://deb.debian.org/debian bookworm main
deb-src [signed-by=$keys] http://deb.debian.org/debian bookworm-updates main
deb-src [signed-by=$keys] http://deb.debian.org/debian-security bookworm-security main
TEXT
  local -a apt=(apt-get -q -o "Dir::Etc::SourceList=$fetch/sources.list"
    -o "Dir::Etc::SourceParts=$fetch/none" -o "Dir::State::Lists=$fetch/lists"
    -o "Dir::Cache=$fetch/cache" -o Acquire::Retries=3 -o Acquire::http::Timeout=30
    -o APT::Sandbox::User=)
  if ! { "${apt[@]}" update && (cd "$fetch" && "${apt[@]}" source protobuf); } >"$log" 2>&1 \
    </dev/null; then
    tail -n 5 "$log" >&2
    no_sources "apt-get could not get Debian's source package of protobuf; why stands above (also \
in $(short "$log")). Where deb.debian.org could not be reached, try again when it can"
  fi
  [[ -f "$fetch/protobuf-$version/conformance/conformance.proto" ]] ||
    no_sources "protoc here is of protobuf $version, and the source package of Debian 12 is \
$(cd "$fetch" && echo protobuf-*/): install Debian 12's protobuf-compiler and libprotobuf-dev"
  mv "$fetch/protobuf-$version" "$dir/"
  rm -rf "$fetch"
}

build_runner() {
  local dir="$1" source="$2"
  say "building the runner in $(short "$dir/runner")"
  cmake -G Ninja -S "$root/tests/conformance/runner" -B "$dir/runner" --log-level=WARNING \
    "-DPROTOBUF_SOURCE=$source" >&2 </dev/null ||
    fail 1 "configuring the runner failed, see above"
  cmake --build "$dir/runner" -j "$jobs" >&2 </dev/null || fail 1 "building the runner failed"
}

# The part of the dev build that reads the suite's messages is there once it knows where they are.
build_testee() {
  local source="$1" dir="$build_root/dev"
  configure dev
  if ! grep -qsxF "PARLEY_CONFORMANCE_SOURCE:PATH=$source" "$dir/CMakeCache.txt"; then
    cmake -B "$dir" -S "$root" --log-level=WARNING "-DPARLEY_CONFORMANCE_SOURCE:PATH=$source" \
      >&2 </dev/null || fail 1 "configuring the dev build failed, see above"
  fi
  build dev conformance_testee
}

# Required cases pass, or this is no proto3; of the others each line says why.
check_list() {
  local list="$1" wrong
  wrong="$(grep -nvE '^(#.*)?$|^Recommended\.[A-Za-z0-9_.]+ +# .+' "$list" || true)"
  [[ -z "$wrong" ]] ||
    fail 1 "$(short "$list"): a line is 'Recommended.NAME  # reason', and these are not: $wrong"
}

main() {
  local dir="$build_root/conformance" list="$root/tests/conformance/expected_failures.txt"
  local version log="$build_root/conformance/run.log"
  local -a verbose=()
  while (($# > 0)); do
    case "$1" in
      --verbose) verbose=(--verbose) ;;
      *) wrong_usage "no option '$1'" ;;
    esac
    shift
  done
  check_list "$list"
  need build conformance
  mkdir -p "$dir"
  version="$(protoc --version | sed 's/^libprotoc //')"
  fetch_protobuf "$dir" "$version"
  build_runner "$dir" "$dir/protobuf-$version"
  build_testee "$dir/protobuf-$version"
  say "running the conformance suite of protobuf $version"
  if timeout 300 "$dir/runner/conformance_runner" "${verbose[@]}" --enforce_recommended \
    --output_dir "$dir/" --failure_list "$list" \
    "$build_root/dev/tests/conformance/conformance_testee" >"$log" 2>&1 </dev/null; then
    # Of its two suites the one about protobuf's text form skips everything: we have no such form.
    sed -n 's/^CONFORMANCE SUITE PASSED: //p' "$log" | head -n 1
    return
  fi
  tail -n 40 "$log"
  fail 1 "the suite did not go as expected; all it said is in $(short "$log")"
}
