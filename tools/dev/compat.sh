# shellcheck shell=bash
# run the demo of the last wire-N against today's, both ways
help() {
  cat <<'TEXT'
./dev compat: the demo's client and service of the last commit that is known as wire-N, against
those of today: old client and new service, new client and old service, over every framing that both
speak. Every answer is checked, by the client.

Examples:
  ./dev compat
  ./dev compat --against HEAD~20     any commit, for who wants to know when something broke

A commit is wire-N by its tag. A clone without tags finds it in docs/protocols/WIRE, whose lines are
`wire-N COMMIT`. The last one is that with the highest N among those this commit descends from;
where there is none, or a clone without history lacks it, this says so and is content. What was
built of it stays in build/compat.

Options:
  --against COMMIT  that one instead
Exit code: 0 they understand each other, 1 they do not or a build failed, 2 usage, 3 packages
missing.
TEXT
}

# is_before COMMIT: whether it is here, and this commit descends from it.
is_before() {
  git cat-file -e "$1^{commit}" 2>/dev/null && git merge-base --is-ancestor "$1" HEAD
}

# Whether what was before the list is here: neither in a shallow clone, nor where all of the files
# came in one commit.
has_history() {
  [[ "$(git rev-parse --is-shallow-repository)" == false ]] || return 1
  [[ -n "$(git log --diff-filter=A --format=%P -- "$1" | tail -n 1)" ]]
}

# Those that the tags and the list name: "N COMMIT" each.
known_wires() {
  local tag name commit list=docs/protocols/WIRE
  while read -r tag; do
    [[ ! "$tag" =~ ^wire-[0-9]+$ ]] || echo "${tag#wire-} $(git rev-parse "$tag^{commit}")"
  done < <(git tag --list 'wire-*')
  [[ -f "$list" ]] || return 0
  while read -r name commit; do
    [[ -n "$name" && "$name" != "#"* ]] || continue
    [[ "$name" =~ ^wire-[0-9]+$ && "$commit" =~ ^[0-9a-f]{7,40}$ ]] ||
      fail 1 "$list: a line is 'wire-N COMMIT', not '$name $commit'"
    if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
      ! has_history "$list" || fail 1 "$list: $name is $commit, which is no commit here"
      say "$name is $commit, which this clone without its history lacks: git fetch --unshallow"
      continue
    fi
    echo "${name#wire-} $(git rev-parse "$commit^{commit}")"
  done <"$list"
}

# last_wire: "N COMMIT", or nothing.
last_wire() {
  local number commit known
  known="$(known_wires)" || exit 1
  while read -r number commit; do
    if [[ -n "$number" ]] && is_before "$commit"; then
      echo "$number $commit"
      return
    fi
  done < <(sort -rn <<<"$known")
}

# build_old COMMIT DIR: leaves shop_client, shop_service and the files they need in DIR.
build_old() {
  local commit="$1" dir="$2" file
  local -a files=(inventory.json orders.jsonl)
  [[ ! -f "$dir/complete" ]] || return 0
  rm -rf "$dir"
  mkdir -p "$dir/source"
  git archive "$commit" | tar -x -C "$dir/source" || fail 1 "git archive of $commit failed"
  say "building the demo of ${commit:0:12} in $(short "$dir")"
  (cd "$dir/source" && cmake --preset dev -B "$dir/build" -DPARLEY_TESTS=OFF -DPARLEY_BENCH=OFF \
    --log-level=WARNING) >&2 </dev/null || fail 1 "configuring ${commit:0:12} failed, see above"
  cmake --build "$dir/build" -j "$jobs" --target shop_service shop_client >&2 </dev/null ||
    fail 1 "building ${commit:0:12} failed, see above"
  cp "$dir/build/examples/shop_service" "$dir/build/examples/shop_client" "$dir/"
  for file in "${files[@]}"; do cp "$dir/source/examples/shop/$file" "$dir/"; done
  rm -rf "$dir/source" "$dir/build"
  touch "$dir/complete"
}

# framings_of PROGRAM: what it says it speaks. Programs that do not know the question speak ours.
framings_of() { "$1" --framings 2>/dev/null </dev/null || echo parley; }

# converse WHAT CLIENT SERVICE DATA FRAMING: 1 when any answer was not as expected.
converse() {
  local what="$1" client="$2" service="$3" data="$4" framing="$5" ready="" code=0 pid
  local log="$logs/${what// /-}-$framing"
  local -a words=()
  # Who knows no other does not know the word.
  [[ "$framing" == parley ]] || words=("$framing")
  rm -f "$log.port"
  mkfifo "$log.port"
  "$service" "$data/inventory.json" >"$log.port" 2>"$log.service" </dev/null &
  pid=$!
  exec 3<"$log.port"
  read -r -t 30 ready <&3 || true
  if [[ "$ready" != *tcp://* ]]; then
    code=1
    echo "the service did not open" >"$log.client"
  else
    timeout 120 "$client" "${ready##* }" "$data/orders.jsonl" "${words[@]}" >"$log.client" 2>&1 \
      </dev/null || code=$?
  fi
  kill -TERM "$pid" 2>/dev/null || true
  # Its last words, or it could not say them.
  cat <&3 >>"$log.service"
  exec 3<&-
  wait "$pid" || code=1
  rm -f "$log.port"
  if ((code == 0)); then
    printf '%s over %s: every answer was as expected\n' "$what" "$framing"
    return
  fi
  tail -n 15 "$log.client" "$log.service" >&2
  printf '%s over %s: FAILED; all they said is in %s.client and .service\n' "$what" "$framing" \
    "$(short "$log")"
  return 1
}

# both_speak ONE OTHER: the framings of both programs.
both_speak() { comm -12 <(framings_of "$1" | sort) <(framings_of "$2" | sort); }

main() {
  local against="" number="" commit="" old new failed=0 framing name
  while (($# > 0)); do
    case "$1" in
      --against)
        [[ -n "${2:-}" ]] || wrong_usage "--against wants a commit"
        against="$2"
        shift
        ;;
      *) wrong_usage "no option '$1'" ;;
    esac
    shift
  done
  git rev-parse --git-dir >/dev/null 2>&1 || fail 1 "this is no clone: there is no older version"
  if [[ -n "$against" ]]; then
    commit="$(git rev-parse --verify --quiet "$against^{commit}")" ||
      wrong_usage "no commit '$against' here"
    name="$against"
  else
    read -r number commit <<<"$(last_wire)" || true
    name="wire-$number"
  fi
  if [[ -z "$commit" ]]; then
    # A mistake in the list has been told already, but in a shell of its own.
    last_wire >/dev/null || exit 1
    echo "no commit is known as wire-N yet: nothing to be compatible with"
    return
  fi
  need build
  old="$build_root/compat/$commit"
  new="$build_root/compat/today"
  logs="$build_root/compat/logs"
  build_old "$commit" "$old"
  build dev shop_service shop_client
  rm -rf "$new" "$logs"
  mkdir -p "$new" "$logs"
  cp "$build_root/dev/examples/shop_service" "$build_root/dev/examples/shop_client" \
    examples/shop/inventory.json examples/shop/orders.jsonl "$new/"
  for framing in $(both_speak "$old/shop_client" "$new/shop_service"); do
    converse "$name client and today's service" "$old/shop_client" "$new/shop_service" "$old" \
      "$framing" || failed=1
  done
  for framing in $(both_speak "$new/shop_client" "$old/shop_service"); do
    converse "today's client and $name service" "$new/shop_client" "$old/shop_service" "$old" \
      "$framing" || failed=1
  done
  return "$failed"
}
