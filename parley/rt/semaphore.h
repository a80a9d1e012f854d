// Semaphore: at most so much at once, of whatever is counted. Go's x/sync/semaphore.Weighted: one
// acquires as many units as it needs; first come, first served, so that a large request is not
// starved by small ones. Thread-safe among the fibers of one runtime; release() also from any other
// thread.
//
//   rt::Semaphore memory_(256 << 20);
//   if (Status status = memory_.acquire(upload.size()); !status.is_ok()) return status;
//   ...
//   memory_.release(upload.size());
#pragma once

#include <cstddef>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class Semaphore {
 public:
  explicit Semaphore(std::size_t capacity) : capacity_(capacity) {}
  // A bug while a fiber waits here.
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Ok when `units` are the caller's, after all who came before have theirs. invalid_argument at
  // once for more than capacity(), which would wait for ever; deadline_exceeded, or the context's
  // status, when that came first, and nothing is held then. With enough units free it is ok even
  // under a context that has ended.
  Status acquire(std::size_t units = 1, Deadline deadline = {});

  // False when acquire() would wait, be it only behind others, or refuse.
  [[nodiscard]] bool try_acquire(std::size_t units = 1);

  // Gives back, and lets in whoever fits, in order. More than is held is a bug.
  void release(std::size_t units = 1);

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  // Units that nobody holds.
  [[nodiscard]] std::size_t available() const;

 private:
  struct Waiter;

  void let_in(impl::WaitList& woken);

  const std::size_t capacity_;
  mutable impl::SpinLock lock_;
  std::size_t held_ = 0;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
