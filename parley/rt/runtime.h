// Runtime: the workers that run fibers. `parley::run(f)` is all most programs need.
//
// A fiber is a function with a stack of its own that gives way when it waits: code reads as if it
// blocked, and a million of them share a few threads. Two fibers may run at the same time, and a
// fiber may go on on another thread after it waited: what they share needs a lock of rt, a channel
// or an atomic. Everything in parley::rt that can wait is
// called inside a fiber only; trying it elsewhere ends the program with a message that says so.
//
//   int main() {
//     return parley::run([] {
//       rt::Scope scope;
//       scope.go("hello", [] { std::puts("from a fiber"); });
//     });
//   }
#pragma once

#include <csignal>
#include <cstddef>
#include <string>
#include <utility>

#include "parley/base/clock.h"
#include "parley/rt/impl/closure.h"

namespace parley::rt {

namespace impl {
class Simulation;
}

struct RuntimeOptions {
  // Threads that run fibers, the calling one among them; at most 256. 0: one for each processor the
  // process may use (its affinity mask, and its control group's quota, rounded up).
  std::size_t workers = 0;
  // Bytes of stack of each fiber, rounded up to a power of two from 16 KiB to 8 MiB; reserved at
  // once and paid for as touched. Running over its end stops the program with a message naming the
  // fiber.
  std::size_t stack_size = std::size_t{256} * 1024;
  // Fibers alive at once. At the limit Scope::go waits for one to end and Scope::try_go refuses.
  // 0: as many as can be parked in half of the memory the process may use, at most a million. Where
  // the kernel has no guard regions (before Linux 6.13) vm.max_map_count bounds it further: dump()
  // tells.
  std::size_t max_fibers = 0;
  // Stacks of each size that keep their memory for the next fiber; that of more goes back to the
  // kernel.
  std::size_t max_idle_stacks = 1'024;
  // Threads for rt::blocking(), started as needed; calls over the limit wait for one. With 0 a call
  // is a bug.
  std::size_t max_blocking_threads = 64;
  // A thread for blocking calls ends when it had nothing to do for so long.
  Duration blocking_idle_time = std::chrono::seconds(10);
  // A fiber that holds its worker for longer is reported on stderr with its stack, ten times a
  // minute at most, and other workers take over what waits behind it. Zero: neither.
  Duration longest_run = std::chrono::milliseconds(10);
  // A worker that is without work for less than this, on average, looks for some (and offers its
  // processor to others) for about three times as long as the average before it sleeps: a sleep and
  // a wake-up cost tens of microseconds. Zero: it sleeps at once.
  Duration idle_spin = std::chrono::microseconds(80);
  // When every fiber has waited for so long and nothing is left that could wake one (no timer, no
  // descriptor that is watched, no blocking call; but a thread outside that releases a Semaphore
  // is not foreseen), that and a dump() are written to stderr, once. Zero: it is not looked for.
  Duration deadlock_after = std::chrono::seconds(1);
  // When this signal comes, a dump() is written to stderr and the program goes on, also when every
  // worker is held by a fiber. 0: none; the signal then has its usual effect. A signal that the
  // program has a handler for when run() begins is left to it.
  int dump_signal = SIGQUIT;
  // Every deadline and sleep of the runtime reads this clock. Null: the real one.
  const Clock* clock = nullptr;
  // Internal.
  const Clock* real_clock = nullptr;
  impl::Simulation* simulation = nullptr;
};

class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  ~Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Runs `main` as the first fiber, with the calling thread as a worker, and returns when it and
  // every fiber it started are done: what `main` returned if that is an int, else 0. One run at a
  // time per thread.
  template <class F>
  int run(F&& main) {
    int code = 0;
    auto body = [&] { code = impl::exit_code_of(main); };
    run_closure(impl::closure_of(body));
    return code;
  }

 private:
  void run_closure(const impl::Closure& closure);

  RuntimeOptions options_;
  RealClock real_clock_;
};

// Every fiber of the calling thread's runtime, in the order of their numbers: number, name, labels
// (of those that wait), state, what it waits for and how long, and its stack (of 200 at most).
// Callable anywhere; "no runtime on this thread" where there is none. Workers that run a fiber are
// asked for its stack by a signal (SIGURG, unless the program uses that itself); for one that does
// not answer the stack is missing. Each fiber is shown as it was at one moment, not all at the
// same. Takes up to 32 KiB of stack itself.
std::string dump();

}  // namespace parley::rt

namespace parley {

// Runs `main` as the first fiber of a Runtime with default options. See Runtime::run.
template <class F>
int run(F&& main) {
  return rt::Runtime().run(std::forward<F>(main));
}

}  // namespace parley
