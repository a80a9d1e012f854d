// A program for gdb_cases.py to look at: fibers parked in functions with telling names. With an
// argument it aborts.
#include <atomic>
#include <cstdlib>
#include <string>

#include "parley/rt/channel.h"
#include "parley/rt/label.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace {

namespace rt = parley::rt;
using namespace std::chrono_literals;

[[gnu::noinline]] int wait_for_an_order(rt::Channel<int>& orders, int depth) {
  if (depth == 0) return orders.receive().value_or(0);
  const int inner = wait_for_an_order(orders, depth - 1);
  asm volatile("" ::: "memory");  // or it would be a loop
  return inner + depth;
}

[[gnu::noinline]] bool sleep_until_morning() { return rt::sleep(1h).is_ok(); }

[[gnu::noinline]] void compute_for_ever(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) asm volatile("");
}

bool is_dumped(const char* text) { return rt::dump().find(text) != std::string::npos; }

}  // namespace

// Where the debugger stops the program.
extern "C" [[gnu::noinline]] void parley_gdb_cases_stop() { asm volatile(""); }

int main(int argc, char**) {
  rt::RuntimeOptions options;
  options.workers = 2;
  options.longest_run = 0s;
  return rt::Runtime(options).run([argc] {
    rt::Channel<int> orders;
    std::atomic<bool> stop = false;
    std::atomic<bool> computing = false;
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("waiter", [&] {
      const rt::Label order("order", "4711");
      (void)wait_for_an_order(orders, 3);
    });
    scope.go("sleeper", [] { (void)sleep_until_morning(); });
    while (!is_dumped("waits: channel") || !is_dumped("waits: sleep")) rt::yield();
    scope.go("computer", [&] {
      computing = true;
      compute_for_ever(stop);
    });
    while (!computing) rt::yield();
    scope.go("newborn", [] {});
    parley_gdb_cases_stop();
    if (argc > 1) std::abort();
    stop = true;
  });
}
