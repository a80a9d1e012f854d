// The shipped spin locks, walked through: one holder at a time, who sees what those before it did;
// whether the lone worker of a runtime is among them or not.
#include "parley/rt/impl/spin_lock.h"

#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "parley/rt/testing/checked_atomics.h"
#include "parley/rt/testing/weakenings.h"

namespace parley::rt::impl {
namespace {

using testing::CheckedAtomics;
using testing::CheckedVar;
using testing::explore;
using testing::InterleavedTest;
using testing::Interleaving;
using testing::require;
using testing::weaken_each;

template <class Lock>
struct Guarded {
  Lock lock;
  CheckedVar<int> count{0};

  void add() {
    const std::lock_guard guard(lock);
    count = count + 1;
  }
  bool try_add() {
    if (!lock.try_lock()) return false;
    count = count + 1;
    lock.unlock();
    return true;
  }
};

// One thread for each number, which is how often it takes the lock; the first may be a lone worker.
// The first time of that one is another than those that follow.
template <class Lock>
InterleavedTest taken(std::vector<int> times, bool first_is_lone) {
  return [=](Interleaving& run) {
    auto& guarded = run.make<Guarded<Lock>>();
    for (std::size_t i = 0; i < times.size(); ++i) {
      const bool lone = i == 0 && first_is_lone;
      run.go((lone ? "lone " : "thread ") + std::to_string(i), [&guarded, lone, n = times[i]] {
        if (lone) CheckedAtomics::become_lone();
        for (int k = 0; k < n; ++k) guarded.add();
      });
    }
    run.finally([&guarded, all = std::accumulate(times.begin(), times.end(), 0)] {
      require(guarded.count == all, "each had it alone");
    });
  };
}

template <class Lock>
InterleavedTest tried(bool lone_tries, bool other_tries) {
  return [=](Interleaving& run) {
    auto& guarded = run.make<Guarded<Lock>>();
    auto& added = run.make<std::array<int, 2>>();
    const auto twice = [&guarded, &added](std::size_t who, bool tries) {
      for (int i = 0; i < 2; ++i) {
        if (!tries) guarded.add();
        if (!tries || guarded.try_add()) ++added[who];
      }
    };
    run.go("lone", [=] {
      CheckedAtomics::become_lone();
      twice(0, lone_tries);
    });
    run.go("other", [=] { twice(1, other_tries); });
    run.finally([&] { require(guarded.count == added[0] + added[1], "each had it alone"); });
  };
}

using Shared = BasicSharedSpinLock<CheckedAtomics>;
using Biased = BasicSpinLock<CheckedAtomics>;

void expect_holds(const InterleavedTest& test) {
  const auto report = explore(test);
  EXPECT_FALSE(report.failure) << *report.failure;
  EXPECT_TRUE(report.complete);
  ::testing::Test::RecordProperty("runs", std::to_string(report.runs));
}

TEST(SpinLockInterleavings, the_shared_lock_has_one_holder) {
  expect_holds(taken<Shared>({2, 2}, false));
  expect_holds(taken<Shared>({1, 1, 1}, false));
}

TEST(SpinLockInterleavings, without_a_lone_worker_it_has_one_holder) {
  expect_holds(taken<Biased>({2, 2}, false));
}

TEST(SpinLockInterleavings, the_lone_worker_and_another_thread_exclude_each_other) {
  expect_holds(taken<Biased>({2, 2}, true));
  expect_holds(taken<Biased>({3, 1}, true));
}

TEST(SpinLockInterleavings, the_lone_worker_and_two_other_threads_exclude_each_other) {
  expect_holds(taken<Biased>({1, 1, 1}, true));
}

TEST(SpinLockInterleavings, who_only_tries_is_excluded_too) {
  expect_holds(tried<Biased>(true, false));
  expect_holds(tried<Biased>(false, true));
  expect_holds(tried<Biased>(true, true));
}

// What the lock is not for.
TEST(SpinLockInterleavings, two_lone_workers_would_not_exclude_each_other) {
  const auto report = explore([](Interleaving& run) {
    auto& guarded = run.make<Guarded<Biased>>();
    for (const char* name : {"lone", "also lone"}) {
      run.go(name, [&guarded] {
        CheckedAtomics::become_lone();
        guarded.add();
      });
    }
  });
  ASSERT_TRUE(report.failure);
  EXPECT_NE(report.failure->find("data race"), std::string::npos) << *report.failure;
}

// Each order and each fence that spin_lock.h asks for is needed.
TEST(SpinLockInterleavings, weaker_orders_are_found_out) {
  const auto weakened = weaken_each({{"shared", taken<Shared>({1, 1}, false)},
                                     {"lone", taken<Biased>({2, 1}, true)},
                                     {"lone and two", taken<Biased>({1, 1, 1}, true)},
                                     {"lone tries", tried<Biased>(true, false)},
                                     {"other tries", tried<Biased>(false, true)}},
                                    "spin_lock.h");
  EXPECT_EQ(weakened.unnoticed, (std::set<std::string>{}));
  EXPECT_GE(weakened.found.size(), 15U);
}

}  // namespace
}  // namespace parley::rt::impl
