#include "parley/rt/impl/dump_on_signal.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/rt/impl/say.h"
#include "parley/rt/impl/scheduler.h"

namespace parley::rt::impl {
namespace {

// Neither left alone nor ignored: by a handler that is not ours.
bool is_handled_by_program(int signal) {
  if (is_watched(signal)) return false;
  struct sigaction now{};
  if (::sigaction(signal, nullptr, &now) != 0) return true;
  return (now.sa_flags & SA_SIGINFO) != 0 ||
         (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN);
}

}  // namespace

DumpOnSignal::DumpOnSignal(Scheduler& scheduler, int signal) : scheduler_(scheduler) {
  if (signal == 0) return;
  PARLEY_ASSERT(can_be_watched(signal),
                "RuntimeOptions::dump_signal is not a signal that can be caught; 0 means none");
  if (is_handled_by_program(signal)) return;
  event_ = Fd(::eventfd(0, EFD_CLOEXEC));
  if (event_) watch_.emplace(event_.get(), std::initializer_list<int>{signal});
  if (!event_ || !watch_->has_place()) {
    say("parley: no dump on signal: no descriptor, or no place among those who wait for signals, "
        "is left\n");
    return;
  }
  thread_ = std::thread([this, signal] { watch(signal); });
}

DumpOnSignal::~DumpOnSignal() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
  thread_.join();
  // One that came as the runtime ended was meant for it, and is not to have its usual effect now.
  (void)watch_->take();
}

void DumpOnSignal::watch(int signal) {
  // The signal itself stays open here: it may be blocked in every other thread.
  sigset_t others;
  sigfillset(&others);
  sigdelset(&others, signal);
  ::pthread_sigmask(SIG_SETMASK, &others, nullptr);
  ::pthread_setname_np(::pthread_self(), "parley/dump");
  std::uint64_t count = 0;
  while (::read(event_.get(), &count, sizeof count) > 0 || errno == EINTR) {
    if (stopping_.load(std::memory_order_acquire)) return;
    if (watch_->take() == 0) continue;
    const char* name = ::sigabbrev_np(signal);
    say("parley: dump on signal " +
        (name == nullptr ? std::to_string(signal) : "SIG" + std::string(name)) + ", process " +
        std::to_string(::getpid()) + ": " + scheduler_.dump());
  }
}

}  // namespace parley::rt::impl
