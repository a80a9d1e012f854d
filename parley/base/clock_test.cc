#include "parley/base/clock.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

using namespace std::chrono_literals;

TEST(Clock, the_manual_clock_moves_only_when_told) {
  ManualClock clock;
  const Instant start = clock.now();
  const WallTime date = clock.wall();
  EXPECT_EQ(clock.now(), start);
  clock.advance(5s);
  EXPECT_EQ(clock.now() - start, 5s);
  EXPECT_EQ(clock.wall() - date, 5s);
}

TEST(Clock, the_real_clock_never_runs_backwards) {
  const RealClock clock;
  Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant next = clock.now();
    EXPECT_GE(next, last);
    last = next;
  }
  EXPECT_GT(clock.wall().time_since_epoch(), 24h * 365 * 50);
}

TEST(Clock, advancing_backwards_is_a_bug) {
  ManualClock clock;
  EXPECT_DEATH(clock.advance(-1ns), "backwards");
}

TEST(Clock, a_moment_ago_is_never_late_and_not_long_ago) {
  const RealClock real;
  for (int i = 0; i < 1000; ++i) {
    const Instant before = real.now();
    const Instant recently = real.recently();
    EXPECT_LE(recently, real.now());
    EXPECT_GE(recently, before - Clock::longest_ago);
  }
  ManualClock manual;
  manual.advance(std::chrono::seconds(5));
  EXPECT_EQ(manual.recently(), manual.now());
}

}  // namespace
}  // namespace parley
