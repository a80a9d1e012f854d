// Cond: waits, without the lock, until somebody says that what the lock guards has changed. Go's
// sync.Cond. Often a Channel says the same more simply. Thread-safe among the fibers of one
// runtime.
//
//   std::unique_lock lock(mutex_);
//   Status status = changed_.wait(lock, [&] { return !queue_.empty(); });
//   ...
//   changed_.signal();   // by whoever has put something into the queue; with or without the lock
#pragma once

#include <type_traits>

#include "parley/base/assert.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/mutex.h"
#include "parley/rt/rw_mutex.h"

namespace parley::rt {

class Cond {
 public:
  Cond() = default;
  // A bug while a fiber waits here.
  ~Cond();
  Cond(const Cond&) = delete;
  Cond& operator=(const Cond&) = delete;

  // Unlocks, parks until a signal() or broadcast() that comes after the unlocking, and locks again,
  // always: whatever this returns, the caller has the lock. Ok when it was woken; deadline_exceeded
  // or the context's status when that came first; a signal() that comes then goes to the next. It
  // never returns ok unasked, but another fiber may have been faster to the lock: ask again, or
  // give the predicate. `lock` is a std::unique_lock of a Mutex or an RwMutex, or a
  // std::shared_lock of an RwMutex; not owning it is a bug.
  template <class Lock>
  Status wait(Lock& lock, Deadline deadline = {}) {
    using Mutexes = typename Lock::mutex_type;
    static_assert(std::is_same_v<Mutexes, Mutex> || std::is_same_v<Mutexes, RwMutex>,
                  "rt::Cond waits with a lock of a rt::Mutex or rt::RwMutex");
    PARLEY_ASSERT(lock.owns_lock(), "Cond::wait() without the lock");
    impl::Parking parking("cond");
    impl::WaitNode node;
    enqueue(node, parking);
    lock.unlock();
    const Status status = park(node, parking, deadline);
    lock.lock();
    return status;
  }

  // Waits until ready() is true; ready is called with the lock. When the deadline or the context
  // ends the wait, ready() decides once more.
  template <class Lock, class Ready>
    requires std::is_invocable_r_v<bool, Ready&>
  Status wait(Lock& lock, Ready ready, Deadline deadline = {}) {
    PARLEY_ASSERT(lock.owns_lock(), "Cond::wait() without the lock");
    while (!ready()) {
      Status status = wait(lock, deadline);
      if (!status.is_ok()) return ready() ? Status() : status;
    }
    return {};
  }

  // Wakes the fiber that has waited longest, if there is one.
  void signal();
  // Wakes all that wait.
  void broadcast();

 private:
  void enqueue(impl::WaitNode& node, const impl::Parking& parking);
  Status park(impl::WaitNode& node, impl::Parking& parking, Deadline deadline);

  impl::SpinLock lock_;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
