// rt::SetAside: work under another context that ends with the one that was set aside.
#include <gtest/gtest.h>

#include "parley/rt/context.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;
using Above = DeferredContext::Above;

const Status too_late(Code::deadline_exceeded, "too late");
const Status enough(Code::aborted, "enough");

PARLEY_FIBER_TEST(SetAside, is_the_other_context_and_makes_nothing) {
  const auto [other, cancel] = Context::background().with_cancel();
  DeferredContext mine(Deadline(), too_late, Above::lasts);
  {
    SetAside aside(other);
    EXPECT_TRUE(aside.can_pass());
    DeferredContext bound(Deadline::after(1h), too_late);
    aside.pass_to(bound);
    EXPECT_TRUE(sleep(1ms).is_ok());
    EXPECT_FALSE(bound.was_made());
    EXPECT_TRUE(Context::current().descends_from(other));
    EXPECT_TRUE(bound.was_made());
    aside.pass_no_more();
  }
  EXPECT_FALSE(mine.was_made());
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_FALSE(Context::current().descends_from(other));
}

PARLEY_FIBER_TEST(SetAside, what_may_end_by_the_context_above_it_is_made_and_cannot_pass) {
  const auto [other, cancel] = Context::background().with_cancel();
  DeferredContext mine(Deadline::after(1h), too_late, Above::may_end);
  const SetAside aside(other);
  EXPECT_FALSE(aside.can_pass());
  EXPECT_TRUE(mine.was_made());
  EXPECT_EQ(aside.outer().deadline(), mine.deadline());
  EXPECT_EQ(Context::current().node(), other.node());
}

PARLEY_FIBER_TEST(SetAside, passes_its_end_to_the_wait_of_who_runs_meanwhile) {
  const auto [other, cancel] = Context::background().with_cancel();
  Event is_waiting;
  Scope scope;
  DeferredContext mine(Deadline(), too_late, Above::lasts);
  scope.go("end", [&] {
    (void)is_waiting.wait();
    yield();
    mine.end(enough);
  });
  {
    SetAside aside(other);
    ASSERT_TRUE(aside.can_pass());
    DeferredContext bound(Deadline(), too_late);
    aside.pass_to(bound);
    is_waiting.set();
    EXPECT_EQ(Event().wait().code(), Code::aborted);
    EXPECT_EQ(Context::current().status().message(), "enough");
    aside.pass_no_more();
  }
  EXPECT_TRUE(other.status().is_ok()) << "it is the session's, say";
  EXPECT_EQ(sleep(1h).code(), Code::aborted) << "and it is over for what follows";
  EXPECT_EQ(Context::current().status().message(), "enough");
}

PARLEY_FIBER_TEST(SetAside, passes_its_end_to_what_was_made_inside) {
  const auto [other, cancel] = Context::background().with_cancel();
  DeferredContext mine(Deadline(), too_late, Above::lasts);
  SetAside aside(other);
  DeferredContext bound(Deadline(), too_late);
  aside.pass_to(bound);
  const auto [child, end] = Context::current().with_cancel();
  mine.end(enough);
  EXPECT_EQ(child.status().code(), Code::aborted);
  aside.pass_no_more();
}

PARLEY_FIBER_TEST(SetAside, what_ended_before_it_can_pass_ends_the_work_at_once) {
  const auto [other, cancel] = Context::background().with_cancel();
  DeferredContext mine(Deadline(), too_late, Above::lasts);
  SetAside aside(other);
  mine.end(enough);
  DeferredContext bound(Deadline(), too_late);
  EXPECT_TRUE(sleep(1ms).is_ok()) << "nobody has passed it on";
  aside.pass_to(bound);
  EXPECT_EQ(sleep(1h).code(), Code::aborted);
  aside.pass_no_more();
}

PARLEY_FIBER_TEST(SetAside, an_end_after_it_passes_no_more_is_found_afterwards) {
  const auto [other, cancel] = Context::background().with_cancel();
  DeferredContext mine(Deadline(), too_late, Above::lasts);
  {
    SetAside aside(other);
    {
      DeferredContext bound(Deadline(), too_late);
      aside.pass_to(bound);
      aside.pass_no_more();
    }
    mine.end(enough);
    EXPECT_TRUE(sleep(1ms).is_ok());
  }
  EXPECT_EQ(sleep(1h).code(), Code::aborted);
}

// Who ends it comes at any moment: before, meanwhile or afterwards.
void end_at_any_time() {
  const auto [other, cancel] = Context::background().with_cancel();
  for (int i = 0; i < 300; ++i) {
    Event go;
    Scope scope;
    DeferredContext mine(Deadline(), too_late, Above::lasts);
    scope.go("end", [&] {
      (void)go.wait();
      mine.end(enough);
    });
    go.set();
    for (int j = 0; j < 3; ++j) {
      SetAside aside(other);
      DeferredContext bound(Deadline(), too_late);
      if (aside.can_pass()) aside.pass_to(bound);
      if (i % 2 == 0) (void)Context::current();
      yield();
      if (aside.can_pass()) aside.pass_no_more();
    }
    EXPECT_EQ(Event().wait().code(), Code::aborted) << i;
    scope.join();
  }
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_TRUE(other.status().is_ok());
}

PARLEY_FIBER_TEST(SetAside, is_ended_at_any_time) { end_at_any_time(); }

TEST(SetAside, is_ended_at_any_time_on_four_workers) {
  testing::run_fiber_test([] { end_at_any_time(); }, {.workers = 4});
}

}  // namespace
}  // namespace parley::rt
