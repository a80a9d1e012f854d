// Counts allocations, in a program of its own because it replaces operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace {
std::atomic<long> allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace parley::rt {
namespace {

PARLEY_FIBER_TEST(SelectAllocation, parking_in_a_select_and_being_woken_allocates_nothing) {
  Channel<int> a;
  Channel<int> b;
  Channel<int> never(4);
  Scope scope;
  long sum = 0;
  long counted = -1;
  scope.go("receiver", [&] {
    const auto add = [&](const Result<int>& value) { sum += *value; };
    for (int i = 0; i < 1'000; ++i) {
      // The first rounds warm up what the runtime keeps.
      if (i == 10) counted = allocations;
      (void)select(on_receive(a, add), on_receive(b, add), on_receive(never, add),
                   on_timeout(std::chrono::hours(1), [] { FAIL(); }));
    }
    counted = allocations - counted;
  });
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE((i % 2 == 0 ? a : b).send(1).is_ok());
  scope.join();
  EXPECT_EQ(sum, 1'000);
  EXPECT_EQ(counted, 0);
}

}  // namespace
}  // namespace parley::rt
