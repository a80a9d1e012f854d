// Which fiber this is: for who lends something to the fiber that made it, and to no other.
//
//   const std::uint64_t owner = rt::fiber_number();
//   ...
//   if (rt::fiber_number() == owner) metadata.clear();
#pragma once

#include <cstdint>

namespace parley::rt {

// The number of the calling fiber, never 0 and never that of another one of its runtime: that which
// dump() shows. Inside a fiber only.
[[nodiscard]] std::uint64_t fiber_number();

}  // namespace parley::rt
