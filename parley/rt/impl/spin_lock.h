// SpinLock: guards the few instructions in which a primitive looks at its queues. Never held over a
// park or a system call. Private to rt.
//
// It leans towards a lone worker, the only one of its runtime: that one takes the lock with plain
// stores, which halves the cost of a hand-over between its fibers. Other threads may still take it;
// they then pay for the fence that the lone worker leaves out (some microseconds, but only on a
// lock that a lone worker has taken before), as in Dekker's algorithm with an asymmetric fence.
#pragma once

#include <cstdint>

#include "parley/rt/impl/atomics.h"

namespace parley::rt::impl {

// A lock that leans towards nobody: for what threads that are no workers take as well.
template <class Atomics>
class BasicSharedSpinLock {
 public:
  BasicSharedSpinLock() = default;
  BasicSharedSpinLock(const BasicSharedSpinLock&) = delete;
  BasicSharedSpinLock& operator=(const BasicSharedSpinLock&) = delete;

  // Sequentially consistent for BasicSpinLock's sake; on x86-64 it costs the same.
  void lock() noexcept {
    if (locked_.exchange(true, std::memory_order_seq_cst)) lock_slowly();
  }
  [[nodiscard]] bool try_lock() noexcept {
    return !locked_.exchange(true, std::memory_order_seq_cst);
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 protected:
  // The holder is a few instructions away from letting go, unless its thread lost the processor.
  static void wait_a_little(int round) noexcept {
    constexpr int rounds_before_giving_way = 64;
    if (round < rounds_before_giving_way) {
      Atomics::relax();
    } else {
      Atomics::give_way();
    }
  }

  [[nodiscard]] bool is_locked(std::memory_order order) const noexcept {
    return locked_.load(order);
  }

 private:
  [[gnu::noinline]] void lock_slowly() noexcept {
    for (int round = 0;; ++round) {
      if (!locked_.load(std::memory_order_relaxed) &&
          !locked_.exchange(true, std::memory_order_seq_cst)) {
        return;
      }
      wait_a_little(round);
    }
  }

  typename Atomics::template Atomic<bool> locked_{false};
};

template <class Atomics>
class BasicSpinLock : private BasicSharedSpinLock<Atomics> {
  using Shared = BasicSharedSpinLock<Atomics>;

 public:
  void lock() noexcept {
    if (Atomics::is_lone()) {
      if (!enter_alone()) enter_alone_slowly();
      return;
    }
    Shared::lock();
    if (lone_.load(std::memory_order_seq_cst) != Lone::never) wait_for_lone();
  }

  [[nodiscard]] bool try_lock() noexcept {
    if (Atomics::is_lone()) {
      if (enter_alone()) return true;
      lone_.store(Lone::outside, std::memory_order_release);
      return false;
    }
    if (!Shared::try_lock()) return false;
    if (lone_.load(std::memory_order_seq_cst) != Lone::never) wait_for_lone();
    return true;
  }

  void unlock() noexcept {
    if (Atomics::is_lone()) {
      lone_.store(Lone::outside, std::memory_order_release);
    } else {
      Shared::unlock();
    }
  }

 private:
  enum class Lone : std::uint8_t {
    never,  // no lone worker has taken this lock: others need no fence
    outside,
    inside,
  };

  // False when another thread is in. The first time is ordered with the other threads' look at
  // lone_ by sequential consistency, later ones by their heavy fence.
  bool enter_alone() noexcept {
    if (lone_.load(std::memory_order_relaxed) == Lone::never) [[unlikely]] {
      lone_.store(Lone::inside, std::memory_order_seq_cst);
      return !Shared::is_locked(std::memory_order_seq_cst);
    }
    lone_.store(Lone::inside, std::memory_order_relaxed);
    Atomics::light_fence();
    return !Shared::is_locked(std::memory_order_acquire);
  }

  [[gnu::noinline]] void enter_alone_slowly() noexcept {
    for (int round = 0;; ++round) {
      lone_.store(Lone::outside, std::memory_order_release);
      while (Shared::is_locked(std::memory_order_relaxed)) Shared::wait_a_little(round++);
      if (enter_alone()) return;
    }
  }

  // By another thread, which holds the shared half: nobody comes in any more.
  [[gnu::noinline]] void wait_for_lone() noexcept {
    Atomics::heavy_fence();
    for (int round = 0; lone_.load(std::memory_order_acquire) == Lone::inside; ++round) {
      Shared::wait_a_little(round);
    }
  }

  typename Atomics::template Atomic<Lone> lone_{Lone::never};
};

using SpinLock = BasicSpinLock<RealAtomics>;
using SharedSpinLock = BasicSharedSpinLock<RealAtomics>;

}  // namespace parley::rt::impl
