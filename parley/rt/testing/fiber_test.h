// PARLEY_FIBER_TEST: a test whose body is the first fiber of a runtime, under a hard deadline, with
// a leak check.
//
// When the deadline passes, every fiber is dumped with what it waits for and the program aborts, so
// a hang is a failure with a reason. Afterwards no descriptor and no Bytes block more than before
// may be there; a fiber cannot leak, since a runtime ends only when all of its fibers have.
//
//   PARLEY_FIBER_TEST(Channel, close_wakes_every_receiver) {
//     rt::Channel<int> channel;
//     ...
//   }
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "parley/base/sanitized.h"
#include "parley/rt/runtime.h"

namespace parley::rt::testing {

// Real time a fiber test may take. Generous: it is for hangs, not for slow machines, and the
// largest tests take ten seconds under a sanitizer while nobody else is at work.
inline constexpr std::chrono::seconds hard_deadline{is_sanitized ? 60 : 20};

// Runs `body` as described above. Options as for a Runtime, but one worker unless they say more:
// most tests speak of an order of events.
void run_fiber_test(const std::function<void()>& body, const RuntimeOptions& options = {},
                    std::chrono::milliseconds deadline = hard_deadline);

// For a test that counts what the program allocates: what the monitor reports, on its own thread
// and only on a busy machine, would be counted too.
inline RuntimeOptions without_reports() { return {.longest_run = {}, .deadlock_after = {}}; }

// Sockets this process has open. Not all descriptors: while a runtime runs, its monitor opens files
// for a moment to see what a busy worker does.
int open_sockets();

}  // namespace parley::rt::testing

// NOLINTBEGIN(bugprone-macro-parentheses): suite and name are pasted, not evaluated
#define PARLEY_FIBER_TEST(suite, name)                                                  \
  static void suite##_##name##_fiber();                                                 \
  TEST(suite, name) { ::parley::rt::testing::run_fiber_test(&suite##_##name##_fiber); } \
  static void suite##_##name##_fiber()
// NOLINTEND(bugprone-macro-parentheses)
