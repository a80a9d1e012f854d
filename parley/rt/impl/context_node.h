// What a rt::Context points at: one node of the tree of contexts of a runtime.
#pragma once

#include <memory>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt::impl {

struct ContextNode : ListNode {
  explicit ContextNode(std::shared_ptr<ContextNode> above, Deadline until);
  ~ContextNode();

  // Ends this node and all below it, and wakes who waits there. Only the first cause counts.
  void cancel(const Status& cause);
  [[nodiscard]] Status status() const;

  std::shared_ptr<ContextNode> parent;
  List<ContextNode> children;
  WaitList waiters;   // fibers parked under this context
  Deadline deadline;  // the earliest of this node and its ancestors
  Status cause;       // not ok once cancelled
};

}  // namespace parley::rt::impl
