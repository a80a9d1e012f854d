#include "parley/rt/scope.h"

#include "parley/rt/impl/scheduler.h"

namespace parley::rt {

using impl::Fiber;
using impl::Scheduler;

Scope::Scope(OnExit on_exit) : Scope(Context::current(), on_exit) {}

Scope::Scope(const Context& parent, OnExit on_exit) : Scope(on_exit, parent.with_cancel()) {}

Scope::Scope(OnExit on_exit, std::pair<Context, Cancel> context)
    : on_exit_(on_exit), context_(std::move(context.first)), cancel_(std::move(context.second)) {
  (void)Scheduler::current_fiber("rt::Scope was made");
}

Scope::~Scope() {
  if (on_exit_ == OnExit::cancel) cancel();
  join();
}

bool Scope::start(std::string_view name, const impl::Closure& closure, bool may_wait) {
  Fiber& fiber = Scheduler::current_fiber("Scope::go was called");
  // Counted before spawn, which may wait: a join() meanwhile must not miss it.
  ++running_;
  if (fiber.scheduler->spawn(this, name, closure, context_.node(), may_wait) != nullptr)
    return true;
  fiber_ended();
  return false;
}

void Scope::fiber_ended() {
  if (--running_ == 0) Scheduler::current()->wake_all(joiners_);
}

void Scope::join() {
  Fiber& fiber = Scheduler::current_fiber("Scope::join was called");
  while (running_ > 0) {
    impl::WaitNode node;
    node.fiber = &fiber;
    joiners_.push_back(node);
    fiber.scheduler->park("scope join", Deadline::never(), Scheduler::Cancellable::no, &node);
  }
}

}  // namespace parley::rt
