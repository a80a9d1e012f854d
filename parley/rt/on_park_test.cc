#include "parley/rt/on_park.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

void count(void* number) { ++*static_cast<int*>(number); }

PARLEY_FIBER_TEST(OnPark, is_called_once_when_the_fiber_waits) {
  int calls = 0;
  OnPark waits(&count, &calls);
  EXPECT_FALSE(waits.was_called());
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_TRUE(waits.was_called());
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_EQ(calls, 1);
}

PARLEY_FIBER_TEST(OnPark, is_not_called_for_what_does_not_wait) {
  int calls = 0;
  Event set;
  set.set();
  Mutex free;
  const OnPark waits(&count, &calls);
  EXPECT_TRUE(set.wait().is_ok());
  const std::lock_guard lock(free);
  // Over at once: the deadline has passed, or the context has ended.
  EXPECT_EQ(Event().wait(Deadline::after(Duration::zero())).code(), Code::deadline_exceeded);
  auto [context, cancel] = Context::current().with_cancel();
  cancel();
  const WithContext over(context);
  EXPECT_EQ(Event().wait().code(), Code::cancelled);
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(waits.was_called());
}

PARLEY_FIBER_TEST(OnPark, may_be_called_before_there_is_a_wait) {
  int calls = 0;
  OnPark waits(&count, &calls);
  waits.call_now();
  EXPECT_TRUE(waits.was_called());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(sleep(1ms).is_ok());
  waits.call_now();
  EXPECT_EQ(calls, 1);
}

PARLEY_FIBER_TEST(OnPark, ends_with_its_block) {
  int calls = 0;
  { const OnPark waits(&count, &calls); }
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_EQ(calls, 0);
}

struct Order {
  std::vector<std::string> said;
  void say_inner() { said.emplace_back("inner"); }
  void say_outer() { said.emplace_back("outer"); }
};

PARLEY_FIBER_TEST(OnPark, the_innermost_is_called_first_and_those_around_it_too) {
  Order order;
  const OnPark outer([](void* to) { static_cast<Order*>(to)->say_outer(); }, &order);
  {
    const OnPark inner([](void* to) { static_cast<Order*>(to)->say_inner(); }, &order);
    EXPECT_TRUE(sleep(1ms).is_ok());
    EXPECT_TRUE(outer.was_called());
  }
  EXPECT_EQ(order.said, (std::vector<std::string>{"inner", "outer"}));
  // What is made afterwards is called in its turn, and what was called is not called again.
  {
    const OnPark again([](void* to) { static_cast<Order*>(to)->say_inner(); }, &order);
    EXPECT_TRUE(sleep(1ms).is_ok());
  }
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_EQ(order.said, (std::vector<std::string>{"inner", "outer", "inner"}));
}

PARLEY_FIBER_TEST(OnPark, is_called_when_the_fiber_gives_way) {
  int calls = 0;
  const OnPark waits(&count, &calls);
  yield();
  yield();
  EXPECT_EQ(calls, 1);
}

// Sets an event when it is run.
class Setter final : public ReadyItem {
 public:
  explicit Setter(ReadyQueue& queue) { join(queue); }
  Event event;

 private:
  After run() override {
    event.set();
    return After::rest;
  }
};

PARLEY_FIBER_TEST(OnPark, may_make_an_item_ready_that_wakes_the_one_that_is_about_to_wait) {
  ReadyQueue queue("queue");
  Setter setter(queue);
  const OnPark waits([](void* to) { static_cast<Setter*>(to)->ready(); }, &setter);
  EXPECT_TRUE(setter.event.wait().is_ok());
}

// Jobs that one fiber works off, handing the rest on when one of them waits.
class Jobs final : public ReadyItem {
 public:
  explicit Jobs(ReadyQueue& queue) { join(queue); }

  std::atomic<int> next = 0;
  std::atomic<int> done = 0;
  std::atomic<int> waiting = 0;
  Event release;
  static constexpr int all = 1000;

 private:
  After run() override {
    OnPark waits([](void* jobs) { static_cast<Jobs*>(jobs)->return_early(After::again); }, this);
    for (int job = next++; job < all; job = next++) {
      if (job % 10 == 0) {
        ++waiting;
        EXPECT_TRUE(release.wait().is_ok());
      }
      ++done;
      if (waits.was_called()) return After::gone;
    }
    return After::rest;
  }
};

void work_off(std::size_t workers) {
  testing::run_fiber_test(
      [] {
        ReadyQueue queue("jobs");
        Jobs jobs(queue);
        jobs.ready();
        testing::wait_until([&] { return jobs.waiting == Jobs::all / 10; });
        testing::wait_until([&] { return jobs.done == Jobs::all * 9 / 10; });
        EXPECT_GE(queue.fibers(), 100U) << "one for each job that waits";
        jobs.release.set();
        testing::wait_until([&] { return jobs.done == Jobs::all && queue.fibers() == 0; });
      },
      {.workers = workers});
}

// At the limit of fibers: whoever has a stand-in is sure that somebody goes on.
class Careful final : public ReadyItem {
 public:
  explicit Careful(ReadyQueue& queue) : queue_(queue) { join(queue); }

  std::atomic<int> waiting = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> ended = 0;
  Event release;
  static constexpr int all = 50;

 private:
  struct Turn {
    Careful& item;
    StandIn& stand_in;
  };
  After run() override {
    for (int job = next_++; job < all; job = next_++) {
      StandIn stand_in(queue_);
      if (!stand_in) {
        ++refused;
        continue;
      }
      Turn turn{*this, stand_in};
      OnPark waits(
          [](void* to) {
            const Turn& it = *static_cast<Turn*>(to);
            it.item.return_early(it.stand_in);
          },
          &turn);
      ++waiting;
      EXPECT_TRUE(release.wait().is_ok());
      ++ended;
      if (waits.was_called()) return After::gone;
    }
    return After::rest;
  }

  ReadyQueue& queue_;
  std::atomic<int> next_ = 0;
};

void meet_the_limit(std::size_t workers) {
  testing::run_fiber_test(
      [] {
        std::optional<ReadyQueue> queue(std::in_place, "careful",
                                        ReadyQueueOptions{.max_fibers = 8});
        Careful item(*queue);
        item.ready();
        testing::wait_until([&] { return item.waiting + item.refused == Careful::all; });
        EXPECT_EQ(item.waiting, 7) << "the eighth fiber went on";
        EXPECT_EQ(queue->fibers(), 8U);
        item.release.set();
        testing::wait_until([&] { return item.ended == item.waiting; });
        queue.reset();  // so that no run is still on when the item goes
      },
      {.workers = workers});
}

PARLEY_FIBER_TEST(OnPark, is_not_told_of_short_waits_and_is_of_the_next_one) {
  int told = 0;
  const OnPark waits([](void* count) { ++*static_cast<int*>(count); }, &told);
  {
    const ShortWait untold;
    yield();
    EXPECT_EQ(told, 0);
  }
  EXPECT_FALSE(waits.was_called());
  yield();
  EXPECT_EQ(told, 1);
  {
    const ShortWait untold;
    yield();
  }
  yield();
  EXPECT_EQ(told, 1) << "once is enough";
}

TEST(OnPark, a_stand_in_goes_on_even_at_max_fibers) {
  meet_the_limit(1);
  meet_the_limit(4);
}

TEST(OnPark, an_item_hands_the_rest_of_its_work_on_when_it_waits) {
  work_off(1);
  work_off(4);
}

}  // namespace
}  // namespace parley::rt
