// A fence in two halves: a light one for a path that is taken all the time and a heavy one for a
// path that is taken rarely. Between two threads of which one passes a light fence and the other a
// heavy one, it is as if both had passed a full fence. Private to rt.
#pragma once

#include <atomic>

#include "parley/rt/impl/atomics.h"
#include "parley/rt/impl/membarrier.h"

namespace parley::rt::impl {

// Costs nothing but where the kernel has no membarrier.
inline void light_fence() noexcept {
  if (has_membarrier.load(std::memory_order_relaxed)) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    RealAtomics::full_fence();
  }
}

// Some microseconds.
inline void heavy_fence() {
  if (has_membarrier.load(std::memory_order_relaxed)) {
    membarrier();
  } else {
    RealAtomics::full_fence();
  }
}

}  // namespace parley::rt::impl
