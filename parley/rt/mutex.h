// Mutex: one fiber at a time. A fiber that must wait parks; the worker runs others meanwhile.
//
// Fair: unlock() hands over to the one that waited longest. Works with std::lock_guard and
// std::unique_lock. May be held over a park (an OS mutex may not).
//
//   std::lock_guard lock(stock_mutex_);
//   --stock_[sku];
#pragma once

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
  // fiber already holds is a bug.
  void lock();
  [[nodiscard]] bool try_lock();
  // By the fiber that holds it; anything else is a bug.
  void unlock();

 private:
  impl::Fiber* owner_ = nullptr;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
