// WaitGroup: waits until as many things are done as were added. Go's sync.WaitGroup.
//
// Fiber-safe within one runtime. For fibers, prefer Scope, which joins by itself.
//
//   rt::WaitGroup replies;
//   replies.add(3);
//   ... three times replies.done();
//   replies.wait();
#pragma once

#include <cstddef>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class WaitGroup {
 public:
  void add(std::size_t count = 1) { count_ += count; }
  // One more done than was added is a bug.
  void done();
  [[nodiscard]] std::size_t count() const { return count_; }

  // Ok when the count is zero; deadline_exceeded, or the context's status, when that came first.
  Status wait(Deadline deadline = {});

 private:
  std::size_t count_ = 0;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
