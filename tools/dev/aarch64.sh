# shellcheck shell=bash
# cross-build base, observe and rt for 64-bit ARM, and test the fiber switch
help() {
  cat <<'TEXT'
./dev aarch64 [TEST ARGUMENT...]: compiles the floors base, observe and rt, whole, for aarch64, with
our warnings as errors; builds the test of the fiber switch for it and runs that under qemu.

Examples:
  ./dev aarch64
  ./dev aarch64 --gtest_filter='*rounding*'

Options:
  anything goes to the test program (--help explains)
The result is in build/aarch64.
Exit code: 0 built and passed, 1 the build or the test failed, 3 packages missing.
TEXT
}

# A project of only the floors that need no library: the others' are not there for this machine.
# GoogleTest is compiled from Debian's sources for the same reason.
write_project() {
  mkdir -p "$1"
  cat >"$1/CMakeLists.txt.new" <<TEXT
cmake_minimum_required(VERSION 3.25)
project(parley_aarch64 LANGUAGES CXX ASM)
list(APPEND CMAKE_MODULE_PATH "$root/cmake")
include(options)
include(floor)
add_subdirectory("$root/parley/base" base)
add_subdirectory("$root/parley/observe" observe)
add_subdirectory("$root/parley/rt" rt)

enable_testing()
set(INSTALL_GTEST OFF)
set(BUILD_GMOCK OFF)
add_subdirectory(/usr/src/googletest googletest EXCLUDE_FROM_ALL)
add_executable(switch_test "$root/parley/rt/impl/switch_test.cc")
target_link_libraries(switch_test PRIVATE parley_flags parley_rt gtest_main)
TEXT
  if cmp -s "$1/CMakeLists.txt.new" "$1/CMakeLists.txt"; then
    rm "$1/CMakeLists.txt.new"
  else
    mv "$1/CMakeLists.txt.new" "$1/CMakeLists.txt"
  fi
}

main() {
  local dir="$build_root/aarch64"
  need build aarch64
  unset CXX  # the toolchain file names the compiler
  write_project "$dir/project"
  say "configuring $(short "$dir")"
  cmake -G Ninja -S "$dir/project" -B "$dir" --log-level=WARNING \
    --toolchain "$root/cmake/toolchain-aarch64.cmake" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPARLEY_STRICT=ON -DPARLEY_TESTS=OFF >&2 </dev/null ||
    fail 1 "configuring for aarch64 failed, see above"
  say "building base, observe, rt and switch_test for aarch64"
  cmake --build "$dir" -j "$jobs" >&2 </dev/null ||
    fail 1 "the aarch64 build failed, see above"
  say "running switch_test under qemu"
  qemu-aarch64-static -L /usr/aarch64-linux-gnu "$dir/switch_test" "$@" </dev/null ||
    fail 1 "the fiber switch does not work on aarch64, see above"
}
