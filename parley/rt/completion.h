// Completion: something that happens once, and the one fiber that waits for it: an Event that costs
// half as much. Thread-safe among the fibers of one runtime.
//
//   rt::Completion done;
//   ...                                   // another fiber: done.set();
//   Status status = done.wait(rt::Deadline::after(std::chrono::seconds(5)));
#pragma once

#include <utility>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"

namespace parley::rt {

namespace impl {

class Fiber;

// What a list of waiters is elsewhere, for one.
struct OneWaiter {
  struct Node {
    Fiber* fiber = nullptr;
    bool chosen = false;  // the wake came through this node
    OneWaiter* in = nullptr;

    void unlink() {
      if (in != nullptr) std::exchange(in, nullptr)->node = nullptr;
    }
  };

  [[nodiscard]] bool empty() const { return node == nullptr; }
  void push_back(Node& one) {
    node = &one;
    one.in = this;
  }
  Node& pop_front() {
    node->in = nullptr;
    return *std::exchange(node, nullptr);
  }

  Node* node = nullptr;
};

}  // namespace impl

class Completion {
 public:
  Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  // Wakes who waits; later waits return at once. It may be gone as soon as somebody knows that it
  // is set. Setting it twice changes nothing.
  void set();
  [[nodiscard]] bool is_set() const;

  // Ok once it is set; deadline_exceeded, or the context's status, when that came first: then it
  // may be waited for again. By one fiber at a time.
  Status wait(Deadline deadline = {}) { return wait_since(deadline, nullptr); }
  // The same for who has just asked for the time.
  Status wait(Deadline deadline, Instant now) { return wait_since(deadline, &now); }

 private:
  Status wait_since(Deadline deadline, const Instant* now);

  mutable impl::SpinLock lock_;
  bool set_ = false;
  impl::OneWaiter waiter_;
};

}  // namespace parley::rt
