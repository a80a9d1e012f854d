// Dumps beside what they show: fibers that begin, wait, run and end on other workers meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <string>

#include "parley/rt/event.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Each fiber waits for one thing only, which its name tells.
void expect_no_mixture(const std::string& dump) {
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_FALSE(has(line, "'sleeper'") && has(line, "waits: event")) << line;
    EXPECT_FALSE(has(line, "'listener'") && has(line, "waits: sleep")) << line;
  }
}

void start_and_end_fibers(const std::atomic<bool>& stop) {
  while (!stop.load()) {
    Event go;
    Scope scope;
    scope.go("sleeper", [] { EXPECT_TRUE(sleep(1ns).is_ok()); });
    scope.go("listener", [&] { EXPECT_TRUE(go.wait().is_ok()); });
    yield();
    go.set();
  }
}

TEST(Dump, shows_each_fiber_as_it_was_while_others_begin_and_end) {
  testing::run_fiber_test(
      [] {
        const int dumps = impl::has_tsan ? 20 : 100;
        std::atomic<bool> stop = false;
        Scope churn;
        for (int i = 0; i < 3; ++i) churn.go("churn", [&] { start_and_end_fibers(stop); });
        {
          Scope scope;
          for (int i = 0; i < 2; ++i) {
            scope.go("dumper", [&] {
              for (int k = 0; k < dumps; ++k) {
                const std::string text = dump();
                EXPECT_TRUE(has(text, "'dumper' running")) << text;
                expect_no_mixture(text);
                yield();
              }
            });
          }
        }
        stop = true;
      },
      RuntimeOptions{.workers = 4, .longest_run = Duration::zero()}, 60s);
}

[[gnu::noinline]] void compute_until_told(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) asm volatile("");
}

TEST(Dump, shows_the_stack_of_a_fiber_that_runs_on_another_worker) {
  if (impl::has_tsan) GTEST_SKIP() << "ThreadSanitizer holds signals back while a thread computes";
  testing::run_fiber_test(
      [] {
        std::atomic<bool> running = false;
        std::atomic<bool> stop = false;
        Scope scope;
        scope.go("holder", [&] {
          running = true;
          compute_until_told(stop);
        });
        testing::wait_until([&] { return running.load(); });
        const std::string text = dump();
        stop = true;
        const std::size_t at = text.find("'holder' running\n");
        ASSERT_NE(at, std::string::npos) << text;
        const std::string stack = text.substr(at, text.find("\n  #", at) - at);
        EXPECT_TRUE(has(stack, "compute_until_told")) << text;
        EXPECT_FALSE(has(stack, "trace_here")) << "frames of the signal handler: " << text;
        EXPECT_TRUE(has(text, "dump")) << "the dumping fiber has a stack too: " << text;
      },
      RuntimeOptions{.workers = 2, .longest_run = Duration::zero()});
}

PARLEY_FIBER_TEST(Dump, is_in_the_order_of_the_fibers_numbers) {
  Event release;
  Scope scope;
  for (const char* name : {"one", "two", "three"}) {
    scope.go(name, [&] { EXPECT_TRUE(release.wait().is_ok()); });
  }
  testing::wait_until_waiting("event", 3);
  const std::string text = dump();
  release.set();
  EXPECT_LT(text.find("'main'"), text.find("'one'")) << text;
  EXPECT_LT(text.find("'one'"), text.find("'two'")) << text;
  EXPECT_LT(text.find("'two'"), text.find("'three'")) << text;
}

}  // namespace
}  // namespace parley::rt
