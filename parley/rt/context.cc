#include "parley/rt/context.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "parley/base/assert.h"
#include "parley/rt/impl/atomics.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/waiting_steps.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt {

namespace impl {
namespace {

ContextNode& node_of(Timer& timer) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the member's owner
  return *static_cast<ContextTimer&>(timer).node;
}

}  // namespace

ContextNode::ContextNode(std::shared_ptr<ContextNode> above, Deadline until)
    : parent(std::move(above)), depth(parent == nullptr ? 0 : parent->depth + 1), deadline(until) {
  timer.node = deadline_owner = this;
  if (parent == nullptr) return;
  if (parent->deadline <= deadline) {
    deadline = parent->deadline;
    deadline_owner = parent->deadline_owner;
  }
  const std::lock_guard guard(parent->lock);
  if (parent->done.load(std::memory_order_relaxed)) {
    cause = parent->cause;
    done.store(true, std::memory_order_relaxed);
    return;
  }
  parent->children.push_back(*this);
}

// Not each ancestor in the destructor of the one below: contexts may be nested deeper than a stack
// is.
ContextNode::~ContextNode() {
  std::shared_ptr<ContextNode> above = leave_parent();
  while (above != nullptr && above.use_count() == 1) {
    // Nobody else has it any more; the end of a copy is ordered after what those who had it did.
    std::shared_ptr<ContextNode>(above).reset();
    above = above->leave_parent();
  }
}

std::shared_ptr<ContextNode> ContextNode::leave_parent() {
  if (parent == nullptr) return nullptr;
  {
    const std::lock_guard guard(parent->lock);
    unlink();
  }
  return std::move(parent);
}

void ContextNode::cancel(const Status& why) {
  const std::shared_ptr<ContextNode> alive = shared_from_this();
  if (done.load(std::memory_order_acquire)) {
    disarm();  // it ended with its parent, and its owner goes: nothing waits for its own deadline
    return;
  }
  List<DoneHook> to_run;
  cancel(why, to_run);
  while (!to_run.empty()) {
    DoneHook& hook = to_run.pop_front();
    hook.run(hook);
  }
  disarm();
}

// Each node under its lock and those of all above it up to this one. Not recursive: contexts may be
// nested deeper than a stack is.
void ContextNode::cancel(const Status& why, List<DoneHook>& to_run) noexcept {
  ContextNode* at = this;
  at->lock.lock();
  if (at->end_locked(why, to_run)) {
    while (at != this || !at->children.empty()) {
      if (at->children.empty()) {
        // A child that goes waits for its parent's lock, which this has until it is done with it.
        ContextNode& child = *at;
        at = child.parent.get();
        child.lock.unlock();
        continue;
      }
      ContextNode& child = at->children.pop_front();
      child.lock.lock();
      if (child.end_locked(why, to_run)) {
        at = &child;
      } else {
        child.lock.unlock();
      }
    }
  }
  at->lock.unlock();
}

// Under the lock: false when it had ended before, and everything below it then has as well.
bool ContextNode::end_locked(const Status& why, List<DoneHook>& to_run) {
  if (done.load(std::memory_order_relaxed)) return false;
  cause = why;
  done.store(true, std::memory_order_release);
  cancel_fibers();
  WaitList woken;
  claim_all(waiters, woken);
  wake_claimed(woken);
  while (!hooks.empty()) {
    DoneHook& hook = hooks.pop_front();
    hook.take(hook, to_run);
  }
  return true;
}

void ContextNode::cancel_fibers() {
  const Worker* worker = Worker::current();
  const Fiber* caller = worker == nullptr ? nullptr : worker->running();
  cancel_each<RealAtomics>(
      fibers, [caller](const Fiber& fiber) { return &fiber == caller; },
      [](Fiber& fiber) { Worker::make_runnable(fiber, Place::last); });
}

Status ContextNode::status() const {
  if (done.load(std::memory_order_acquire)) return cause;
  return deadline.is_over() ? over() : Status();
}

// What it ends with when its deadline passes.
Status ContextNode::over() const {
  const Status& cause_given = deadline_owner->deadline_cause;
  if (!cause_given.is_ok()) return cause_given;
  return {Code::deadline_exceeded, "the context's deadline passed"};
}

void ContextNode::bind(Fiber& fiber) {
  arm();
  const std::lock_guard guard(lock);
  bind_locked(fiber);
}

void ContextNode::bind_locked(Fiber& fiber) {
  fiber.context = this;
  fibers.push_back(fiber.context_node);
  // A cancel takes the lock to find the fiber: it is ordered by that.
  fiber.cancel_requested.store(done.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void ContextNode::unbind(Fiber& fiber) {
  const std::lock_guard guard(lock);
  fiber.context_node.unlink();
}

void ContextNode::arm() {
  Worker* worker = Worker::current();
  if (deadline.is_never() || worker == nullptr) return;
  ContextNode& owner = *deadline_owner;
  if (owner.is_armed.load(std::memory_order_relaxed)) return;
  // A cancel comes before, and is seen, or afterwards, and disarms.
  const std::lock_guard guard(owner.lock);
  if (owner.done.load(std::memory_order_relaxed) ||
      owner.is_armed.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  owner.kept_by_timer = owner.shared_from_this();
  owner.timer.at = deadline.instant();
  owner.timer.fire = [](Timer& at) {
    const std::shared_ptr<ContextNode> alive = std::move(node_of(at).kept_by_timer);
    alive->cancel(alive->over());
  };
  owner.timer.abandon = [](Timer& at) {
    const std::shared_ptr<ContextNode> alive = std::move(node_of(at).kept_by_timer);
    alive->is_armed.store(false, std::memory_order_release);
  };
  worker->timers().add(owner.timer);
}

void ContextNode::disarm() {
  if (TimerWheel::remove(timer)) kept_by_timer = nullptr;
}

void rebind(Fiber& fiber, ContextNode& to) {
  fiber.context->unbind(fiber);
  to.bind(fiber);
}

}  // namespace impl

using impl::ContextNode;
using impl::Fiber;
using impl::Worker;

Context Context::background() {
  return Context(std::make_shared<ContextNode>(nullptr, Deadline::never()));
}

Context Context::current() {
  const Worker* worker = Worker::current();
  Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  if (fiber == nullptr) return background();
  if (fiber->deferred_context != nullptr) impl::make_deferred_context(*fiber);
  return Context(fiber->context->shared_from_this());
}

Status Context::look_at_current(Instant now, Deadline& deadline) {
  const Worker* worker = Worker::current();
  const Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  deadline = Deadline::never();
  if (fiber == nullptr) return {};
  deadline = fiber->context->deadline;
  if (fiber->deferred_context != nullptr) {
    deadline = std::min(deadline, fiber->deferred_context->deadline());
  }
  const bool is_over = fiber->cancel_requested.load(std::memory_order_relaxed) ||
                       (!deadline.is_never() && now >= deadline.instant());
  return is_over ? current().status() : Status();
}

Context::Look Context::look_at_current() noexcept {
  const Worker* worker = Worker::current();
  const Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  if (fiber == nullptr) return {.now = rt::now(), .deadline = {}};
  Look look{.now = worker->scheduler().now(), .deadline = fiber->context->deadline};
  if (fiber->deferred_context != nullptr) {
    look.deadline = std::min(look.deadline, fiber->deferred_context->deadline());
  }
  look.is_over = fiber->cancel_requested.load(std::memory_order_relaxed) ||
                 look.deadline.instant() <= look.now;
  return look;
}

std::pair<Context, Cancel> Context::with_cancel() const { return with_deadline(Deadline::never()); }

std::pair<Context, Cancel> Context::with_deadline(Deadline deadline, const Status& cause) const {
  auto node = std::make_shared<ContextNode>(node_, deadline);
  node->deadline_cause = cause;
  node->arm();
  return {Context(node), Cancel(node)};
}

std::pair<Context, Cancel> Context::with_timeout(Duration timeout, const Status& cause) const {
  return with_deadline(Deadline::after(timeout), cause);
}

Context Context::with_shared_value(const void* key, std::shared_ptr<const void> value) const {
  auto node = std::make_shared<ContextNode>(node_, Deadline::never());
  node->key = key;
  node->value = std::move(value);
  return Context(std::move(node));
}

Context Context::without_cancel() const {
  std::vector<const ContextNode*> with_values;
  for (const ContextNode* at = node_.get(); at != nullptr; at = at->parent.get()) {
    const auto has_its_key = [at](const ContextNode* nearer) { return nearer->key == at->key; };
    // Of those of one type only the nearest can be found.
    if (at->key != nullptr && std::ranges::none_of(with_values, has_its_key)) {
      with_values.push_back(at);
    }
  }
  Context context = background();
  for (const ContextNode* node : with_values) {
    context = context.with_shared_value(node->key, node->value);
  }
  return context;
}

const void* Context::find_value(const void* key) const {
  for (const ContextNode* at = node_.get(); at != nullptr; at = at->parent.get()) {
    if (at->key == key) return at->value.get();
  }
  return nullptr;
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
  node_->arm();
  for (;;) {
    std::unique_lock lock(node_->lock);
    if (node_->done.load(std::memory_order_relaxed)) return node_->cause;
    impl::Parking parking("context done", impl::Cancellable::no);
    impl::WaitNode node;
    node.fiber = parking.fiber();
    node_->waiters.push_back(node);
    lock.unlock();
    (void)parking.park(Deadline::never());
    lock.lock();
    node.unlink();
    lock.unlock();
    if (Status over = status(); !over.is_ok()) return over;
  }
}

Cancel::~Cancel() {
  if (node_ != nullptr) node_->cancel(Status(Code::cancelled, "the context's owner is gone"));
}

void Cancel::operator()(Status cause) const {
  PARLEY_ASSERT(!cause.is_ok(), "a context is cancelled with a cause, not with ok");
  node_->cancel(cause);
  impl::interleave();
}

void Cancel::operator()() const { (*this)(Status(Code::cancelled, "cancelled")); }

WithContext::WithContext(const Context& context)
    : node_(context.node()), fiber_(Worker::current_fiber("rt::WithContext was made")) {
  if (fiber_.deferred_context != nullptr) impl::make_deferred_context(fiber_);
  previous_ = fiber_.context;
  impl::rebind(fiber_, *node_);
}

Context WithContext::outer() const { return Context(previous_->shared_from_this()); }

WithContext::~WithContext() { impl::rebind(fiber_, *previous_); }

}  // namespace parley::rt
