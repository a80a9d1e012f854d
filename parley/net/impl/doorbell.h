// Doorbell: waits for a descriptor to become readable or for somebody in this process to ring.
//
// What shutdown(2) does for a connection, for sockets that other processes have as well and that
// must therefore stay as they are. Fiber-safe; ring() may come from anywhere. Private to net.
#pragma once

#include "parley/base/fd.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/pollable.h"

namespace parley::net::impl {

class Doorbell {
 public:
  // Takes two descriptors of its own. `fd` stays the caller's and must outlive this object.
  Status watch(int fd);

  // Ok when the descriptor may be readable or the bell was rung.
  Status wait(rt::Deadline deadline) { return both_.wait_readable(deadline); }
  // Ok when the bell was rung.
  Status wait_for_ring(rt::Deadline deadline) { return bell_only_.wait_readable(deadline); }

  // Ends the waits under way, or the next one. With several waiters each must ring again when it
  // has understood: one ring may be heard by one of them only.
  void ring();

 private:
  Fd bell_;    // an eventfd
  Fd either_;  // an epoll over the descriptor and the bell: itself readable when one is
  rt::Pollable bell_only_;  // these end before the descriptors they watch
  rt::Pollable both_;
};

}  // namespace parley::net::impl
