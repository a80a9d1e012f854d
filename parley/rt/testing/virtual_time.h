// Runs a fiber test on a clock that moves as soon as nobody has anything to do: a minute passes in
// a blink, and the same way each time, however slow the machine is. One worker.
//
//   testing::in_virtual_time([] {
//     EXPECT_TRUE(sleep(1h).is_ok());
//   });
#pragma once

#include <functional>

#include "parley/base/clock.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt::testing {

inline void in_virtual_time(const std::function<void()>& body,
                            Duration step = std::chrono::microseconds(100)) {
  // More than a worker switches fibers before it looks at its timers (61).
  constexpr int turns = 130;
  ManualClock clock;
  run_fiber_test(
      [&] {
        Scope scope(OnExit::cancel);
        scope.go("time", [&] {
          while (!Context::current().is_done()) {
            for (int i = 0; i < turns; ++i) yield();
            clock.advance(step);
          }
        });
        body();
      },
      {.clock = &clock});
}

}  // namespace parley::rt::testing
