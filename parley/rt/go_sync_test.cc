// Go's memory model and its packages sync, time and x/sync, a rule a row; what already had a test
// of its own is beside the thing it tests. docs/go-semantics.md lists them all, with what is
// different here and why. The rows on memory write and read plain variables on several workers:
// ThreadSanitizer judges them (./dev tsan).
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "parley/base/clock.h"
#include "parley/rt/channel.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/error_group.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/once.h"
#include "parley/rt/rw_mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"
#include "parley/rt/timer.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until;

const testing::Sentence memory_of_channels[] = {
    {"what is written before go is seen by the fiber, and what that wrote after join",
     [] {
       int before = 0;
       int inside = 0;
       Scope scope;
       before = 1;
       scope.go("reader", [&] {
         EXPECT_EQ(before, 1);
         inside = 2;
       });
       scope.join();
       EXPECT_EQ(inside, 2);
     }},
    {"what is written before a send is seen after its receive",
     [] {
       for (const std::size_t capacity : {0U, 1U}) {
         int written = 0;
         Channel<int> channel(capacity);
         Scope scope;
         scope.go("writer", [&] {
           written = 1;
           EXPECT_TRUE(channel.send(0).is_ok());
         });
         EXPECT_TRUE(channel.receive().has_value());
         EXPECT_EQ(written, 1);
       }
     }},
    {"what is written before a close is seen after the receive that tells of it",
     [] {
       int written = 0;
       Channel<int> channel;
       Scope scope;
       scope.go("writer", [&] {
         written = 1;
         channel.close();
       });
       EXPECT_FALSE(channel.receive().has_value());
       EXPECT_EQ(written, 1);
     }},
    {"what is written before a receive from an unbuffered channel is seen after its send",
     [] {
       int written = 0;
       Channel<int> channel;
       Scope scope;
       scope.go("writer", [&] {
         written = 1;
         EXPECT_TRUE(channel.receive().has_value());
       });
       EXPECT_TRUE(channel.send(0).is_ok());
       EXPECT_EQ(written, 1);
     }},
    {"what is written before the k-th receive is seen after the send k + capacity: a lock",
     [] {
       Channel<int> lock(1);
       int inside = 0;
       Scope scope;
       for (int i = 0; i < 20; ++i) {
         scope.go("guest", [&] {
           EXPECT_TRUE(lock.send(0).is_ok());
           ++inside;
           EXPECT_TRUE(lock.receive().has_value());
         });
       }
       scope.join();
       EXPECT_EQ(inside, 20);
     }},
};

TEST(GoMemory, of_fibers_and_channels_is_as_the_memory_model_says) {
  testing::check(memory_of_channels);
}

const testing::Sentence memory_of_sync[] = {
    {"what is written under a lock is seen by whoever locks next",
     [] {
       Mutex mutex;
       RwMutex rw_mutex;
       int by_mutex = 0;
       int by_rw_mutex = 0;
       Scope scope;
       for (int i = 0; i < 8; ++i) {
         scope.go("adder", [&] {
           {
             const std::lock_guard lock(mutex);
             ++by_mutex;
           }
           const std::lock_guard lock(rw_mutex);
           ++by_rw_mutex;
         });
         scope.go("reader", [&] {
           const std::shared_lock lock(rw_mutex);
           EXPECT_GE(by_rw_mutex, 0);
         });
       }
       scope.join();
       EXPECT_EQ(by_mutex, 8);
       EXPECT_EQ(by_rw_mutex, 8);
     }},
    {"what once wrote is seen by everybody whose call returned",
     [] {
       Once once;
       int written = 0;
       Scope scope;
       for (int i = 0; i < 8; ++i) {
         scope.go("caller", [&] {
           EXPECT_TRUE(once.call([&] { written = 1; }).is_ok());
           EXPECT_EQ(written, 1);
         });
       }
     }},
    {"what is written before done, set, release or cancel is seen by who waited for it",
     [] {
       WaitGroup group;
       Event event;
       Semaphore semaphore(1);
       auto [context, cancel] = Context::background().with_cancel();
       std::array<int, 4> written{};
       EXPECT_TRUE(semaphore.acquire().is_ok());
       group.add();
       Scope scope;
       scope.go("writer", [&, &cancel = cancel] {
         written[0] = 1, group.done();
         written[1] = 1, event.set();
         written[2] = 1, semaphore.release();
         written[3] = 1, cancel();
       });
       EXPECT_TRUE(group.wait().is_ok());
       EXPECT_EQ(written[0], 1);
       EXPECT_TRUE(event.wait().is_ok());
       EXPECT_EQ(written[1], 1);
       EXPECT_TRUE(semaphore.acquire().is_ok());
       EXPECT_EQ(written[2], 1);
       EXPECT_EQ(context.wait_done().code(), Code::cancelled);
       EXPECT_EQ(written[3], 1);
       semaphore.release();
     }},
};

TEST(GoMemory, of_locks_and_waits_is_as_the_memory_model_says) { testing::check(memory_of_sync); }

const testing::Sentence sync_sentences[] = {
    {"a wait group of nothing lets pass; all its waiters go on; it can be used again",
     [] {
       WaitGroup group;
       EXPECT_TRUE(group.wait().is_ok());
       for (int round = 0; round < 3; ++round) {
         group.add(2);
         std::atomic<int> gone_on = 0;
         Scope scope;
         for (int i = 0; i < 3; ++i) {
           scope.go("waiter", [&] {
             EXPECT_TRUE(group.wait().is_ok());
             EXPECT_EQ(group.count(), 0u);
             ++gone_on;
           });
         }
         testing::wait_until_waiting("wait group", 3);
         group.done();
         EXPECT_EQ(gone_on, 0);
         group.done();
         scope.join();
         EXPECT_EQ(gone_on, 3);
       }
     }},
    {"a mutex is unlocked when it is made, and keeps everybody else out until it is unlocked",
     [] {
       Mutex mutex;
       EXPECT_TRUE(mutex.try_lock());
       std::atomic<bool> inside = false;
       Scope scope;
       scope.go("second", [&] {
         const std::lock_guard lock(mutex);
         inside = true;
       });
       testing::wait_until_waiting("mutex", 1);
       EXPECT_FALSE(inside);
       mutex.unlock();
       scope.join();
       EXPECT_TRUE(inside);
     }},
    {"a mutex may be held over a wait",
     [] {
       Mutex mutex;
       std::atomic<int> inside = 0;
       Scope scope;
       for (int i = 0; i < 4; ++i) {
         scope.go("holder", [&] {
           const std::lock_guard lock(mutex);
           EXPECT_EQ(++inside, 1);
           EXPECT_TRUE(sleep(std::chrono::microseconds(10)).is_ok());
           --inside;
         });
       }
     }},
    {"a signal or broadcast that nobody waits for is not kept",
     [] {
       Mutex mutex;
       Cond cond;
       cond.signal();
       cond.broadcast();
       std::unique_lock lock(mutex);
       EXPECT_EQ(cond.wait(lock, Deadline::after(1ms)).code(), Code::deadline_exceeded);
     }},
};

TEST(GoSync, does_what_the_packages_say) { testing::check(sync_sentences); }

struct StarvingRow {
  const char* says;
  Duration waited;
  bool overtaken;
};

constexpr StarvingRow starving_rows[] = {
    {"who comes by is faster than who was woken", Duration::zero(), true},
    {"also just before a millisecond is over", 999us, true},
    {"then it is handed over", 1ms, false},
};

TEST(GoSync, a_mutex_is_handed_over_to_who_has_waited_for_a_millisecond) {
  for (const StarvingRow& row : starving_rows) {
    ManualClock clock;
    testing::run_fiber_test(
        [&] {
          Mutex mutex;
          mutex.lock();
          Scope scope;
          scope.go("waiter", [&mutex] { const std::lock_guard lock(mutex); });
          yield();
          clock.advance(row.waited);
          mutex.unlock();
          EXPECT_TRUE(mutex.try_lock()) << "woken only: it is free";
          yield();
          mutex.unlock();
          const bool overtook = mutex.try_lock();
          EXPECT_EQ(overtook, row.overtaken) << row.says;
          if (overtook) mutex.unlock();
        },
        RuntimeOptions{.clock = &clock});
  }
}

TEST(GoSync, an_exception_in_once_ends_the_program) {
  EXPECT_DEATH(parley::run([] {
                 Once once;
                 (void)once.call([] { throw std::runtime_error("no config"); });
               }),
               "no config");
}

TEST(GoSync, what_must_not_be_copied_cannot_be) {
  static_assert(!std::is_copy_constructible_v<Mutex>);
  static_assert(!std::is_copy_constructible_v<RwMutex>);
  static_assert(!std::is_copy_constructible_v<Once>);
  static_assert(!std::is_copy_constructible_v<Cond>);
  static_assert(!std::is_copy_constructible_v<Semaphore>);
  EXPECT_FALSE(std::is_copy_assignable_v<Mutex>);
}

const testing::Sentence group_sentences[] = {
    {"the first error is told, of however many come at once",
     [] {
       ErrorGroup group;
       for (int i = 0; i < 8; ++i) {
         group.go("fails", [i] { return Status(Code::aborted, std::to_string(i)); });
       }
       const Status first = group.wait();
       EXPECT_EQ(first.code(), Code::aborted);
       EXPECT_EQ(group.context().status(), first) << "its cause";
     }},
    {"a go after the first error still runs, under a context that is over",
     [] {
       ErrorGroup group;
       group.go("fails", [] { return Status(Code::unavailable, "down"); });
       wait_until([&] { return group.context().is_done(); });
       std::atomic<bool> ran = false;
       group.go("late", [&ran] {
         ran = true;
         return sleep(1h);
       });
       EXPECT_EQ(group.wait().code(), Code::unavailable);
       EXPECT_TRUE(ran);
     }},
};

TEST(GoErrorGroup, does_what_the_package_says) { testing::check(group_sentences); }

const testing::Sentence time_sentences[] = {
    {"a sleep of nothing or less returns at once",
     [] {
       EXPECT_TRUE(sleep(Duration::zero()).is_ok());
       EXPECT_TRUE(sleep(-1h).is_ok());
       EXPECT_TRUE(sleep_until(now()).is_ok());
     }},
    {"a delay too long for the clock is never: it can be stopped and cancelled",
     [] {
       Scope scope;
       Timer timer(scope, Duration::max(), "never", [] { ADD_FAILURE(); });
       EXPECT_TRUE(timer.stop());
       const Timer waits(scope, Duration::max(), "never", [] { ADD_FAILURE(); });
       Ticker ticker(Duration::max());
       auto [endless, cancel_endless] = Context::current().with_timeout(Duration::max());
       EXPECT_TRUE(endless.deadline().is_never());
       auto [context, cancel] = endless.with_timeout(1ms);
       const WithContext bound(context);
       EXPECT_EQ(sleep(Duration::max()).code(), Code::deadline_exceeded);
       EXPECT_EQ(ticker.ticks().try_receive(), std::nullopt);
     }},
    {"a timer that is replaced is stopped, and the new one starts over: Go's Reset",
     [] {
       std::atomic<int> old_ones = 0;
       Event fired;
       Scope scope;
       Timer timer(scope, 1h, "old", [&] { ++old_ones; });
       timer = Timer(scope, 1ms, "new", [&] { fired.set(); });
       EXPECT_TRUE(fired.wait().is_ok());
       EXPECT_FALSE(timer.stop());
       EXPECT_EQ(old_ones, 0);
     }},
    {"a timer may be replaced by its own function",
     [] {
       Scope scope;
       Mutex mutex;  // of timer
       Timer timer;
       Event third;
       std::atomic<int> times = 0;
       std::function<void()> again = [&] {
         if (++times == 3) return third.set();
         const std::lock_guard lock(mutex);
         timer = Timer(scope, 0ms, "again", again);
       };
       {
         const std::lock_guard lock(mutex);
         timer = Timer(scope, 0ms, "first", again);
       }
       EXPECT_TRUE(third.wait().is_ok());
       scope.join();
     }},
    {"the channel of a ticker holds one tick and is never closed",
     [] {
       Ticker ticker(1ms);
       EXPECT_TRUE(ticker.ticks().receive().has_value());
       wait_until([&] { return ticker.ticks().size() == 1; });
       EXPECT_TRUE(sleep(3ms).is_ok());
       EXPECT_EQ(ticker.ticks().size(), 1u);
       EXPECT_EQ(ticker.ticks().capacity(), 1u);
       EXPECT_FALSE(ticker.ticks().is_closed());
     }},
};

TEST(GoTime, does_what_the_packages_say) { testing::check(time_sentences); }

PARLEY_FIBER_TEST(GoTime, yield_lets_those_run_first_that_are_ready) {
  std::string order;  // one worker
  Scope scope;
  for (const char name : {'a', 'b', 'c'}) scope.go("other", [&, name] { order += name; });
  yield();
  EXPECT_EQ(order.size(), 3u);
}

TEST(GoTime, a_ticker_without_a_period_is_a_bug) {
  EXPECT_DEATH(parley::run([] { const Ticker ticker(0s); }), "must be positive");
  EXPECT_DEATH(parley::run([] { const Ticker ticker(-1s); }), "must be positive");
  EXPECT_DEATH(parley::run([] { Ticker(1s).reset(0s); }), "must be positive");
}

}  // namespace
}  // namespace parley::rt
