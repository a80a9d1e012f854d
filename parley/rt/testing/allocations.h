// Counts what the test program allocates. Asking for it replaces operator new of the whole program.
//
//   const std::size_t before = testing::allocations();
//   mutex.lock();
//   EXPECT_EQ(testing::allocations(), before);
#pragma once

#include <cstddef>

namespace parley::rt::testing {

// Calls of operator new since the program began, by all threads.
std::size_t allocations() noexcept;

}  // namespace parley::rt::testing
