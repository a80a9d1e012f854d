#include "parley/rt/fiber_number.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

TEST(FiberNumber, is_of_one_fiber_also_when_that_has_ended) {
  Runtime({.workers = 1}).run([] {
    std::set<std::uint64_t> all = {0, fiber_number()};
    EXPECT_EQ(all.size(), 2U);
    for (int i = 0; i < 10; ++i) {
      Scope scope;
      scope.go("other", [&] {
        EXPECT_TRUE(all.insert(fiber_number()).second);
        yield();
        EXPECT_FALSE(all.insert(fiber_number()).second);
      });
    }
    EXPECT_EQ(all.size(), 12U);
  });
}

}  // namespace
}  // namespace parley::rt
