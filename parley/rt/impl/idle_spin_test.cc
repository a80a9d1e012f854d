#include "parley/rt/impl/idle_spin.h"

#include <gtest/gtest.h>

namespace parley::rt::impl {
namespace {

using namespace std::chrono_literals;

// After many idle times of `gap`.
Duration budget_after(Duration longest_worth_spinning, Duration gap) {
  IdleSpin spin(longest_worth_spinning);
  for (int i = 0; i < 200; ++i) spin.record(gap);
  return spin.budget();
}

TEST(IdleSpin, a_worker_looks_for_work_three_times_as_long_as_it_lately_waited_and_a_little) {
  EXPECT_NEAR(static_cast<double>(budget_after(80us, 20us).count()),
              static_cast<double>(Duration(65us).count()), 1000);
}

TEST(IdleSpin, a_worker_sleeps_at_once_where_work_comes_seldom) {
  EXPECT_EQ(budget_after(80us, 100us), Duration::zero());
  EXPECT_GT(budget_after(200us, 100us), Duration::zero());
}

TEST(IdleSpin, with_a_limit_of_zero_nothing_spins) {
  EXPECT_EQ(budget_after(Duration::zero(), Duration::zero()), Duration::zero());
}

TEST(IdleSpin, a_new_worker_sleeps_at_once) {
  EXPECT_EQ(IdleSpin(80us).budget(), Duration::zero());
}

TEST(IdleSpin, a_long_pause_is_soon_forgotten) {
  IdleSpin spin(80us);
  for (int i = 0; i < 200; ++i) spin.record(10us);
  spin.record(1h);
  EXPECT_EQ(spin.budget(), Duration::zero());
  for (int i = 0; i < 10; ++i) spin.record(10us);
  EXPECT_GT(spin.budget(), Duration::zero());
}

}  // namespace
}  // namespace parley::rt::impl
