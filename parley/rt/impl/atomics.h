// The atomics of the runtime's lock-free parts, behind one template parameter: the parts are
// templates over `Atomics`, so that a test can run the shipped code with atomics that stop before
// each access and so walk through every interleaving (testing/interleavings.h). Private to rt.
#pragma once

#include <atomic>

#include "parley/rt/impl/membarrier.h"

namespace parley::rt::impl {

// True on the thread of a runtime's only worker. Its fibers never move, so that a compiler may keep
// its address over a wait.
inline constinit thread_local bool is_lone_worker = false;

struct RealAtomics {
  template <class T>
  using Atomic = std::atomic<T>;

  // In a loop that waits for another thread: lets the core's other half work.
  static void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  // Orders everything before it, stores too, before everything after it. In assembly, because
  // ThreadSanitizer takes no fences; it knows the atomics around it.
  static void full_fence() noexcept {
#if defined(__x86_64__)
    asm volatile("mfence" ::: "memory");
#elif defined(__aarch64__)
    asm volatile("dmb ish" ::: "memory");
#endif
  }
  // A fence in two halves: a light one for a path that is taken all the time and a heavy one for a
  // path that is taken rarely. Between two threads of which one passes a light fence and the other
  // a heavy one, it is as if both had passed a full fence. The light one costs nothing but where
  // the kernel has no membarrier, the heavy one some microseconds.
  static void light_fence() noexcept {
    if (has_membarrier.load(std::memory_order_relaxed)) [[likely]] {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      full_fence();
    }
  }
  static void heavy_fence() noexcept {
    if (has_membarrier.load(std::memory_order_relaxed)) {
      membarrier();
    } else {
      full_fence();
    }
  }
  [[nodiscard]] static bool is_lone() noexcept { return is_lone_worker; }
  // After many rounds of such a loop: the other thread may not be running at all.
  static void give_way() noexcept;
};

}  // namespace parley::rt::impl
