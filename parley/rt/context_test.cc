// The contract of Go's package context, a sentence a test; the waits themselves are in
// sync_test.cc.
#include "parley/rt/context.h"
#include "parley/rt/deferred_context.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/rt/done_call.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

struct User {
  std::string name;
};
struct TraceId {
  int number;
};

PARLEY_FIBER_TEST(Context, a_value_is_found_by_its_type_in_it_and_below) {
  const Context base = Context::background();
  EXPECT_EQ(base.value<User>(), nullptr);
  const Context alice = base.with_value(User{"alice"});
  const Context traced = alice.with_value(TraceId{7});
  const Context bob = traced.with_value(User{"bob"});
  EXPECT_EQ(alice.value<User>()->name, "alice");
  EXPECT_EQ(alice.value<TraceId>(), nullptr);
  EXPECT_EQ(traced.value<User>()->name, "alice");
  EXPECT_EQ(bob.value<User>()->name, "bob");
  EXPECT_EQ(bob.value<TraceId>()->number, 7);
}

// Without a handle, and the same as with one.
PARLEY_FIBER_TEST(Context, the_current_one_is_looked_at_without_being_made) {
  Deadline deadline;
  EXPECT_TRUE(Context::look_at_current(now(), deadline).is_ok());
  EXPECT_TRUE(deadline.is_never());
  const Deadline outer = Deadline::after(1h);
  auto [context, cancel] = Context::current().with_deadline(outer);
  const WithContext bound(context);
  EXPECT_TRUE(Context::look_at_current(now(), deadline).is_ok());
  EXPECT_EQ(deadline, outer);
  const Status too_late(Code::deadline_exceeded, "too late");
  {
    const DeferredContext later(Deadline::after(2h), too_late);
    EXPECT_TRUE(Context::look_at_current(now(), deadline).is_ok());
    EXPECT_EQ(deadline, outer);
  }
  const Deadline inner = Deadline::after(1min);
  {
    DeferredContext sooner(inner, too_late);
    EXPECT_TRUE(Context::look_at_current(now(), deadline).is_ok());
    EXPECT_EQ(deadline, inner);
    EXPECT_FALSE(sooner.was_made());
    EXPECT_EQ(Context::look_at_current(inner.instant(), deadline), Status())
        << "it is not over by the runtime's clock";
  }
  cancel(Status(Code::cancelled, "enough"));
  EXPECT_EQ(Context::look_at_current(now(), deadline).message(), "enough");
}

PARLEY_FIBER_TEST(Context, a_value_does_not_stop_cancellation) {
  auto [parent, cancel] = Context::background().with_cancel();
  const Context child = parent.with_value(TraceId{1});
  cancel(Status(Code::aborted, "enough"));
  EXPECT_EQ(child.status().code(), Code::aborted);
  EXPECT_EQ(child.status().message(), "enough");
}

PARLEY_FIBER_TEST(Context, a_deadline_cancels_without_anybody_waiting) {
  auto [context, cancel] = Context::background().with_timeout(1ms);
  auto [child, cancel_child] = context.with_timeout(1h);
  EXPECT_EQ(child.deadline(), context.deadline());
  EXPECT_EQ(child.wait_done().code(), Code::deadline_exceeded);
  EXPECT_EQ(context.status().code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Context, what_was_cancelled_keeps_its_first_cause) {
  auto [context, cancel] = Context::background().with_timeout(1ms);
  cancel(Status(Code::aborted, "first"));
  cancel(Status(Code::cancelled, "second"));
  EXPECT_TRUE(sleep(2ms).is_ok());
  EXPECT_EQ(context.status().message(), "first");
}

PARLEY_FIBER_TEST(Context, a_child_of_an_ended_context_has_ended_as_it_did) {
  auto [context, cancel] = Context::background().with_cancel();
  cancel(Status(Code::aborted, "over"));
  auto [child, cancel_child] = context.with_timeout(1h);
  EXPECT_EQ(child.status().code(), Code::aborted);
}

PARLEY_FIBER_TEST(Context, a_deadline_ends_it_with_the_cause_given_along) {
  const Status slow(Code::unavailable, "the shop took too long");
  const auto [outer, outer_cancel] = Context::background().with_timeout(1ms, slow);
  const auto [inner, inner_cancel] = outer.with_timeout(1h, Status(Code::internal, "never seen"));
  const auto [early, early_cancel] = outer.with_timeout(0ms);
  const Context valued = inner.with_value(TraceId{7});
  EXPECT_EQ(early.status().code(), Code::deadline_exceeded);
  for (const Context& context : {valued, inner, outer}) EXPECT_EQ(context.wait_done(), slow);
  const WithContext bound(valued);
  EXPECT_EQ(rt::sleep(1h).code(), slow.code());
}

// There is no worker whose timers could hold it, until a fiber cares.
TEST(Context, a_deadline_of_one_made_outside_a_fiber_ends_waits_inside) {
  using Body = std::function<void(const Context&)>;
  const std::vector<Body> bodies{
      [](const Context& context) {
        const WithContext bound(context);
        EXPECT_EQ(rt::sleep(1h).code(), Code::deadline_exceeded);
      },
      [](const Context& context) {
        const auto [child, cancel] = context.with_cancel();
        const WithContext bound(child.with_value(TraceId{7}));
        Scope scope;
        scope.go("sleeper", [] { EXPECT_EQ(rt::sleep(1h).code(), Code::deadline_exceeded); });
      },
      [](const Context& context) {
        Event done;
        Scope scope;
        const DoneCall call(context, scope, "call", [&] { done.set(); });
        EXPECT_TRUE(done.wait().is_ok());
      },
      [](const Context& context) {
        EXPECT_TRUE(select(on_done(context, [](const Status&) {})).is_ok());
      },
  };
  for (const Body& body : bodies) {
    const auto [context, cancel] = Context::background().with_timeout(2ms);
    const Context valued = context.with_value(User{"alice"});
    // In two runtimes, of which the first goes before the deadline.
    testing::run_fiber_test([&, &of = valued] { const WithContext bound(of); });
    testing::run_fiber_test([&, &of = valued] { body(of); });
    EXPECT_EQ(valued.status().code(), Code::deadline_exceeded);
  }
}

TEST(Context, may_be_cancelled_and_go_after_its_runtime) {
  std::optional<std::pair<Context, Cancel>> kept;
  std::optional<std::pair<Context, Cancel>> disarmed;
  testing::run_fiber_test([&] {
    kept.emplace(Context::background().with_timeout(1h));
    disarmed.emplace(Context::background().with_timeout(1h));
    disarmed->second();
  });
  // AddressSanitizer sees a look at the wheel that is gone.
  kept->second(Status(Code::aborted, "later"));
  EXPECT_EQ(kept->first.status().code(), Code::aborted);
  disarmed.reset();
}

PARLEY_FIBER_TEST(Context, nesting_is_not_bounded_by_the_stack) {
  constexpr int deep = 100'000;
  auto [context, cancel] = Context::background().with_cancel();
  Context innermost = context;
  for (int i = 0; i < deep; ++i) innermost = innermost.with_value(TraceId{i});
  cancel(Status(Code::aborted, "enough"));
  EXPECT_EQ(innermost.status().code(), Code::aborted);
  EXPECT_EQ(innermost.value<TraceId>()->number, deep - 1);
  innermost = context;
}

PARLEY_FIBER_TEST(DoneCall, runs_in_a_fiber_of_its_scope_when_the_context_ends) {
  auto [context, cancel] = Context::current().with_cancel();
  Event ran;
  Scope scope;
  const DoneCall call(context, scope, "cleanup", [&] {
    yield();
    ran.set();
  });
  yield();
  EXPECT_FALSE(ran.is_set());
  cancel();
  EXPECT_TRUE(ran.wait().is_ok());
}

PARLEY_FIBER_TEST(DoneCall, runs_at_once_when_the_context_has_ended) {
  auto [context, cancel] = Context::current().with_cancel();
  cancel();
  Event ran;
  Scope scope;
  const DoneCall call(context, scope, "cleanup", [&] { ran.set(); });
  EXPECT_TRUE(ran.wait().is_ok());
}

// The cancel takes the call while its handle goes: the scope must still get the fiber.
TEST(DoneCall, that_is_cancelled_while_its_scope_ends_runs_in_it_or_not_at_all) {
  testing::run_fiber_test(
      [] {
        for (int round = 0; round < 2'000; ++round) {
          const auto [context, cancel] = Context::current().with_cancel();
          Scope canceller;
          canceller.go("canceller", [&cancel = cancel] { cancel(); });
          std::atomic<int> runs{0};
          {
            Scope scope;
            const DoneCall call(context, scope, "cleanup", [&runs] { ++runs; });
            if (round % 2 == 0) yield();
          }
          EXPECT_LE(runs.load(), 1);
        }
      },
      RuntimeOptions{.workers = 4});
}

PARLEY_FIBER_TEST(DoneCall, stop_tells_whether_it_came_in_time) {
  auto [context, cancel] = Context::current().with_cancel();
  std::atomic<int> ran = 0;
  const auto held = std::make_shared<int>(1);
  Scope scope;
  DoneCall stopped(context, scope, "stopped", [&ran, held] { ++ran; });
  DoneCall late(context, scope, "late", [&] { ++ran; });
  EXPECT_TRUE(stopped.stop());
  EXPECT_EQ(held.use_count(), 1);
  cancel();
  EXPECT_FALSE(late.stop());
  EXPECT_FALSE(stopped.stop());
  scope.join();
  EXPECT_EQ(ran, 1);
}

PARLEY_FIBER_TEST(DoneCall, runs_when_an_ancestor_or_a_deadline_ends_the_context) {
  auto [above, cancel] = Context::current().with_timeout(1ms);
  auto [context, cancel_below] = above.with_cancel();
  Event ran;
  Scope scope;
  const DoneCall call(context, scope, "cleanup", [&] { ran.set(); });
  EXPECT_TRUE(ran.wait().is_ok());
}

TEST(DoneCall, stopping_races_with_the_end_and_each_happens_once) {
  testing::run_fiber_test(
      [] {
        std::atomic<int> ran = 0;
        std::atomic<int> stopped = 0;
        for (int i = 0; i < 300; ++i) {
          auto [context, cancel] = Context::current().with_cancel();
          Scope scope;
          DoneCall call(context, scope, "runs", [&] { ++ran; });
          scope.go("canceller", [&cancel] { cancel(); });
          yield();
          if (call.stop()) ++stopped;
          scope.join();
        }
        EXPECT_EQ(ran + stopped, 300);
      },
      RuntimeOptions{.workers = 4});
}

PARLEY_FIBER_TEST(Context, the_one_that_a_block_has_put_aside_can_be_asked_for) {
  const auto [outer, cancel_outer] = Context::current().with_cancel();
  const auto [inner, cancel_inner] = Context::current().with_cancel();
  const WithContext around(outer);
  const WithContext bound(inner);
  EXPECT_EQ(bound.outer().node(), outer.node());
  cancel_outer();
  EXPECT_TRUE(bound.outer().is_done());
  EXPECT_FALSE(Context::current().is_done());
}

}  // namespace
}  // namespace parley::rt
