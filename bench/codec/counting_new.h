// How often this program asked for memory by operator new, since it started. What a contestant
// takes by malloc() is not counted.
#pragma once

#include <cstdint>

namespace parley::bench {

std::uint64_t allocations_so_far() noexcept;

}  // namespace parley::bench
