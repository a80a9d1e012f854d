// What a process reads about itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parley/base/result.h"

namespace parley::bench {

// User and system time of this process, microseconds (getrusage(2), as go/rt.go does).
std::uint64_t used_cpu_us();

struct Memory {
  std::uint64_t resident_bytes = 0;    // VmRSS of /proc/self/status
  std::uint64_t page_table_bytes = 0;  // VmPTE
};
// Errors when /proc is not there.
Result<Memory> memory_of_this_process();

}  // namespace parley::bench
