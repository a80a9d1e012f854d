// SpinLock: guards the few instructions in which a primitive looks at its queues. Never held over a
// park or a system call. Private to rt.
#pragma once

#include "parley/rt/impl/atomics.h"

namespace parley::rt::impl {

template <class Atomics>
class BasicSpinLock {
 public:
  BasicSpinLock() = default;
  BasicSpinLock(const BasicSpinLock&) = delete;
  BasicSpinLock& operator=(const BasicSpinLock&) = delete;

  void lock() noexcept {
    if (locked_.exchange(true, std::memory_order_acquire)) lock_slowly();
  }
  [[nodiscard]] bool try_lock() noexcept {
    return !locked_.exchange(true, std::memory_order_acquire);
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  // The holder is a few instructions away from letting go, unless its thread lost the processor.
  static constexpr int rounds_before_giving_way = 64;

  [[gnu::noinline]] void lock_slowly() noexcept {
    for (int round = 0;; ++round) {
      if (!locked_.load(std::memory_order_relaxed) &&
          !locked_.exchange(true, std::memory_order_acquire)) {
        return;
      }
      if (round < rounds_before_giving_way) {
        Atomics::relax();
      } else {
        Atomics::give_way();
      }
    }
  }

  typename Atomics::template Atomic<bool> locked_{false};
};

using SpinLock = BasicSpinLock<RealAtomics>;

}  // namespace parley::rt::impl
