// What a rt::Context points at: one node of the tree of contexts. Private to rt.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/timer_wheel.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt::impl {

// Something to be told when a context ends.
struct DoneHook : ListNode {
  // Called once, under the lock of the context: takes what it needs to run() later, when the hook
  // itself may be gone.
  void (*take)(DoneHook& hook, List<DoneHook>& to_run) = nullptr;
  void (*run)(DoneHook& hook) = nullptr;
};

struct ContextNode;

struct ContextTimer : Timer {
  ContextNode* node = nullptr;
};

struct ContextNode : ListNode, std::enable_shared_from_this<ContextNode> {
  ContextNode(std::shared_ptr<ContextNode> above, Deadline until);
  ~ContextNode();

  // Ends this node and all below it, and wakes who waits there. Only the first cause counts.
  void cancel(const Status& why);
  [[nodiscard]] Status status() const;

  // Makes `fiber` run under this node, or no longer. Both by the fiber itself, or before it runs
  // and after it ended.
  void bind(Fiber& fiber);
  void bind_locked(Fiber& fiber);  // under the lock
  void unbind(Fiber& fiber);

  // Has cancel() called when the deadline passes, which may be an ancestor's; and not any more. A
  // timer needs a worker: of a node made outside a fiber, or in a runtime that is gone, it is armed
  // by the first fiber that cares for its end.
  void arm();
  void disarm();

  std::shared_ptr<ContextNode> parent;  // changes only when this node goes
  const std::size_t depth;              // ancestors above it
  Deadline deadline;                    // the earliest of this node and its ancestors
  ContextNode* deadline_owner;          // whose own deadline that is: itself or an ancestor
  Status deadline_cause;                // set at once or never; ok stands for deadline_exceeded
  std::shared_ptr<const void> value;
  const void* key = nullptr;

  SpinLock lock;  // taken from the root downwards, others of the same depth by address
  std::atomic<bool> done{false};
  std::atomic<bool> is_armed{false};
  Status cause;  // set once, before done
  List<ContextNode> children;
  List<FiberNode> fibers;  // those that run under it
  WaitList waiters;        // those that wait for its end
  List<DoneHook> hooks;

  ContextTimer timer;
  std::shared_ptr<ContextNode> kept_by_timer;  // while the timer is armed

 private:
  [[nodiscard]] Status over() const;
  void cancel(const Status& why, List<DoneHook>& to_run) noexcept;  // holds many locks
  bool end_locked(const Status& why, List<DoneHook>& to_run);
  void cancel_fibers();
  std::shared_ptr<ContextNode> leave_parent();
};

// Makes `to` the context of the calling fiber.
void rebind(Fiber& fiber, ContextNode& to);

}  // namespace parley::rt::impl
