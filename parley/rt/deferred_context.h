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
  // `deadline_cause` is what it ends with when the deadline passes; it must outlive this. One
  // around this one is made at once.
  DeferredContext(Deadline deadline, const Status& deadline_cause);
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
  friend void impl::make_deferred_context(impl::Fiber& fiber);

  impl::Fiber& fiber_;
  Deadline deadline_;
  const Status& deadline_cause_;
  impl::SpinLock lock_;
  std::shared_ptr<impl::ContextNode> node_;  // changed under the lock, by the fiber
  Status ended_;                             // under the lock: before it was made
  impl::ContextNode* previous_ = nullptr;
};

}  // namespace parley::rt
