#include "parley/rt/semaphore.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

const testing::Sentence semaphore_sentences[] = {
    {"as much as its capacity can be held at once, and no more",
     [] {
       Semaphore semaphore(3);
       EXPECT_EQ(semaphore.capacity(), 3u);
       EXPECT_TRUE(semaphore.acquire(2).is_ok());
       EXPECT_TRUE(semaphore.acquire().is_ok());
       EXPECT_EQ(semaphore.available(), 0u);
       EXPECT_FALSE(semaphore.try_acquire());
       EXPECT_EQ(semaphore.acquire(1, Deadline::after(1ms)).code(), Code::deadline_exceeded);
       semaphore.release(3);
       EXPECT_TRUE(semaphore.try_acquire(3));
       semaphore.release(3);
       EXPECT_EQ(semaphore.available(), 3u);
     }},
    {"acquire waits until enough was released",
     [] {
       Semaphore semaphore(2);
       std::atomic<bool> acquired{false};
       EXPECT_TRUE(semaphore.acquire(2).is_ok());
       Scope scope;
       scope.go("large", [&] {
         EXPECT_TRUE(semaphore.acquire(2).is_ok());
         acquired = true;
       });
       wait_until_waiting("semaphore", 1);
       semaphore.release();
       yield();
       EXPECT_FALSE(acquired);
       semaphore.release();
       scope.join();
       EXPECT_TRUE(acquired);
       semaphore.release(2);
     }},
    {"small requests do not overtake a large one that waits",
     [] {
       Semaphore semaphore(10);
       std::string order;
       EXPECT_TRUE(semaphore.acquire(5).is_ok());
       Scope scope;
       scope.go("large", [&] {
         EXPECT_TRUE(semaphore.acquire(10).is_ok());
         order += "large ";
         semaphore.release(10);
       });
       wait_until_waiting("semaphore", 1);
       EXPECT_FALSE(semaphore.try_acquire(1)) << "five are free, but somebody waits";
       scope.go("small", [&] {
         EXPECT_TRUE(semaphore.acquire(1).is_ok());
         order += "small";
         semaphore.release(1);
       });
       wait_until_waiting("semaphore", 2);
       semaphore.release(5);
       scope.join();
       EXPECT_EQ(order, "large small");
     }},
    {"when a large one in front gives up, those behind it that fit go on",
     [] {
       Semaphore semaphore(10);
       EXPECT_TRUE(semaphore.acquire(5).is_ok());
       auto [context, cancel] = Context::current().with_cancel();
       Scope scope;
       scope.go("large", [&, under = context] {
         const WithContext bound(under);
         EXPECT_EQ(semaphore.acquire(10).code(), Code::cancelled);
       });
       wait_until_waiting("semaphore", 1);
       scope.go("small", [&] { EXPECT_TRUE(semaphore.acquire(2).is_ok()); });
       wait_until_waiting("semaphore", 2);
       cancel();
       scope.join();
       EXPECT_EQ(semaphore.available(), 3u);
       semaphore.release(7);
     }},
    {"one release lets in as many as fit",
     [] {
       Semaphore semaphore(4);
       EXPECT_TRUE(semaphore.acquire(4).is_ok());
       Scope scope;
       for (int i = 0; i < 4; ++i) {
         scope.go("one", [&] { EXPECT_TRUE(semaphore.acquire().is_ok()); });
       }
       wait_until_waiting("semaphore", 4);
       semaphore.release(4);
       scope.join();
       EXPECT_FALSE(semaphore.try_acquire());
       semaphore.release(4);
     }},
    {"more than there is at all is refused with both numbers, and at once",
     [] {
       Semaphore semaphore(2);
       const Status status = semaphore.acquire(3);
       EXPECT_EQ(status.code(), Code::invalid_argument);
       EXPECT_NE(status.message().find("3 units"), std::string::npos) << status;
       EXPECT_NE(status.message().find("only 2"), std::string::npos) << status;
       EXPECT_FALSE(semaphore.try_acquire(3));
     }},
    {"under a context that has ended it waits not, but takes what is free",
     [] {
       Semaphore semaphore(1);
       auto [context, cancel] = Context::current().with_cancel();
       cancel();
       const WithContext bound(context);
       EXPECT_TRUE(semaphore.acquire().is_ok());
       EXPECT_EQ(semaphore.acquire().code(), Code::cancelled);
       semaphore.release();
     }},
    {"another thread may release",
     [] {
       Semaphore semaphore(1);
       EXPECT_TRUE(semaphore.acquire().is_ok());
       std::thread other([&] { semaphore.release(); });
       EXPECT_TRUE(semaphore.acquire().is_ok());
       other.join();
       semaphore.release();
     },
     /*has_threads=*/true},
};

TEST(Semaphore, does_what_is_said_of_it) { testing::check(semaphore_sentences); }

TEST(Semaphore, never_lets_too_many_in_under_stress) {
  testing::run_fiber_test(
      [] {
        constexpr std::size_t capacity = 5;
        Semaphore semaphore(capacity);
        std::atomic<std::size_t> held{0};
        Scope scope;
        for (std::size_t i = 0; i < 8; ++i) {
          scope.go("fiber", [&, i] {
            for (std::size_t k = 0; k < 1'500; ++k) {
              const std::size_t units = 1 + (i + k) % capacity;
              const bool hasty = k % 50 == 0;
              const Status status = semaphore.acquire(
                  units, hasty ? Deadline::after(Duration(1000)) : Deadline::never());
              if (!status.is_ok()) {
                EXPECT_TRUE(hasty) << status;
                continue;
              }
              EXPECT_LE(held.fetch_add(units) + units, capacity);
              if (k % 7 == 0) yield();
              held -= units;
              semaphore.release(units);
            }
          });
        }
        scope.join();
        EXPECT_EQ(semaphore.available(), capacity);
      },
      {.workers = 4});
}

TEST(Semaphore, releasing_more_than_was_acquired_is_a_bug) {
  EXPECT_DEATH(Semaphore(2).release(), "more than was acquired");
}

}  // namespace
}  // namespace parley::rt
