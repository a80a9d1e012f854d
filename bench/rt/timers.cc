#include <algorithm>
#include <atomic>
#include <chrono>

#include "parley/rt/scope.h"
#include "parley/rt/timer.h"
#include "parley/rt/wait_group.h"
#include "scenarios.h"

namespace parley::bench {
namespace {

constexpr std::uint64_t timers_at_once = 100'000;
constexpr Duration fire_within = std::chrono::milliseconds(50);

// Spread over fire_within, in no order. The same as delayOf in go/rt.go.
Duration delay_of(std::uint64_t timer) {
  constexpr std::uint64_t spread = 2'654'435'761U;
  return Duration(
      static_cast<Duration::rep>(timer * spread % static_cast<std::uint64_t>(fire_within.count())));
}

}  // namespace

std::uint64_t timers_fire(std::uint64_t ops) {
  std::atomic<std::uint64_t> fired = 0;
  rt::Scope scope;
  std::vector<rt::Timer> timers;  // one that is destroyed does not fire
  for (std::uint64_t left = ops; left > 0;) {
    const std::uint64_t now = std::min(left, timers_at_once);
    left -= now;
    timers.clear();
    timers.reserve(now);
    rt::WaitGroup group;
    group.add(now);
    for (std::uint64_t i = 0; i < now; ++i) {
      timers.emplace_back(scope, delay_of(i), "timer", [&fired, &group] {
        fired.fetch_add(1, std::memory_order_relaxed);
        group.done();
      });
    }
    (void)group.wait();
    scope.join();  // `group` must outlive the last done()
  }
  return fired;
}

std::uint64_t timers_cancel(std::uint64_t ops) {
  rt::Scope scope;
  std::uint64_t stopped = 0;
  std::uint64_t fired = 0;
  for (std::uint64_t i = 0; i < ops; ++i) {
    rt::Timer timer(scope, std::chrono::hours(1), "never", [&fired] { ++fired; });
    if (timer.stop()) ++stopped;
  }
  return stopped;
}

}  // namespace parley::bench
