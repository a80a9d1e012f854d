#include "parley/rt/impl/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

#include "parley/rt/impl/stack.h"

namespace parley::rt::impl {
namespace {

// Against a plain sorted list: random adds and removals, then everything comes out in order.
TEST(TimerHeap, gives_the_earliest_first_whatever_was_added_and_removed) {
  StackPool pool(16 * 1024, 8);
  std::mt19937 random(11);
  std::vector<Fiber*> fibers;
  auto nothing = [] {};
  for (int i = 0; i < 200; ++i) {
    fibers.push_back(Fiber::create(pool.take(), "timer", closure_of(nothing)));
  }
  for (int round = 0; round < 50; ++round) {
    TimerHeap heap;
    std::vector<Fiber*> inside;
    for (Fiber* fiber : fibers) {
      fiber->wait_deadline = Deadline::at(Instant(Duration(random() % 100)));
      heap.add(*fiber);
      inside.push_back(fiber);
      if (random() % 3 == 0) {
        const auto victim = inside.begin() + static_cast<long>(random() % inside.size());
        heap.remove(**victim);
        heap.remove(**victim);  // a second time changes nothing
        inside.erase(victim);
      }
    }
    Deadline last = Deadline::at(Instant(Duration(-1)));
    for (std::size_t left = inside.size(); left > 0; --left) {
      ASSERT_FALSE(heap.empty());
      Fiber& first = heap.front();
      EXPECT_GE(first.wait_deadline, last);
      last = first.wait_deadline;
      heap.remove(first);
    }
    EXPECT_TRUE(heap.empty());
  }
  for (Fiber* fiber : fibers) {
    const Stack stack = fiber->stack;
    fiber->~Fiber();
    pool.give_back(stack);
  }
}

}  // namespace
}  // namespace parley::rt::impl
