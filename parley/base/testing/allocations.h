// Counts what a test program allocates. For tests only: whoever compiles allocations.cc into its
// program replaces operator new there; so it is in no library. Counts all threads.
//
//   const Allocations before = testing::allocations();
//   encode(message, out);
//   EXPECT_EQ(testing::allocations().count - before.count, 1u);
//   EXPECT_LT(testing::most_held_by([] { decode(message); }), 1000u);
#pragma once

#include <cstddef>

namespace parley::testing {

struct Allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};

// All calls of operator new since the program began.
Allocations allocations() noexcept;

// The most bytes that were allocated at one time while `run` ran, beyond those before it. By one
// thread at a time.
std::size_t most_held_by(void (*run)());

}  // namespace parley::testing
