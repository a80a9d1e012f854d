// What the machine, or the container, has to give. Private to rt.
#pragma once

#include <cstddef>
#include <string>

namespace parley::rt::impl {

// Processors this process may use: its affinity mask, and not more than its control group's quota
// of processor time, rounded up; at least 1.
std::size_t usable_processors();
// Bytes of memory this process may use: the machine's, or its control group's limit.
std::size_t usable_memory();
// A default for RuntimeOptions::max_fibers: as many as could be parked in half of that memory.
std::size_t default_max_fibers();

// The quota in the text of cpu.max (cgroup v2) or 0 when there is none.
double processors_of_cpu_max(const std::string& text);

}  // namespace parley::rt::impl
