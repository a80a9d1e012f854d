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

// Parks until one of `signals` arrives and returns its number. They are held back from their usual
// effect while this waits and get it back when it returns: the second Ctrl-C ends a program that is
// slow to end. deadline_exceeded, or the context's status, when that came first. Block the signals
// in other threads of the program, or those may receive them.
Result<int> wait_signal(std::initializer_list<int> signals, Deadline deadline = {});

}  // namespace parley::rt
