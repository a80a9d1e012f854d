#include "parley/peer/overload/adaptive_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <queue>
#include <random>
#include <thread>
#include <vector>

namespace parley {
namespace {

using namespace std::chrono_literals;

const Instant start = Instant(1000s);

// A server with so many hands, first come first served; who comes asks the limit. Time is made up.
class Shop {
 public:
  explicit Shop(AdaptiveLimit& limit, std::size_t hands) : limit_(limit), free_at_(hands, start) {}

  struct Day {
    int came = 0;
    int refused = 0;
    Duration longest{};
    std::size_t most_under_way = 0;
  };

  // So many a second at random times, each taking `work`, for `time`.
  Day open(double per_second, Duration work, Duration time) {
    Day day;
    std::exponential_distribution<double> gap(per_second);
    const Instant end = now_ + time;
    while (now_ < end) {
      now_ += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(gap(random_)));
      let_go();
      ++day.came;
      if (!limit_.try_begin(now_)) {
        ++day.refused;
        continue;
      }
      auto hand = std::min_element(free_at_.begin(), free_at_.end());
      *hand = std::max(*hand, now_) + work;
      under_way_.push({*hand, now_});
      day.longest = std::max(day.longest, *hand - now_);
      day.most_under_way = std::max(day.most_under_way, limit_.under_way());
    }
    return day;
  }

 private:
  struct Call {
    Instant ends, began;
    bool operator>(const Call& other) const { return ends > other.ends; }
  };
  void let_go() {
    while (!under_way_.empty() && under_way_.top().ends <= now_) {
      const Call call = under_way_.top();
      under_way_.pop();
      limit_.end(call.ends, call.ends - call.began);
    }
  }

  AdaptiveLimit& limit_;
  std::vector<Instant> free_at_;
  std::priority_queue<Call, std::vector<Call>, std::greater<>> under_way_;
  Instant now_ = start;
  std::mt19937_64 random_{7};
};

TEST(AdaptiveLimit, refuses_nobody_without_a_queue_but_while_the_floor_is_measured) {
  AdaptiveLimit limit({});
  Shop shop(limit, 64);
  shop.open(1'000, 20ms, 10s);
  const Shop::Day day = shop.open(1'000, 20ms, 200s);
  EXPECT_LT(day.refused, 4 * 400) << "each time, 50 calls one after another in three places";
  EXPECT_GT(limit.under_way(), 0U);
}

TEST(AdaptiveLimit, long_calls_are_refused_for_the_floor_no_longer_than_its_timeout) {
  for (const Duration timeout : {500ms, 2'000ms}) {
    AdaptiveLimit limit({.first_limit = 100, .floor_timeout = timeout});
    Shop shop(limit, 200);
    const Shop::Day day = shop.open(30, 2s, 200s);
    // 30 a second come in each of the four times.
    EXPECT_LT(day.refused, 30 * 4 * std::chrono::duration<double>(timeout).count() * 1.5);
    EXPECT_GT(limit.limit(), 60U);
    EXPECT_GE(limit.floor(), 1'500ms);
  }
}

TEST(AdaptiveLimit, at_three_times_the_load_keeps_the_hands_busy_and_the_queue_short) {
  AdaptiveLimit limit({});
  Shop shop(limit, 8);
  shop.open(4'000, 1ms, 5s);  // half of what it can do
  shop.open(24'000, 1ms, 5s);
  const Shop::Day day = shop.open(24'000, 1ms, 20s);
  const double served = (day.came - day.refused) / 20.0;
  EXPECT_GT(served, 0.9 * 8'000);
  EXPECT_LT(day.longest, 10ms) << "without a limit it would be tens of seconds";
}

TEST(AdaptiveLimit, follows_a_method_that_becomes_slower_for_good) {
  AdaptiveLimit limit({.floor_interval = 5s});
  Shop shop(limit, 16);
  shop.open(1'000, 1ms, 10s);
  EXPECT_NEAR(static_cast<double>(limit.floor().count()), 1e6, 2e5);
  shop.open(1'000, 8ms, 20s);
  EXPECT_NEAR(static_cast<double>(limit.floor().count()), 8e6, 2e6);
  const Shop::Day day = shop.open(1'000, 8ms, 10s);
  EXPECT_LT(day.refused, day.came / 20) << "but for the moments in which the floor is measured";
}

TEST(AdaptiveLimit, a_limit_that_nobody_meets_does_not_grow_for_ever) {
  AdaptiveLimit limit({.first_limit = 20});
  Shop shop(limit, 4);
  shop.open(100, 1ms, 60s);
  EXPECT_LE(limit.limit(), 20U);
}

TEST(AdaptiveLimit, finds_the_floor_also_when_it_begins_in_the_middle_of_the_rush) {
  AdaptiveLimit limit({});
  Shop shop(limit, 8);
  shop.open(24'000, 1ms, 2s);
  EXPECT_NEAR(static_cast<double>(limit.floor().count()), 1e6, 2e5);
  EXPECT_LT(shop.open(24'000, 1ms, 10s).longest, 10ms);
}

TEST(AdaptiveLimit, with_few_calls_under_way_the_floor_is_measured_without_refusing_any) {
  AdaptiveLimit limit({.floor_interval = 1s});
  Shop shop(limit, 4);
  EXPECT_EQ(shop.open(100, 1ms, 60s).refused, 0);
}

TEST(AdaptiveLimit, stays_within_its_bounds) {
  AdaptiveLimit small({.min_limit = 2, .max_limit = 4, .first_limit = 4});
  Shop shop(small, 64);
  EXPECT_EQ(shop.open(10'000, 10ms, 10s).most_under_way, 4U);
  AdaptiveLimit one({.min_limit = 5, .max_limit = 50, .first_limit = 10});
  Shop slow(one, 1);
  slow.open(1'000, 10ms, 10s);
  EXPECT_GE(one.limit(), 5U);
  EXPECT_LE(one.limit(), 10U);
}

TEST(AdaptiveLimit, what_says_nothing_about_time_is_not_counted) {
  AdaptiveLimit limit({.floor_calls = 3});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(limit.try_begin(start));
    limit.end(start, 1s, false);
  }
  EXPECT_EQ(limit.floor(), 0s);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(limit.try_begin(start));
    limit.end(start, 1s);
  }
  EXPECT_NEAR(static_cast<double>(limit.floor().count()), 1e9, 2e8);
}

TEST(AdaptiveLimit, the_floor_is_measured_by_the_first_calls_as_many_as_are_asked_for) {
  for (const std::size_t calls : {5U, 40U}) {
    AdaptiveLimit limit({.floor_calls = calls});
    for (std::size_t i = 0; i < calls; ++i) {
      EXPECT_EQ(limit.floor(), 0s) << i;
      ASSERT_TRUE(limit.try_begin(start));
      limit.end(start, 1ms);
    }
    EXPECT_GT(limit.floor(), 0s);
  }
}

TEST(AdaptiveLimit, refuses_options_that_make_no_sense) {
  using Options = AdaptiveLimitOptions;
  EXPECT_TRUE(Options().check().is_ok());
  const std::vector<Options> bad = {{.min_limit = 0},         {.min_limit = 30, .first_limit = 20},
                                    {.max_limit = 2'000'000}, {.max_limit = 10, .first_limit = 20},
                                    {.window = 0s},           {.window_calls = 0},
                                    {.percentile = 0},        {.percentile = 1.1},
                                    {.buffer = -1},           {.buffer = std::nan("")},
                                    {.floor_interval = 1ms},  {.floor_calls = 0},
                                    {.floor_timeout = 0s}};
  for (const Options& each : bad) {
    EXPECT_EQ(each.check().code(), Code::invalid_argument);
    EXPECT_NE(each.check().message().find("AdaptiveLimitOptions::"), std::string::npos);
  }
}

TEST(AdaptiveLimit, threads_are_never_more_than_the_limit) {
  AdaptiveLimit limit(
      {.min_limit = 2, .max_limit = 3, .first_limit = 3, .window = 1us, .window_calls = 1});
  std::atomic<int> inside = 0;
  std::atomic<int> passed = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20'000; ++i) {
          const Instant now = start + i * 1us;
          if (!limit.try_begin(now)) continue;
          EXPECT_LE(++inside, 3);
          ++passed;
          --inside;
          limit.end(now, (t + 1) * 1us);
        }
      });
    }
  }
  EXPECT_GT(passed, 0);
  EXPECT_EQ(limit.under_way(), 0U);
}

}  // namespace
}  // namespace parley
