// Pollable: one descriptor watched by the poller, for code that reads and writes it without
// blocking: try the system call; on EAGAIN wait here and try again.
//
// Any number of fibers may wait, on any worker; all are woken, and must be ready to find EAGAIN
// again. The descriptor stays the caller's and must outlive the watch.
//
//   rt::Pollable pollable;
//   if (Status s = pollable.watch(fd); !s.is_ok()) return s;
//   while ((n = read(fd, ...)) < 0 && errno == EAGAIN) { Status s = pollable.wait_readable(); ... }
#pragma once

#include "parley/base/status.h"
#include "parley/rt/deadline.h"

namespace parley::rt {

namespace impl {
class Scheduler;
struct PollEntry;
}  // namespace impl

class Pollable {
 public:
  Pollable();
  // Ends the watch. A bug while a fiber waits.
  ~Pollable();
  Pollable(Pollable&&) noexcept;
  Pollable& operator=(Pollable&&) noexcept;

  // Begins to watch `fd`, which must be non-blocking. Inside a fiber only. An error for a
  // descriptor that cannot be polled (a regular file) or when the kernel's limit on watches is hit.
  Status watch(int fd);

  // Ok when a system call may now succeed (or report the error of the descriptor);
  // deadline_exceeded, or the context's status, when that came first.
  Status wait_readable(Deadline deadline = {});
  Status wait_writable(Deadline deadline = {});

 private:
  impl::Scheduler* scheduler_ = nullptr;
  impl::PollEntry* entry_ = nullptr;  // in the scheduler's table
};

}  // namespace parley::rt
