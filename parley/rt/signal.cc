#include "parley/rt/signal.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "parley/base/fd.h"
#include "parley/rt/pollable.h"

namespace parley::rt {
namespace {

// Blocks signals for the thread and puts the former mask back.
class BlockedSignals {
 public:
  explicit BlockedSignals(const sigset_t& signals) {
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<int> wait_signal(std::initializer_list<int> signals, Deadline deadline) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  const BlockedSignals blocked(set);
  const Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return errno_status(errno, "wait for a signal");
  Pollable pollable;
  if (Status status = pollable.watch(fd.get()); !status.is_ok()) return status;
  for (;;) {
    signalfd_siginfo info{};
    const auto size = ::read(fd.get(), &info, sizeof info);
    if (size == sizeof info) return static_cast<int>(info.ssi_signo);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return errno_status(errno, "read a signal");
    if (Status status = pollable.wait_readable(deadline); !status.is_ok()) return status;
  }
}

}  // namespace parley::rt
