#include <memory>
#include <mutex>
#include <string>

#include "parley/rt/completion.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

PARLEY_FIBER_TEST(Mutex, lets_one_fiber_in_at_a_time_in_the_order_they_came) {
  Mutex mutex;
  int inside = 0;
  std::string came;
  std::string order;
  Scope scope;
  for (const char name : {'a', 'b', 'c'}) {
    scope.go("locker", [&, name] {
      came += name;
      const std::lock_guard lock(mutex);
      EXPECT_EQ(++inside, 1);
      order += name;
      yield();
      --inside;
    });
  }
  scope.join();
  EXPECT_EQ(came.size(), 3U);
  EXPECT_EQ(order, came);
}

PARLEY_FIBER_TEST(Mutex, try_lock_never_waits) {
  Mutex mutex;
  EXPECT_TRUE(mutex.try_lock());
  Scope scope;
  scope.go("other", [&] { EXPECT_FALSE(mutex.try_lock()); });
  scope.join();
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

#ifndef NDEBUG
TEST(Mutex, locking_what_one_holds_is_found_in_debug_builds) {
  EXPECT_DEATH(parley::run([] {
                 Mutex mutex;
                 mutex.lock();
                 mutex.lock();
               }),
               "already holds the Mutex");
}
#endif

TEST(Mutex, misuse_is_a_bug_with_a_name) {
  EXPECT_DEATH(parley::run([] {
                 Mutex mutex;
                 mutex.unlock();
               }),
               "unlocked by the fiber that locked it");
  EXPECT_DEATH(parley::run([] {
                 Mutex mutex;
                 mutex.lock();
               }),
               "a locked Mutex was destroyed");
}

PARLEY_FIBER_TEST(WaitGroup, waits_until_as_much_is_done_as_was_added) {
  WaitGroup group;
  EXPECT_TRUE(group.wait().is_ok());
  group.add(2);
  EXPECT_EQ(group.wait(Deadline::after(1ms)).code(), Code::deadline_exceeded);
  Scope scope;
  for (int i = 0; i < 2; ++i) scope.go("worker", [&] { group.done(); });
  EXPECT_TRUE(group.wait().is_ok());
  EXPECT_EQ(group.count(), 0u);
}

TEST(WaitGroup, more_done_than_added_is_a_bug) {
  EXPECT_DEATH(WaitGroup().done(), "more often than add");
}

PARLEY_FIBER_TEST(Event, wakes_all_who_wait_and_lets_later_ones_pass) {
  Event event;
  int woken = 0;
  Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("waiter", [&] {
      EXPECT_TRUE(event.wait().is_ok());
      ++woken;
    });
  }
  yield();
  EXPECT_EQ(woken, 0);
  event.set();
  event.set();
  scope.join();
  EXPECT_EQ(woken, 3);
  EXPECT_TRUE(event.wait().is_ok());
  event.reset();
  EXPECT_EQ(event.wait(Deadline::after(1ms)).code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Scope, joins_what_it_started_even_what_started_while_joining) {
  int done = 0;
  {
    Scope scope;
    scope.go("parent", [&] {
      yield();
      scope.go("child", [&] {
        yield();
        ++done;
      });
      ++done;
    });
  }
  EXPECT_EQ(done, 2);
}

PARLEY_FIBER_TEST(Scope, on_exit_decides_whether_the_end_waits_or_cancels) {
  Status joined;
  Status cancelled;
  {
    const Scope outer;
    Scope scope(OnExit::join);
    scope.go("joined", [&] { joined = sleep(1ms); });
  }
  {
    Scope scope(OnExit::cancel);
    scope.go("cancelled", [&] { cancelled = sleep(1h); });
    yield();
  }
  EXPECT_TRUE(joined.is_ok());
  EXPECT_EQ(cancelled.code(), Code::cancelled);
}

PARLEY_FIBER_TEST(Scope, cancel_ends_the_waits_of_all_its_fibers_and_of_scopes_within) {
  Status inner_status;
  Scope scope;
  scope.go("outer", [&] {
    Scope inner;
    inner.go("inner", [&] { inner_status = sleep(1h); });
  });
  yield();
  yield();
  scope.cancel(Status(Code::unavailable, "the shop is closed"));
  scope.join();
  EXPECT_EQ(inner_status.code(), Code::unavailable);
  EXPECT_EQ(inner_status.message(), "sleep: the shop is closed");
}

PARLEY_FIBER_TEST(Scope, under_another_parent_it_does_not_end_with_its_makers_context) {
  const auto [context, cancel] = Context::current().with_cancel();
  const WithContext bound(context);
  Scope inherits;
  Scope independent(Context::background());
  cancel();
  EXPECT_TRUE(inherits.context().is_done());
  EXPECT_FALSE(independent.context().is_done());
}

TEST(Scope, destroying_what_a_fiber_waits_for_is_a_bug) {
  EXPECT_DEATH(parley::run([] {
                 auto event = std::make_unique<Event>();
                 Scope scope;
                 scope.go("waiter", [&] { (void)event->wait(); });
                 yield();
                 event.reset();
               }),
               "destroyed while a fiber waits for it");
}

PARLEY_FIBER_TEST(Context, a_deadline_ends_every_wait_under_it) {
  const auto [context, cancel] = Context::current().with_timeout(1ms);
  const WithContext bound(context);
  Event never;
  EXPECT_EQ(never.wait().code(), Code::deadline_exceeded);
  EXPECT_EQ(never.wait(Deadline::after(1h)).code(), Code::deadline_exceeded);
  EXPECT_TRUE(context.is_done());
  EXPECT_EQ(context.status().code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Context, a_child_never_has_more_time_than_its_parent) {
  const auto [parent, cancel_parent] = Context::current().with_timeout(1s);
  const auto [child, cancel_child] = parent.with_timeout(1h);
  EXPECT_EQ(child.deadline(), parent.deadline());
  const auto [shorter, cancel_shorter] = parent.with_timeout(1ms);
  EXPECT_LT(shorter.deadline(), parent.deadline());
}

PARLEY_FIBER_TEST(Context, cancelling_reaches_children_and_not_parents) {
  const auto [parent, cancel_parent] = Context::current().with_cancel();
  auto [child, cancel_child] = parent.with_cancel();
  const auto [grandchild, cancel_grandchild] = child.with_cancel();
  cancel_child(Status(Code::aborted, "enough"));
  cancel_child(Status(Code::internal, "too late"));
  EXPECT_TRUE(parent.status().is_ok());
  EXPECT_EQ(child.status().message(), "enough");
  EXPECT_EQ(grandchild.status().message(), "enough");
  EXPECT_EQ(child.with_cancel().first.status().message(), "enough");
}

PARLEY_FIBER_TEST(Context, knows_its_ancestors) {
  const auto [parent, cancel_parent] = Context::current().with_cancel();
  const auto [child, cancel_child] = parent.with_cancel();
  EXPECT_TRUE(child.descends_from(parent));
  EXPECT_TRUE(child.descends_from(Context::current()));
  EXPECT_TRUE(child.descends_from(child));
  EXPECT_FALSE(parent.descends_from(child));
  EXPECT_FALSE(child.descends_from(Context::background()));
}

PARLEY_FIBER_TEST(Context, goes_with_the_cancel_that_owned_it) {
  const Context context = Context::current().with_cancel().first;
  EXPECT_EQ(context.status().code(), Code::cancelled);
}

PARLEY_FIBER_TEST(Context, wait_done_is_the_channel_one_would_select_on_in_go) {
  auto [context, cancel] = Context::current().with_cancel();
  Scope scope;
  scope.go("canceller", [&cancel = cancel] { cancel(Status(Code::aborted, "stop")); });
  EXPECT_EQ(context.wait_done().code(), Code::aborted);
}

PARLEY_FIBER_TEST(Context, a_done_context_does_not_stop_what_need_not_wait) {
  auto [context, cancel] = Context::current().with_cancel();
  cancel();
  const WithContext bound(context);
  Event happened;
  happened.set();
  EXPECT_TRUE(happened.wait().is_ok());
  EXPECT_EQ(sleep(1ms).code(), Code::cancelled);
}

TEST(Context, ok_is_no_cause) {
  EXPECT_DEATH(Context::background().with_cancel().second(Status()), "with a cause, not with ok");
}

PARLEY_FIBER_TEST(Completion, wakes_who_waits_and_lets_later_waits_through) {
  Completion done;
  Status status(Code::unknown, "not run");
  Scope scope;
  scope.go("waiter", [&] { status = done.wait(); });
  yield();
  EXPECT_FALSE(done.is_set());
  done.set();
  scope.join();
  EXPECT_TRUE(status.is_ok());
  done.set();
  EXPECT_TRUE(done.is_set());
  EXPECT_TRUE(done.wait(Deadline::after(0ms)).is_ok());
}

PARLEY_FIBER_TEST(Completion, a_wait_ends_with_its_deadline_or_its_context_and_may_begin_again) {
  Completion done;
  EXPECT_EQ(done.wait(Deadline::after(1ms)).code(), Code::deadline_exceeded);
  {
    auto [context, cancel] = Context::current().with_timeout(1ms);
    const WithContext bound(context);
    EXPECT_EQ(done.wait().code(), Code::deadline_exceeded);
  }
  Scope scope;
  scope.go("setter", [&] { done.set(); });
  EXPECT_TRUE(done.wait().is_ok());
  scope.join();
}

// It may be gone as soon as its waiter knows that it is set.
TEST(Completion, may_go_with_the_stack_of_who_waited) {
  Runtime runtime({.workers = 4});
  int timed_out = 0;
  runtime.run([&] {
    Scope scope;
    for (int i = 0; i < 2'000; ++i) {
      Completion done;
      scope.go("setter", [&done] { done.set(); });
      if (!done.wait(Deadline::after(std::chrono::microseconds(i % 20))).is_ok()) {
        ++timed_out;
        EXPECT_TRUE(done.wait().is_ok());
      }
    }
    scope.join();
  });
  EXPECT_LE(timed_out, 2'000);
}

}  // namespace
}  // namespace parley::rt
