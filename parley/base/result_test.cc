#include "parley/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace parley {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Status(Code::invalid_argument, "odd");
  return n / 2;
}

TEST(Result, holds_a_value_or_the_reason_there_is_none) {
  EXPECT_TRUE(half(4).has_value());
  EXPECT_EQ(*half(4), 2);
  EXPECT_TRUE(half(4).error().is_ok());
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error().message(), "odd");
  EXPECT_EQ(half(3).value_or(7), 7);
}

TEST(Result, carries_values_that_only_move) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 5);
}

TEST(Result, chains_as_std_expected_does) {
  EXPECT_EQ(half(8).and_then(half).value(), 2);
  EXPECT_EQ(half(6).and_then(half).error().message(), "odd");
  EXPECT_EQ(half(6).transform([](int n) { return std::to_string(n); }).value(), "3");
  EXPECT_EQ(half(5).or_else([](const Status&) { return Result<int>(0); }).value(), 0);
  EXPECT_EQ(half(5)
                .transform_error([](const Status& s) { return s.with_context("half"); })
                .error()
                .message(),
            "half: odd");
}

TEST(Result, of_void_is_a_status_with_results_names) {
  const Result<void> good;
  EXPECT_TRUE(good.has_value());
  const Result<void> bad = Status(Code::aborted, "no");
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Code::aborted);
}

TEST(Result, taking_a_value_that_is_not_there_names_the_error) {
  EXPECT_DEATH((void)half(3).value(),
               "result_test.cc:.*a Result without a value was asked for it: invalid_argument: odd");
  EXPECT_DEATH((void)Result<int>(Status()), "made from an ok Status");
}

}  // namespace
}  // namespace parley
