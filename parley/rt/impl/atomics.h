// The atomics of the runtime's lock-free parts, behind one template parameter: the parts are
// templates over `Atomics`, so that a test can run the shipped code with atomics that stop before
// each access and so walk through every interleaving (interleave_test.cc). Private to rt.
#pragma once

#include <atomic>

namespace parley::rt::impl {

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
  // After many rounds of such a loop: the other thread may not be running at all.
  static void give_way() noexcept;
};

}  // namespace parley::rt::impl
