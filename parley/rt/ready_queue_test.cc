#include "parley/rt/ready_queue.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/rt/event.h"
#include "parley/rt/pollable.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/watched_pair.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

class Item final : public ReadyItem {
 public:
  using After = ReadyItem::After;
  explicit Item(ReadyQueue& queue, std::function<After()> f) : f_(std::move(f)) { join(queue); }

 private:
  After run() override { return f_(); }

  std::function<After()> f_;
};

constexpr auto rest = Item::After::rest;

const testing::Sentence sentences[] = {
    {"an item that was never ready owns no fiber and is never run",
     [] {
       ReadyQueue queue("queue");
       int runs = 0;
       std::deque<Item> items;
       for (int i = 0; i < 1000; ++i) items.emplace_back(queue, [&] { return ++runs, rest; });
       for (int i = 0; i < 100; ++i) yield();
       EXPECT_EQ(runs, 0);
       EXPECT_EQ(queue.fibers(), 0u);
     }},
    {"each item that is ready is run",
     [] {
       ReadyQueue queue("queue");
       std::atomic<int> runs = 0;
       std::deque<Item> items;
       for (int i = 0; i < 1000; ++i) items.emplace_back(queue, [&] { return ++runs, rest; });
       for (int round = 1; round <= 3; ++round) {
         for (Item& item : items) item.ready();
         testing::wait_until([&] { return runs == round * 1000 && queue.fibers() == 0; });
       }
     }},
    {"what waits in the middle does not hold up the others",
     [] {
       ReadyQueue queue("queue");
       Event over;
       std::atomic<int> waiting = 0;
       std::deque<Item> items;
       for (int i = 0; i < 100; ++i) {
         items.emplace_back(queue, [&] {
           ++waiting;
           EXPECT_TRUE(over.wait().is_ok());
           return --waiting, rest;
         });
       }
       for (Item& item : items) item.ready();
       testing::wait_until([&] { return waiting == 100; });
       over.set();
       testing::wait_until([&] { return waiting == 0 && queue.fibers() == 0; });
     }},
    {"what becomes ready while it runs is run once more",
     [] {
       ReadyQueue queue("queue");
       Event go_on;
       std::atomic<int> runs = 0;
       Item item(queue, [&] {
         if (++runs == 1) {
           EXPECT_TRUE(go_on.wait().is_ok());
         }
         return rest;
       });
       item.ready();
       testing::wait_until([&] { return runs == 1; });
       for (int i = 0; i < 5; ++i) item.ready();
       EXPECT_EQ(runs, 1);
       go_on.set();
       testing::wait_until([&] { return runs == 2 && queue.fibers() == 0; });
     }},
    {"an item that says so is run again, behind the others",
     [] {
       ReadyQueue queue("queue", {.max_fibers = 1});
       std::vector<int> order;
       std::deque<Item> items;
       for (int i = 0; i < 2; ++i) {
         items.emplace_back(queue, [&order, i] {
           order.push_back(i);
           return order.size() < 5 ? Item::After::again : rest;
         });
       }
       Item both(queue, [&] {
         for (Item& item : items) item.ready();
         return rest;
       });
       both.ready();
       testing::wait_until([&] { return queue.fibers() == 0; });
       EXPECT_EQ(order, (std::vector<int>{0, 1, 0, 1, 0, 1}));
     }},
    {"an item can be made ready at a time",
     [] {
       ReadyQueue queue("queue");
       std::atomic<int> runs = 0;
       Item soon(queue, [&] { return ++runs, rest; });
       Item never(queue, [&] { return runs += 100, rest; });
       soon.ready_at(Deadline::after(2h).instant());
       soon.ready_at(Deadline::after(1ms).instant());
       never.ready_at(Deadline::after(1h).instant());
       testing::wait_until([&] { return runs == 1 && queue.fibers() == 0; });
     }},
};
TEST(ReadyQueue, does_what_its_documentation_says) { testing::check(sentences); }

// More runs at once than there may be fibers: the rest wait their turn, in order.
PARLEY_FIBER_TEST(ReadyQueue, max_fibers_bounds_how_many_run_at_once) {
  for (const std::size_t limit : {std::size_t{2}, std::size_t{7}}) {
    ReadyQueue queue("queue", {.max_fibers = limit});
    std::size_t at_once = 0;
    std::size_t most = 0;
    std::size_t runs = 0;
    std::deque<Item> items;
    for (int i = 0; i < 50; ++i) {
      items.emplace_back(queue, [&] {
        most = std::max(most, ++at_once);
        yield();
        return --at_once, ++runs, rest;
      });
    }
    for (Item& item : items) item.ready();
    testing::wait_until([&] { return runs == 50 && queue.fibers() == 0; });
    EXPECT_EQ(most, limit);
    EXPECT_GT(queue.waits_for_fiber(), 0u);
  }
}

TEST(ReadyQueue, at_max_fibers_of_the_runtime_it_waits_for_room_and_misses_nothing) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    testing::run_fiber_test(
        [] {
          ReadyQueue queue("queue");
          std::atomic<int> runs = 0;
          Item item(queue, [&] { return ++runs, rest; });
          Event over;
          Scope others;
          while (others.try_go("other", [&] { EXPECT_TRUE(over.wait().is_ok()); })) {}
          item.ready();
          testing::wait_until([&] { return queue.waits_for_fiber() == 1; });
          for (int i = 0; i < 100; ++i) yield();
          EXPECT_EQ(runs, 0);
          over.set();
          others.join();
          testing::wait_until([&] { return runs == 1 && queue.fibers() == 0; });
        },
        {.workers = workers, .max_fibers = 16});
  }
}

// One end of a socket whose item empties it and rests.
class Receiver final : public ReadyItem {
 public:
  explicit Receiver(ReadyQueue& queue) {
    join(queue);
    EXPECT_TRUE(received_.try_acquire(most));  // it counts what was released
    pair_.pollable.on_readable(this);
  }
  ~Receiver() override { EXPECT_EQ(running_, 0); }

  void send() { pair_.send(); }
  void wait_for(std::size_t count) { ASSERT_TRUE(received_.acquire(count).is_ok()); }
  void stop() { pair_.pollable.on_readable(nullptr); }

 private:
  After run() override {
    EXPECT_EQ(running_.fetch_add(1), 0) << "two fibers in one item";
    char byte = 0;
    while (::recv(pair_.far.get(), &byte, 1, MSG_DONTWAIT) == 1) received_.release();
    running_.fetch_sub(1);
    return After::rest;
  }

  static constexpr std::size_t most = 1'000'000;

  testing::WatchedPair pair_;
  Semaphore received_{most};
  std::atomic<int> running_{0};
};

// The byte that comes between the last read of a run and its rest must start another one.
TEST(ReadyQueue, no_edge_is_lost_on_many_workers) {
  testing::run_fiber_test(
      [] {
        ReadyQueue queue("queue");
        std::deque<Receiver> receivers;
        for (int i = 0; i < 6; ++i) receivers.emplace_back(queue);
        {
          Scope scope;
          for (Receiver& receiver : receivers) {
            scope.go("sender", [&receiver] {
              for (int i = 0; i < 1000; ++i) {
                // The second goes out while the first is being read.
                receiver.send();
                receiver.send();
                receiver.wait_for(2);
              }
              receiver.stop();
            });
          }
        }
        testing::wait_until([&] { return queue.fibers() == 0; });
      },
      {.workers = 4}, 60s);
}

PARLEY_FIBER_TEST(ReadyQueue, a_pollable_tells_of_what_came_before_it_was_asked_to) {
  testing::WatchedPair pair;
  Pollable& pollable = pair.pollable;
  pair.send();
  testing::wait_until([&] { return pollable.is_readable(); });
  ReadyQueue queue("queue");
  int runs = 0;
  Item item(queue, [&] { return ++runs, rest; });
  pollable.on_readable(&item);
  testing::wait_until([&] { return runs == 1; });
  EXPECT_TRUE(pollable.take_readable());
  EXPECT_FALSE(pollable.take_readable());
  EXPECT_TRUE(pollable.short_read_drains());
  pollable.tell_readable();
  testing::wait_until([&] { return runs == 2; });
  ASSERT_EQ(::shutdown(pair.near.get(), SHUT_WR), 0);
  testing::wait_until([&] { return runs == 3; });
  EXPECT_FALSE(pollable.short_read_drains());
  pollable.on_readable(nullptr);
}

TEST(ReadyQueue, a_pollable_knows_since_when_there_is_something_to_read) {
  ManualClock clock;
  testing::run_fiber_test(
      [&] {
        testing::WatchedPair pair;
        Pollable& pollable = pair.pollable;
        EXPECT_EQ(pollable.readable_since(), Instant());
        for (int i = 0; i < 2; ++i) {
          clock.advance(1s);
          pair.send();
          testing::wait_until([&] { return pollable.is_readable(); });
          const Instant first = clock.now();
          EXPECT_EQ(pollable.readable_since(), first);
          // More of it changes nothing, until somebody has looked.
          clock.advance(1s);
          pollable.tell_readable();
          EXPECT_EQ(pollable.readable_since(), first);
          EXPECT_TRUE(pollable.take_readable());
        }
        clock.advance(1s);
        pollable.tell_readable();
        EXPECT_EQ(pollable.readable_since(), clock.now());
      },
      {.clock = &clock});
}

// Fibers that fill RuntimeOptions::max_fibers until they are let go.
class Crowd {
 public:
  Crowd() {
    while (scope_.try_go("crowd", [this] { (void)release_.wait(); })) {}
  }
  void go_home() { release_.set(); }

 private:
  Event release_;
  Scope scope_;
};

TEST(ReadyQueue, min_fibers_are_kept_so_that_a_crowd_does_not_stop_the_queue) {
  testing::run_fiber_test(
      [] {
        std::optional<ReadyQueue> queue(std::in_place, "queue", ReadyQueueOptions{.min_fibers = 1});
        EXPECT_EQ(queue->fibers(), 1U);
        std::atomic<int> runs = 0;
        Item item(*queue, [&] { return ++runs, rest; });
        Crowd crowd;
        for (int i = 1; i <= 3; ++i) {
          item.ready();
          testing::wait_until([&] { return runs == i; });
        }
        crowd.go_home();
        queue.reset();  // so that no run is still on when its item goes
      },
      {.workers = 2, .max_fibers = 20});
}

TEST(ReadyQueue, fibers_that_a_crowd_needed_go_when_it_is_over) {
  testing::run_fiber_test(
      [] {
        std::optional<ReadyQueue> queue(std::in_place, "queue", ReadyQueueOptions{.min_fibers = 1});
        Event release;
        std::atomic<int> waiting = 0;
        std::deque<Item> items;
        for (int i = 0; i < 50; ++i) {
          items.emplace_back(*queue, [&] {
            const StandIn stand_in(*queue);
            EXPECT_TRUE(stand_in);
            ++waiting;
            (void)release.wait();
            return rest;
          });
          items.back().ready();
        }
        testing::wait_until([&] { return waiting == 50; });
        EXPECT_GE(queue->fibers(), 100U);
        release.set();
        // One that is kept, and one for each worker.
        testing::wait_until([&] { return queue->fibers() <= 3; });
        EXPECT_GE(queue->fibers(), 1U);
        items.front().ready();
        testing::wait_until([&] { return waiting == 51; });
        queue.reset();
      },
      {.workers = 2});
}

// Each time two items are ready a second fiber comes, in case the first one waits in its own.
TEST(ReadyQueue, an_item_that_is_ready_for_ever_keeps_no_fiber_but_its_own) {
  testing::run_fiber_test(
      [] {
        ReadyQueue queue("queue");
        bool is_over = false;
        Item flood(queue, [&] { return is_over ? rest : Item::After::again; });
        int runs = 0;
        Item other(queue, [&] { return ++runs, rest; });
        flood.ready();
        for (int round = 1; round <= 200; ++round) {
          other.ready();
          testing::wait_until([&] { return runs == round; });
          EXPECT_LE(queue.fibers(), 4u);
        }
        is_over = true;
        testing::wait_until([&] { return queue.fibers() == 0; });
      },
      {.workers = 1});
}

// The fiber it asked for cannot start, but one that stands by is free again.
TEST(ReadyQueue, does_not_wait_for_a_fiber_that_is_long_in_coming) {
  testing::run_fiber_test(
      [] {
        std::optional<ReadyQueue> queue(std::in_place, "queue", ReadyQueueOptions{.min_fibers = 1});
        std::atomic<int> runs = 0;
        Event release;
        std::atomic<bool> waits = false;
        Item first(*queue, [&] {
          waits = true;
          (void)release.wait();
          return ++runs, rest;
        });
        Item second(*queue, [&] { return ++runs, rest; });
        Crowd crowd;
        first.ready();
        testing::wait_until([&] { return waits.load(); });
        second.ready();
        testing::wait_until([&] { return queue->waits_for_fiber() > 0; });
        EXPECT_EQ(runs, 0);
        release.set();
        testing::wait_until([&] { return runs == 2; });
        second.ready();
        testing::wait_until([&] { return runs == 3; });
        crowd.go_home();
        queue.reset();
      },
      {.workers = 2, .max_fibers = 20});
}

}  // namespace
}  // namespace parley::rt
