#include "parley/base/assert.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/mutex.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {

using impl::Fiber;
using impl::Scheduler;
using impl::WaitNode;

void Event::set() {
  set_ = true;
  impl::wake_all(waiters_);
}

Status Event::wait(Deadline deadline) {
  if (set_) return {};
  WaitNode node;
  return impl::wait_in(waiters_, node, "event", deadline);
}

void WaitGroup::done() {
  PARLEY_ASSERT(count_ > 0, "WaitGroup::done() more often than add()");
  if (--count_ == 0) impl::wake_all(waiters_);
}

Status WaitGroup::wait(Deadline deadline) {
  if (count_ == 0) return {};
  WaitNode node;
  return impl::wait_in(waiters_, node, "wait group", deadline);
}

Mutex::~Mutex() { PARLEY_ASSERT(owner_ == nullptr, "a locked Mutex was destroyed"); }

void Mutex::lock() {
  Fiber& fiber = Scheduler::current_fiber("Mutex::lock was called");
  if (owner_ == nullptr) {
    owner_ = &fiber;
    return;
  }
  PARLEY_ASSERT(owner_ != &fiber, "this fiber already holds the Mutex: it would wait for itself");
  WaitNode node;
  node.fiber = &fiber;
  waiters_.push_back(node);
  fiber.scheduler->park("mutex", Deadline::never(), Scheduler::Cancellable::no, &node);
}

bool Mutex::try_lock() {
  if (owner_ != nullptr) return false;
  owner_ = &Scheduler::current_fiber("Mutex::try_lock was called");
  return true;
}

void Mutex::unlock() {
  PARLEY_ASSERT(owner_ == &Scheduler::current_fiber("Mutex::unlock was called"),
                "a Mutex is unlocked by the fiber that locked it");
  if (waiters_.empty()) {
    owner_ = nullptr;
    return;
  }
  WaitNode& next = waiters_.front();
  owner_ = next.fiber;
  impl::wake_one(next);
}

}  // namespace parley::rt
