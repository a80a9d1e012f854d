// How the public primitives park and wake, without seeing the scheduler. Private to rt.
//
// A primitive has a SpinLock and lists of WaitNodes. To wait:
//
//   std::unique_lock lock(lock_);
//   if (nothing to wait for) return {};
//   WaitNode node;
//   return impl::wait_in(lock, list_, node, "event", deadline);   // unlocks
//
// To wake: under the lock, claim_front() or claim_all() takes nodes of fibers that still wait out
// of the list and makes their wake the caller's; the caller then hands over what it has to and
// wakes them, best after unlocking.
#pragma once

#include <mutex>
#include <string_view>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/impl/wake.h"

namespace parley::rt::impl {

enum class Cancellable : bool { no, yes };

// One wait of the calling fiber: begun when it is certain to wait and before its nodes can be
// found, ended by park().
class Parking {
 public:
  // `what` names the primitive in dumps and in the message when this is not a fiber.
  explicit Parking(const char* what, Cancellable cancellable = Cancellable::yes);
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;

  [[nodiscard]] Fiber* fiber() const { return &fiber_; }
  // Parks until somebody claims and wakes, the deadline passes, or (if cancellable) the fiber's
  // context ends.
  Wake park(Deadline deadline);
  Wake park_here(Deadline deadline);

 private:
  Fiber& fiber_;
  const char* what_;
  Cancellable cancellable_;
};

// Puts `node` at the end of `list`, unlocks and parks; `node` is in no list when this returns. Ok,
// deadline_exceeded, or the status of the context; `what` names the primitive.
Status wait_in(std::unique_lock<SpinLock>& lock, WaitList& list, WaitNode& node, const char* what,
               Deadline deadline);
// The same for a wait that nothing ends but a wake.
void wait_in_for_ever(std::unique_lock<SpinLock>& lock, WaitList& list, WaitNode& node,
                      const char* what);

// The first node whose fiber still waits, taken out and claimed; null when there is none. Those in
// front of it that wait no more are taken out.
[[nodiscard]] WaitNode* claim_front(WaitList& list);
// Moves every node whose fiber still waits to `claimed`. True when there is one.
bool claim_all(WaitList& list, WaitList& claimed);

// Makes the fiber of a claimed node runnable: behind those that are, or before them.
void wake(WaitNode& node);
void wake_next(WaitNode& node);
void wake_claimed(WaitList& claimed);

// The above as one parameter of what is a template.
struct RealWaits {
  using Lock = SpinLock;
  using Node = WaitNode;
  using List = WaitList;
  template <class T>
  using Plain = T;  // a variable under the lock, or handed over

  static Status wait_in(std::unique_lock<Lock>& lock, List& list, Node& node, const char* what,
                        Deadline deadline) {
    return impl::wait_in(lock, list, node, what, deadline);
  }
  static Node* claim_front(List& list) { return list.empty() ? nullptr : impl::claim_front(list); }
  static void wake(Node& node) { impl::wake(node); }
  static void wake_next(Node& node) { impl::wake_next(node); }
};

// What a blocking operation returns after `wake`.
[[nodiscard]] Status status_of_failure(Wake wake, const char* what);
inline Status status_of(Wake wake, const char* what) {
  if (wake == Wake::ready) [[likely]]
    return {};
  return status_of_failure(wake, what);
}

// The program ends unless the caller is in a fiber; `what` names what was tried.
void require_fiber(const char* what);

}  // namespace parley::rt::impl
