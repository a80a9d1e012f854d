#include "parley/rt/deferred_context.h"

#include <mutex>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/waiting_steps.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt {

using impl::Fiber;
using impl::Worker;

namespace {

// What cancel_each() asks of the fibers of a context.
struct OneFiber {
  struct Node {
    Fiber* fiber;
  };
  template <class F>
  void for_each(F f) {
    f(node);
  }
  Node node;
};

}  // namespace

DeferredContext::DeferredContext(Deadline deadline, const Status& deadline_cause)
    : fiber_(Worker::current_fiber("an rt::DeferredContext was made")),
      deadline_(deadline),
      deadline_cause_(deadline_cause) {
  if (fiber_.deferred_context != nullptr) impl::make_deferred_context(fiber_);
  fiber_.deferred_context = this;
}

DeferredContext::~DeferredContext() {
  if (node_ != nullptr) {
    impl::rebind(fiber_, *previous_);
    static const Status gone(Code::cancelled, "the context's owner is gone");
    node_->cancel(gone);
    return;
  }
  fiber_.deferred_context = nullptr;
  // So that what it ended with is not taken for the end of the other one.
  if (!ended_.is_ok()) impl::rebind(fiber_, *fiber_.context);
}

// A fiber whose word is open never asks for the lock, so that claims may wait for it under the
// lock.
void DeferredContext::end(const Status& cause) {
  PARLEY_ASSERT(!cause.is_ok(), "a context is ended with a cause, not with ok");
  std::unique_lock lock(lock_);
  if (const std::shared_ptr<impl::ContextNode> node = node_; node != nullptr) {
    lock.unlock();
    node->cancel(cause);
    return;
  }
  if (!ended_.is_ok()) return;
  ended_ = cause;
  const Worker* worker = Worker::current();
  const Fiber* caller = worker == nullptr ? nullptr : worker->running();
  OneFiber fibers{{&fiber_}};
  impl::cancel_each<impl::RealAtomics>(
      fibers, [caller](const Fiber& fiber) { return &fiber == caller; },
      [](Fiber& fiber) { Worker::make_runnable(fiber, impl::Place::last); });
}

std::optional<Cancel> DeferredContext::cancel() {
  const std::lock_guard lock(lock_);
  return node_ == nullptr ? std::nullopt : std::optional<Cancel>(node_);
}

// By the fiber itself, when it runs.
void impl::make_deferred_context(Fiber& fiber) {
  DeferredContext& deferred = *std::exchange(fiber.deferred_context, nullptr);
  deferred.previous_ = fiber.context;
  const auto node =
      std::make_shared<ContextNode>(fiber.context->shared_from_this(), deferred.deadline_);
  node->deadline_cause = deferred.deadline_cause_;
  std::unique_lock lock(deferred.lock_);
  deferred.node_ = node;
  const Status ended = deferred.ended_;
  lock.unlock();
  rebind(fiber, *node);
  if (!ended.is_ok()) node->cancel(ended);
}

}  // namespace parley::rt
