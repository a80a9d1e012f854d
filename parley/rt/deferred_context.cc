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

DeferredContext::DeferredContext(Deadline deadline, const Status& deadline_cause, Above above)
    : fiber_(Worker::current_fiber("an rt::DeferredContext was made")),
      above_(above),
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

void DeferredContext::end(const Status& cause) {
  PARLEY_ASSERT(!cause.is_ok(), "a context is ended with a cause, not with ok");
  if (const std::shared_ptr<impl::ContextNode> node = end_unmade(cause)) node->cancel(cause);
}

// A fiber whose word is open never asks for the lock, so that claims may wait for it under the
// lock.
std::shared_ptr<impl::ContextNode> DeferredContext::end_unmade(const Status& cause) {
  const std::lock_guard lock(lock_);
  if (node_ != nullptr) return node_;
  if (!ended_.is_ok()) return nullptr;
  ended_ = cause;
  // The fiber has another context now, and finds this one's end when it comes back.
  if (is_aside_) return passes_to_ == nullptr ? nullptr : passes_to_->end_unmade(cause);
  const Worker* worker = Worker::current();
  const Fiber* caller = worker == nullptr ? nullptr : worker->running();
  OneFiber fibers{{&fiber_}};
  impl::cancel_each<impl::RealAtomics>(
      fibers, [caller](const Fiber& fiber) { return &fiber == caller; },
      [](Fiber& fiber) { Worker::make_runnable(fiber, impl::Place::last); });
  return nullptr;
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

DeferredContext* SetAside::take() {
  Fiber& fiber = Worker::current_fiber("an rt::SetAside was made");
  DeferredContext* const deferred = fiber.deferred_context;
  if (deferred == nullptr || deferred->above_ != DeferredContext::Above::lasts) return nullptr;
  const std::lock_guard lock(deferred->lock_);
  deferred->is_aside_ = true;
  fiber.deferred_context = nullptr;
  return deferred;
}

SetAside::SetAside(const Context& context) : aside_(take()), bound_(context) {}

SetAside::~SetAside() {
  bound_.reset();
  if (aside_ != nullptr) give_back();
}

// The fiber has its context again by now, which has not ended: what an end() from here on sets is
// not undone.
void SetAside::give_back() {
  Fiber& fiber = aside_->fiber_;
  const std::lock_guard lock(aside_->lock_);
  aside_->is_aside_ = false;
  aside_->passes_to_ = nullptr;
  fiber.deferred_context = aside_;
  if (!aside_->ended_.is_ok()) fiber.cancel_requested.store(true, std::memory_order_relaxed);
}

void SetAside::pass_to(DeferredContext& inner) {
  PARLEY_ASSERT(can_pass(), "rt::SetAside has nothing to pass on: ask can_pass()");
  std::unique_lock lock(aside_->lock_);
  aside_->passes_to_ = &inner;
  if (aside_->ended_.is_ok()) return;
  const Status cause = aside_->ended_;
  lock.unlock();
  inner.end(cause);
}

void SetAside::pass_no_more() {
  const std::lock_guard lock(aside_->lock_);
  aside_->passes_to_ = nullptr;
}

}  // namespace parley::rt
