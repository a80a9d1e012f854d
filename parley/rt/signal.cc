#include "parley/rt/signal.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "parley/base/fd.h"
#include "parley/rt/impl/signal_watch.h"
#include "parley/rt/pollable.h"

namespace parley::rt {

struct Signals::Watched {
  Watched(Fd fd, const std::vector<int>& signals)
      : event(std::move(fd)), watch(event.get(), signals) {}

  const Fd event;
  Pollable pollable;  // ends before what it watches
  impl::SignalWatch watch;
};

Signals::Signals(const std::vector<int>& signals) {
  for (const int signal : signals) {
    if (impl::can_be_watched(signal)) continue;
    status_ = Status(Code::invalid_argument,
                     "wait for a signal: " + std::to_string(signal) + " cannot be waited for");
    return;
  }
  Fd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) {
    status_ = errno_status(errno, "wait for a signal");
    return;
  }
  // Before a signal is taken over: where descriptors are refused, it keeps its effect.
  Pollable pollable;
  status_ = pollable.watch(event.get());
  if (!status_.is_ok()) return;
  auto watched = std::make_unique<Watched>(std::move(event), signals);
  watched->pollable = std::move(pollable);
  if (watched->watch.has_place()) {
    watched_ = std::move(watched);
    return;
  }
  status_ = Status(Code::resource_exhausted,
                   "wait for a signal: " + std::to_string(impl::most_signal_watches) +
                       " fibers of this process already do");
}

Signals::~Signals() = default;

Result<int> Signals::wait(Deadline deadline) {
  if (watched_ == nullptr) return status_;
  for (;;) {
    if (const int signal = watched_->watch.take(); signal != 0) return signal;
    const Status status = watched_->pollable.wait_readable(deadline);
    if (status.is_ok()) continue;
    if (const int signal = watched_->watch.take(); signal != 0) return signal;  // the last moment
    return status;
  }
}

Result<int> wait_signal(const std::vector<int>& signals, Deadline deadline) {
  return Signals(signals).wait(deadline);
}

}  // namespace parley::rt
