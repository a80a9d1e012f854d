#include <gtest/gtest.h>

#include "parley/base/testing/allocations.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

void park_in_selects() {
  Channel<int> a;
  Channel<int> b;
  Channel<int> never(4);
  Scope scope;
  long sum = 0;
  std::size_t counted = 1;
  scope.go("receiver", [&] {
    const auto add = [&](const Result<int>& value) { sum += *value; };
    for (int i = 0; i < 1'000; ++i) {
      // The first rounds warm up what the runtime keeps.
      if (i == 10) counted = parley::testing::allocations().count;
      (void)select(on_receive(a, add), on_receive(b, add), on_receive(never, add),
                   on_timeout(std::chrono::hours(1), [] { FAIL(); }));
    }
    counted = parley::testing::allocations().count - counted;
  });
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE((i % 2 == 0 ? a : b).send(1).is_ok());
  scope.join();
  EXPECT_EQ(sum, 1'000);
  EXPECT_EQ(counted, 0u);
}

TEST(SelectAllocation, parking_in_a_select_and_being_woken_allocates_nothing) {
  testing::run_fiber_test(park_in_selects, testing::without_reports());
}

}  // namespace
}  // namespace parley::rt
