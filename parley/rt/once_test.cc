#include "parley/rt/once.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

const testing::Sentence once_sentences[] = {
    {"the function runs at the first call only, whichever function the others give",
     [] {
       Once once;
       std::string ran;
       EXPECT_FALSE(once.is_done());
       EXPECT_TRUE(once.call([&] { ran += "first"; }).is_ok());
       EXPECT_TRUE(once.is_done());
       EXPECT_TRUE(once.call([&] { ran += "second"; }).is_ok());
       EXPECT_EQ(ran, "first");
     }},
    {"two of them are two",
     [] {
       int ran = 0;
       Once a;
       Once b;
       EXPECT_TRUE(a.call([&] { ++ran; }).is_ok());
       EXPECT_TRUE(b.call([&] { ++ran; }).is_ok());
       EXPECT_EQ(ran, 2);
     }},
    {"no call returns before the function has returned, and all see what it did",
     [] {
       Once once;
       Event go_on;
       int made = 0;
       std::atomic<int> returned{0};
       Scope scope;
       for (int i = 0; i < 4; ++i) {
         scope.go("caller", [&] {
           EXPECT_TRUE(once.call([&] {
                             EXPECT_TRUE(go_on.wait().is_ok());
                             ++made;
                           })
                           .is_ok());
           EXPECT_EQ(made, 1);
           ++returned;
         });
       }
       wait_until_waiting("once", 3);
       EXPECT_EQ(returned, 0);
       go_on.set();
       scope.join();
       EXPECT_EQ(returned, 4);
     }},
    {"deadline and cancellation end the wait of one caller and not the function",
     [] {
       Once once;
       Event go_on;
       Scope scope;
       scope.go("runner", [&] {
         EXPECT_TRUE(once.call([&] { EXPECT_TRUE(go_on.wait().is_ok()); }).is_ok());
       });
       wait_until_waiting("event", 1);
       EXPECT_EQ(once.call([] {}, Deadline::after(1ms)).code(), Code::deadline_exceeded);
       auto [context, cancel] = Context::current().with_cancel();
       cancel(Status(Code::aborted, "enough"));
       {
         const WithContext bound(context);
         EXPECT_EQ(once.call([] {}).code(), Code::aborted);
       }
       EXPECT_FALSE(once.is_done());
       go_on.set();
       EXPECT_TRUE(once.call([] { ADD_FAILURE() << "it runs once"; }).is_ok());
       scope.join();
     }},
};

TEST(Once, does_what_is_said_of_it) { testing::check(once_sentences); }

TEST(Once, calling_it_from_its_own_function_is_a_bug) {
  EXPECT_DEATH(parley::run([] {
                 Once once;
                 (void)once.call([&] { (void)once.call([] {}); });
               }),
               "would wait for itself");
  EXPECT_DEATH((void)Once().call([] {}), "Once::call was called outside a fiber");
}

const testing::Sentence once_result_sentences[] = {
    {"every caller gets what the first function returned",
     [] {
       OnceResult<std::string> name;
       std::atomic<int> ran{0};
       Scope scope;
       for (int i = 0; i < 6; ++i) {
         scope.go("caller", [&] {
           auto got = name.get([&] {
             yield();
             ++ran;
             return std::string("tea");
           });
           EXPECT_EQ(got.value_or(""), "tea");
         });
       }
       scope.join();
       EXPECT_EQ(ran, 1);
     }},
    {"an error is kept as well: it is not tried again",
     [] {
       OnceResult<int> number;
       const auto fails = []() -> Result<int> { return Status(Code::not_found, "none"); };
       EXPECT_EQ(number.get(fails).error().code(), Code::not_found);
       EXPECT_EQ(number.get([] { return 1; }).error().code(), Code::not_found);
       EXPECT_TRUE(number.is_done());
     }},
};

TEST(OnceResult, does_what_is_said_of_it) { testing::check(once_result_sentences); }

}  // namespace
}  // namespace parley::rt
