// What only goes wrong with several workers: each case runs with stealing as it comes, and, in the
// program built with PARLEY_RT_TRAPS_OPEN, with every fiber made to go on on another worker.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

// The compiler takes the address of errno and the id of a thread for constant within a function;
// after a park they are another thread's. So each is asked for in a function of its own.
[[gnu::noinline]] void set_errno(int value) {
  errno = value;
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] int get_errno() {
  asm volatile("" ::: "memory");
  return errno;
}
#ifdef PARLEY_RT_TRAPS_OPEN
[[gnu::noinline]] std::thread::id this_thread() {
  asm volatile("" ::: "memory");
  return std::this_thread::get_id();
}
#endif

class ManyWorkers : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
#ifdef PARLEY_RT_TRAPS_OPEN
    impl::force_migration = GetParam();
#endif
  }
  void TearDown() override {
#ifdef PARLEY_RT_TRAPS_OPEN
    impl::force_migration = false;
#endif
  }
  static void run(const std::function<void()>& body) {
    testing::run_fiber_test(body, RuntimeOptions{.workers = 4});
  }
};

#ifdef PARLEY_RT_TRAPS_OPEN
INSTANTIATE_TEST_SUITE_P(MigratingAtEverySwitch, ManyWorkers, ::testing::Values(true));
#else
INSTANTIATE_TEST_SUITE_P(AsItComes, ManyWorkers, ::testing::Values(false));
#endif

TEST_P(ManyWorkers, a_mutex_keeps_a_plain_number_whole) {
  run([] {
    Mutex mutex;
    int number = 0;
    Scope scope;
    for (int i = 0; i < 16; ++i) {
      scope.go("adder", [&] {
        for (int k = 0; k < 500; ++k) {
          const std::lock_guard lock(mutex);
          ++number;
          if (k % 64 == 0) yield();
        }
      });
    }
    scope.join();
    EXPECT_EQ(number, 16 * 500);
  });
}

TEST_P(ManyWorkers, every_value_sent_is_received_once) {
  run([] {
    for (const std::size_t capacity : {0, 1, 16}) {
      Channel<int> channel(capacity);
      std::atomic<long> sum = 0;
      std::atomic<int> count = 0;
      WaitGroup senders;
      senders.add(8);
      Scope scope;
      for (int i = 0; i < 8; ++i) {
        scope.go("sender", [&, i] {
          for (int k = 0; k < 300; ++k) EXPECT_TRUE(channel.send(i * 300 + k).is_ok());
          senders.done();
        });
        scope.go("receiver", [&] {
          for (const int value : channel) {
            sum += value;
            ++count;
          }
        });
      }
      EXPECT_TRUE(senders.wait().is_ok());
      channel.close();
      scope.join();
      EXPECT_EQ(count, 2400);
      EXPECT_EQ(sum, 2400L * 2399 / 2);
    }
  });
}

TEST_P(ManyWorkers, a_pair_of_fibers_can_play_ping_pong) {
  run([] {
    Scope scope;
    for (int pair = 0; pair < 4; ++pair) {
      scope.go("pair", [] {
        Channel<int> there;
        Channel<int> back;
        Scope inner;
        inner.go("echo", [&] {
          for (const int value : there) EXPECT_TRUE(back.send(value).is_ok());
        });
        for (int i = 0; i < 500; ++i) {
          EXPECT_TRUE(there.send(i).is_ok());
          EXPECT_EQ(*back.receive(), i);
        }
        there.close();
      });
    }
  });
}

// Whether the value or the deadline comes first, the value is either received or still there.
TEST_P(ManyWorkers, a_deadline_that_races_with_a_value_loses_nothing) {
  run([] {
    Channel<int> channel(1);
    std::atomic<int> received = 0;
    constexpr int rounds = 500;
    Scope scope;
    scope.go("receiver", [&] {
      while (received < rounds) {
        const auto value = channel.receive(Deadline::after(2us));
        if (value) {
          ++received;
        } else {
          EXPECT_EQ(value.error().code(), Code::deadline_exceeded);
        }
      }
    });
    for (int i = 0; i < rounds; ++i) {
      while (!channel.send(i, Deadline::after(3us)).is_ok()) {}
    }
    scope.join();
    EXPECT_EQ(received, rounds);
  });
}

TEST_P(ManyWorkers, a_cancel_reaches_every_fiber_whatever_it_does) {
  run([] {
    for (int round = 0; round < 50; ++round) {
      Channel<int> channel;
      Event never;
      std::atomic<int> ended = 0;
      Scope scope;
      for (int i = 0; i < 20; ++i) {
        scope.go("waiter", [&, i] {
          while (!Context::current().is_done()) {
            if (i % 4 == 0) (void)never.wait();
            if (i % 4 == 1) (void)channel.receive(Deadline::after(1ms));
            if (i % 4 == 2) yield();
            if (i % 4 == 3) (void)sleep(10us);
          }
          ++ended;
        });
      }
      if (round % 2 == 0) yield();
      scope.cancel();
      scope.join();
      EXPECT_EQ(ended, 20);
    }
  });
}

TEST_P(ManyWorkers, a_deadline_of_a_context_ends_all_below_it) {
  run([] {
    auto [context, cancel] = Context::current().with_timeout(5ms);
    const WithContext bound(context);
    Event never;
    std::atomic<int> ended = 0;
    Scope scope;
    for (int i = 0; i < 100; ++i) {
      scope.go("waiter", [&] {
        EXPECT_EQ(never.wait().code(), Code::deadline_exceeded);
        ++ended;
      });
    }
    scope.join();
    EXPECT_EQ(ended, 100);
  });
}

TEST_P(ManyWorkers, a_tree_of_fibers_grows_and_is_joined) {
  run([] {
    std::atomic<int> leaves = 0;
    const std::function<void(int)> grow = [&](int depth) {
      if (depth == 0) {
        ++leaves;
        return;
      }
      Scope scope;
      for (int i = 0; i < 2; ++i) scope.go("branch", [&, depth] { grow(depth - 1); });
    };
    grow(9);
    EXPECT_EQ(leaves, 512);
  });
}

TEST_P(ManyWorkers, errno_and_caught_exceptions_stay_with_their_fiber) {
  run([] {
    Scope scope;
    for (int i = 1; i <= 16; ++i) {
      scope.go("own", [i] {
        for (int k = 0; k < 50; ++k) {
          try {
            throw std::runtime_error(std::to_string(i));
          } catch (const std::runtime_error&) {
            set_errno(i);
            yield();
            EXPECT_EQ(get_errno(), i);
            try {
              throw;
            } catch (const std::runtime_error& again) {
              EXPECT_EQ(again.what(), std::to_string(i));
            }
          }
        }
      });
    }
  });
}

TEST_P(ManyWorkers, an_event_set_while_others_begin_to_wait_reaches_all) {
  run([] {
    for (int round = 0; round < 100; ++round) {
      Event event;
      Scope scope;
      for (int i = 0; i < 8; ++i) {
        scope.go("waiter", [&] { EXPECT_TRUE(event.wait().is_ok()); });
      }
      scope.go("setter", [&] { event.set(); });
    }
  });
}

TEST_P(ManyWorkers, at_max_fibers_go_waits_wherever_it_is_called) {
  testing::run_fiber_test(
      [] {
        std::atomic<int> done = 0;
        Scope scope;
        for (int i = 0; i < 3; ++i) {
          scope.go("maker", [&] {
            Scope inner;
            for (int k = 0; k < 100; ++k) {
              inner.go("made", [&] {
                yield();
                ++done;
              });
            }
          });
        }
        scope.join();
        EXPECT_EQ(done, 300);
      },
      RuntimeOptions{.workers = 4, .max_fibers = 7});
}

#ifdef PARLEY_RT_TRAPS_OPEN
TEST_P(ManyWorkers, forced_migration_does_migrate) {
  run([] {
    int moved = 0;
    Scope scope;
    scope.go("wanderer", [&] {
      auto last = this_thread();
      for (int i = 0; i < 100; ++i) {
        yield();
        const auto here = this_thread();
        if (here != last) ++moved;
        last = here;
      }
    });
    scope.join();
    EXPECT_GT(moved, 50);
  });
}
#endif

}  // namespace
}  // namespace parley::rt
