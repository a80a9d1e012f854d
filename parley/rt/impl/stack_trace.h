// Stack traces of fibers: of the calling one, of one that is parked, of one that runs elsewhere.
// Private to rt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace parley::rt::impl {

class Worker;
class Fiber;

struct Frames {
  std::array<void*, 48> at{};  // return addresses, innermost first
  std::size_t count = 0;
};

// Of the caller. Safe in a signal handler.
void trace_here(Frames& frames);
// Of a stack left by parley_rt_switch, whose fiber cannot be resumed meanwhile. Nothing on
// architectures where this is not written yet.
void trace_left(void* stack_pointer, Frames& frames);

struct RunningFiber {
  std::uint64_t id = 0;  // 0: the worker runs no fiber, or did not answer in time
  std::string name;
  Frames frames;
};
// Asks the worker's thread by a signal (SIGURG, unless the program uses that itself).
RunningFiber trace_running_fiber(Worker& worker);

// A line for each frame: function, and where it lies in its file.
std::string text_of_stack(const Frames& frames);

}  // namespace parley::rt::impl
