// A session that is dialled again, and those that end in order: the other side, or this one.
#include <atomic>
#include <optional>
#include <string>

#include "parley/net/sim_network.h"
#include "parley/peer/batch.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/shutdown.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::soon;
using testing::Street;
using testing::wait_until;

// What knows of GO_AWAY has a connection that takes no calls.
void wait_until_told(const Session& session) {
  wait_until([&] { return !session.health().is_ok(); });
}

// A method that runs until it is let go.
struct Gate {
  explicit Gate(Peer& peer) {
    peer.handle("/gate", [this] {
      entered.set();
      (void)release.wait();
      return 7;
    });
  }
  rt::Event entered;
  rt::Event release;
};

PARLEY_PEER_TEST(RedialEnd, a_server_that_is_restarted_in_order_gets_its_callers_back) {
  Street street;
  Gate gate(*street.server);
  const Session session = street.dial();
  AsyncCall<int> asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  ShutdownReport report;
  rt::Scope scope;
  scope.go("shutdown", [&] { report = street.server->shutdown({.limit = 1h}); });
  wait_until_told(session);
  EXPECT_TRUE(session.is_open());
  // What was asked is still answered, and what is new waits for the next connection.
  std::atomic<int> waiting = 0;
  rt::Scope callers;
  callers.go("call", [&] {
    ++waiting;
    EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
  });
  callers.go("later", [&] {
    ++waiting;
    EXPECT_EQ(session.call_async<int>("/count", 2).get().value(), 2);
  });
  callers.go("push", [&] {
    ++waiting;
    EXPECT_TRUE(session.push("/say", "late").is_ok());
  });
  callers.go("batch", [&] {
    ++waiting;
    Batch<int> batch(session);
    batch.add("/count", 3);
    EXPECT_EQ(batch.call()[0].value(), 3);
  });
  callers.go("stream", [&] {
    ++waiting;
    auto stream = session.open<int, int>("/echo");
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_TRUE(stream->send(4).is_ok());
    EXPECT_EQ(**stream->receive(), 4);
  });
  wait_until([&] { return waiting == 5; });
  EXPECT_EQ(session.call<int>({.timeout = 20ms}, "/count", 9).error().code(), Code::not_sent);
  EXPECT_EQ(street.runs, 0);
  gate.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  scope.join();
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  street.server.reset();
  street.open();
  callers.join();
  street.said.wait_for("late");
  EXPECT_EQ(street.runs, 3);
}

// Its framing has GO_AWAY, and the session heard it: it takes no calls from then on.
PARLEY_PEER_TEST(RedialEnd, without_after_close_it_is_over_as_soon_as_the_other_side_says_so) {
  Street street;
  Gate gate(*street.server);
  RedialOptions options = soon;
  options.after_close = false;
  const Session session = street.dial(options);
  AsyncCall<int> asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  rt::Scope scope;
  scope.go("shutdown", [&] { (void)street.server->shutdown({.limit = 1h}); });
  wait_until([&] { return !session.is_open(); });
  EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent);
  EXPECT_EQ(session.call_async<int>("/count", 1).get().error().code(), Code::not_sent);
  EXPECT_EQ(session.wait_closed(rt::Deadline::after(1ms)).code(), Code::deadline_exceeded);
  gate.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  scope.join();
  EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
  EXPECT_EQ(street.runs, 0);
}

// GO_AWAY is on its way while calls are: the other side says that it did not run them.
PARLEY_PEER_TEST(RedialEnd, calls_that_the_other_side_says_it_did_not_run_go_on_the_next) {
  Street street;
  const Session session = street.dial();
  EXPECT_EQ(session.call<int>("/count", 0).value(), 0);
  street.runs = 0;
  street.world.block("shop", "till");
  rt::Scope scope;
  scope.go("shutdown", [&] { (void)street.server->shutdown({.limit = 1h}); });
  wait_until([&] { return !street.server->sessions().at(0).is_open(); });
  AsyncCall<int> later = session.call_async<int>("/count", 1);
  rt::Scope callers;
  std::atomic<int> asked = 0;
  callers.go("call", [&] {
    ++asked;
    EXPECT_EQ(session.call<int>("/count", 2).value(), 2);
  });
  callers.go("batch", [&] {
    ++asked;
    Batch<int> batch(session);
    batch.add("/count", 3);
    batch.add("/count", 4);
    const auto answers = batch.call();
    EXPECT_EQ(answers[0].value(), 3);
    EXPECT_EQ(answers[1].value(), 4);
  });
  wait_until([&] { return asked == 2; });
  for (int i = 0; i < 50; ++i) rt::yield();
  street.world.unblock("shop", "till");
  scope.join();
  street.server.reset();
  street.open();
  callers.join();
  EXPECT_EQ(later.get().value(), 1);
  EXPECT_EQ(street.runs, 4);
}

PARLEY_PEER_TEST(RedialEnd, a_shutdown_lets_what_is_under_way_end_and_dials_no_more) {
  std::atomic<int> dialled = 0;
  Street street({.plugins = {{.name = "counting", .before_dial = [&](const Dialling&) {
                                ++dialled;
                                return Status();
                              }}}});
  Gate gate(*street.server);
  Gate here(*street.client);
  street.server->handle("/ask_back",
                        [](Context& context) { return context.session().call<int>("/gate"); });
  const Session session = street.dial();
  AsyncCall<int> asked = session.call_async<int>("/gate");
  AsyncCall<int> asked_back = session.call_async<int>("/ask_back");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  ASSERT_TRUE(here.entered.wait().is_ok());
  ShutdownReport report;
  rt::Scope scope;
  scope.go("shutdown", [&] { report = street.client->shutdown({.limit = 1h}); });
  wait_until([&] { return !session.is_open(); });
  EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent);
  here.release.set();
  gate.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  EXPECT_EQ(asked_back.get().value(), 7);
  scope.join();
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_EQ(report.sessions, 1U);
  EXPECT_EQ(report.finished, (WorkCount{.handlers = 1, .calls = 2}));
  EXPECT_EQ(dialled, 1);
}

PARLEY_PEER_TEST(RedialEnd, the_limit_of_a_shutdown_cuts_and_the_report_says_what) {
  for (const Duration limit : {Duration(0ms), Duration(20ms)}) {
    Street street;
    Gate gate(*street.server);
    const Session session = street.dial();
    AsyncCall<int> asked = session.call_async<int>("/gate");
    ASSERT_TRUE(gate.entered.wait().is_ok());
    const ShutdownReport report = street.client->shutdown({.limit = limit});
    EXPECT_FALSE(asked.get());
    EXPECT_EQ(report.cut, (WorkCount{.calls = 1})) << report.to_string();
    EXPECT_EQ(report.sessions_cut, 1U);
    EXPECT_LT(report.took, 4s);
    gate.release.set();
  }
}

PARLEY_PEER_TEST(RedialEnd, calls_that_wait_for_a_connection_are_cut_by_a_shutdown_at_once) {
  Street street({.max_calls = 3});
  const Session session = street.dial();
  street.fall();
  wait_until_told(session);
  std::atomic<int> unsent = 0;
  rt::Scope callers;
  for (int i = 0; i < 3; ++i) {
    callers.go("caller", [&] {
      Status status;
      do {
        rt::yield();
        status = session.call<int>("/count", 1).error();
      } while (status.code() == Code::resource_exhausted);
      EXPECT_EQ(status.code(), Code::not_sent) << status;
      ++unsent;
    });
  }
  // Until all of them wait, and there is no room for another one.
  wait_until([&] {
    return session.push({.timeout = 1ms}, "/say", "").code() == Code::resource_exhausted;
  });
  const ShutdownReport report = street.client->shutdown({.limit = 1h});
  callers.join();
  EXPECT_EQ(unsent, 3);
  EXPECT_EQ(report.sessions, 1U);
  EXPECT_EQ(report.finished.all(), 0U);
  EXPECT_EQ(report.cut, (WorkCount{.calls = 3})) << report.to_string();
  EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
}

}  // namespace
}  // namespace parley
