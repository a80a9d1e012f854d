#include "parley/rt/context.h"

#include <algorithm>

#include "parley/base/assert.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/scheduler.h"

namespace parley::rt {

namespace impl {

ContextNode::ContextNode(std::shared_ptr<ContextNode> above, Deadline until)
    : parent(std::move(above)), deadline(until) {
  if (parent == nullptr) return;
  deadline = std::min(deadline, parent->deadline);
  cause = parent->cause;
  parent->children.push_back(*this);
}

ContextNode::~ContextNode() { unlink(); }

void ContextNode::cancel(const Status& why) {
  if (!cause.is_ok()) return;
  cause = why;
  if (!waiters.empty()) {
    Scheduler* scheduler = Scheduler::current();
    PARLEY_ASSERT(scheduler != nullptr, "a context was cancelled outside its runtime");
    scheduler->wake_all(waiters, Wake::cancelled);
  }
  children.for_each([&](ContextNode& child) { child.cancel(why); });
}

Status ContextNode::status() const {
  if (!cause.is_ok()) return cause;
  if (deadline.is_over()) return {Code::deadline_exceeded, "the context's deadline passed"};
  return {};
}

}  // namespace impl

using impl::ContextNode;
using impl::Fiber;
using impl::Scheduler;

Context Context::background() {
  return Context(std::make_shared<ContextNode>(nullptr, Deadline::never()));
}

Context Context::current() {
  const Scheduler* scheduler = Scheduler::current();
  const Fiber* fiber = scheduler == nullptr ? nullptr : scheduler->running();
  return fiber == nullptr ? background() : Context(fiber->context);
}

std::pair<Context, Cancel> Context::with_cancel() const { return with_deadline(Deadline::never()); }

std::pair<Context, Cancel> Context::with_deadline(Deadline deadline) const {
  auto node = std::make_shared<ContextNode>(node_, deadline);
  return {Context(node), Cancel(node)};
}

std::pair<Context, Cancel> Context::with_timeout(Duration timeout) const {
  return with_deadline(Deadline::after(timeout));
}

Status Context::status() const { return node_->status(); }

bool Context::descends_from(const Context& ancestor) const {
  for (const ContextNode* at = node_.get(); at != nullptr; at = at->parent.get()) {
    if (at == ancestor.node_.get()) return true;
  }
  return false;
}

Deadline Context::deadline() const { return node_->deadline; }

Status Context::wait_done() const {
  Fiber& fiber = Scheduler::current_fiber("Context::wait_done was called");
  const WithContext bound(*this);
  fiber.scheduler->park("context done", Deadline::never(), Scheduler::Cancellable::yes, nullptr);
  return status();
}

Cancel::~Cancel() {
  if (node_ != nullptr) node_->cancel(Status(Code::cancelled, "the context's owner is gone"));
}

void Cancel::operator()(Status cause) const {
  PARLEY_ASSERT(!cause.is_ok(), "a context is cancelled with a cause, not with ok");
  node_->cancel(cause);
}

void Cancel::operator()() const { node_->cancel(Status(Code::cancelled, "cancelled")); }

WithContext::WithContext(const Context& context) {
  Fiber& fiber = Scheduler::current_fiber("rt::WithContext was made");
  previous_ = std::exchange(fiber.context, context.node());
}

WithContext::~WithContext() {
  Scheduler::current_fiber("rt::WithContext ended").context = std::move(previous_);
}

}  // namespace parley::rt
