#include "parley/rt/impl/waiting.h"

#include "parley/rt/impl/scheduler.h"

namespace parley::rt::impl {

Status wait_in(WaitList& list, WaitNode& node, const char* what, Deadline deadline) {
  Fiber& fiber = Scheduler::current_fiber(what);
  node.fiber = &fiber;
  list.push_back(node);
  return status_of(fiber.scheduler->park(what, deadline, Scheduler::Cancellable::yes, &node), what);
}

void wake_one(WaitNode& node) { node.fiber->scheduler->wake(*node.fiber, Wake::ready); }

void wake_all(WaitList& list) {
  while (!list.empty()) wake_one(list.front());
}

void require_fiber(std::string_view what) { (void)Scheduler::current_fiber(what); }

}  // namespace parley::rt::impl
