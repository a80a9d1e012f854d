// Dumps beside what they show: fibers that begin, wait, run and end on other workers meanwhile.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

#include "parley/rt/blocking.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/stderr_pipe.h"
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

TEST(Dump, fits_on_a_stack_of_32_kib) {
  if (impl::has_tsan || impl::has_asan) GTEST_SKIP() << "sanitizers make frames larger";
  testing::run_fiber_test([] { EXPECT_TRUE(has(dump(), "'main' running")); },
                          RuntimeOptions{.stack_size = std::size_t{32} * 1024});
}

TEST(Dump, comes_at_a_signal_also_when_every_worker_is_held) {
  // ThreadSanitizer holds signals back while a thread computes.
  const std::string proof = impl::has_tsan ? "'holder' running\n" : "compute_until_told(std::";
  for (const int signal : {SIGQUIT, SIGUSR1}) {
    testing::StderrPipe said;
    testing::run_fiber_test(
        [&] {
          std::atomic<int> running = 0;
          std::atomic<bool> stop = false;
          Scope scope;
          std::thread asker([&] {
            while (running < 2) std::this_thread::yield();
            ::kill(::getpid(), signal);
            said.wait_for(proof, 2);
            stop = true;
          });
          scope.go("holder", [&] {
            ++running;
            compute_until_told(stop);
          });
          scope.go("holder", [&] {
            ++running;
            compute_until_told(stop);
          });
          scope.join();
          asker.join();
        },
        RuntimeOptions{.workers = 2, .longest_run = Duration::zero(), .dump_signal = signal});
    const std::string name = signal == SIGQUIT ? "SIGQUIT" : "SIGUSR1";
    EXPECT_TRUE(has(said.text(), "parley: dump on signal " + name)) << said.text();
    EXPECT_TRUE(has(said.text(), "3 fibers on 2 workers")) << said.text();
    EXPECT_TRUE(has(said.text(), "'main' waits: scope join")) << said.text();
  }
}

TEST(Dump, of_a_runtime_at_rest_comes_at_a_signal_as_well) {
  testing::StderrPipe said;
  testing::run_fiber_test([&] {
    Event never;
    Scope scope(OnExit::cancel);
    scope.go("waits for ever", [&] { (void)never.wait(); });
    testing::wait_until_waiting("event", 1);
    blocking([&] {
      ::kill(::getpid(), SIGQUIT);
      said.wait_for("'waits for ever' waits: event");
    });
  });
}

// One worker, the thread that got it: the others leave signals to it.
int raise_in_a_fiber(RuntimeOptions options) {
  options.workers = 1;
  Runtime(options).run([] { ::raise(SIGQUIT); });
  return 0;
}

TEST(Dump, without_a_signal_for_it_the_signal_keeps_its_effect) {
  EXPECT_EXIT(std::_Exit(raise_in_a_fiber({.dump_signal = 0})), ::testing::KilledBySignal(SIGQUIT),
              "");
  EXPECT_EXIT(std::_Exit(raise_in_a_fiber({})), ::testing::ExitedWithCode(0), "");
  EXPECT_DEATH(raise_in_a_fiber({.dump_signal = SIGKILL}),
               "RuntimeOptions::dump_signal is not a signal that can be caught");
}

TEST(Dump, signals_that_the_program_handles_are_left_to_it) {
  static std::atomic<int> handled;
  handled = 0;
  struct sigaction before{};
  struct sigaction action{};
  action.sa_handler = [](int) { ++handled; };
  ::sigaction(SIGQUIT, &action, &before);
  (void)raise_in_a_fiber({});
  EXPECT_EQ(handled, 1);
  // Also when the program takes it over while a runtime runs.
  ::sigaction(SIGQUIT, &before, nullptr);
  parley::run([&] { ::sigaction(SIGQUIT, &action, nullptr); });
  ::raise(SIGQUIT);
  EXPECT_EQ(handled, 2);
  ::sigaction(SIGQUIT, &before, nullptr);
}

}  // namespace
}  // namespace parley::rt
