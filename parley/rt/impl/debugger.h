// What a debugger needs to find the fibers of a process that is stopped, or of a core file:
// tools/gdb/parley.py reads parley_rt_debugger by this layout, in release builds as well, where it
// knows no types. Nothing here is read by the runtime itself. Private to rt.
#pragma once

#include <cstdint>

namespace parley::rt::impl {

class Fiber;
class Scheduler;

// A runtime, from when its first fiber is made until it ends.
class DebuggerEntry {
 public:
  // `fiber` is any of its fibers: where its parts lie is where they lie in all.
  DebuggerEntry(Scheduler& scheduler, const Fiber& fiber);
  ~DebuggerEntry();
  DebuggerEntry(const DebuggerEntry&) = delete;
  DebuggerEntry& operator=(const DebuggerEntry&) = delete;

 private:
  // In the order in which the script reads them.
  DebuggerEntry* next_ = nullptr;
  const void* slabs_ = nullptr;    // std::vector of slabs: where it begins, where it ends
  const void* workers_ = nullptr;  // an array of pointers
  std::uint64_t worker_count_ = 0;
  std::uint64_t max_fibers_ = 0;
};

}  // namespace parley::rt::impl
