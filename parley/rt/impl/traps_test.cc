// The traps of stackful fibers, each with its cure on and off: on, nothing happens; off, the trap
// snaps. So the tests would notice if a cure were lost. Compiled with PARLEY_RT_TRAPS_OPEN against
// a copy of rt built the same way; each case without its cure runs in a process of its own.

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley::rt::impl {
namespace {

// Exit codes of the processes that run a trap.
constexpr int fine = 0;
constexpr int trapped = 1;

bool ended_otherwise(int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != fine; }

// Two fibers, both parked inside `catch`; each rethrows what it caught.
int rethrow_in_two_fibers() {
  std::string first;
  std::string second;
  Runtime({.workers = 1}).run([&] {
    const auto catch_and_park = [](const char* text, std::string& seen) {
      try {
        throw std::runtime_error(text);
      } catch (const std::runtime_error&) {
        yield();
        try {
          throw;
        } catch (const std::runtime_error& again) {
          seen = again.what();
        }
      }
    };
    Scope scope;
    scope.go("first", [&] { catch_and_park("first", first); });
    scope.go("second", [&] { catch_and_park("second", second); });
  });
  return first == "first" && second == "second" ? fine : trapped;
}

TEST(Traps, fibers_parked_in_catch_keep_their_own_exceptions) {
  EXPECT_EQ(rethrow_in_two_fibers(), fine);
}

TEST(Traps, without_swapped_eh_globals_they_rethrow_each_others) {
  EXPECT_EXIT(
      {
        cure_eh_globals = false;
        std::_Exit(rethrow_in_two_fibers());
      },
      ended_otherwise, "");
}

int keep_errno_over_a_park() {
  bool kept = true;
  Runtime({.workers = 1}).run([&] {
    Scope scope;
    for (const int value : {ENOENT, EPIPE}) {
      scope.go("errno", [&kept, value] {
        errno = value;
        yield();
        kept = kept && errno == value;
      });
    }
  });
  return kept ? fine : trapped;
}

TEST(Traps, errno_survives_a_park) { EXPECT_EQ(keep_errno_over_a_park(), fine); }

TEST(Traps, without_its_cure_errno_is_the_other_fibers) {
  EXPECT_EXIT(
      {
        cure_errno = false;
        std::_Exit(keep_errno_over_a_park());
      },
      testing::ExitedWithCode(trapped), "");
}

// Recurses until its frames lie below `end`.
[[gnu::noinline]] int recurse_below(const char* end) {  // NOLINT(misc-no-recursion)
  volatile char frame[512];
  frame[0] = 1;
  if (const_cast<const char*>(frame) < end) return frame[0];
  return recurse_below(end) + frame[0];
}

// Runs over the end of a fiber's stack, but not beyond the guard's place.
void overflow_a_stack() {
  Runtime({.workers = 1}).run([] {
    Scope scope;
    scope.go("deep", [] {
      const Stack stack = Worker::current()->running()->stack;
      (void)recurse_below(stack.bottom - guard_bytes / 2);
    });
  });
}

TEST(Traps, a_stack_overflow_is_stopped_and_names_the_fiber) {
  EXPECT_DEATH(overflow_a_stack(),
               "stack overflow in fiber 'deep': its 256 KiB are used up.*stack_size");
}

TEST(Traps, without_a_guard_an_overflow_passes_unnoticed) {
  EXPECT_EXIT(
      {
        cure_guard = false;
        overflow_a_stack();
        std::_Exit(fine);
      },
      testing::ExitedWithCode(fine), "");
}

// What an older kernel brings, told by messages and dump.
void fill_up_with_mprotected_stacks() {
  use_guard_regions = false;
  Runtime({.workers = 1, .stack_size = std::size_t{64} * 1024, .max_fibers = 10'000'000}).run([] {
    std::fputs(dump().c_str(), stderr);
    Scope scope(OnExit::cancel);
    while (scope.try_go("one of many", [] { (void)sleep(std::chrono::hours(1)); })) {}
    std::fprintf(stderr, "%zu and no more\n", scope.running());
  });
  std::_Exit(fine);
}

TEST(Traps, without_guard_regions_the_runtime_says_how_many_fibers_there_can_be) {
  if (has_tsan || has_asan) GTEST_SKIP() << "their own limits come first";
  const std::string allowed = std::to_string(most_stacks(GuardKind::mprotect));
  const std::string fallback =
      "this kernel has no guard regions .Linux 6.13., so stacks are "
      "guarded by mprotect and vm.max_map_count allows " +
      allowed + " of them";
  EXPECT_EXIT(fill_up_with_mprotected_stacks(), testing::ExitedWithCode(fine),
              "max_fibers cannot be 10000000: " + fallback + "(.|\n)*at most " + allowed + "; " +
                  fallback + "(.|\n)*parley: " + allowed +
                  " fibers are alive, the most there can be: " + fallback);
}

TEST(Traps, a_fault_that_is_no_overflow_stays_what_it_was) {
  EXPECT_DEATH(parley::run([] {
                 int* volatile nowhere = reinterpret_cast<int*>(std::uintptr_t{64});
                 *nowhere = 1;
               }),
               has_asan ? "AddressSanitizer: SEGV" : "");
}

#ifdef PARLEY_RT_ASAN
[[gnu::noinline]] int throw_from(int depth) {  // NOLINT(misc-no-recursion)
  volatile char frame[64];
  frame[depth % 64] = 1;
  if (depth == 0) throw std::runtime_error("deep");
  return throw_from(depth - 1) + frame[depth % 64];
}

// An exception skips the code that would unpoison the frames it leaves; ASan does it instead, if it
// knows on which stack they lie.
void throw_in_a_fiber() {
  Runtime({.workers = 1}).run([] {
    Scope scope;
    scope.go("thrower", [] {
      for (int i = 0; i < 10; ++i) {
        try {
          (void)throw_from(30);
        } catch (const std::runtime_error&) {
          yield();
        }
      }
    });
  });
}

TEST(Traps, asan_follows_exceptions_on_fiber_stacks) {
  EXPECT_EXIT(
      {
        throw_in_a_fiber();
        std::fputs("quiet", stderr);
        std::_Exit(fine);
      },
      testing::ExitedWithCode(fine), "^quiet$");
}

TEST(Traps, without_annotations_asan_loses_its_way) {
  EXPECT_EXIT(
      {
        cure_asan = false;
        throw_in_a_fiber();
        std::_Exit(fine);
      },
      [](int) { return true; },
      "AddressSanitizer|ASan is ignoring requested __asan_handle_no_return");
}
#endif

}  // namespace
}  // namespace parley::rt::impl
