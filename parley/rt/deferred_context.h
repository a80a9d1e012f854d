// DeferredContext: a context that is made only when somebody cares for it. Most short pieces of
// work neither start others nor look at their context, and then none has to be made and thrown
// away; their waits end all the same when it would have.
//
// Belongs to the fiber that made it, and ends in the block where it began.
//
//   rt::DeferredContext context(deadline, deadline_cause);  // a child of the one the fiber has
//   handler();                                              // which has it, as by WithContext
//   ...
//   context.end(Status(Code::cancelled, "enough"));         // meanwhile, by another fiber
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "parley/base/status.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"

namespace parley::rt {

namespace impl {
class Fiber;
void make_deferred_context(Fiber& fiber);
}  // namespace impl

class DeferredContext {
 public:
  // What may end it beside its deadline and end(): the end of the context that the fiber has, or
  // nothing, for who knows that this one lasts. Only the second kind can be set aside.
  enum class Above : std::uint8_t { may_end, lasts };

  // `deadline_cause` is what it ends with when the deadline passes; it must outlive this. One
  // around this one is made at once.
  DeferredContext(Deadline deadline, const Status& deadline_cause, Above above = Above::may_end);
  // Ends it. The fiber has the context that it had before.
  ~DeferredContext();
  // Makes this the one for the next piece of work, as if it had ended and begun again with another
  // deadline, at next to no cost. False, and nothing has changed, when somebody has asked for the
  // context or ended it. Nobody may be about to end it.
  [[nodiscard]] bool renew(Deadline deadline) {
    if (node_ != nullptr || !ended_.is_ok()) return false;
    deadline_ = deadline;
    return true;
  }
  DeferredContext(const DeferredContext&) = delete;
  DeferredContext& operator=(const DeferredContext&) = delete;

  // From any fiber of the runtime, but not after the destructor has begun: as Cancel. Only the
  // first cause counts, and it must not be ok. Does not wait, and may be called under an OS mutex.
  void end(const Status& cause);

  // What ends it once it was made, also after the destructor has begun: for who must not do so
  // under a lock that keeps this one, since all that was made from it ends as well. Nothing before.
  [[nodiscard]] std::optional<Cancel> cancel();

  [[nodiscard]] bool was_made() const { return node_ != nullptr; }
  [[nodiscard]] Deadline deadline() const { return deadline_; }

 private:
  friend class SetAside;
  friend void impl::make_deferred_context(impl::Fiber& fiber);

  // Ends it; one that was made is returned instead, to be ended without the lock.
  std::shared_ptr<impl::ContextNode> end_unmade(const Status& cause);

  impl::Fiber& fiber_;
  const Above above_;
  Deadline deadline_;
  const Status& deadline_cause_;
  impl::SpinLock lock_;
  std::shared_ptr<impl::ContextNode> node_;  // changed under the lock, by the fiber
  Status ended_;                             // under the lock: before it was made
  bool is_aside_ = false;                    // under the lock
  DeferredContext* passes_to_ = nullptr;     // under the lock: ends with it, while it is set aside
  impl::ContextNode* previous_ = nullptr;
};

// Work under another context that ends all the same with what the fiber has: for the block, the
// fiber has `context`, as by WithContext, and its own DeferredContext need not be made for that.
// The deadline of what was set aside is for who sets it aside: ask Context::look_at_current()
// before.
//
//   rt::SetAside aside(session.context());
//   rt::DeferredContext bound(deadline, too_late);           // a child of `context`
//   if (aside.can_pass()) aside.pass_to(bound);
//   handler();
//   aside.pass_no_more();                                    // before `bound` goes
class SetAside {
 public:
  explicit SetAside(const Context& context);
  ~SetAside();
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

  // False when the fiber had no DeferredContext that lasts, or it had been made: then it is for who
  // asks to look after the end of outer(), by a DoneCall say.
  [[nodiscard]] bool can_pass() const noexcept { return aside_ != nullptr; }
  // From here on `inner` ends with what was set aside; at once, if that has ended.
  void pass_to(DeferredContext& inner);
  void pass_no_more();

  // What the fiber had. Only where it cannot pass.
  [[nodiscard]] Context outer() const { return bound_->outer(); }

 private:
  static DeferredContext* take();
  void give_back();

  // The order matters: a WithContext would make what is not taken before.
  DeferredContext* const aside_;
  std::optional<WithContext> bound_;
};

}  // namespace parley::rt
