#include "parley/rt/deferred_context.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

const Status too_late(Code::deadline_exceeded, "too late");

// The context the fiber has.
std::shared_ptr<impl::ContextNode> current() { return Context::current().node(); }

PARLEY_FIBER_TEST(DeferredContext, is_not_made_for_what_does_not_ask_for_it) {
  const auto before = current();
  {
    const DeferredContext context(Deadline::after(1h), too_late);
    EXPECT_TRUE(sleep(1ms).is_ok());
    Mutex free;
    const std::lock_guard lock(free);
    yield();
    EXPECT_FALSE(context.was_made());
  }
  EXPECT_EQ(current(), before);
}

PARLEY_FIBER_TEST(DeferredContext, that_nobody_asked_for_serves_the_next_piece_of_work) {
  DeferredContext context(Deadline::after(1ms), too_late);
  ASSERT_TRUE(context.renew(Deadline::after(1h)));
  EXPECT_TRUE(sleep(5ms).is_ok()) << "the deadline is that of the second";
  ASSERT_TRUE(context.renew(Deadline::after(1ms)));
  EXPECT_EQ(sleep(1h), too_late.with_context("sleep"));
  EXPECT_FALSE(context.renew(Deadline::never())) << "it was asked for, to say why it ended";
}

PARLEY_FIBER_TEST(DeferredContext, that_was_ended_is_not_renewed) {
  DeferredContext context(Deadline::never(), too_late);
  context.end(Status(Code::cancelled, "enough"));
  EXPECT_FALSE(context.renew(Deadline::never()));
  EXPECT_EQ(Context::current().status().message(), "enough");
}

PARLEY_FIBER_TEST(DeferredContext, is_made_once_when_asked_for_and_gone_with_its_block) {
  const Context before = Context::current();
  std::optional<Context> kept;
  {
    const DeferredContext context(Deadline::after(1h), too_late);
    kept = Context::current();
    EXPECT_TRUE(context.was_made());
    EXPECT_NE(kept->node(), before.node());
    EXPECT_EQ(kept->node(), current());
    EXPECT_TRUE(kept->descends_from(before));
    EXPECT_EQ(kept->deadline(), context.deadline());
    EXPECT_TRUE(sleep(1ms).is_ok());
    EXPECT_FALSE(kept->is_done());
  }
  EXPECT_EQ(current(), before.node());
  EXPECT_TRUE(kept->is_done());
}

PARLEY_FIBER_TEST(DeferredContext, a_wait_ends_with_its_deadline) {
  const DeferredContext context(Deadline::after(1ms), too_late);
  const Status status = Event().wait(Deadline::after(1h));
  EXPECT_EQ(status.code(), Code::deadline_exceeded);
  EXPECT_NE(status.message().find("too late"), std::string::npos) << status;
  // Further ones do not begin.
  EXPECT_NE(sleep(1h).message().find("too late"), std::string::npos);
  EXPECT_EQ(Context::current().status(), too_late);
}

PARLEY_FIBER_TEST(DeferredContext, a_wait_with_an_earlier_deadline_ends_with_that) {
  const DeferredContext context(Deadline::after(1h), too_late);
  EXPECT_EQ(Event().wait(Deadline::after(1ms)).message().find("too late"), std::string::npos);
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_FALSE(Context::current().is_done());
}

PARLEY_FIBER_TEST(DeferredContext, ending_it_ends_a_wait_and_those_after_it) {
  Event is_waiting;
  Scope scope;
  DeferredContext context(Deadline(), too_late);
  scope.go("end", [&] {
    (void)is_waiting.wait();
    yield();
    context.end(Status(Code::aborted, "enough"));
    context.end(Status(Code::unknown, "again"));
  });
  is_waiting.set();
  EXPECT_EQ(Event().wait().code(), Code::aborted);
  EXPECT_EQ(sleep(1h).code(), Code::aborted);
  EXPECT_EQ(Context::current().status().message(), "enough");
}

PARLEY_FIBER_TEST(DeferredContext, ended_before_it_is_made_it_is_over_from_the_start) {
  const Context before = Context::current();
  {
    DeferredContext context(Deadline(), too_late);
    context.end(Status(Code::aborted, "enough"));
    EXPECT_FALSE(context.was_made());
    EXPECT_EQ(Context::current().status().code(), Code::aborted);
  }
  EXPECT_TRUE(before.status().is_ok());
  EXPECT_TRUE(sleep(1ms).is_ok());
  {
    DeferredContext context(Deadline(), too_late);
    context.end(Status(Code::aborted, "enough"));
  }
  EXPECT_TRUE(sleep(1ms).is_ok()) << "its end is not that of the context around it";
}

PARLEY_FIBER_TEST(DeferredContext, ending_it_once_made_ends_what_was_made_from_it) {
  DeferredContext context(Deadline(), too_late);
  auto [child, cancel] = Context::current().with_cancel();
  EXPECT_FALSE(child.is_done());
  context.end(Status(Code::aborted, "enough"));
  EXPECT_EQ(child.status().code(), Code::aborted);
}

PARLEY_FIBER_TEST(DeferredContext, the_end_of_the_context_around_it_is_its_end) {
  auto [around, end] = Context::current().with_cancel();
  const WithContext bound(around);
  Scope scope;
  scope.go("end", [&end = end] { end(); });
  const DeferredContext context(Deadline(), too_late);
  EXPECT_EQ(Event().wait().code(), Code::cancelled);
  EXPECT_TRUE(Context::current().is_done());
}

PARLEY_FIBER_TEST(DeferredContext,
                  what_nothing_ends_is_waited_for_and_the_end_is_found_afterwards) {
  Mutex mutex;
  Event is_held;
  Event let_go;
  Scope scope;
  scope.go("holder", [&] {
    const std::lock_guard lock(mutex);
    is_held.set();
    (void)let_go.wait();
  });
  (void)is_held.wait();
  DeferredContext context(Deadline(), too_late);
  scope.go("let go", [&] {
    context.end(Status(Code::aborted, "enough"));
    let_go.set();
  });
  {
    const std::lock_guard lock(mutex);
    EXPECT_FALSE(context.was_made());
  }
  EXPECT_EQ(sleep(1h).code(), Code::aborted);
}

PARLEY_FIBER_TEST(DeferredContext, another_context_inside_ends_before_it) {
  const Context before = Context::current();
  {
    const DeferredContext context(Deadline::after(1h), too_late);
    {
      const WithContext inner(Context::background());
      EXPECT_TRUE(context.was_made());
      EXPECT_FALSE(Context::current().descends_from(before));
      EXPECT_TRUE(sleep(1ms).is_ok());
    }
    EXPECT_TRUE(Context::current().descends_from(before));
    EXPECT_NE(current(), before.node());
  }
  EXPECT_EQ(current(), before.node());
}

PARLEY_FIBER_TEST(DeferredContext, one_inside_another_makes_the_outer_one) {
  const auto before = current();
  const DeferredContext outer(Deadline::after(1h), too_late);
  {
    const DeferredContext inner(Deadline::after(1ms), too_late);
    EXPECT_TRUE(outer.was_made());
    EXPECT_FALSE(inner.was_made());
    EXPECT_FALSE(sleep(1h).is_ok());
  }
  EXPECT_TRUE(sleep(1ms).is_ok());
  EXPECT_NE(current(), before);
}

PARLEY_FIBER_TEST(DeferredContext, a_select_ends_with_it) {
  Channel<int> nothing;
  const DeferredContext context(Deadline::after(1ms), too_late);
  const Status status = select(on_receive(nothing, [](auto) {}));
  EXPECT_EQ(status.code(), Code::deadline_exceeded) << status;
}

// On several workers: it, or the context around it, ends just when a wait begins.
void end_as_a_wait_begins(bool is_made) {
  testing::run_fiber_test(
      [is_made] {
        for (int i = 0; i < 2'000; ++i) {
          auto [around, end] = Context::current().with_cancel();
          Event is_there;
          Event is_over;
          DeferredContext* context = nullptr;
          Scope scope;
          scope.go("end", [&, &end = end] {
            (void)is_there.wait();
            for (int spin = 0; spin < i % 100; ++spin) yield();
            if (i % 2 == 0) {
              end(Status(Code::aborted, "around it"));
            } else {
              context->end(Status(Code::aborted, "itself"));
            }
            is_over.set();
          });
          scope.go("wait", [&, &around = around] {
            const WithContext bound(around);
            DeferredContext deferred(Deadline::after(1h), too_late);
            if (is_made) (void)Context::current();
            context = &deferred;
            is_there.set();
            EXPECT_EQ(Event().wait().code(), Code::aborted);
            const WithContext whatever_happens(Context::background());
            (void)is_over.wait();
          });
        }
      },
      {.workers = 4});
}

TEST(DeferredContext, no_end_is_missed_that_comes_as_a_wait_begins) {
  end_as_a_wait_begins(false);
  end_as_a_wait_begins(true);
}

}  // namespace
}  // namespace parley::rt
