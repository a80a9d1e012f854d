// Signals, waited for like anything else. Inside a fiber only.
//
//   auto signal = rt::wait_signal({SIGINT, SIGTERM});
//   peer.close();
//
//   rt::Signals signals({SIGINT, SIGTERM});
//   auto first = signals.wait();
//   auto second = signals.wait();   // none that comes in between is missed
#pragma once

#include <csignal>
#include <memory>
#include <vector>

#include "parley/base/result.h"
#include "parley/rt/deadline.h"

namespace parley::rt {

// Holds some signals back from their usual effect for as long as it lives, and has them waited for
// one after the other. Those that came and were not waited for have their usual effect at its end,
// but not the one that was returned last, however often it came. One fiber waits at a time; any
// number of others may have their own Signals: everybody gets each signal.
class Signals {
 public:
  // What goes wrong is told by wait().
  explicit Signals(const std::vector<int>& signals);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Parks until one of them arrives at the process, or at once if one did since the last was
  // returned, and returns its number; of several the first of the list. One that comes again before
  // it was returned counts once. deadline_exceeded, or the context's status, when that came first;
  // invalid_argument for a signal that cannot be caught; resource_exhausted when 64 others wait for
  // signals already.
  Result<int> wait(Deadline deadline = {});

 private:
  struct Watched;

  Status status_;
  std::unique_ptr<Watched> watched_;  // null: see status_
};

// Waits for one of `signals`, as Signals does, and gives all of them back: the second Ctrl-C ends a
// program that is slow to end.
Result<int> wait_signal(const std::vector<int>& signals, Deadline deadline = {});

}  // namespace parley::rt
