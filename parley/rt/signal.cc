#include "parley/rt/signal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <vector>

#include "parley/base/fd.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/pollable.h"

namespace parley::rt {
namespace {

// Signals belong to the process, so this does as well. The handler notes which one came and wakes
// everybody who waits for any.
constexpr std::size_t most_waiters = 64;

struct Waiter {
  std::atomic<int> event{-1};
  std::array<std::atomic<bool>, NSIG> came{};
  std::array<std::atomic<bool>, NSIG> wanted{};
};

std::array<Waiter, most_waiters> waiters;
std::atomic<int> handlers_at_work{0};
impl::SharedSpinLock lock;  // of what follows
std::array<int, NSIG> users{};
std::array<struct sigaction, NSIG> before;

void on_signal(int signal) {
  const int saved = errno;
  handlers_at_work.fetch_add(1);
  const auto index = static_cast<std::size_t>(signal);
  for (Waiter& waiter : waiters) {
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
  if (--users[index] == 0) ::sigaction(signal, &before[index], nullptr);
}

// A place among the waiters and the signals taken over, for as long as it lives.
class Watch {
 public:
  Watch(int event, std::initializer_list<int> signals) : signals_(signals) {
    for (Waiter& waiter : waiters) {
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
  ~Watch() {
    if (waiter_ == nullptr) return;
    for (const int signal : signals_) {
      hand_back(signal);
      waiter_->wanted[static_cast<std::size_t>(signal)].store(false);
    }
    waiter_->event.store(-1);
    // One on another thread may have read the descriptor that is closed next.
    while (handlers_at_work.load() > 0) impl::RealAtomics::give_way();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  [[nodiscard]] bool has_place() const { return waiter_ != nullptr; }
  // The number of one that came, 0 when none did.
  int take() {
    for (const int signal : signals_) {
      if (waiter_->came[static_cast<std::size_t>(signal)].exchange(false)) return signal;
    }
    return 0;
  }

 private:
  Waiter* waiter_ = nullptr;
  std::vector<int> signals_;
};

}  // namespace

Result<int> wait_signal(std::initializer_list<int> signals, Deadline deadline) {
  for (const int signal : signals) {
    if (signal > 0 && signal < NSIG && signal != SIGKILL && signal != SIGSTOP) continue;
    return Status(Code::invalid_argument,
                  "wait for a signal: " + std::to_string(signal) + " cannot be waited for");
  }
  const Fd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event) return errno_status(errno, "wait for a signal");
  Pollable pollable;
  if (Status status = pollable.watch(event.get()); !status.is_ok()) return status;
  Watch watch(event.get(), signals);
  if (!watch.has_place()) {
    return Status(Code::resource_exhausted, "wait for a signal: " + std::to_string(most_waiters) +
                                                " fibers of this process already do");
  }
  for (;;) {
    if (const int signal = watch.take(); signal != 0) return signal;
    if (Status status = pollable.wait_readable(deadline); !status.is_ok()) return status;
  }
}

}  // namespace parley::rt
