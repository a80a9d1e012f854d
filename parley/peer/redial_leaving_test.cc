// A session that is dialled again while its connection still ends: what was asked there is finished
// beside the next one.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "parley/peer/endpoints.h"
#include "parley/peer/shutdown.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Street;
using testing::wait_until;

// The shop is handed over to another one while it still serves a customer.
struct Handover {
  explicit Handover(PeerOptions options = {}) : street(std::move(options)) {
    street.server->handle("/gate", [this] {
      entered.set();
      return release.wait().is_ok() ? 7 : 0;
    });
  }
  ~Handover() {
    release.set();
    next.reset();
  }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // From here on the old one says that it goes.
  void hand_over() {
    scope.go("shutdown", [this] { report = street.server->shutdown({.limit = 1h}); });
    next.emplace(PeerOptions{.drain_timeout = 20ms, .network = &street.world.node("shop")});
    next->handle("/count", [this](int n) {
      ++runs;
      return n;
    });
    next->handle("/wait", [this]() -> Status {
      ++runs;
      return rt::Context::current().wait_done();
    });
    while (!next->listen("tcp://0.0.0.0:80")) rt::yield();
  }

  rt::Event entered;
  rt::Event release;
  std::atomic<int> runs = 0;
  ShutdownReport report;
  Street street;
  std::optional<Peer> next;
  rt::Scope scope;
};

PARLEY_PEER_TEST(RedialLeaving, new_calls_go_to_the_next_while_old_ones_are_finished) {
  Handover it;
  const Session session = it.street.dial();
  AsyncCall<int> asked = session.call_async<int>("/gate");
  ASSERT_TRUE(it.entered.wait().is_ok());
  it.hand_over();
  wait_until([&] { return !it.street.server->sessions().at(0).is_open(); });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session.call<int>("/count", i).value(), i);
  EXPECT_EQ(session.call_async<int>("/count", 4).get().value(), 4);
  EXPECT_FALSE(asked.has_ended());
  EXPECT_EQ(it.street.server->session_count(), 1U);
  it.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  it.scope.join();
  EXPECT_TRUE(it.report.is_clean()) << it.report.to_string();
  EXPECT_EQ(it.next->session_count(), 1U);
  EXPECT_EQ(it.street.client->session_count(), 1U);
}

// Those of one server do not wait before they come back one by one; who has just come does.
TEST(RedialLeaving, it_is_dialled_at_once_unless_it_has_just_come) {
  for (const bool has_just_come : {false, true}) {
    rt::testing::in_virtual_time(
        [&] {
          Handover it;
          const Session session =
              it.street.dial({.count = 3, .interval = 10s, .max_interval = 100s, .jitter = 0});
          if (!has_just_come) EXPECT_TRUE(rt::sleep(11s).is_ok());
          AsyncCall<int> asked = session.call_async<int>({.timeout = 1h}, "/gate");
          ASSERT_TRUE(it.entered.wait().is_ok());
          const Instant start = rt::now();
          it.hand_over();
          wait_until([&] { return !session.health().is_ok() || it.next->session_count() > 0; });
          EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
          if (has_just_come) {
            EXPECT_GE(rt::now() - start, 9s);
          } else {
            EXPECT_LT(rt::now() - start, 5s);
          }
          it.release.set();
          EXPECT_EQ(asked.get().value(), 7);
        },
        10ms);
  }
}

PARLEY_PEER_TEST(RedialLeaving, closing_the_session_closes_what_is_left_of_it) {
  Handover it({.drain_timeout = 20ms, .close_timeout = 20ms});
  const Session session = it.street.dial();
  AsyncCall<int> asked = session.call_async<int>("/gate");
  ASSERT_TRUE(it.entered.wait().is_ok());
  it.hand_over();
  EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
  session.close();
  EXPECT_EQ(asked.get().error().code(), Code::outcome_unknown);
  EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
  EXPECT_EQ(it.street.client->session_count(), 0U);
}

PARLEY_PEER_TEST(RedialLeaving, what_is_under_way_on_both_may_end_before_the_session_does) {
  Handover it;
  const Session session = it.street.dial();
  AsyncCall<int> asked = session.call_async<int>("/gate");
  ASSERT_TRUE(it.entered.wait().is_ok());
  it.hand_over();
  EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
  rt::Scope scope;
  ShutdownReport report;
  scope.go("shutdown", [&] { report = it.street.client->shutdown({.limit = 1h}); });
  wait_until([&] { return !session.is_open(); });
  it.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  scope.join();
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_EQ(report.finished, (WorkCount{.calls = 1}));
}

PARLEY_PEER_TEST(RedialLeaving, the_limit_of_a_shutdown_reaches_all_its_connections) {
  for (const Duration limit : {Duration(0ms), Duration(20ms)}) {
    Handover it({.drain_timeout = 1h, .close_timeout = 20ms});
    const Session session = it.street.dial();
    AsyncCall<int> asked = session.call_async<int>("/gate");
    ASSERT_TRUE(it.entered.wait().is_ok());
    it.hand_over();
    AsyncCall<int> asked_next = session.call_async<int>("/wait");
    wait_until([&] { return it.runs == 1; });
    const ShutdownReport report = it.street.client->shutdown({.limit = limit});
    EXPECT_EQ(report.cut, (WorkCount{.calls = 2})) << report.to_string();
    EXPECT_LT(report.took, 1min);
    EXPECT_FALSE(asked.get());
    EXPECT_FALSE(asked_next.get());
  }
}

// A plugin changes nothing about what its caller may do next.
PARLEY_PEER_TEST(RedialLeaving, a_call_through_plugins_that_waited_in_vain_was_not_sent) {
  Street street(
      {.plugins = {{.name = "passing", .call = [](CallStep&, Next& next) { return next(); }}}});
  const Session session = street.dial();
  EXPECT_EQ(session.call_async<int>({.timeout = 300ms}, "/wait").get().error().code(),
            Code::deadline_exceeded);
  street.fall(session);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(session.call_async<int>({.timeout = 5ms}, "/count", 1).get().error().code(),
              Code::not_sent);
  }
}

}  // namespace
}  // namespace parley
