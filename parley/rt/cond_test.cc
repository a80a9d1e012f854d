#include "parley/rt/cond.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

const testing::Sentence cond_sentences[] = {
    {"wait unlocks while it waits and has the lock again when it returns",
     [] {
       Mutex mutex;
       Cond changed;
       bool ready = false;
       Scope scope;
       scope.go("waiter", [&] {
         std::unique_lock lock(mutex);
         EXPECT_TRUE(changed.wait(lock).is_ok());
         EXPECT_TRUE(lock.owns_lock());
         EXPECT_FALSE(mutex.try_lock());
         EXPECT_TRUE(ready);
       });
       wait_until_waiting("cond", 1);
       {
         const std::lock_guard lock(mutex);
         ready = true;
       }
       changed.signal();
     }},
    {"it does not return unless it was woken",
     [] {
       Mutex mutex;
       Cond changed;
       std::unique_lock lock(mutex);
       changed.signal();
       changed.broadcast();
       EXPECT_EQ(changed.wait(lock, Deadline::after(1ms)).code(), Code::deadline_exceeded);
       EXPECT_TRUE(lock.owns_lock());
     }},
    {"signal wakes one, the one that has waited longest",
     [] {
       Mutex mutex;
       Cond changed;
       std::string order;
       Scope scope;
       for (std::size_t i = 0; i < 3; ++i) {
         scope.go("waiter", [&, i] {
           std::unique_lock lock(mutex);
           EXPECT_TRUE(changed.wait(lock).is_ok());
           order += static_cast<char>('a' + i);
         });
         wait_until_waiting("cond", i + 1);
       }
       for (std::size_t i = 0; i < 3; ++i) {
         changed.signal();
         testing::wait_until([&] {
           const std::lock_guard lock(mutex);
           return order.size() == i + 1;
         });
       }
       EXPECT_EQ(order, "abc");
     }},
    {"broadcast wakes all",
     [] {
       Mutex mutex;
       Cond changed;
       Scope scope;
       for (int i = 0; i < 5; ++i) {
         scope.go("waiter", [&] {
           std::unique_lock lock(mutex);
           EXPECT_TRUE(changed.wait(lock).is_ok());
         });
       }
       wait_until_waiting("cond", 5);
       changed.broadcast();
     }},
    {"signal and broadcast may be called with the lock",
     [] {
       Mutex mutex;
       Cond changed;
       bool ready = false;
       Scope scope;
       scope.go("waiter", [&] {
         std::unique_lock lock(mutex);
         EXPECT_TRUE(changed.wait(lock, [&] { return ready; }).is_ok());
       });
       const std::lock_guard lock(mutex);
       ready = true;
       changed.broadcast();
     }},
    {"with a predicate it waits until that is true, and asks once more at the end",
     [] {
       Mutex mutex;
       Cond changed;
       std::unique_lock lock(mutex);
       EXPECT_TRUE(changed.wait(lock, [] { return true; }).is_ok());
       EXPECT_EQ(changed.wait(
                            lock, [] { return false; }, Deadline::after(1ms))
                     .code(),
                 Code::deadline_exceeded);
       int asked = 0;
       EXPECT_TRUE(changed.wait(lock, [&] { return ++asked == 2; }, Deadline::after(1ms)).is_ok());
     }},
    {"cancellation ends the wait, with the lock, and eats no signal",
     [] {
       Mutex mutex;
       Cond changed;
       std::atomic<bool> woken{false};
       auto [context, cancel] = Context::current().with_cancel();
       Scope scope;
       scope.go("cancelled", [&, bound_to = context] {
         const WithContext bound(bound_to);
         std::unique_lock lock(mutex);
         EXPECT_EQ(changed.wait(lock).code(), Code::cancelled);
         EXPECT_TRUE(lock.owns_lock());
       });
       wait_until_waiting("cond", 1);
       scope.go("other", [&] {
         std::unique_lock lock(mutex);
         EXPECT_TRUE(changed.wait(lock).is_ok());
         woken = true;
       });
       wait_until_waiting("cond", 2);
       cancel();
       changed.signal();
       scope.join();
       EXPECT_TRUE(woken);
     }},
    {"it works with a RwMutex, locked or locked shared",
     [] {
       RwMutex mutex;
       Cond changed;
       Scope scope;
       scope.go("reader", [&] {
         std::shared_lock lock(mutex);
         EXPECT_TRUE(changed.wait(lock).is_ok());
         EXPECT_FALSE(mutex.try_lock());
       });
       scope.go("writer", [&] {
         std::unique_lock lock(mutex);
         EXPECT_TRUE(changed.wait(lock).is_ok());
         EXPECT_FALSE(mutex.try_lock_shared());
       });
       wait_until_waiting("cond", 2);
       changed.broadcast();
     }},
};

TEST(Cond, does_what_is_said_of_it) { testing::check(cond_sentences); }

TEST(Cond, loses_no_wake_up_under_stress) {
  testing::run_fiber_test(
      [] {
        // A queue of at most one: each side waits for the other, again and again.
        constexpr int fibers = 4;
        constexpr int rounds = 2'000;
        Mutex mutex;
        Cond filled;
        Cond emptied;
        int stored = 0;
        int taken = 0;
        Scope scope;
        for (int i = 0; i < fibers; ++i) {
          scope.go("producer", [&] {
            for (int k = 0; k < rounds; ++k) {
              std::unique_lock lock(mutex);
              EXPECT_TRUE(emptied.wait(lock, [&] { return stored == 0; }).is_ok());
              ++stored;
              filled.signal();
            }
          });
          scope.go("consumer", [&] {
            for (int k = 0; k < rounds; ++k) {
              std::unique_lock lock(mutex);
              EXPECT_TRUE(filled.wait(lock, [&] { return stored == 1; }).is_ok());
              --stored;
              ++taken;
              emptied.signal();
            }
          });
        }
        scope.join();
        EXPECT_EQ(taken, fibers * rounds);
      },
      {.workers = 4});
}

TEST(Cond, misuse_is_a_bug_with_a_name) {
  EXPECT_DEATH(parley::run([] {
                 Mutex mutex;
                 std::unique_lock lock(mutex, std::defer_lock);
                 (void)Cond().wait(lock);
               }),
               "without the lock");
}

}  // namespace
}  // namespace parley::rt
