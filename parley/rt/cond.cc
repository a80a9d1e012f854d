#include "parley/rt/cond.h"

#include <mutex>

#include "parley/rt/impl/interleave.h"

namespace parley::rt {

Cond::~Cond() {
  // Whoever woke the last may still be about to let go of the lock.
  const std::lock_guard lock(lock_);
}

void Cond::enqueue(impl::WaitNode& node, const impl::Parking& parking) {
  node.fiber = parking.fiber();
  const std::lock_guard lock(lock_);
  waiters_.push_back(node);
}

Status Cond::park(impl::WaitNode& node, impl::Parking& parking, Deadline deadline) {
  const impl::Wake wake = parking.park(deadline);
  if (!node.chosen) {
    const std::lock_guard lock(lock_);
    node.unlink();
  }
  return impl::status_of(wake, "cond");
}

void Cond::signal() {
  lock_.lock();
  impl::WaitNode* node = impl::claim_front(waiters_);
  lock_.unlock();
  if (node != nullptr) impl::wake(*node);
  impl::interleave();
}

void Cond::broadcast() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    impl::claim_all(waiters_, woken);
  }
  impl::wake_claimed(woken);
  impl::interleave();
}

}  // namespace parley::rt
