#include "parley/rt/timer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

PARLEY_FIBER_TEST(Timer, runs_its_function_in_a_fiber_of_the_scope) {
  Event fired;
  Scope scope;
  const Timer timer(scope, 1ms, "later", [&] {
    yield();
    fired.set();
  });
  EXPECT_TRUE(fired.wait().is_ok());
}

TEST(Timer, fires_in_the_order_of_the_delays) {
  testing::in_virtual_time([] {
    std::string trace;
    Event last;
    Scope scope;
    const Timer c(scope, 3ms, "c", [&] { trace += 'c', last.set(); });
    const Timer a(scope, 1ms, "a", [&] { trace += 'a'; });
    const Timer b(scope, 2ms, "b", [&] { trace += 'b'; });
    const Timer now(scope, -1s, "now", [&] { trace += '0'; });
    EXPECT_TRUE(last.wait().is_ok());
    EXPECT_EQ(trace, "0abc");
  });
}

PARLEY_FIBER_TEST(Timer, stop_tells_whether_it_came_in_time) {
  Event fired;
  Scope scope;
  Timer late(scope, 1h, "late", [] { FAIL(); });
  EXPECT_TRUE(late.stop());
  EXPECT_FALSE(late.stop());
  Timer soon(scope, 0s, "soon", [&] { fired.set(); });
  EXPECT_TRUE(fired.wait().is_ok());
  EXPECT_FALSE(soon.stop());
}

PARLEY_FIBER_TEST(Timer, goes_with_its_handle_and_frees_what_it_holds_at_once) {
  const auto held = std::make_shared<int>(1);
  Scope scope;
  {
    Timer timer(scope, 1h, "never", [held] { FAIL(); });
    EXPECT_EQ(held.use_count(), 2);
    Timer moved = std::move(timer);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

PARLEY_FIBER_TEST(Timer, a_million_can_be_outstanding_and_be_stopped) {
  constexpr int count = 1'000'000;
  Scope scope;
  std::vector<Timer> timers;
  timers.reserve(count);
  for (int i = 0; i < count; ++i) {
    timers.emplace_back(scope, 1h + std::chrono::microseconds(i * 37 % 1'000'003), "one",
                        [] { FAIL(); });
  }
  int stopped = 0;
  for (Timer& timer : timers) stopped += timer.stop() ? 1 : 0;
  EXPECT_EQ(stopped, count);
}

TEST(Timer, stopping_races_with_firing_on_many_workers_and_each_happens_once) {
  testing::run_fiber_test(
      [] {
        std::atomic<int> fired = 0;
        std::atomic<int> stopped = 0;
        Scope scope;
        for (int i = 0; i < 8; ++i) {
          scope.go("racer", [&] {
            for (int k = 0; k < 200; ++k) {
              Timer timer(scope, std::chrono::microseconds(k % 40), "fires", [&] { ++fired; });
              (void)sleep(std::chrono::microseconds(20));
              if (timer.stop()) ++stopped;
            }
          });
        }
        scope.join();
        EXPECT_EQ(fired + stopped, 1'600);
      },
      RuntimeOptions{.workers = 4});
}

TEST(Timer, outliving_its_scope_is_a_bug) {
  EXPECT_DEATH(parley::run([] {
                 Timer timer;
                 const Scope scope;
                 Scope inner;
                 timer = Timer(inner, 1h, "later", [] {});
               }),
               "outlived the Scope");
}

TEST(Ticker, ticks_each_period_and_leaves_out_what_was_missed) {
  ManualClock clock;
  testing::run_fiber_test(
      [&] {
        const Instant start = now();
        Ticker ticker(10s);
        EXPECT_EQ(ticker.ticks().try_receive(), std::nullopt);
        clock.advance(10s);
        EXPECT_EQ(*ticker.ticks().receive() - start, 10s);
        clock.advance(35s);  // three are due; one waits in the channel, the others are left out
        EXPECT_EQ(*ticker.ticks().receive() - start, 20s);
        clock.advance(5s);
        EXPECT_EQ(*ticker.ticks().receive() - start, 50s);
        ticker.reset(1s);
        clock.advance(1s);
        EXPECT_EQ(*ticker.ticks().receive() - start, 51s);
      },
      RuntimeOptions{.clock = &clock});
}

PARLEY_FIBER_TEST(Ticker, can_be_selected_on) {
  Ticker ticker(1ms);
  Channel<int> never;
  int ticks = 0;
  while (ticks < 3) {
    EXPECT_TRUE(
        select(on_receive(ticker.ticks(), [&] { ++ticks; }), on_receive(never, [] {})).is_ok());
  }
}

}  // namespace
}  // namespace parley::rt
