#include "parley/observe/histogram.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "parley/base/testing/allocations.h"

namespace parley::observe {
namespace {

using Buckets = std::vector<std::uint64_t>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr TraceId trace{0x0123456789abcdef, 0xfedcba9876543210};

Bounds bounds_of(std::vector<double> values) { return Bounds::of(std::move(values)).value(); }

std::string error_of(std::vector<double> values) {
  return Bounds::of(std::move(values)).error().to_string();
}

TEST(Bounds, are_refused_with_the_reason) {
  EXPECT_NE(error_of({}).find("at least one bucket bound"), std::string::npos);
  EXPECT_NE(error_of({1, 3, 2}).find("bucket bound 2 is 2.0, not above the one before it, 3.0"),
            std::string::npos);
  EXPECT_NE(error_of({1, 1}).find("not above"), std::string::npos);
  EXPECT_NE(error_of({1, infinity}).find("+Inf is added"), std::string::npos);
  EXPECT_NE(error_of({1, std::nan("")}).find("bounds are finite"), std::string::npos);
  EXPECT_NE(error_of({-1, 1}).find("not negative"), std::string::npos);
}

TEST(Bounds, are_at_most_max_buckets) {
  const auto count = [](std::size_t size) {
    return Bounds::exponential({.start = 1, .factor = 1.01, .count = size});
  };
  EXPECT_TRUE(count(Bounds::max_buckets));
  EXPECT_EQ(count(Bounds::max_buckets + 1).error().code(), Code::resource_exhausted);
  EXPECT_EQ(count(std::numeric_limits<std::size_t>::max()).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(Bounds::of(std::vector<double>(Bounds::max_buckets + 1)).error().code(),
            Code::resource_exhausted);
}

TEST(Bounds, grow_by_a_factor) {
  const Bounds bounds = Bounds::exponential({.start = 0.5, .factor = 4, .count = 3}).value();
  EXPECT_EQ(std::vector<double>(bounds.values().begin(), bounds.values().end()),
            (std::vector<double>{0.5, 2, 8}));
  EXPECT_FALSE(Bounds::exponential({.start = 0, .factor = 2, .count = 3}));
  EXPECT_FALSE(Bounds::exponential({.start = 1, .factor = 1, .count = 3}));
  EXPECT_FALSE(Bounds::exponential({.start = std::nan(""), .factor = 2, .count = 3}));
  EXPECT_FALSE(Bounds::exponential({.start = 1, .factor = 2, .count = 0}));
  EXPECT_FALSE(Bounds::exponential({.start = 1, .factor = 1e300, .count = 3}));
}

TEST(Bounds, of_latency_can_be_made_by_hand) {
  const Bounds bounds = Bounds::latency();
  EXPECT_TRUE(Bounds::of({bounds.values().begin(), bounds.values().end()}));
}

TEST(Histogram, puts_a_value_into_the_first_bucket_it_does_not_exceed) {
  Histogram histogram(bounds_of({1, 2, 4}));
  for (const double value : {0.0, 1.0, 1.5, 2.0, 4.0, 4.5, 1000.0}) histogram.observe(value);
  const Histogram::Reading reading = histogram.read();
  EXPECT_EQ(reading.buckets, (Buckets{2, 2, 1, 2}));
  EXPECT_EQ(reading.count, 7u);
  EXPECT_EQ(reading.sum, 1013);
}

TEST(Histogram, counts_durations_in_seconds) {
  Histogram histogram(bounds_of({0.1, 1}));
  histogram.observe(std::chrono::milliseconds(250));
  histogram.observe(std::chrono::seconds(2), trace);
  EXPECT_EQ(histogram.read().buckets, (Buckets{0, 1, 1}));
  EXPECT_EQ(histogram.read().sum, 2.25);
}

TEST(Histogram, leaves_out_what_cannot_be_summed_and_counts_it) {
  Histogram histogram(bounds_of({1}));
  for (const double value : {-1.0, infinity, -infinity, std::nan("")}) histogram.observe(value);
  histogram.observe(std::nan(""), trace);
  EXPECT_EQ(histogram.read().count, 0u);
  EXPECT_EQ(histogram.read().sum, 0);
  EXPECT_EQ(histogram.refused(), 5u);
  EXPECT_FALSE(histogram.read().exemplars[1].has_value());
}

TEST(Histogram, has_room_for_more_buckets_than_a_cache_line_holds) {
  const Bounds bounds = Bounds::exponential({.start = 1, .factor = 1.1, .count = 40}).value();
  Histogram histogram(bounds);
  for (const double bound : bounds.values()) histogram.observe(bound);
  histogram.observe(1e9);
  EXPECT_EQ(histogram.read().buckets, Buckets(41, 1));
}

TEST(Histogram, keeps_the_last_trace_of_each_bucket) {
  Histogram histogram(bounds_of({1, 2}));
  histogram.observe(0.5, {1, 1});
  histogram.observe(0.75, trace);
  histogram.observe(0.25);
  histogram.observe(9, TraceId{});
  const Histogram::Reading reading = histogram.read();
  EXPECT_EQ(reading.exemplars[0], (Exemplar{0.75, trace}));
  EXPECT_FALSE(reading.exemplars[1].has_value());
  EXPECT_FALSE(reading.exemplars[2].has_value());
}

TEST(Histogram, allocates_nothing_when_it_observes) {
  Histogram histogram(Bounds::latency());
  const std::size_t before = parley::testing::allocations().count;
  for (int i = 0; i < 1000; ++i) {
    histogram.observe(0.001 * i);
    histogram.observe(0.001 * i, trace);
  }
  EXPECT_EQ(parley::testing::allocations().count, before);
}

TEST(Histogram, loses_nothing_when_many_threads_observe) {
  constexpr int thread_count = 8;
  constexpr int rounds = 20'000;
  Histogram histogram(bounds_of({1, 2, 3}));
  std::atomic<bool> done{false};
  std::uint64_t torn = 0;
  std::thread reader([&] {
    while (!done) {
      for (const auto& exemplar : histogram.read().exemplars) {
        // Each writer writes its own number three times.
        if (exemplar.has_value() && (exemplar->trace.high != exemplar->trace.low ||
                                     exemplar->value != static_cast<double>(exemplar->trace.low))) {
          ++torn;
        }
      }
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) {
    threads.emplace_back([&histogram, i] {
      const auto number = static_cast<std::uint64_t>(i) + 1;
      for (int round = 0; round < rounds; ++round) {
        histogram.observe(static_cast<double>(number), {number, number});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  const Histogram::Reading reading = histogram.read();
  EXPECT_EQ(reading.buckets, (Buckets{rounds, rounds, rounds, 5 * rounds}));
  EXPECT_EQ(reading.sum, 36.0 * rounds);
  EXPECT_EQ(torn, 0u);
  EXPECT_TRUE(reading.exemplars[3].has_value());
}

TEST(TraceId, is_32_digits) {
  EXPECT_EQ(trace.to_string(), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(TraceId{}.to_string(), std::string(32, '0'));
  EXPECT_TRUE(trace.is_valid());
  EXPECT_FALSE(TraceId{}.is_valid());
}

}  // namespace
}  // namespace parley::observe
