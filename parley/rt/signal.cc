#include "parley/rt/signal.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <string>

#include "parley/base/fd.h"
#include "parley/rt/impl/signal_watch.h"
#include "parley/rt/pollable.h"

namespace parley::rt {

Result<int> wait_signal(std::initializer_list<int> signals, Deadline deadline) {
  for (const int signal : signals) {
    if (impl::can_be_watched(signal)) continue;
    return Status(Code::invalid_argument,
                  "wait for a signal: " + std::to_string(signal) + " cannot be waited for");
  }
  const Fd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) return errno_status(errno, "wait for a signal");
  Pollable pollable;
  if (Status status = pollable.watch(event.get()); !status.is_ok()) return status;
  impl::SignalWatch watch(event.get(), signals);
  if (!watch.has_place()) {
    return Status(Code::resource_exhausted,
                  "wait for a signal: " + std::to_string(impl::most_signal_watches) +
                      " fibers of this process already do");
  }
  for (;;) {
    if (const int signal = watch.take(); signal != 0) return signal;
    const Status status = pollable.wait_readable(deadline);
    if (status.is_ok()) continue;
    if (const int signal = watch.take(); signal != 0) return signal;  // in the last moment
    return status;
  }
}

}  // namespace parley::rt
