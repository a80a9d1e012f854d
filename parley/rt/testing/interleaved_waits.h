// Fibers whose waits and wakes interleavings.h walks through: for the `Waits` of the code under
// test, in place of impl::RealWaits. Their steps are the shipped ones (impl/waiting_steps.h,
// impl/park_word.h); only the stacks and the run queue stand in for what they are. For tests only.
//
//   auto& channel = run.make<BasicChannel<CheckedVar<int>, InterleavedWaits>>(1);
//   auto& reader = go_fiber(run, "reader", [&] { (void)channel.receive(); });
//   run.go("cancels", [&] { reader.cancel(); });
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/park_word.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/impl/waiting_steps.h"
#include "parley/rt/testing/checked_atomics.h"

namespace parley::rt::testing {

class InterleavedFiber;

struct InterleavedFiberNode : impl::ListNode {
  InterleavedFiber* fiber = nullptr;
};

class InterleavedFiber {
 public:
  InterleavedFiber() {
    node_.fiber = this;
    fibers_.push_back(node_);
  }
  ~InterleavedFiber() { node_.unlink(); }
  InterleavedFiber(const InterleavedFiber&) = delete;
  InterleavedFiber& operator=(const InterleavedFiber&) = delete;

  // By the fiber: as Worker::park and then, on the next stack, Worker::arrive.
  impl::Wake park(bool cancellable) {
    if (cancellable && impl::is_cancelled_before_it_parks<CheckedAtomics>(*this)) {
      return impl::Wake::cancelled;
    }
    timer_runs_.store(true, std::memory_order_release);
    stack_ = 1;
    word.settle();
    while (!queued_.load(std::memory_order_acquire)) CheckedAtomics::relax();
    queued_.store(false, std::memory_order_relaxed);
    timer_runs_.store(false, std::memory_order_relaxed);
    stack_ = 0;
    return wake;
  }
  // By who claimed its word: another worker may run it at once.
  void make_runnable() {
    require(stack_ == 1, "a fiber is put into a run queue when it is off its stack");
    require(!queued_.exchange(true, std::memory_order_acq_rel), "a fiber is queued once");
  }
  // As ContextNode::cancel.
  void cancel() {
    impl::cancel_each<CheckedAtomics>(
        fibers_, [](const InterleavedFiber&) { return false; },
        [](InterleavedFiber& fiber) { fiber.make_runnable(); });
  }

  // As the timer of a Fiber whose deadline passes while it waits.
  void expire() {
    if (!timer_runs_.load(std::memory_order_acquire) || !word.claim()) return;
    wake = impl::Wake::deadline;
    make_runnable();
  }

  // What the steps of a wait ask for.
  impl::BasicParkWord<CheckedAtomics> word;
  CheckedAtomic<bool> cancel_requested{false};
  CheckedVar<impl::Wake> wake{impl::Wake::ready};

 private:
  CheckedVar<int> stack_{0};  // 1: settled
  CheckedAtomic<bool> queued_{false};
  CheckedAtomic<bool> timer_runs_{false};
  InterleavedFiberNode node_;
  impl::List<InterleavedFiberNode> fibers_;  // of its context: itself
};

// A thread of `run` that counts as a fiber.
InterleavedFiber& go_fiber(Interleaving& run, std::string_view name, std::function<void()> body);
[[nodiscard]] InterleavedFiber& current_interleaved_fiber();

struct InterleavedNode : impl::ListNode {
  InterleavedFiber* fiber = nullptr;
  CheckedVar<bool> chosen{false};
  CheckedVar<int>* list = nullptr;  // of the list it is in

  void unlink() {
    if (!is_linked()) return;
    list->write(0);
    ListNode::unlink();
  }
};

// The shipped list; that only one thread touches it at a time is checked.
class InterleavedList {
 public:
  [[nodiscard]] bool empty() const { return touched_.read() == 0 && list_.empty(); }
  void push_back(InterleavedNode& node) {
    touched_ = 0;
    node.list = &touched_;
    list_.push_back(node);
  }
  void push_front(InterleavedNode& node) {
    touched_ = 0;
    node.list = &touched_;
    list_.push_front(node);
  }
  InterleavedNode& pop_front() {
    touched_ = 0;
    return list_.pop_front();
  }

 private:
  CheckedVar<int> touched_{0};
  impl::List<InterleavedNode> list_;
};

struct InterleavedWaits {
  using Lock = CheckedLock;
  using Node = InterleavedNode;
  using List = InterleavedList;
  template <class T>
  using Plain = CheckedVar<T>;

  class Parking {
   public:
    explicit Parking(bool cancellable = true)
        : fiber_(current_interleaved_fiber()), cancellable_(cancellable) {
      fiber_.word.open(cancellable);
    }
    [[nodiscard]] InterleavedFiber* fiber() const { return &fiber_; }
    impl::Wake park_here(Deadline) { return fiber_.park(cancellable_); }

   private:
    InterleavedFiber& fiber_;
    bool cancellable_;
  };

  static Status wait_in(std::unique_lock<Lock>& lock, List& list, Node& node, const char*,
                        Deadline deadline) {
    Parking parking;
    const impl::Wake wake = impl::wait_with(parking, lock, list, node, deadline);
    return wake == impl::Wake::ready ? Status() : Status(Code::cancelled, "ended");
  }
  static Node* claim_front(List& list) { return impl::claim_front_of<Node>(list); }
  static void wake(Node& node) { node.fiber->make_runnable(); }
  static void wake_next(Node& node) { node.fiber->make_runnable(); }
};

}  // namespace parley::rt::testing
