// Counts what the test program allocates. For tests only: linking allocations.cc replaces operator
// new of the whole program. Counts every thread; use it in single-threaded tests.
//
//   const Allocations before = allocations();
//   encode(message, out);
//   EXPECT_EQ(allocations().count - before.count, 1u);
#pragma once

#include <cstddef>

namespace parley::wire::testing {

struct Allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};

// All calls of operator new since the program began.
Allocations allocations() noexcept;

}  // namespace parley::wire::testing
