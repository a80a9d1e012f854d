#include "parley/base/guard.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace parley {
namespace {

TEST(Guard, turns_what_was_thrown_into_internal_with_the_text_as_cause) {
  EXPECT_TRUE(guarded([] {}).is_ok());
  const Status status = guarded([] { throw std::runtime_error("stock file is gone"); });
  EXPECT_EQ(status.code(), Code::internal);
  EXPECT_EQ(status.cause(), "stock file is gone");
  EXPECT_EQ(guarded([] { throw 7; }).cause(), "not derived from std::exception");
}

}  // namespace
}  // namespace parley
