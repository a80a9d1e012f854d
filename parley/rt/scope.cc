#include "parley/rt/scope.h"

#include <mutex>

#include "parley/base/assert.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt {

using impl::ContextNode;
using impl::Fiber;
using impl::Worker;

Scope::Scope(OnExit on_exit) : Scope(Context::current(), on_exit) {}

Scope::Scope(const Context& parent, OnExit on_exit) : Scope(on_exit, parent.with_cancel()) {}

Scope::Scope(OnExit on_exit, std::pair<Context, Cancel> context)
    : on_exit_(on_exit), context_(std::move(context.first)), cancel_(std::move(context.second)) {
  impl::require_fiber("rt::Scope was made");
}

Scope::~Scope() {
  if (on_exit_ == OnExit::cancel) cancel();
  join();
  PARLEY_ASSERT(jobs_.load(std::memory_order_acquire) == 0,
                "a Timer or DoneCall outlived the Scope in which it would start its fiber");
}

bool Scope::start(std::string_view name, const impl::Closure& closure, const FiberOptions& options,
                  bool may_wait) {
  Worker& worker = Worker::of_current_fiber("Scope::go was called");
  impl::Scheduler& scheduler = worker.scheduler();
  const impl::Scheduler::Birth birth{*this, *context_.node(), name, closure, options.stack_size};
  // As in Go: what was started last runs first, on a stack that is still warm, so that a tree of
  // fibers is walked depth first.
  if (scheduler.try_spawn(worker, birth, impl::Place::next)) {
    impl::interleave();
    return true;
  }
  scheduler.tell_of_limit();
  if (!may_wait) {
    scheduler.limit_counts().refused.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  scheduler.limit_counts().delayed.fetch_add(1, std::memory_order_relaxed);
  // A join() meanwhile must not miss the fiber that is on its way.
  count_one_more();
  do {
    scheduler.wait_for_room();
  } while (!scheduler.try_spawn(*Worker::current(), birth, impl::Place::next));
  count_one_less();
  return true;
}

void Scope::count_one_more() {
  const std::lock_guard lock(context_.node()->lock);
  ++running_;
}

void Scope::count_one_less() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(context_.node()->lock);
    if (--running_ == 0) impl::claim_all(joiners_, woken);
  }
  impl::wake_claimed(woken);
}

void Scope::adopt(Fiber& fiber) {
  ContextNode& node = *context_.node();
  const std::lock_guard lock(node.lock);
  ++running_;
  fiber.nth = ++started_;
  node.bind_locked(fiber);
}

// By the fiber itself, the last that it does. Everything of the scope is done under the lock:
// whoever joins may destroy it as soon as that is let go.
void Scope::fiber_ended(Scope& scope, Fiber& fiber, Worker& worker) {
  ContextNode& node = *scope.context_.node();
  impl::WaitNode* joiner = nullptr;
  impl::WaitList others;
  {
    const std::lock_guard lock(node.lock);
    fiber.context_node.unlink();
    worker.scheduler().fiber_ended(worker);
    if (--scope.running_ == 0) {
      joiner = impl::claim_front(scope.joiners_);
      if (!scope.joiners_.empty()) impl::claim_all(scope.joiners_, others);
    } else if (!scope.joiners_.empty()) {
      worker.prefer_child_of(scope, scope.started_before_join_);
    }
  }
  // It goes on where this fiber, which it started, has left the caches.
  if (joiner != nullptr) impl::wake_next(*joiner);
  if (!others.empty()) impl::wake_claimed(others);
}

void Scope::join() {
  ContextNode& node = *context_.node();
  for (;;) {
    std::unique_lock lock(node.lock);
    if (running_ == 0) return;
    // What is started from here on comes in its turn: who accepts connections may do that for ever.
    started_before_join_ = started_;
    // A lone one mostly is the next already.
    if (running_ > 1) Worker::current()->prefer_child_of(*this, started_);
    impl::WaitNode waiter;
    impl::wait_in_for_ever(lock, joiners_, waiter, "scope join");
  }
}

std::size_t Scope::running() const {
  const std::lock_guard lock(context_.node()->lock);
  return running_;
}

}  // namespace parley::rt
