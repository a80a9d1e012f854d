// DumpOnSignal: writes a runtime's dump to stderr when a signal comes; see
// RuntimeOptions::dump_signal. On a thread of its own, so that it works when every worker is held
// by a fiber. Private to rt.
#pragma once

#include <atomic>
#include <optional>
#include <thread>

#include "parley/base/fd.h"
#include "parley/rt/impl/signal_watch.h"

namespace parley::rt::impl {

class Scheduler;

class DumpOnSignal {
 public:
  // Nothing happens when the signal is 0, or when the program handles it itself.
  DumpOnSignal(Scheduler& scheduler, int signal);
  ~DumpOnSignal();
  DumpOnSignal(const DumpOnSignal&) = delete;
  DumpOnSignal& operator=(const DumpOnSignal&) = delete;

 private:
  void watch(int signal);

  Scheduler& scheduler_;
  Fd event_;
  std::optional<SignalWatch> watch_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace parley::rt::impl
