// Bugs, to see them found.
#include <mutex>

#include "parley/base/clock.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"

namespace parley::sim {

void planted_lost_update() {
  int stock = 0;
  rt::Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("restock", [&] {
      const int seen = stock;
      rt::yield();
      stock = seen + 1;
    });
    (void)rt::sleep(std::chrono::microseconds(draw(0, 5)));
  }
  scope.join();
  must(stock == 3, "three were put in stock, so three are there");
}

void planted_deadlock() {
  rt::Mutex stock;
  rt::Mutex orders;
  rt::Scope scope;
  scope.go("sell", [&] {
    const std::lock_guard first(stock);
    const std::lock_guard second(orders);
  });
  scope.go("cancel", [&] {
    const std::lock_guard first(orders);
    const std::lock_guard second(stock);
  });
}

void planted_real_time() {
  const auto now = RealClock().now().time_since_epoch().count();
  rt::trace_event("real time", {static_cast<std::uint64_t>(now)});
}

}  // namespace parley::sim
