// Parking, where the compiler sees how a worker goes from fiber to fiber: see worker_inline.h.
// Included by the primitives that wait most. Private to rt.
#pragma once

#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt::impl {

// Inlined into the waits as well: each return after a switch to another fiber's place is a
// misprediction.
[[gnu::always_inline]] inline Wake Parking::park_here(Deadline deadline) {
  return Worker::current()->park(fiber_, what_, deadline, cancellable_ == Cancellable::yes);
}

}  // namespace parley::rt::impl
