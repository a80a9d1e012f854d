#include "parley/peer/overload/queue_guard.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

using namespace std::chrono_literals;

const Instant start = Instant(1000s);

TEST(QueueGuard, swallows_a_burst) {
  QueueGuard guard({.target = 5ms, .interval = 100ms});
  EXPECT_FALSE(guard.is_standing(start)) << "nobody has come";
  EXPECT_TRUE(guard.admits(0ms, start));
  for (int i = 1; i <= 90; ++i) EXPECT_TRUE(guard.admits(i * 1ms, start + i * 1ms)) << i;
  EXPECT_FALSE(guard.is_standing(start + 90ms));
}

TEST(QueueGuard, sheds_what_waited_longer_than_the_target_once_everything_waits) {
  for (const Duration target : {5ms, 20ms}) {
    QueueGuard guard({.target = target, .interval = 100ms});
    EXPECT_TRUE(guard.admits(0ms, start));
    EXPECT_TRUE(guard.admits(30ms, start + 99ms));
    EXPECT_FALSE(guard.admits(30ms, start + 100ms));
    EXPECT_TRUE(guard.admits(target, start + 101ms)) << "the target itself is admitted";
    EXPECT_EQ(guard.admits(10ms, start + 102ms), target == 20ms);
  }
}

TEST(QueueGuard, one_short_wait_says_that_the_queue_does_not_stand) {
  QueueGuard guard({.target = 5ms, .interval = 100ms});
  EXPECT_TRUE(guard.admits(0ms, start));
  EXPECT_TRUE(guard.admits(50ms, start + 99ms));
  EXPECT_FALSE(guard.admits(50ms, start + 150ms));
  EXPECT_TRUE(guard.admits(1ms, start + 160ms));
  EXPECT_TRUE(guard.admits(50ms, start + 161ms));
}

TEST(QueueGuard, nothing_waits_longer_than_the_interval_even_in_a_burst) {
  QueueGuard guard({.target = 5ms, .interval = 100ms});
  EXPECT_TRUE(guard.admits(0ms, start));
  EXPECT_TRUE(guard.admits(100ms, start + 50ms));
  EXPECT_FALSE(guard.admits(101ms, start + 50ms));
}

TEST(QueueGuard, who_comes_after_a_silence_finds_an_empty_queue) {
  QueueGuard guard({.target = 5ms, .interval = 100ms});
  EXPECT_TRUE(guard.admits(0ms, start));
  EXPECT_TRUE(guard.admits(40ms, start + 10s));
  EXPECT_TRUE(guard.admits(90ms, start + 10s + 90ms));
  EXPECT_FALSE(guard.admits(90ms, start + 10s + 170ms));
}

TEST(QueueGuard, refuses_options_that_make_no_sense) {
  EXPECT_TRUE(QueueGuardOptions().check().is_ok());
  for (const auto& [target, interval] :
       {std::pair<Duration, Duration>{0ms, 1ms}, {5ms, 5ms}, {-1ms, 1ms}, {5ms, 1ms}}) {
    EXPECT_EQ((QueueGuardOptions{.target = target, .interval = interval}.check().code()),
              Code::invalid_argument);
  }
}

}  // namespace
}  // namespace parley
