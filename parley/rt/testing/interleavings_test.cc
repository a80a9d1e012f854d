#include "parley/rt/testing/interleavings.h"

#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "parley/rt/testing/checked_atomics.h"

namespace parley::rt::testing {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto seq_cst = std::memory_order_seq_cst;

using Flag = CheckedAtomic<int>;

struct Message {
  CheckedVar<int> text;
  Flag ready{0};
};

InterleavingReport pass_a_message(std::memory_order store, std::memory_order load) {
  return explore([=](Interleaving& run) {
    auto& message = run.make<Message>();
    run.go("sender", [&message, store] {
      message.text = 7;
      message.ready.store(1, store);
    });
    run.go("receiver", [&message, load] {
      if (message.ready.load(load) == 1) require(message.text == 7, "the text came along");
    });
  });
}

TEST(Interleavings, a_message_needs_release_and_acquire) {
  const auto passed = pass_a_message(release, acquire);
  EXPECT_FALSE(passed.failure) << *passed.failure;
  EXPECT_TRUE(passed.complete);
  EXPECT_EQ(passed.sites.size(), 2U);
  for (const auto& failed : {pass_a_message(relaxed, acquire), pass_a_message(release, relaxed)}) {
    ASSERT_TRUE(failed.failure);
    EXPECT_NE(failed.failure->find("data race"), std::string::npos) << *failed.failure;
    EXPECT_FALSE(failed.complete);
  }
}

// What both threads read of what the other one stored.
std::set<std::pair<int, int>> store_then_load(std::memory_order order, int fences) {
  std::set<std::pair<int, int>> outcomes;
  const auto report = explore([&, order, fences](Interleaving& run) {
    auto& x = run.make<Flag>(0);
    auto& y = run.make<Flag>(0);
    auto& read = run.make<std::pair<int, int>>();
    const auto side = [order](Flag& mine, Flag& theirs, int& seen, bool fence) {
      return [&mine, &theirs, &seen, order, fence] {
        mine.store(1, order);
        if (fence) CheckedAtomics::full_fence();
        seen = theirs.load(order);
      };
    };
    run.go("left", side(x, y, read.first, fences > 0));
    run.go("right", side(y, x, read.second, fences > 1));
    run.finally([&] { outcomes.insert(read); });
  });
  EXPECT_TRUE(report.complete);
  return outcomes;
}

TEST(Interleavings, stores_wait_in_a_buffer_unless_fenced) {
  const std::set<std::pair<int, int>> in_order = {{0, 1}, {1, 0}, {1, 1}};
  auto all = in_order;
  all.emplace(0, 0);
  EXPECT_EQ(store_then_load(relaxed, 0), all);
  EXPECT_EQ(store_then_load(relaxed, 1), all);
  EXPECT_EQ(store_then_load(relaxed, 2), in_order);
  EXPECT_EQ(store_then_load(seq_cst, 0), in_order);
}

// Two fences of which one is light and one heavy are as two full ones; two light ones are none.
TEST(Interleavings, a_light_fence_needs_a_heavy_one_on_the_other_side) {
  const auto try_with = [](bool left_heavy, bool right_heavy) {
    return explore([=](Interleaving& run) {
      auto& x = run.make<Flag>(0);
      auto& y = run.make<Flag>(0);
      auto& read = run.make<std::pair<int, int>>();
      const auto side = [](Flag& mine, Flag& theirs, int& seen, bool heavy) {
        return [&mine, &theirs, &seen, heavy] {
          mine.store(1, relaxed);
          heavy ? CheckedAtomics::heavy_fence() : CheckedAtomics::light_fence();
          seen = theirs.load(relaxed);
        };
      };
      run.go("left", side(x, y, read.first, left_heavy));
      run.go("right", side(y, x, read.second, right_heavy));
      run.finally([&] { require(read != std::pair(0, 0), "one of them sees the other"); });
    });
  };
  EXPECT_TRUE(try_with(false, true).complete);
  EXPECT_TRUE(try_with(true, false).complete);
  EXPECT_TRUE(try_with(true, true).complete);
  EXPECT_TRUE(try_with(false, false).failure);
}

// Independent reads of independent writes: acquire does not make two readers agree on which write
// came first, seq_cst does.
TEST(Interleavings, readers_agree_on_the_order_of_two_writes_only_with_seq_cst) {
  const auto try_with = [](std::memory_order store, std::memory_order load) {
    return explore([=](Interleaving& run) {
      auto& x = run.make<Flag>(0);
      auto& y = run.make<Flag>(0);
      auto& seen = run.make<std::array<int, 4>>();
      run.go("writes x", [&x, store] { x.store(1, store); });
      run.go("writes y", [&y, store] { y.store(1, store); });
      run.go("reads x, y", [&, load] { seen[0] = x.load(load), seen[1] = y.load(load); });
      run.go("reads y, x", [&, load] { seen[2] = y.load(load), seen[3] = x.load(load); });
      run.finally([&] { require(seen != std::array{1, 0, 1, 0}, "the readers agree"); });
    });
  };
  EXPECT_TRUE(try_with(release, acquire).failure);
  EXPECT_TRUE(try_with(seq_cst, seq_cst).complete);
}

TEST(Interleavings, one_location_is_read_in_the_order_of_its_stores) {
  const auto report = explore([](Interleaving& run) {
    auto& x = run.make<Flag>(0);
    run.go("writer", [&] { x.store(1, relaxed), x.store(2, relaxed); });
    run.go("reader", [&] {
      const int first = x.load(relaxed);
      require(x.load(relaxed) >= first, "time does not run backwards");
    });
  });
  EXPECT_TRUE(report.complete) << *report.failure;
}

// What processors do that let a store overtake a load.
TEST(Interleavings, loads_read_later_stores_only_when_asked_to) {
  const auto try_with = [](bool future_reads, std::memory_order order) {
    InterleavingOptions options;
    options.future_reads = future_reads;
    return explore(options, [=](Interleaving& run) {
      auto& x = run.make<Flag>(0);
      auto& y = run.make<Flag>(0);
      auto& seen = run.make<std::pair<int, int>>();
      run.go("left", [&, order] { seen.first = x.load(relaxed), y.store(1, order); });
      run.go("right", [&, order] {
        seen.second = y.load(order == release ? acquire : relaxed), x.store(1, relaxed);
      });
      run.finally([&] { require(seen != std::pair(1, 1), "somebody was first"); });
    });
  };
  EXPECT_TRUE(try_with(false, relaxed).complete);
  EXPECT_TRUE(try_with(true, relaxed).failure);
  EXPECT_TRUE(try_with(true, release).complete);
}

// A waiter that looks and then sleeps, and a waker that looks for sleepers in between.
InterleavingReport sleep_and_wake(bool looks_again) {
  return explore([looks_again](Interleaving& run) {
    auto& work = run.make<Flag>(0);
    auto& sleeping = run.make<Flag>(0);
    auto& woken = run.make<Flag>(0);
    run.go("sleeper", [&, looks_again] {
      if (work.load() == 1) return;
      sleeping.store(1);
      if (looks_again && work.load() == 1) return;
      while (woken.load(acquire) == 0) CheckedAtomics::relax();
    });
    run.go("waker", [&] {
      work.store(1);
      if (sleeping.load() == 1) woken.store(1, release);
    });
  });
}

TEST(Interleavings, a_lost_wake_up_is_found_and_can_be_replayed) {
  EXPECT_TRUE(sleep_and_wake(true).complete);
  const auto failed = sleep_and_wake(false);
  ASSERT_TRUE(failed.failure);
  EXPECT_NE(failed.failure->find("nobody can go on: sleeper at interleavings_test.cc"),
            std::string::npos)
      << *failed.failure;
  EXPECT_NE(failed.failure->find("replay: t"), std::string::npos);
}

TEST(Interleavings, a_schedule_runs_one_run_again) {
  const InterleavedTest test = [](Interleaving& run) {
    auto& x = run.make<Flag>(0);
    run.go("adds", [&] { x.store(x.load(relaxed) + 1, relaxed); });
    run.go("adds too", [&] { x.store(x.load(relaxed) + 1, relaxed); });
    run.finally([&] { require(x.load() == 2, "both were counted"); });
  };
  const auto failed = explore(test);
  ASSERT_TRUE(failed.failure);
  const auto again = replay({}, failed.schedule, test);
  ASSERT_TRUE(again.failure);
  EXPECT_EQ(again.runs, 1U);
  EXPECT_EQ(again.schedule, failed.schedule);
}

TEST(Interleavings, two_locks_taken_the_wrong_way_round_are_found) {
  const auto report = explore([](Interleaving& run) {
    auto& a = run.make<CheckedLock>();
    auto& b = run.make<CheckedLock>();
    run.go("a b", [&] {
      const std::scoped_lock la(a);
      const std::scoped_lock lb(b);
    });
    run.go("b a", [&] {
      const std::scoped_lock lb(b);
      const std::scoped_lock la(a);
    });
  });
  ASSERT_TRUE(report.failure);
  EXPECT_NE(report.failure->find("nobody can go on"), std::string::npos);
}

TEST(Interleavings, the_use_of_what_is_destroyed_is_found) {
  const auto report = explore([](Interleaving& run) {
    auto& shared = run.make<std::optional<Flag>>(std::in_place, 0);
    run.go("owner", [&] { shared.reset(); });
    run.go("user", [&] { shared->store(1); });
  });
  ASSERT_TRUE(report.failure);
  EXPECT_NE(report.failure->find("destroy"), std::string::npos) << *report.failure;
}

TEST(Interleavings, a_loop_that_never_ends_is_cut) {
  InterleavingOptions options;
  options.max_steps = 50;
  const auto report = explore(options, [](Interleaving& run) {
    auto& x = run.make<Flag>(0);
    run.go("looks", [&] {
      while (x.load() == 0) x.store(0);
    });
  });
  ASSERT_TRUE(report.failure);
  EXPECT_NE(report.failure->find("no end after 50 steps"), std::string::npos);
}

// Three threads that each add in two steps; a mistake shows with two switches or more.
TEST(Interleavings, bounds_are_told) {
  const InterleavedTest test = [](Interleaving& run) {
    auto& x = run.make<Flag>(0);
    for (const char* name : {"one", "two", "three"}) {
      run.go(name, [&] { x.store(x.load(seq_cst) + 1, seq_cst); });
    }
    run.finally([&] { require(x.load() > 1 || x.load() < 1, "more than one was counted"); });
  };
  EXPECT_TRUE(explore(test).failure);
  InterleavingOptions options;
  options.max_preemptions = 0;
  const auto bounded = explore(options, test);
  EXPECT_FALSE(bounded.failure);
  EXPECT_FALSE(bounded.complete);
  options.max_preemptions.reset();
  options.max_runs = 1;
  EXPECT_FALSE(explore(options, test).complete);
}

TEST(Interleavings, a_weak_exchange_fails_as_often_as_allowed) {
  const auto failures = [](unsigned allowed) {
    InterleavingOptions options;
    options.spurious_failures = allowed;
    int most = 0;
    const auto report = explore(options, [&](Interleaving& run) {
      auto& x = run.make<Flag>(0);
      run.go("tries", [&] {
        int tries = 0;
        for (int was = 0; !x.compare_exchange_weak(was, 1); was = 0) ++tries;
        most = std::max(most, tries);
      });
    });
    EXPECT_TRUE(report.complete);
    return most;
  };
  EXPECT_EQ(failures(0), 0);
  EXPECT_EQ(failures(2), 2);
}

TEST(Interleavings, an_older_value_is_read_as_often_as_allowed) {
  const auto reads = [](unsigned allowed) {
    InterleavingOptions options;
    options.stale_reads = allowed;
    int most = 0;
    (void)explore(options, [&](Interleaving& run) {
      auto& x = run.make<Flag>(0);
      auto& y = run.make<Flag>(0);
      run.go("writer", [&] { x.store(1, relaxed), y.store(1, relaxed); });
      run.go("reader", [&] {
        if (y.load(relaxed) == 0) return;
        int stale = 0;
        while (x.load(relaxed) == 0) ++stale;
        most = std::max(most, stale);
      });
    });
    return most;
  };
  EXPECT_EQ(reads(1), 1);
  EXPECT_EQ(reads(3), 3);
}

}  // namespace
}  // namespace parley::rt::testing
