// Signals, waited for like anything else. Inside a fiber only.
//
//   auto signal = rt::wait_signal({SIGINT, SIGTERM});
//   peer.close();
#pragma once

#include <csignal>
#include <initializer_list>

#include "parley/base/result.h"
#include "parley/rt/deadline.h"

namespace parley::rt {

// Parks until one of `signals` arrives at the process and returns its number. They are held back
// from their usual effect while this waits and get it back when it returns: the second Ctrl-C ends
// a program that is slow to end. Of several that came the first of the list is returned, and the
// others have their usual effect then. Every fiber that waits for a signal gets it.
// deadline_exceeded, or the context's status, when that came first; invalid_argument for a signal
// that cannot be caught; resource_exhausted when 64 fibers wait for signals already.
Result<int> wait_signal(std::initializer_list<int> signals, Deadline deadline = {});

}  // namespace parley::rt
