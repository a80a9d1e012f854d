// Mutex: one fiber at a time. A fiber that must wait parks; its worker runs others meanwhile.
//
// As Go's sync.Mutex: a fiber that comes by may take a free mutex before those that were woken for
// it, which is faster; but once a fiber has waited for a millisecond, unlock() hands over to those
// that wait, in their order, until none has waited that long. Works with std::lock_guard and
// std::unique_lock. May be held over a park (an OS mutex may not). Thread-safe among the fibers of
// one runtime.
//
//   std::lock_guard lock(stock_mutex_);
//   --stock_[sku];
#pragma once

#include <atomic>
#include <cstdint>

#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class Mutex {
 public:
  Mutex() = default;
  // Destroying a locked mutex is a bug.
  ~Mutex();
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  // Waits as long as it takes: neither deadline nor cancellation ends it. Locking what the calling
  // fiber already holds is a bug, found in debug builds; in others the fiber waits for itself.
  void lock() {
    impl::interleave();
    State free = State::free;
    if (!state_.compare_exchange_strong(free, State::locked, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      lock_slowly();
    }
    note_owner();
  }
  [[nodiscard]] bool try_lock() {
    impl::interleave();
    State free = State::free;
    const bool locked = state_.compare_exchange_strong(
        free, State::locked, std::memory_order_acquire, std::memory_order_relaxed);
    if (locked) note_owner();
    return locked;
  }
  // By the fiber that holds it; anything else is a bug, found in debug builds.
  void unlock() {
    check_owner();
    State locked = State::locked;
    if (!state_.compare_exchange_strong(locked, State::free, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      unlock_slowly();
    }
    impl::interleave();
  }

 private:
  enum class State : std::uint8_t { free, locked, contended };
  struct Waiter;

  void lock_slowly();
  void unlock_slowly();
#ifdef NDEBUG
  void note_owner() {}
  void check_owner() {}
#else
  void note_owner();
  void check_owner();
#endif

  std::atomic<State> state_{State::free};
  bool starving_ = false;  // somebody has waited too long: no overtaking
  impl::SpinLock lock_;    // of starving_ and waiters_
  impl::WaitList waiters_;
  // Also in release builds, so that code built with and without NDEBUG agrees on the layout.
  std::atomic<impl::Fiber*> owner_{nullptr};
};

}  // namespace parley::rt
