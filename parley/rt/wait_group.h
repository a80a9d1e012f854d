// WaitGroup: waits until as many things are done as were added. Go's sync.WaitGroup. Thread-safe
// among the fibers of one runtime.
//
// For fibers, prefer Scope, which joins by itself.
//
//   rt::WaitGroup replies;
//   replies.add(3);
//   ... three times replies.done();
//   replies.wait();
#pragma once

#include <cstddef>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class WaitGroup {
 public:
  void add(std::size_t count = 1);
  // One more done than was added is a bug.
  void done();
  [[nodiscard]] std::size_t count() const;

  // Ok when the count is zero; deadline_exceeded, or the context's status, when that came first.
  Status wait(Deadline deadline = {});

 private:
  mutable impl::SpinLock lock_;
  std::size_t count_ = 0;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
