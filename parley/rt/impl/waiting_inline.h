// Parking, where the compiler sees how a worker goes from fiber to fiber: see worker_inline.h.
// Included by the primitives that wait most. Private to rt.
#pragma once

#include "parley/rt/impl/os_locks.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt::impl {

// Inlined into the waits as well: each return after a switch to another fiber's place is a
// misprediction.
[[gnu::always_inline]] inline Wake Parking::park_here(Deadline deadline) {
  return Worker::current()->park(fiber_, what_, deadline, cancellable_ == Cancellable::yes);
}

// A Parking that is all in one place, for waits that nothing refuses. `now`: as in park_since().
class ParkingHere {
 public:
  [[gnu::always_inline]] ParkingHere(const char* what, const Instant* now)
      : worker_(Worker::current()),
        fiber_(worker_ == nullptr ? nullptr : worker_->running()),
        what_(what),
        now_(now) {
    if (fiber_ == nullptr) [[unlikely]]
      require_fiber(what);
    if constexpr (counts_os_locks) refuse_os_locks(*fiber_, what);
    fiber_->word.open(true);
  }
  ParkingHere(const ParkingHere&) = delete;
  ParkingHere& operator=(const ParkingHere&) = delete;

  [[nodiscard]] Fiber* fiber() const { return fiber_; }
  [[gnu::always_inline]] Wake park_here(Deadline deadline) {
    return worker_->park_since(*fiber_, what_, deadline, true, now_);
  }

 private:
  Worker* const worker_;
  Fiber* const fiber_;
  const char* const what_;
  const Instant* const now_;
};

}  // namespace parley::rt::impl
