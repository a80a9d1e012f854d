#include "parley/rt/impl/signal_watch.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

#include "parley/rt/impl/spin_lock.h"

namespace parley::rt::impl {

struct SignalWaiter {
  std::atomic<int> event{-1};
  std::array<std::atomic<bool>, NSIG> came{};
  std::array<std::atomic<bool>, NSIG> wanted{};
};

namespace {

// Signals belong to the process, so this does as well. The handler notes which one came and wakes
// everybody who watches it.
std::array<SignalWaiter, most_signal_watches> waiters;
std::atomic<int> handlers_at_work{0};
SharedSpinLock lock;  // of what follows
std::array<int, NSIG> users{};
std::array<struct sigaction, NSIG> before;

void on_signal(int signal) {
  const int saved = errno;
  handlers_at_work.fetch_add(1);
  const auto index = static_cast<std::size_t>(signal);
  for (SignalWaiter& waiter : waiters) {
    if (!waiter.wanted[index].load()) continue;
    waiter.came[index].store(true);
    const std::uint64_t one = 1;
    if (const int event = waiter.event.load(); event >= 0) {
      [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
    }
  }
  handlers_at_work.fetch_sub(1);
  errno = saved;
}

void take_over(int signal) {
  const std::lock_guard guard(lock);
  const auto index = static_cast<std::size_t>(signal);
  if (users[index]++ > 0) return;
  struct sigaction action{};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, &before[index]);
}

void hand_back(int signal) {
  const std::lock_guard guard(lock);
  const auto index = static_cast<std::size_t>(signal);
  if (--users[index] > 0) return;
  struct sigaction now{};
  ::sigaction(signal, nullptr, &now);
  // Unless the program has taken it over from us.
  if (now.sa_handler == &on_signal) ::sigaction(signal, &before[index], nullptr);
}

}  // namespace

bool is_watched(int signal) {
  const std::lock_guard guard(lock);
  return users[static_cast<std::size_t>(signal)] > 0;
}

bool can_be_watched(int signal) {
  return signal > 0 && signal < NSIG && signal != SIGKILL && signal != SIGSTOP;
}

SignalWatch::SignalWatch(int event, std::span<const int> signals)
    : signals_(signals.begin(), signals.end()) {
  for (SignalWaiter& waiter : waiters) {
    int free = -1;
    if (!waiter.event.compare_exchange_strong(free, event)) continue;
    waiter_ = &waiter;
    break;
  }
  if (waiter_ == nullptr) return;
  for (const int signal : signals_) {
    waiter_->came[static_cast<std::size_t>(signal)].store(false);
    waiter_->wanted[static_cast<std::size_t>(signal)].store(true);
    take_over(signal);
  }
}

SignalWatch::~SignalWatch() {
  if (waiter_ == nullptr) return;
  for (const int signal : signals_) {
    hand_back(signal);
    waiter_->wanted[static_cast<std::size_t>(signal)].store(false);
  }
  // One on another thread may still note its signal, or write to the descriptor that is closed
  // next.
  while (handlers_at_work.load() > 0) RealAtomics::give_way();
  std::vector<int> left;
  for (const int signal : signals_) {
    const bool came = waiter_->came[static_cast<std::size_t>(signal)].exchange(false);
    if (came && signal != taken_ && !is_watched(signal)) left.push_back(signal);
  }
  waiter_->event.store(-1);
  // Its usual effect, as if it had come a moment later: a SIGTERM beside a SIGHUP is not to be
  // lost.
  for (const int signal : left) ::kill(::getpid(), signal);
}

int SignalWatch::take() {
  for (const int signal : signals_) {
    if (waiter_->came[static_cast<std::size_t>(signal)].exchange(false)) return taken_ = signal;
  }
  return 0;
}

}  // namespace parley::rt::impl
