// SignalWatch: notices signals of the process for as long as it lives. They are held back from
// their usual effect meanwhile; everybody who watches a signal gets it. Any thread. Private to rt.
//
//   const Fd event(::eventfd(0, EFD_CLOEXEC));
//   SignalWatch watch(event.get(), signals);
//   ...                         // event becomes readable
//   int signal = watch.take();
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace parley::rt::impl {

struct SignalWaiter;

// At once in a process.
inline constexpr std::size_t most_signal_watches = 64;

class SignalWatch {
 public:
  // `event` is an eventfd that is written to when one of `signals` comes. Each has to be
  // can_be_watched().
  SignalWatch(int event, std::span<const int> signals);
  // Those that came and were not taken have their usual effect then, unless somebody else watches
  // them; but not the one that was taken last, however often it came.
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // False when there are most_signal_watches others: it watches nothing then.
  [[nodiscard]] bool has_place() const { return waiter_ != nullptr; }
  // The number of one that came, 0 when none did.
  int take();

 private:
  SignalWaiter* waiter_ = nullptr;
  std::vector<int> signals_;
  int taken_ = 0;
};

// True while somebody watches it.
bool is_watched(int signal);
// False for what is no signal and for those that cannot be caught.
bool can_be_watched(int signal);

}  // namespace parley::rt::impl
