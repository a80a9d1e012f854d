// Where a simulation may let another fiber run: before an operation that may wait, and after one
// that may wake. Elsewhere this is a load and a branch that is never taken. Private to rt.
#pragma once

#include <atomic>

namespace parley::rt::impl {

class Simulation;

// True while this process runs a simulation.
inline std::atomic<bool> simulating{false};

void interleave_slowly();

// By a fiber that holds no SpinLock. Nothing of what it is called from may be touched afterwards if
// another fiber may destroy it by then.
inline void interleave() {
  if (simulating.load(std::memory_order_relaxed)) [[unlikely]]
    interleave_slowly();
}

// The simulation the calling thread runs, or null.
Simulation* simulation_here() noexcept;

}  // namespace parley::rt::impl
