#include "window.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace parley::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

void expect_within_three_percent(Duration found, Duration truth) {
  const auto percent = static_cast<double>(found.count()) / static_cast<double>(truth.count());
  EXPECT_NEAR(percent, 1.0, 0.03);
}

TEST(Latency, finds_percentiles_within_three_percent) {
  Latency latency;
  for (int i = 1; i <= 10'000; ++i) latency.record(microseconds(i));
  expect_within_three_percent(latency.percentile(0.5), microseconds(5'000));
  expect_within_three_percent(latency.percentile(0.99), microseconds(9'900));
  expect_within_three_percent(latency.percentile(1), microseconds(10'000));
}

TEST(Latency, is_exact_for_small_values_and_bounded_for_huge_ones) {
  Latency latency;
  EXPECT_EQ(latency.percentile(0.5), Duration::zero());
  latency.record(nanoseconds(7));
  EXPECT_EQ(latency.percentile(0.5), nanoseconds(7));
  latency.record(nanoseconds(-5));
  EXPECT_EQ(latency.percentile(0), nanoseconds(0));
  latency.clear();
  latency.record(Duration::max());
  expect_within_three_percent(latency.percentile(0.5), Duration::max());
}

TEST(Window, counts_own_cpu_time_and_requests_between_its_ends) {
  Window window(::getpid());
  ASSERT_TRUE(window.open(100).is_ok());
  const Instant until = now() + std::chrono::milliseconds(20);
  while (now() < until) {}
  ASSERT_TRUE(window.close(110).is_ok());
  const std::string json = window.to_json(Latency());
  EXPECT_NE(json.find(R"("requests":10,"all_requests":110,)"), std::string::npos) << json;
  EXPECT_EQ(json.find(R"("server_cpu_us":0.0)"), std::string::npos) << json;
}

TEST(Window, refuses_a_window_without_a_request_and_a_server_that_is_gone) {
  Window window(::getpid());
  ASSERT_TRUE(window.open(5).is_ok());
  EXPECT_EQ(window.close(5).code(), Code::deadline_exceeded);
  EXPECT_EQ(Window(max_pid).open(0).code(), Code::not_found);
}

}  // namespace
}  // namespace parley::bench
