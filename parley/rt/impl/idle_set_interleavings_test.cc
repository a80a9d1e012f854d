// The shipped set of workers at rest, walked through in the steps in which the scheduler uses it:
// no worker rests while there is work, and of those that bring work each wakes another worker.
#include "parley/rt/impl/idle_set.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "parley/rt/testing/checked_atomics.h"
#include "parley/rt/testing/weakenings.h"

namespace parley::rt::impl {
namespace {

using testing::CheckedAtomic;
using testing::CheckedAtomics;
using testing::explore;
using testing::InterleavedTest;
using testing::Interleaving;
using testing::InterleavingOptions;
using testing::require;
using testing::weaken_each;

struct Office {
  BasicRestingWorkers<CheckedAtomics, 64> resting;
  CheckedAtomic<int> work{0};
  std::array<CheckedAtomic<bool>, 2> interrupted{};

  // As Scheduler::inject_all.
  void bring_work() {
    work.fetch_add(1, std::memory_order_seq_cst);
    const std::size_t index = resting.take_any();
    if (index == max_workers) return;
    interrupted[index].store(true, std::memory_order_release);
  }
  bool take_work() {
    int here = work.load(std::memory_order_relaxed);
    while (here > 0) {
      if (work.compare_exchange_strong(here, here - 1)) return true;
    }
    return false;
  }
  // As Worker::rest.
  void rest(std::size_t worker) {
    resting.add(worker);
    if (work.load(std::memory_order_seq_cst) == 0) {
      while (!interrupted[worker].load(std::memory_order_acquire)) CheckedAtomics::relax();
      interrupted[worker].store(false, std::memory_order_relaxed);
    }
    resting.end_rest(worker);
  }
};

void one_worker(Interleaving& run) {
  auto& office = run.make<Office>();
  run.go("worker", [&office] {
    while (!office.take_work()) office.rest(0);
  });
  run.go("brings work", [&office] { office.bring_work(); });
  run.finally([&office] { require(office.work.load() == 0, "the work is done"); });
}

// Each of two workers ends when it has done one piece.
void two_workers(Interleaving& run) {
  auto& office = run.make<Office>();
  for (const std::size_t worker : {0U, 1U}) {
    run.go(worker == 0 ? "worker" : "other worker", [&office, worker] {
      while (!office.take_work()) office.rest(worker);
    });
  }
  run.go("brings work", [&office] {
    office.bring_work();
    office.bring_work();
  });
  run.finally([&office] { require(office.work.load() == 0, "the work is done"); });
}

void two_who_take(Interleaving& run) {
  auto& resting = run.make<BasicRestingWorkers<CheckedAtomics, 64>>();
  auto& taken = run.make<std::array<std::size_t, 2>>();
  resting.add(3);
  run.go("takes", [&] { taken[0] = resting.take_any(); });
  run.go("takes too", [&] { taken[1] = resting.take_any(); });
  run.finally([&] {
    require(taken[0] != taken[1], "one of them gets it");
    require(!resting.any() && resting.count() == 0, "and it is gone");
  });
}

// A worker that rests, wakes by itself (for a descriptor) and rests again, and so many others that
// would call it.
InterleavedTest called(int callers) {
  return [=](Interleaving& run) {
    auto& resting = run.make<BasicRestingWorkers<CheckedAtomics, 64>>();
    auto& on_its_way = run.make<CheckedAtomic<int>>(0);
    run.go("worker", [&resting] {
      resting.add(0);
      resting.end_rest(0);
      resting.add(0);
    });
    for (int i = 0; i < callers; ++i) {
      run.go(i == 0 ? "calls" : "calls too", [&] {
        if (resting.wants_thief() && resting.call_thief() == 0) on_its_way.fetch_add(1);
      });
    }
    run.finally([&] {
      require(!resting.any() || resting.wants_thief(), "who is at rest can be called");
      require(resting.any() || on_its_way.load() > 0, "who is not at rest was called");
    });
  };
}

void expect_holds(const InterleavedTest& test, const InterleavingOptions& options = {}) {
  const auto report = explore(options, test);
  EXPECT_FALSE(report.failure) << *report.failure;
  EXPECT_TRUE(report.complete);
  ::testing::Test::RecordProperty("runs", std::to_string(report.runs));
}

TEST(IdleSetInterleavings, no_worker_rests_while_there_is_work) { expect_holds(one_worker); }
TEST(IdleSetInterleavings, two_pieces_of_work_wake_two_workers) {
  InterleavingOptions options;
  options.stale_reads = 1;
  expect_holds(two_workers, options);
}
TEST(IdleSetInterleavings, a_worker_is_taken_once) { expect_holds(two_who_take); }

TEST(IdleSetInterleavings, a_worker_that_rests_again_can_be_called_again) {
  expect_holds(called(1));
  expect_holds(called(2));
}

TEST(IdleSetInterleavings, weaker_orders_are_found_out) {
  const auto weakened =
      weaken_each({{"one worker", one_worker}, {"two take", two_who_take}}, "idle_set.h");
  EXPECT_TRUE(weakened.found.contains("add fetch_or seq_cst -> acq_rel"));
  EXPECT_TRUE(weakened.found.contains("take_any load seq_cst -> acquire"));
  // Who leaves the set looks at nothing afterwards that a waker has written before it looked here.
  EXPECT_EQ(weakened.unnoticed, (std::set<std::string>{
                                    "any load seq_cst -> acquire",
                                    "count load seq_cst -> acquire",
                                    "remove fetch_and seq_cst -> acq_rel",
                                }));
}

}  // namespace
}  // namespace parley::rt::impl
