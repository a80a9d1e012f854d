// What travels with a call besides its arguments: until when its caller waits, and the word that it
// does not wait any more.

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "parley/base/clock.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// How long the handler that asks has, in microseconds; nothing: for ever.
std::optional<std::int64_t> microseconds_left() {
  const rt::Deadline deadline = rt::Context::current().deadline();
  if (deadline.is_never()) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(deadline.instant() - rt::now())
      .count();
}

// How a handler's wait ended.
struct Ending {
  Status status;
};

using Left = std::optional<std::int64_t>;

PARLEY_PEER_TEST(Deadlines, a_handler_has_the_deadline_of_its_caller) {
  Pair pair;
  pair.server.handle("/left", microseconds_left);
  const Session session = pair.dial();
  const Left by_default = session.call<Left>("/left").value();
  EXPECT_GT(by_default.value(), 20'000'000);
  EXPECT_LE(by_default.value(), 30'000'000);
  const Left by_option = session.call<Left>({.timeout = 5min}, "/left").value();
  EXPECT_GT(by_option.value(), 290'000'000);
  const auto [context, cancel] = rt::Context::current().with_timeout(25s);
  const rt::WithContext bound(context);
  const Left by_context = session.call<Left>("/left").value();
  EXPECT_GT(by_context.value(), 15'000'000);
  EXPECT_LE(by_context.value(), 25'000'000);
}

PARLEY_PEER_TEST(Deadlines, a_deadline_shrinks_from_call_to_call) {
  Pair pair;
  pair.client.handle("/left", microseconds_left);
  pair.server.handle("/through", [](Context& context) {
    return context.session().call<Left>({.timeout = 10min}, "/left");
  });
  const Left left = pair.dial().call<Left>({.timeout = 10s}, "/through").value();
  EXPECT_GT(left.value(), 0);
  EXPECT_LE(left.value(), 10'000'000);
}

// By hand, since a caller that is cut off would say so, and be heard first perhaps.
PARLEY_PEER_TEST(Deadlines, a_handler_that_waits_ends_with_its_callers_deadline) {
  rt::Channel<Ending> ended(10);
  Pair pair;
  pair.server.handle("/wait", [&] { (void)ended.send(Ending{rt::Event().wait()}); });
  testing::Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  // Not the session's: that goes on.
  for (std::int32_t seq = 1; seq <= 2; ++seq) {
    foreign.say({.seq = seq, .method = "/wait", .timeout = 50ms});
    const Status why = ended.receive()->status;
    EXPECT_EQ(why.code(), Code::deadline_exceeded);
    EXPECT_NE(why.message().find("the caller's deadline has passed"), std::string::npos) << why;
    EXPECT_EQ(foreign.hear().seq, seq);
  }
}

PARLEY_PEER_TEST(Deadlines, a_caller_that_gives_up_ends_its_handler_and_no_other) {
  rt::Event release;
  std::atomic<int> waiting = 0;
  rt::Channel<Ending> ended(10);
  Pair pair;
  pair.server.handle("/wait", [&] {
    ++waiting;
    (void)ended.send(Ending{release.wait()});
  });
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("other", [&] { EXPECT_TRUE(session.call("/wait")); });
  auto [context, cancel] = rt::Context::current().with_cancel();
  scope.go("caller", [&context = context, &session] {
    const rt::WithContext bound(context);
    EXPECT_EQ(session.call("/wait").error().code(), Code::aborted);
  });
  while (waiting < 2) rt::yield();
  cancel(Status(Code::aborted, "changed my mind"));
  const Status given_up = ended.receive()->status;
  EXPECT_EQ(given_up.code(), Code::cancelled);
  EXPECT_NE(given_up.message().find("the caller has given up"), std::string::npos) << given_up;
  release.set();
  EXPECT_TRUE(ended.receive()->status.is_ok());
}

PARLEY_PEER_TEST(Deadlines, giving_up_goes_through_all_that_was_called_for_it) {
  rt::Event is_waiting;
  rt::Channel<Ending> ended(1);
  Pair pair;
  pair.client.handle("/wait", [&] {
    is_waiting.set();
    (void)ended.send(Ending{rt::Event().wait()});
  });
  pair.server.handle("/through", [](Context& context) { return context.session().call("/wait"); });
  const Session session = pair.dial();
  auto [context, cancel] = rt::Context::current().with_cancel();
  rt::Scope scope;
  scope.go("caller", [&context = context, &session] {
    const rt::WithContext bound(context);
    EXPECT_FALSE(session.call("/through"));
  });
  (void)is_waiting.wait();
  cancel();
  EXPECT_EQ(ended.receive()->status.code(), Code::cancelled);
}

PARLEY_PEER_TEST(Deadlines, a_handler_is_ended_also_when_it_waits_for_what_nothing_ends) {
  rt::Mutex mutex;
  rt::Event is_waiting;
  rt::Channel<Ending> ended(1);
  Pair pair;
  pair.server.handle("/lock", [&] {
    is_waiting.set();
    mutex.lock();
    mutex.unlock();
    (void)ended.send(Ending{rt::Context::current().status()});
  });
  pair.server.handle("/here", [] {});
  const Session session = pair.dial();
  auto [context, cancel] = rt::Context::current().with_cancel();
  mutex.lock();
  rt::Scope scope;
  scope.go("caller", [&context = context, &session] {
    const rt::WithContext bound(context);
    EXPECT_EQ(session.call("/lock").error().code(), Code::cancelled);
  });
  (void)is_waiting.wait();
  cancel();
  scope.join();
  EXPECT_TRUE(session.call("/here"));  // behind the cancel
  mutex.unlock();
  EXPECT_EQ(ended.receive()->status.code(), Code::cancelled);
}

TEST(Deadlines, a_handler_that_computes_can_see_that_its_caller_has_given_up) {
  rt::testing::run_fiber_test(
      [] {
        std::atomic<bool> is_computing = false;
        std::atomic<bool> has_seen = false;
        Pair pair;
        pair.server.handle("/compute", [&] {
          const rt::Context context = rt::Context::current();
          is_computing = true;
          while (!context.is_done()) {}
          has_seen = true;
        });
        const Session session = pair.dial();
        auto [context, cancel] = rt::Context::current().with_cancel();
        rt::Scope scope;
        scope.go("caller", [&context = context, &session] {
          const rt::WithContext bound(context);
          EXPECT_EQ(session.call("/compute").error().code(), Code::cancelled);
        });
        while (!is_computing) rt::yield();
        cancel();
        while (!has_seen) rt::yield();
      },
      {.workers = 4});
}

PARLEY_PEER_TEST(Deadlines, a_thousand_callers_that_give_up_leave_no_handler_behind) {
  constexpr int calls = 1'000;
  std::atomic<int> waiting = 0;
  std::atomic<int> cancelled = 0;
  Pair pair;
  pair.server.handle("/wait", [&] {
    ++waiting;
    if (rt::Event().wait().code() == Code::cancelled) ++cancelled;
  });
  const Session session = pair.dial();
  auto [context, cancel] = rt::Context::current().with_cancel();
  rt::Scope scope;
  for (int i = 0; i < calls; ++i) {
    scope.go("caller", [&context = context, &session] {
      const rt::WithContext bound(context);
      EXPECT_EQ(session.call("/wait").error().code(), Code::cancelled);
    });
  }
  while (waiting < calls) rt::yield();
  cancel();
  while (cancelled < calls) rt::yield();
}

// On one worker, so that what stands behind a call that computes comes too late.
TEST(Deadlines, a_call_whose_deadline_passes_before_its_turn_is_not_run) {
  rt::testing::run_fiber_test([] {
    std::atomic<int> ran = 0;
    Pair pair;
    pair.server.handle("/compute", [] {
      const Instant end = RealClock().now() + 20ms;
      while (RealClock().now() < end) {}
    });
    pair.server.handle("/count", [&] { return ++ran; });
    testing::Foreign foreign(pair.address);
    foreign.say_hello();
    EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
    foreign.say_at_once({{.seq = 1, .method = "/compute"},
                         {.seq = 2, .method = "/count", .timeout = 5ms},
                         {.seq = 3, .method = "/count", .timeout = 1h}});
    EXPECT_EQ(foreign.hear().seq, 1);
    const wire::Message late = foreign.hear();
    EXPECT_EQ(late.seq, 2);
    EXPECT_EQ(late.status.code(), Code::deadline_exceeded);
    EXPECT_EQ(late.status.message(),
              "the caller's deadline had passed before the call could be run");
    EXPECT_EQ(foreign.hear().body, "1");
  });
}

PARLEY_PEER_TEST(Deadlines, a_word_that_nobody_waits_is_of_no_effect_when_nobody_serves) {
  Pair pair;
  pair.server.handle("/here", [] { return 1; });
  testing::Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say_at_once({{.seq = 1, .type = wire::MessageType::cancel},
                       {.seq = 1, .method = "/here"},
                       {.seq = 1, .type = wire::MessageType::cancel},
                       {.seq = 2, .method = "/here"}});
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  // The second one may be through first.
  EXPECT_EQ(foreign.hear().seq + foreign.hear().seq, 3);
}

// Nobody may use one number twice at once; who does can give up the first of the calls only.
PARLEY_PEER_TEST(Deadlines, of_two_calls_of_one_number_the_first_can_be_given_up) {
  std::atomic<int> cancelled = 0;
  std::atomic<int> waiting = 0;
  rt::Event release;
  Pair pair;
  pair.server.handle("/wait", [&] {
    ++waiting;
    if (release.wait().code() == Code::cancelled) ++cancelled;
  });
  testing::Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  foreign.say_at_once({{.seq = 1, .method = "/wait"}, {.seq = 1, .method = "/wait"}});
  while (waiting < 2) rt::yield();
  foreign.say({.seq = 1, .type = wire::MessageType::cancel});
  EXPECT_EQ(foreign.hear().seq, 1);
  release.set();
  EXPECT_EQ(foreign.hear().seq, 1);
  EXPECT_EQ(cancelled, 1);
}

PARLEY_PEER_TEST(Deadlines, raw_carries_neither) {
  rt::Event is_waiting;
  rt::Event release;
  rt::Channel<Ending> ended(1);
  Pair pair({.framings = testing::raw_only()}, {.framings = testing::raw_only()});
  pair.server.handle("/left", microseconds_left);
  pair.server.handle("/wait", [&] {
    is_waiting.set();
    (void)ended.send(Ending{release.wait()});
  });
  const Session session = pair.dial();
  EXPECT_FALSE(session.call<Left>("/left").value());
  auto [context, cancel] = rt::Context::current().with_cancel();
  rt::Scope scope;
  scope.go("caller", [&context = context, &session] {
    const rt::WithContext bound(context);
    EXPECT_EQ(session.call("/wait").error().code(), Code::cancelled);
  });
  (void)is_waiting.wait();
  cancel();
  scope.join();
  EXPECT_FALSE(session.call<Left>("/left").value());
  release.set();
  EXPECT_TRUE(ended.receive()->status.is_ok());
}

// Says when it is in, and waits until its caller has gone.
class Slow {
 public:
  void serve(Peer& peer) {
    peer.handle("/job/slow", [this](int) {
      entered_.set();
      (void)rt::Event().wait();
    });
  }
  void wait_for_entered() {
    EXPECT_TRUE(entered_.wait().is_ok());
    entered_.reset();
  }

 private:
  rt::Event entered_;
};

PARLEY_PEER_TEST(Deadlines, a_call_that_is_cancelled_says_which_it_was_and_to_whom) {
  Slow slow;
  Pair pair;
  slow.serve(pair.server);
  const Session session = pair.dial();
  const std::string expected = "the call of /job/slow to " + session.remote_address() +
                               " was cancelled; it may still run there";
  const Status reasons[] = {Status(Code::cancelled, "cancelled"),
                            Status(Code::aborted, "changed my mind").with_cause("rain")};
  for (const Status& reason : reasons) {
    auto [context, cancel] = rt::Context::current().with_cancel();
    Status called;
    Status awaited;
    {
      rt::Scope scope;
      scope.go("caller", [&, &bound_to = context] {
        const rt::WithContext bound(bound_to);
        called = session.call("/job/slow", 1).error();
        auto handle = session.call_async("/job/slow", 1);
        awaited = handle.get().error();
      });
      slow.wait_for_entered();
      cancel(reason);
    }
    EXPECT_EQ(called.code(), reason.code());
    EXPECT_EQ(called.message(), expected);
    EXPECT_EQ(called.cause(), reason.code() == Code::cancelled ? "" : "changed my mind: rain");
    EXPECT_EQ(awaited.code(), reason.code()) << "its context is over before it is sent";
    EXPECT_EQ(awaited.message().find("event:"), std::string::npos) << awaited;
  }
}

PARLEY_PEER_TEST(Deadlines, a_call_that_is_cancelled_while_its_handle_is_asked_says_so_too) {
  Slow slow;
  Pair pair;
  slow.serve(pair.server);
  const Session session = pair.dial();
  auto [context, cancel] = rt::Context::current().with_cancel();
  Status awaited;
  auto handle = session.call_async("/job/slow", 1);
  rt::Scope scope;
  scope.go("caller", [&, &bound_to = context] {
    const rt::WithContext bound(bound_to);
    awaited = handle.get().error();
  });
  slow.wait_for_entered();
  cancel();
  scope.join();
  EXPECT_EQ(awaited.code(), Code::cancelled);
  EXPECT_EQ(awaited.message(), "the call of /job/slow to " + session.remote_address() +
                                   " was cancelled; it may still run there");
}

}  // namespace
}  // namespace parley
