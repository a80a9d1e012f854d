// Event: something that happens once, and the fibers that wait for it. Thread-safe among the fibers
// of one runtime.
//
//   rt::Event ready;
//   scope.go("warm up", [&] { load(); ready.set(); });
//   ready.wait(rt::Deadline::after(std::chrono::seconds(5)));
#pragma once

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class Event {
 public:
  // Wakes every waiter; later waits return at once. Setting it twice changes nothing.
  void set();
  // Back to "has not happened".
  void reset();
  [[nodiscard]] bool is_set() const;

  // Ok once the event is set; deadline_exceeded, or the context's status, when that came first.
  Status wait(Deadline deadline = {});

 private:
  mutable impl::SpinLock lock_;
  bool set_ = false;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
