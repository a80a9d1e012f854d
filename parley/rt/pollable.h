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

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"

namespace parley::rt {

class ReadyItem;

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
  // Watches nothing: only tell_readable() makes it readable, and nothing writable. For what is kept
  // in memory, with no descriptor under it; in a simulation too.
  void watch_memory();

  // Ok when a system call may now succeed (or report the error of the descriptor);
  // deadline_exceeded, or the context's status, when that came first.
  Status wait_readable(Deadline deadline = {});
  Status wait_writable(Deadline deadline = {});

  // Makes `item` ready whenever a system call may succeed for which no fiber waits, and at once if
  // one may now. Null: no more, once this returns. The item must be told of nothing when it goes:
  // take it away, or end the watch, before.
  void on_readable(ReadyItem* item);

  // True when there was something to read since this, or wait_readable(), was last asked. Costs
  // little when there was not.
  bool take_readable();
  [[nodiscard]] bool is_readable() const;
  // When the runtime learned, by its clock, of what there is to read or was last: what is read has
  // waited since then for its reader. The start of the clock when there was nothing yet.
  [[nodiscard]] Instant readable_since() const;
  // As if the kernel had told of something to read: for what is kept in memory above a descriptor,
  // or without one. From any fiber; does not wait.
  void tell_readable();

  // True while a read of a TCP socket that brought less than there was room for means that nothing
  // is left (epoll(7)); false once the kernel told of an end, an error or urgent data, since one of
  // these may be what is left and is not told of again.
  [[nodiscard]] bool short_read_drains() const;

 private:
  impl::Scheduler* scheduler_ = nullptr;  // null without a descriptor
  impl::PollEntry* entry_ = nullptr;      // in the scheduler's table; this one's own without it
};

}  // namespace parley::rt
