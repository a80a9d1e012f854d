#include "parley/peer/overload/token_bucket.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

namespace parley {
namespace {

using namespace std::chrono_literals;

const Instant start = Instant(1000s);

int taken(TokenBucket& bucket, Instant at) {
  int count = 0;
  while (count < 1'000'000 && bucket.try_take(at)) ++count;
  return count;
}

TEST(TokenBucket, lets_a_burst_pass_and_then_the_rate) {
  TokenBucket bucket({.per_second = 100, .burst = 5});
  EXPECT_EQ(taken(bucket, start), 5);
  EXPECT_EQ(taken(bucket, start + 9ms), 0);
  EXPECT_EQ(taken(bucket, start + 10ms), 1);
  EXPECT_EQ(taken(bucket, start + 40ms), 3);
  EXPECT_EQ(taken(bucket, start + 10s), 5) << "no more than the burst is saved up";
}

TEST(TokenBucket, keeps_the_rate_over_a_long_time_whatever_it_is) {
  for (const double rate : {0.5, 3.0, 1'000.0, 123'456.0, 999'999.0}) {
    TokenBucket bucket({.per_second = rate, .burst = 1});
    double passed = 0;
    const auto steps = 200'000;
    const Duration step = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(100.0 / rate / steps * 4));
    for (int i = 0; i < steps; ++i) passed += bucket.try_take(start + i * step) ? 1 : 0;
    const double seconds = std::chrono::duration<double>(step).count() * steps;
    EXPECT_NEAR(passed, seconds * rate, 2) << rate;
  }
}

TEST(TokenBucket, without_a_burst_a_tenth_of_a_second_is_one) {
  TokenBucket bucket({.per_second = 200});
  EXPECT_EQ(taken(bucket, start), 20);
  TokenBucket slow({.per_second = 1});
  EXPECT_EQ(taken(slow, start), 1);
}

TEST(TokenBucket, at_rate_zero_nothing_passes) {
  TokenBucket bucket({});
  EXPECT_EQ(taken(bucket, start + 1h), 0);
  EXPECT_EQ(bucket.wait_from(start), Duration::max());
}

TEST(TokenBucket, says_how_long_it_is_until_the_next) {
  TokenBucket bucket({.per_second = 10, .burst = 2});
  EXPECT_EQ(bucket.wait_from(start), 0s);
  EXPECT_EQ(taken(bucket, start), 2);
  EXPECT_EQ(bucket.wait_from(start), 100ms);
  EXPECT_EQ(bucket.wait_from(start + 60ms), 40ms);
  EXPECT_FALSE(bucket.try_take(start + 99ms));
  EXPECT_TRUE(bucket.try_take(start + 100ms));
}

TEST(TokenBucket, takes_another_limit_while_it_is_used_and_what_is_missing_stays_missing) {
  TokenBucket bucket({.per_second = 1.0 / 86'400, .burst = 5});
  EXPECT_EQ(taken(bucket, start), 5);
  bucket.set({.per_second = 1'000, .burst = 10}, start);
  EXPECT_EQ(taken(bucket, start), 5) << "of ten, five were taken";
  EXPECT_EQ(taken(bucket, start + 3ms), 3) << "and not days ahead";
  bucket.set({}, start + 3ms);
  EXPECT_EQ(taken(bucket, start + 4s), 0);
  bucket.set({.per_second = 1, .burst = 3}, start + 4s);
  EXPECT_EQ(taken(bucket, start + 4s), 3);
  TokenBucket other({.per_second = 10, .burst = 3});
  other.take_over(bucket, start + 4s);
  EXPECT_EQ(taken(other, start + 4s), 0);
  EXPECT_EQ(taken(other, start + 4s + 200ms), 2);
}

TEST(TokenBucket, refuses_numbers_that_are_no_rate) {
  EXPECT_EQ((RateLimit{.per_second = 1, .burst = 0.5}.check().code()), Code::invalid_argument);
  for (const double bad : {-1.0, 2e9, std::nan(""), static_cast<double>(INFINITY)}) {
    EXPECT_EQ(RateLimit{.per_second = bad}.check().code(), Code::invalid_argument) << bad;
    EXPECT_EQ((RateLimit{.per_second = 1, .burst = bad}.check().code()), Code::invalid_argument);
  }
  EXPECT_TRUE((RateLimit{.per_second = 1e6, .burst = 1e9}.check().is_ok()));
}

TEST(TokenBucket, threads_together_get_no_more_than_one_would) {
  TokenBucket bucket({.per_second = 1, .burst = 1'000});
  std::vector<int> got(4);
  {
    std::vector<std::jthread> threads;
    for (int& each : got) threads.emplace_back([&] { each = taken(bucket, start); });
  }
  EXPECT_EQ(got[0] + got[1] + got[2] + got[3], 1'000);
}

}  // namespace
}  // namespace parley
