#include "parley/rt/impl/waiting.h"

#include <string>

#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/os_locks.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting_inline.h"
#include "parley/rt/impl/waiting_steps.h"

namespace parley::rt::impl {

namespace {

Fiber& fiber_to_wait_for(const char* what) {
  const Worker* worker = Worker::current();
  Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  if (fiber == nullptr) require_fiber(("a wait for '" + std::string(what) + "' began").c_str());
  if constexpr (counts_os_locks) refuse_os_locks(*fiber, what);
  return *fiber;
}

}  // namespace

Parking::Parking(const char* what, Cancellable cancellable)
    : fiber_(fiber_to_wait_for(what)), what_(what), cancellable_(cancellable) {
  fiber_.word.open(cancellable == Cancellable::yes);
}

Wake Parking::park(Deadline deadline) { return park_here(deadline); }

Status wait_in(std::unique_lock<SpinLock>& lock, WaitList& list, WaitNode& node, const char* what,
               Deadline deadline) {
  Parking parking(what);
  return status_of(wait_with(parking, lock, list, node, deadline), what);
}

void wait_in_for_ever(std::unique_lock<SpinLock>& lock, WaitList& list, WaitNode& node,
                      const char* what) {
  Parking parking(what, Cancellable::no);
  (void)wait_with(parking, lock, list, node, Deadline::never());
}

WaitNode* claim_front(WaitList& list) { return claim_front_of<WaitNode>(list); }

bool claim_all(WaitList& list, WaitList& claimed) {
  bool any = false;
  while (WaitNode* node = claim_front(list)) {
    claimed.push_back(*node);
    any = true;
  }
  return any;
}

void wake(WaitNode& node) { Worker::make_runnable(*node.fiber, Place::last); }

void wake_next(WaitNode& node) { Worker::make_runnable(*node.fiber, Place::next); }

void wake_claimed(WaitList& claimed) {
  while (!claimed.empty()) wake(claimed.pop_front());
}

Status status_of_failure(Wake wake, const char* what) {
  if (wake == Wake::deadline) {
    return {Code::deadline_exceeded, std::string(what) + ": the deadline passed"};
  }
  Fiber& fiber = Worker::current_fiber(what);
  if (fiber.deferred_context != nullptr) make_deferred_context(fiber);
  return fiber.context->status().with_context(what);
}

void require_fiber(const char* what) { (void)Worker::current_fiber(what); }

}  // namespace parley::rt::impl
