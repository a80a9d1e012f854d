#include "reading.h"

#include <sys/resource.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>

#include "parley/base/fd.h"

namespace parley::bench {
namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

std::uint64_t used_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

Result<Memory> memory_of_this_process() {
  std::ifstream status("/proc/self/status");
  if (!status) return errno_status(errno, "open /proc/self/status");
  Memory memory;
  for (std::string line; std::getline(status, line);) {
    unsigned long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "VmRSS: %llu kB", &kilobytes) == 1) {
      memory.resident_bytes = kilobytes * 1024;
    } else if (std::sscanf(line.c_str(), "VmPTE: %llu kB", &kilobytes) == 1) {
      memory.page_table_bytes = kilobytes * 1024;
    }
  }
  if (memory.resident_bytes > 0) return memory;
  return Status(Code::internal, "/proc/self/status has no VmRSS");
}

}  // namespace parley::bench
