#include "parley/base/assert.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(Assert, holds_its_peace_when_the_condition_holds) { PARLEY_ASSERT(1 + 1 == 2, "arithmetic"); }

TEST(Assert, names_the_place_the_reason_and_the_expression) {
  const int slots = 0;
  EXPECT_DEATH(PARLEY_ASSERT(slots > 0, "no slot left"),
               "assert_test.cc:[0-9]+: in .*no slot left \\(failed: slots > 0\\)");
}

}  // namespace
}  // namespace parley
