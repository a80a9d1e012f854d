// The shipped run queue, walked through: whatever the owner and thieves do at once, each item is
// taken once and comes with what was written into it.
#include "parley/rt/impl/run_ring.h"

#include <gtest/gtest.h>

#include <array>
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
using testing::InterleavedCheck;
using testing::Interleaving;
using testing::InterleavingOptions;
using testing::require;
using testing::weaken_each;

struct Item {
  CheckedVar<int> ready{0};  // written before it is pushed, so to be seen by who takes it
  int number = 0;
};

// The ring, so many items, and what each thread took.
template <std::uint32_t slots, std::size_t items>
struct Workplace {
  BasicRunRing<CheckedAtomics, Item, slots> ring;
  std::array<Item, items> item;
  std::vector<Item*> overflow;              // the owner's alone
  bool from_back = false;                   // some were taken from there: there is no order
  std::array<std::vector<Item*>, 4> taken;  // by the owner, by two thieves, at the end

  [[nodiscard]] bool push(std::size_t number) {
    item[number].ready = 1;
    return ring.push(&item[number]);
  }
  void take(std::size_t who, Item* one) {
    if (one == nullptr) return;
    require(one->ready == 1, "who takes an item sees what was written before it was pushed");
    one->ready = 2;
    taken[who].push_back(one);
  }
  void take_newest() {
    from_back = true;
    take(0, ring.pop_newest());
  }
  // As Worker::push.
  void push_or_overflow(std::size_t number) {
    item[number].ready = 1;
    while (!ring.push(&item[number])) {
      std::array<Item*, slots / 2> half{};
      const std::uint32_t count = ring.steal(half);
      overflow.insert(overflow.end(), half.begin(), half.begin() + count);
    }
  }
  template <std::size_t most>
  void steal(std::size_t who) {
    std::array<Item*, most> out{};
    const std::uint32_t count = ring.steal(out);
    require(count <= most, "a thief gets no more than it has room for");
    for (std::uint32_t i = 0; i < count; ++i) take(who, out[i]);
  }
  // All that were pushed, once each.
  void check(std::size_t pushed) {
    while (Item* one = ring.pop()) take(3, one);
    for (Item* one : overflow) take(3, one);
    std::array<int, items> times{};
    for (const auto& by_one : taken) {
      for (const Item* one : by_one) ++times[static_cast<std::size_t>(one - item.data())];
    }
    for (std::size_t i = 0; i < items; ++i) {
      require(times[i] == (i < pushed ? 1 : 0), "each item is taken once");
    }
    for (const auto& by_one : taken) {
      for (std::size_t i = 1; i < by_one.size() && overflow.empty() && !from_back; ++i) {
        require(by_one[i - 1] < by_one[i], "the oldest comes first");
      }
    }
  }
};

// Reads of what is stored later are what lets an owner overwrite a slot that a thief still reads.
InterleavingOptions with_future_reads() {
  InterleavingOptions options;
  options.future_reads = true;
  return options;
}

void one_thief(Interleaving& run) {
  auto& at = run.make<Workplace<4, 3>>();
  run.go("owner", [&at] {
    for (std::size_t i = 0; i < 3; ++i) require(at.push(i), "there is room");
    at.take(0, at.ring.pop());
    at.take(0, at.ring.pop());
  });
  run.go("thief", [&at] { at.steal<2>(1); });
  run.finally([&at] { at.check(3); });
}

void round_the_end(Interleaving& run) {
  auto& at = run.make<Workplace<2, 4>>();
  run.go("owner", [&at] {
    std::size_t pushed = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      if (at.push(pushed)) {
        ++pushed;
      } else {
        at.take(0, at.ring.pop());
      }
    }
    for (; pushed < 4; ++pushed) {
      while (!at.push(pushed)) at.take(0, at.ring.pop());
    }
  });
  run.go("thief", [&at] { at.steal<1>(1); });
  run.finally([&at] { at.check(4); });
}

void overflow(Interleaving& run) {
  auto& at = run.make<Workplace<2, 4>>();
  run.go("owner", [&at] {
    for (std::size_t i = 0; i < 4; ++i) at.push_or_overflow(i);
    at.take(0, at.ring.pop());
  });
  run.go("thief", [&at] { at.steal<1>(1); });
  run.finally([&at] { at.check(4); });
}

void two_thieves(Interleaving& run) {
  auto& at = run.make<Workplace<2, 3>>();
  run.go("owner", [&at] {
    at.push_or_overflow(0);
    at.push_or_overflow(1);
    at.take(0, at.ring.pop());
    at.push_or_overflow(2);
  });
  run.go("thief", [&at] { at.steal<1>(1); });
  run.go("other thief", [&at] { at.steal<1>(2); });
  run.finally([&at] { at.check(3); });
}

// What a thief has looked at may be taken from the back, and its slot used again, before it tries
// to take it.
void newest(Interleaving& run) {
  auto& at = run.make<Workplace<4, 4>>();
  run.go("owner", [&at] {
    for (std::size_t i = 0; i < 2; ++i) require(at.push(i), "there is room");
    at.take_newest();
    require(at.push(2), "there is room");
    at.take_newest();
    at.take_newest();
  });
  run.go("thief", [&at] { at.steal<2>(1); });
  run.finally([&at] { at.check(3); });
}

void newest_and_oldest(Interleaving& run) {
  auto& at = run.make<Workplace<2, 4>>();
  run.go("owner", [&at] {
    for (std::size_t i = 0; i < 2; ++i) require(at.push(i), "there is room");
    at.take_newest();
    at.take(0, at.ring.pop());
    require(at.push(2), "there is room");
    at.take_newest();
  });
  run.go("thief", [&at] { at.steal<1>(1); });
  run.go("other thief", [&at] { at.steal<2>(2); });
  run.finally([&at] { at.check(3); });
}

void expect_holds(const InterleavingOptions& options, const testing::InterleavedTest& test) {
  const auto report = explore(options, test);
  EXPECT_FALSE(report.failure) << *report.failure;
  EXPECT_TRUE(report.complete);
  ::testing::Test::RecordProperty("runs", std::to_string(report.runs));
}

TEST(RunRingInterleavings, a_thief_and_the_owner_take_each_item_once) {
  expect_holds(with_future_reads(), one_thief);
}

TEST(RunRingInterleavings, a_slot_is_used_again_only_when_it_was_read) {
  expect_holds(with_future_reads(), round_the_end);
}

TEST(RunRingInterleavings, what_overflows_is_not_lost) {
  expect_holds(with_future_reads(), overflow);
}

TEST(RunRingInterleavings, two_thieves_do_not_take_the_same) { expect_holds({}, two_thieves); }

TEST(RunRingInterleavings, the_newest_is_taken_once_whatever_a_thief_has_looked_at) {
  expect_holds(with_future_reads(), newest);
}

TEST(RunRingInterleavings, the_owner_takes_from_both_ends_among_thieves) {
  expect_holds({}, newest_and_oldest);
}

TEST(RunRingInterleavings, a_weak_exchange_may_fail_for_nothing) {
  InterleavingOptions options;
  options.spurious_failures = 1;
  expect_holds(options, one_thief);
  expect_holds(options, newest);
}

// Each order that run_ring.h asks for is needed, but for those named here.
TEST(RunRingInterleavings, weaker_orders_are_found_out) {
  const auto weakened = weaken_each({{"one thief", one_thief, with_future_reads()},
                                     {"round the end", round_the_end, with_future_reads()},
                                     {"overflow", overflow, with_future_reads()},
                                     {"two thieves", two_thieves},
                                     {"newest", newest, with_future_reads()}},
                                    "run_ring.h");
  // What a thief may read is published by the tail it reads; where it takes, its exchange with the
  // head tells the owner that it has read.
  EXPECT_EQ(weakened.unnoticed, (std::set<std::string>{
                                    "pop compare_exchange release -> relaxed",
                                    "pop load acquire -> relaxed",
                                    "steal compare_exchange acq_rel -> release",
                                }));
  EXPECT_TRUE(weakened.found.contains("push store release -> relaxed"));
  EXPECT_TRUE(weakened.found.contains("steal compare_exchange acq_rel -> acquire"));
}

}  // namespace
}  // namespace parley::rt::impl
