#include "parley/rt/error_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>

#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using testing::wait_until_waiting;

Status fails(const char* what) { return {Code::internal, what}; }

const testing::Sentence error_group_sentences[] = {
    {"wait waits for all and is ok when none failed",
     [] {
       ErrorGroup group;
       std::atomic<int> done{0};
       for (int i = 0; i < 5; ++i) {
         group.go("part", [&] {
           yield();
           ++done;
           return Status();
         });
       }
       EXPECT_TRUE(group.wait().is_ok());
       EXPECT_EQ(done, 5);
     }},
    {"of an empty group it is ok at once",
     [] {
       ErrorGroup group;
       EXPECT_TRUE(group.wait().is_ok());
     }},
    {"wait returns the first error",
     [] {
       ErrorGroup group;
       Event second_may_fail;
       group.go("second", [&] {
         const WithContext bound(Context::background());
         EXPECT_TRUE(second_may_fail.wait().is_ok());
         return fails("second");
       });
       group.go("first", [] { return fails("first"); });
       EXPECT_EQ(group.context().wait_done().message(), "first");
       second_may_fail.set();
       EXPECT_EQ(group.wait(), fails("first"));
     }},
    {"the first error cancels the others, with itself as the cause",
     [] {
       ErrorGroup group;
       Status seen;
       group.go("long", [&] {
         seen = sleep(1h);
         return Status();
       });
       wait_until_waiting("sleep", 1);
       group.go("fails", [] { return fails("broken"); });
       EXPECT_EQ(group.wait(), fails("broken"));
       EXPECT_NE(seen.message().find("broken"), std::string::npos) << seen;
     }},
    {"with go_on an error cancels nothing",
     [] {
       ErrorGroup group(OnError::go_on);
       Event go_on;
       Status seen = fails("not yet");
       group.go("long", [&] {
         seen = go_on.wait();
         return Status();
       });
       group.go("fails", [] { return fails("broken"); });
       EXPECT_TRUE(group.context().status().is_ok());
       go_on.set();
       EXPECT_EQ(group.wait(), fails("broken"));
       EXPECT_TRUE(seen.is_ok());
     }},
    {"wait ends the context, also when nothing failed",
     [] {
       ErrorGroup group;
       const Context context = group.context();
       EXPECT_FALSE(context.is_done());
       EXPECT_TRUE(group.wait().is_ok());
       EXPECT_TRUE(context.is_done());
     }},
    {"the fibers feel the end of the caller's context",
     [] {
       auto [context, cancel] = Context::current().with_cancel();
       const WithContext bound(context);
       ErrorGroup group;
       group.go("long", [] { return sleep(1h); });
       cancel();
       EXPECT_EQ(group.wait().code(), Code::cancelled);
     }},
    {"no more than the limit run at once; go waits for room",
     [] {
       for (const std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
         ErrorGroup group;
         group.set_limit(limit);
         std::atomic<std::size_t> running{0};
         std::atomic<std::size_t> most{0};
         for (int i = 0; i < 20; ++i) {
           group.go("part", [&] {
             const std::size_t now = ++running;
             EXPECT_LE(now, limit);
             if (now > most) most = now;
             yield();
             --running;
             return Status();
           });
         }
         EXPECT_TRUE(group.wait().is_ok());
         EXPECT_GE(most, 1u);
       }
     }},
    {"try_go starts one only if there is room, and says whether it did",
     [] {
       ErrorGroup group;
       group.set_limit(1);
       Event go_on;
       EXPECT_TRUE(group.try_go("first", [&] { return go_on.wait(); }));
       EXPECT_FALSE(group.try_go("second", [] { return fails("never run"); }));
       go_on.set();
       EXPECT_TRUE(group.wait().is_ok());
     }},
    {"a limit of 0 lets none start, and no_limit all",
     [] {
       ErrorGroup group;
       group.set_limit(0);
       EXPECT_FALSE(group.try_go("part", [] { return Status(); }));
       group.set_limit(ErrorGroup::no_limit);
       Event go_on;
       for (int i = 0; i < 100; ++i) {
         EXPECT_TRUE(group.try_go("part", [&] { return go_on.wait(); }));
       }
       go_on.set();
       EXPECT_TRUE(group.wait().is_ok());
     }},
    {"a fiber of the group may start others in it",
     [] {
       ErrorGroup group;
       group.go("parent", [&] {
         group.go("child", [] { return fails("child"); });
         return Status();
       });
       EXPECT_EQ(group.wait(), fails("child"));
     }},
    {"its end waits for its fibers",
     [] {
       std::atomic<bool> done{false};
       {
         ErrorGroup group;
         group.go("part", [&] {
           yield();
           done = true;
           return Status();
         });
       }
       EXPECT_TRUE(done);
     }},
    {"its end cancels them first if that is asked for",
     [] {
       for (const OnError on_error : {OnError::cancel, OnError::go_on}) {
         Status seen;
         {
           ErrorGroup group(on_error, OnExit::cancel);
           group.go("waits for who made it", [&] {
             seen = sleep(1h);
             return seen;
           });
           wait_until_waiting("sleep", 1);
         }
         EXPECT_EQ(seen.code(), Code::cancelled);
       }
     }},
    {"and so does that of a group told only that",
     [] {
       Status seen;
       {
         ErrorGroup group(OnExit::cancel);
         group.go("waits for who made it", [&] { return seen = sleep(1h); });
       }
       EXPECT_EQ(seen.code(), Code::cancelled);
     }},
};

TEST(ErrorGroup, does_what_is_said_of_it) { testing::check(error_group_sentences); }

TEST(ErrorGroup, misuse_is_a_bug_with_a_name) {
  EXPECT_DEATH(parley::run([] {
                 ErrorGroup group;
                 group.go("long", [] { return sleep(1h); });
                 group.set_limit(1);
               }),
               "set_limit\\(\\) while 1 of its fibers run");
  EXPECT_DEATH(parley::run([] {
                 ErrorGroup group;
                 group.set_limit(0);
                 group.go("part", [] { return Status(); });
               }),
               "a limit of 0 would wait for ever");
}

}  // namespace
}  // namespace parley::rt
