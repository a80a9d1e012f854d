#include "parley/rt/barrier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <vector>

#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

const testing::Sentence barrier_sentences[] = {
    {"it opens when all have come, and tells each how many came before",
     [] {
       Barrier barrier(3);
       EXPECT_EQ(barrier.parties(), 3u);
       std::atomic<int> out{0};
       std::atomic<std::size_t> sum{0};
       Scope scope;
       for (int i = 0; i < 2; ++i) {
         scope.go("party", [&] {
           sum += barrier.wait().value_or(100);
           ++out;
         });
       }
       wait_until_waiting("barrier", 2);
       EXPECT_EQ(out, 0);
       EXPECT_EQ(barrier.generation(), 0u);
       EXPECT_EQ(*barrier.wait(), 2u);
       scope.join();
       EXPECT_EQ(sum, 1u);
       EXPECT_EQ(barrier.generation(), 1u);
     }},
    {"for one party it is always open",
     [] {
       Barrier barrier(1);
       EXPECT_EQ(*barrier.wait(), 0u);
       EXPECT_EQ(*barrier.wait(), 0u);
       EXPECT_EQ(barrier.generation(), 2u);
     }},
    {"it can be used again and again, and nobody is a round ahead",
     [] {
       constexpr int rounds = 200;
       Barrier barrier(4);
       std::vector<std::atomic<int>> came(rounds);
       Scope scope;
       for (int i = 0; i < 4; ++i) {
         scope.go("party", [&] {
           for (auto& count : came) {
             ++count;
             EXPECT_TRUE(barrier.wait().has_value());
             EXPECT_EQ(count, 4);
           }
         });
       }
       scope.join();
       EXPECT_EQ(barrier.generation(), 200u);
     }},
    {"one that gives up breaks it for those inside and for those who come, until a reset",
     [] {
       Barrier barrier(3);
       Scope scope;
       scope.go("patient", [&] { EXPECT_EQ(barrier.wait().error().code(), Code::aborted); });
       wait_until_waiting("barrier", 1);
       EXPECT_EQ(barrier.wait(Deadline::after(1ms)).error().code(), Code::deadline_exceeded);
       EXPECT_TRUE(barrier.is_broken());
       EXPECT_EQ(barrier.wait().error().code(), Code::aborted);
       scope.join();
       barrier.reset();
       EXPECT_FALSE(barrier.is_broken());
       for (int i = 0; i < 3; ++i) {
         scope.go("party", [&] { EXPECT_TRUE(barrier.wait().has_value()); });
       }
     }},
    {"a cancelled one breaks it and gets the cause",
     [] {
       Barrier barrier(2);
       auto [context, cancel] = Context::current().with_cancel();
       cancel(Status(Code::unavailable, "gone"));
       const WithContext bound(context);
       EXPECT_EQ(barrier.wait().error().code(), Code::unavailable);
       EXPECT_TRUE(barrier.is_broken());
     }},
    {"one that gave up gets no place in the round of others that is complete before it runs",
     [] {
       Barrier barrier(2);
       auto [context, cancel] = Context::current().with_cancel();
       Scope scope;
       scope.go("gives up", [&barrier, &context = context] {
         const WithContext bound(context);
         EXPECT_EQ(barrier.wait().error().code(), Code::cancelled);
       });
       wait_until_waiting("barrier", 1);
       cancel();
       barrier.reset();
       scope.go("party", [&] { EXPECT_TRUE(barrier.wait().has_value()); });
       EXPECT_TRUE(barrier.wait().has_value());
       EXPECT_EQ(barrier.generation(), 1u);
       scope.join();
       EXPECT_FALSE(barrier.is_broken());
     }},
    {"a reset lets those inside go with an error",
     [] {
       Barrier barrier(2);
       Scope scope;
       scope.go("party", [&] { EXPECT_EQ(barrier.wait().error().code(), Code::aborted); });
       wait_until_waiting("barrier", 1);
       barrier.reset();
       scope.join();
       EXPECT_FALSE(barrier.is_broken());
     }},
};

TEST(Barrier, does_what_is_said_of_it) { testing::check(barrier_sentences); }

TEST(Barrier, misuse_is_a_bug_with_a_name) {
  EXPECT_DEATH(Barrier(0), "a Barrier for nobody");
  EXPECT_DEATH((void)Barrier(1).wait(), "Barrier::wait was called outside a fiber");
}

}  // namespace
}  // namespace parley::rt
