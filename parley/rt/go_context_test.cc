// Go's package context, a rule a row; what already had a test of its own is in context_test.cc and
// sync_test.cc. docs/go-semantics.md lists them all, with what is different here and why.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/done_call.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

// How a context ended, and what it and its child say of it afterwards.
struct EndRow {
  const char* says;
  std::function<void(const Context& context, const Cancel& cancel)> end;
  Code code;
  std::string message;
};

const EndRow end_rows[] = {
    {"nothing happened", [](const Context&, const Cancel&) {}, Code::ok, ""},
    {"cancelled", [](const Context&, const Cancel& cancel) { cancel(); }, Code::cancelled,
     "cancelled"},
    {"cancelled with a cause",
     [](const Context&, const Cancel& cancel) { cancel(Status(Code::unavailable, "moved")); },
     Code::unavailable, "moved"},
    {"cancelled twice",
     [](const Context&, const Cancel& cancel) {
       cancel(Status(Code::unavailable, "first"));
       cancel(Status(Code::aborted, "second"));
     },
     Code::unavailable, "first"},
};

PARLEY_FIBER_TEST(GoContext, its_end_is_told_to_all_who_ask_and_does_not_change) {
  for (const EndRow& row : end_rows) {
    auto [context, cancel] = Context::background().with_cancel();
    auto [child, cancel_child] = context.with_cancel();
    row.end(context, cancel);
    for (const Context& asked : {context, child, child.with_value(1)}) {
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(asked.status().code(), row.code) << row.says;
        EXPECT_EQ(asked.status().message(), row.message) << row.says;
      }
      EXPECT_EQ(asked.is_done(), row.code != Code::ok) << row.says;
    }
  }
}

struct DeadlineRow {
  const char* says;
  Duration parent;
  Duration child;
  bool child_keeps_its_own;
  Code code;  // of the child, at once
};

constexpr DeadlineRow deadline_rows[] = {
    {"an earlier one counts", 2h, 1h, true, Code::ok},
    {"a later one does not", 1h, 2h, false, Code::ok},
    {"one that has passed ends it at once", 1h, -1s, true, Code::deadline_exceeded},
    {"so does one that is now", 1h, 0s, true, Code::deadline_exceeded},
    {"under a parent that is over, none helps", -1s, 1h, false, Code::deadline_exceeded},
};

PARLEY_FIBER_TEST(GoContext, the_earliest_deadline_counts) {
  for (const DeadlineRow& row : deadline_rows) {
    const Deadline above = Deadline::after(row.parent);
    const Deadline below = Deadline::after(row.child);
    auto [parent, cancel] = Context::background().with_deadline(above);
    auto [child, cancel_child] = parent.with_deadline(below);
    EXPECT_EQ(child.deadline(), row.child_keeps_its_own ? below : above) << row.says;
    EXPECT_EQ(child.status().code(), row.code) << row.says;
  }
}

struct Number {
  int it = 0;
};

const testing::Sentence context_sentences[] = {
    {"background has no end, no deadline and no values",
     [] {
       const Context background = Context::background();
       EXPECT_TRUE(background.status().is_ok());
       EXPECT_TRUE(background.deadline().is_never());
       EXPECT_EQ(background.value<Number>(), nullptr);
     }},
    {"a child's end does not reach its parent or its siblings",
     [] {
       auto [parent, cancel] = Context::background().with_cancel();
       auto [one, cancel_one] = parent.with_cancel();
       auto [other, cancel_other] = parent.with_cancel();
       cancel_one();
       EXPECT_TRUE(one.is_done());
       EXPECT_FALSE(other.is_done());
       EXPECT_FALSE(parent.is_done());
     }},
    {"many fibers may ask, make children and cancel at the same time; one cause wins",
     [] {
       auto [context, cancel] = Context::background().with_cancel();
       Scope scope;
       for (int i = 0; i < 8; ++i) {
         scope.go("canceller", [&context = context, &cancel = cancel, i] {
           auto [child, cancel_child] = context.with_value(Number{i}).with_timeout(1h);
           EXPECT_EQ(child.value<Number>()->it, i);
           cancel(Status(Code::aborted, std::to_string(i)));
           EXPECT_EQ(child.wait_done(), context.status());
         });
       }
       scope.join();
       EXPECT_EQ(context.status().code(), Code::aborted);
     }},
    {"its end wakes everybody: waits below it, selects on it, who waits for itself",
     [] {
       auto [context, cancel] = Context::background().with_cancel();
       Channel<int> never;
       std::atomic<int> woken = 0;
       Scope scope;
       scope.go("below", [&context = context, &never, &woken] {
         const WithContext bound(context);
         EXPECT_EQ(never.receive().error().code(), Code::cancelled);
         ++woken;
       });
       scope.go("select", [&context = context, &never, &woken] {
         EXPECT_TRUE(select(on_done(context, [&] { ++woken; }), on_receive(never, [] {})).is_ok());
       });
       scope.go("done", [&context = context, &woken] {
         EXPECT_EQ(context.wait_done().code(), Code::cancelled);
         ++woken;
       });
       testing::wait_until_waiting("channel receive", 1);
       testing::wait_until_waiting("select", 1);
       testing::wait_until_waiting("context done", 1);
       cancel();
       scope.join();
       EXPECT_EQ(woken, 3);
     }},
    {"of several functions that wait for its end each runs, but those that were stopped",
     [] {
       auto [context, cancel] = Context::background().with_cancel();
       std::array<std::atomic<int>, 4> ran{};
       Scope scope;
       std::vector<DoneCall> calls;
       for (std::atomic<int>& count : ran) {
         calls.emplace_back(context, scope, "call", [&count] { ++count; });
       }
       EXPECT_TRUE(calls[1].stop());
       cancel();
       scope.join();
       EXPECT_EQ(ran[0] + ran[2] + ran[3], 3);
       EXPECT_EQ(ran[1], 0);
     }},
    {"two types with equal contents are two keys",
     [] {
       struct Other {
         int it = 0;
       };
       const Context context = Context::background().with_value(Number{1}).with_value(Other{2});
       EXPECT_EQ(context.value<Number>()->it, 1);
       EXPECT_EQ(context.value<Other>()->it, 2);
     }},
};

TEST(GoContext, does_what_the_package_says) { testing::check(context_sentences); }

const testing::Sentence without_cancel_sentences[] = {
    {"it goes on when the one it was made from has ended, before or afterwards",
     [] {
       auto [context, cancel] = Context::background().with_timeout(1h);
       const Context before = context.without_cancel();
       cancel();
       const Context after = context.without_cancel();
       for (const Context& free : {before, after}) {
         EXPECT_TRUE(free.status().is_ok());
         EXPECT_TRUE(free.deadline().is_never());
         EXPECT_FALSE(free.descends_from(context));
       }
     }},
    {"it carries the values, the nearest of each type",
     [] {
       struct Name {
         std::string it;
       };
       const Context context = Context::background()
                                   .with_value(Number{1})
                                   .with_value(Name{"shop"})
                                   .with_value(Number{2})
                                   .without_cancel();
       EXPECT_EQ(context.value<Number>()->it, 2);
       EXPECT_EQ(context.value<Name>()->it, "shop");
       EXPECT_EQ(Context::background().without_cancel().value<Number>(), nullptr);
     }},
    {"the values live on without the context they come from",
     [] {
       const auto made = [] {
         auto [context, cancel] = Context::background().with_value(Number{7}).with_cancel();
         return context.without_cancel();
       };
       EXPECT_EQ(made().value<Number>()->it, 7);
     }},
    {"it can be given an end of its own, and work under it ends with that",
     [] {
       auto [request, hang_up] = Context::background().with_cancel();
       hang_up();
       auto [context, cancel] = request.without_cancel().with_timeout(1ms);
       const WithContext bound(context);
       EXPECT_EQ(sleep(1h).code(), Code::deadline_exceeded);
     }},
};

TEST(GoContext, without_cancel_keeps_values_and_nothing_else) {
  testing::check(without_cancel_sentences);
}

}  // namespace
}  // namespace parley::rt
