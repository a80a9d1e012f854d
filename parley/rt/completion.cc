#include "parley/rt/completion.h"

#include <mutex>

#include "parley/base/assert.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/waiting_inline.h"
#include "parley/rt/impl/waiting_steps.h"

namespace parley::rt {

using impl::OneWaiter;
using impl::Worker;

void Completion::set() {
  OneWaiter::Node* woken = nullptr;
  {
    const std::lock_guard lock(lock_);
    set_ = true;
    woken = impl::claim_front_of<OneWaiter::Node>(waiter_);
  }
  if (woken != nullptr) Worker::make_runnable(*woken->fiber, impl::Place::last);
  impl::interleave();
}

bool Completion::is_set() const {
  impl::interleave();
  const std::lock_guard lock(lock_);
  return set_;
}

Status Completion::wait_since(Deadline deadline, const Instant* now) {
  impl::interleave();
  std::unique_lock lock(lock_);
  if (set_) return {};
  PARLEY_ASSERT(waiter_.empty(), "a Completion is waited for by one fiber at a time");
  OneWaiter::Node node;
  impl::ParkingHere parking("completion", now);
  const impl::Wake wake = impl::wait_with(parking, lock, waiter_, node, deadline);
  return impl::status_of(wake, "completion");
}

}  // namespace parley::rt
