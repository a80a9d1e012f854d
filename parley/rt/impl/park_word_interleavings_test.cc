// The shipped park word, walked through: of all who would wake a fiber one wins, and not before the
// fiber is off its stack.
#include "parley/rt/impl/park_word.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "parley/rt/testing/checked_atomics.h"
#include "parley/rt/testing/weakenings.h"

namespace parley::rt::impl {
namespace {

using testing::CheckedAtomic;
using testing::CheckedAtomics;
using testing::CheckedVar;
using testing::explore;
using testing::Interleaving;
using testing::require;
using testing::weaken_each;

// A fiber, and what a park needs: the stack it must be off, and the run queue it is put in.
struct Sleeper {
  BasicParkWord<CheckedAtomics> word;
  CheckedVar<int> stack{0};  // written until it is settled, by who resumes it afterwards
  CheckedVar<int> woken_by{0};
  CheckedVar<int> wakes{0};
  CheckedAtomic<int> found{0};   // it can be found: as a node in a list
  CheckedAtomic<int> queued{0};  // how often it was put into a run queue

  void park(bool cancellable) {
    stack = 1;
    word.open(cancellable);
    found.store(1, std::memory_order_release);
    stack = 2;  // it is still running there
    word.settle();
    while (queued.load(std::memory_order_acquire) == 0) CheckedAtomics::relax();
  }
  bool wake(int who, bool as_cancellation = false) {
    if (found.load(std::memory_order_acquire) == 0) return false;
    if (!(as_cancellation ? word.claim_cancellable() : word.claim())) return false;
    // From here on another worker may run it.
    require(stack == 2, "a fiber that is woken is off its stack");
    stack = 3;
    woken_by = who;
    wakes = wakes + 1;
    queued.fetch_add(1, std::memory_order_release);
    return true;
  }
};

void one_waker(Interleaving& run) {
  auto& sleeper = run.make<Sleeper>();
  run.go("sleeper", [&] { sleeper.park(true); });
  run.go("waker", [&] {
    while (!sleeper.wake(1)) CheckedAtomics::relax();
  });
  run.finally([&] { require(sleeper.wakes == 1, "it is woken once"); });
}

void two_wakers(Interleaving& run) {
  auto& sleeper = run.make<Sleeper>();
  auto& won = run.make<CheckedAtomic<int>>(0);
  run.go("sleeper", [&] { sleeper.park(false); });
  for (const int who : {1, 2}) {
    run.go(who == 1 ? "waker" : "other waker", [&, who] {
      while (sleeper.found.load(std::memory_order_relaxed) == 0) CheckedAtomics::relax();
      if (sleeper.wake(who)) won.fetch_add(1);
    });
  }
  run.finally([&] {
    require(won.load() == 1, "one waker wins");
    require(sleeper.wakes == 1, "it is woken once");
  });
}

void waker_and_cancellation(Interleaving& run) {
  auto& sleeper = run.make<Sleeper>();
  auto& won = run.make<CheckedAtomic<int>>(0);
  run.go("sleeper", [&] { sleeper.park(true); });
  for (const bool cancels : {false, true}) {
    run.go(cancels ? "cancels" : "waker", [&, cancels] {
      while (sleeper.found.load(std::memory_order_relaxed) == 0) CheckedAtomics::relax();
      if (sleeper.wake(1, cancels)) won.fetch_add(1);
    });
  }
  run.finally([&] {
    require(won.load() == 1, "the waker or the cancellation wins");
    require(sleeper.wakes == 1, "it is woken once");
  });
}

// A wait that is not cancellable, and one after it that is: the first is refused at once.
void refused_cancellation(Interleaving& run) {
  auto& sleeper = run.make<Sleeper>();
  run.go("sleeper", [&] { sleeper.park(false); });
  run.go("cancels", [&] { require(!sleeper.wake(2, true), "a cancellation is refused"); });
  run.go("waker", [&] {
    while (!sleeper.wake(1)) CheckedAtomics::relax();
  });
  run.finally([&] { require(sleeper.woken_by == 1, "the waker wakes it"); });
}

// A dump reads the stack of a parked fiber while others would wake it.
void looked_at(Interleaving& run, bool cancellable) {
  auto& sleeper = run.make<Sleeper>();
  run.go("sleeper", [&, cancellable] { sleeper.park(cancellable); });
  run.go("dump", [&] {
    if (!sleeper.word.unsettle()) return;
    require(sleeper.stack == 2, "a fiber that is looked at is off its stack");
    sleeper.word.settle();
  });
  run.go("waker", [&] {
    while (!sleeper.wake(1)) CheckedAtomics::relax();
  });
}

void looked_at_for_good(Interleaving& run) { looked_at(run, false); }
void looked_at_cancellable(Interleaving& run) { looked_at(run, true); }

void expect_holds(const testing::InterleavedTest& test) {
  const auto report = explore(test);
  EXPECT_FALSE(report.failure) << *report.failure;
  EXPECT_TRUE(report.complete);
  ::testing::Test::RecordProperty("runs", std::to_string(report.runs));
}

TEST(ParkWordInterleavings, a_waker_waits_until_the_fiber_is_off_its_stack) {
  expect_holds(one_waker);
}
TEST(ParkWordInterleavings, of_two_wakers_one_wins) { expect_holds(two_wakers); }
TEST(ParkWordInterleavings, of_a_waker_and_a_cancellation_one_wins) {
  expect_holds(waker_and_cancellation);
}
TEST(ParkWordInterleavings, a_wait_may_refuse_cancellation) { expect_holds(refused_cancellation); }
TEST(ParkWordInterleavings, a_stack_that_is_looked_at_is_not_run) {
  expect_holds(looked_at_for_good);
  expect_holds(looked_at_cancellable);
}

// Each order that park_word.h asks for is needed, but for those named here.
TEST(ParkWordInterleavings, weaker_orders_are_found_out) {
  const auto weakened = weaken_each({{"one waker", one_waker},
                                     {"two wakers", two_wakers},
                                     {"cancellation", waker_and_cancellation},
                                     {"refused", refused_cancellation},
                                     {"looked at", looked_at_for_good},
                                     {"looked at, cancellable", looked_at_cancellable}},
                                    "park_word.h");
  // The claim reads again in its exchange; nobody acquires what open, close and a claim store.
  EXPECT_EQ(weakened.unnoticed, (std::set<std::string>{
                                    "claim_from compare_exchange acq_rel -> acquire",
                                    "claim_from load acquire -> relaxed",
                                    "open store release -> relaxed",
                                    "unsettle compare_exchange acq_rel #1 -> acquire",
                                    "unsettle compare_exchange acq_rel #2 -> acquire",
                                }));
  EXPECT_TRUE(weakened.found.contains("settle store release -> relaxed"));
  EXPECT_TRUE(weakened.found.contains("claim_from compare_exchange acq_rel -> release"));
}

}  // namespace
}  // namespace parley::rt::impl
