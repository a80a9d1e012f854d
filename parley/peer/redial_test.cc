#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/batch.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Log;
using namespace std::chrono_literals;

using testing::at_shop;
using testing::soon;
using testing::Street;
using testing::wait_until;

// More than the network takes while nobody reads: some of it has not left. It goes in one frame: of
// a body in parts some would have left, and others would take turns with it.
constexpr std::size_t too_much = std::size_t{960} << 10U;
constexpr std::size_t in_one_frame = too_much + 64;

PARLEY_PEER_TEST(Redial, a_session_goes_on_over_a_new_connection_as_what_it_was) {
  Street street;
  const Session session = street.dial();
  EXPECT_TRUE(session.set_id("ann").is_ok());
  EXPECT_TRUE(session.values().set("cart", "tea").is_ok());
  const auto number = session.number();
  const Instant since = session.since();
  const Session other = *street.client->session("ann");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(session.call<int>("/count", i).value(), i);
    street.cut();
    EXPECT_EQ(session.call<int>("/count", i).value(), i);
  }
  EXPECT_EQ(street.runs, 6);
  EXPECT_TRUE(session == other);
  EXPECT_TRUE(session == *street.client->session("ann"));
  EXPECT_EQ(session.id(), "ann");
  EXPECT_EQ(session.number(), number);
  EXPECT_EQ(session.since(), since);
  EXPECT_EQ(*session.values().get<std::string>("cart"), "tea");
  EXPECT_EQ(street.client->session_count(), 1U);
}

PARLEY_PEER_TEST(Redial, a_session_that_is_not_to_be_dialled_again_ends) {
  Street street;
  const Session session = street.dial({.count = 0});
  street.cut();
  EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
  EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(Redial, a_call_in_flight_at_the_cut_is_outcome_unknown_and_not_repeated) {
  Street street;
  const Session session = street.dial();
  rt::Scope scope;
  scope.go("caller",
           [&] { EXPECT_EQ(session.call("/wait").error().code(), Code::outcome_unknown); });
  wait_until([&] { return street.runs == 1; });
  street.cut();
  scope.join();
  EXPECT_EQ(session.call<int>("/count", 7).value(), 7);
  EXPECT_EQ(street.runs, 2);
}

PARLEY_PEER_TEST(Redial, what_was_not_sent_at_the_cut_goes_on_the_new_connection) {
  // Nobody waits for room.
  Street street(PeerOptions{.max_outgoing_bytes = 16 * too_much, .part_bytes = in_one_frame});
  const Session session = street.dial();
  const std::string much(too_much, 'x');
  EXPECT_EQ(session.call<int>("/count", 1).value(), 1);  // and what each takes is known
  for (int round = 0; round < 3; ++round) {
    street.runs = 0;
    street.world.block("till", "shop");
    rt::Scope scope;
    scope.go("call",
             [&] { EXPECT_EQ(session.call<std::size_t>("/size", much).value(), too_much); });
    scope.go("batch", [&] {
      Batch<std::size_t> batch(session);
      for (int i = 0; i < 3; ++i) batch.add("/size", much);
      for (const auto& each : batch.call()) EXPECT_EQ(each.value(), too_much);
    });
    AsyncCall<std::size_t> soon_there = session.call_async<std::size_t>("/size", much);
    rt::Channel<std::size_t> told(1);
    EXPECT_TRUE(session
                    .call_then<std::size_t>(
                        [&](const Result<std::size_t>& size) {
                          EXPECT_TRUE(told.send(size.value_or(0)).is_ok());
                        },
                        "/size", much)
                    .is_ok());
    for (int i = 0; i < 20; ++i) rt::yield();
    street.cut();
    street.world.heal();
    EXPECT_EQ(soon_there.get().value(), too_much);
    EXPECT_EQ(told.receive().value(), too_much);
    scope.join();
    EXPECT_EQ(street.runs, 6);
  }
}

PARLEY_PEER_TEST(Redial, calls_wait_while_it_is_dialled_within_their_time) {
  Street street;
  const Session session = street.dial();
  street.fall(session);
  EXPECT_EQ(session.call<int>({.timeout = 20ms}, "/count", 1).error().code(), Code::not_sent);
  EXPECT_EQ(session.push({.timeout = 20ms}, "/say", "lost").code(), Code::not_sent);
  EXPECT_EQ((session.open<int, int>({.timeout = 20ms}, "/echo").error().code()), Code::not_sent);
  EXPECT_EQ(session.call_async<int>({.timeout = 20ms}, "/count", 1).get().error().code(),
            Code::not_sent);
  Batch<int> late(session);
  late.add("/count", 1);
  EXPECT_EQ(late.call({.timeout = 20ms})[0].error().code(), Code::not_sent);
  {
    auto [context, cancel] = rt::Context::current().with_timeout(20ms);
    const rt::WithContext bound(context);
    EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent);
  }
  EXPECT_EQ(street.runs, 0);
  // Those that have the time get through.
  rt::Scope scope;
  scope.go("call", [&] { EXPECT_EQ(session.call<int>("/count", 1).value(), 1); });
  scope.go("push", [&] { EXPECT_TRUE(session.push("/say", "late").is_ok()); });
  scope.go("later", [&] { EXPECT_EQ(session.call_async<int>("/count", 2).get().value(), 2); });
  scope.go("batch", [&] {
    Batch<int> batch(session);
    batch.add("/count", 3);
    EXPECT_EQ(batch.call()[0].value(), 3);
  });
  scope.go("stream", [&] {
    auto stream = session.open<int, int>("/echo");
    EXPECT_TRUE(stream->send(4).is_ok());
    EXPECT_EQ(**stream->receive(), 4);
  });
  for (int i = 0; i < 10; ++i) rt::yield();
  street.rise();
  scope.join();
  street.said.wait_for("late");
  EXPECT_FALSE(street.said.has("lost"));
  EXPECT_EQ(street.runs, 3);
}

PARLEY_PEER_TEST(Redial, max_calls_bounds_those_that_wait) {
  for (const std::size_t most : {1U, 2U}) {
    Street street(PeerOptions{.max_calls = most});
    const Session session = street.dial();
    street.fall(session);
    std::atomic<int> refused = 0;
    std::atomic<int> unsent = 0;
    rt::Scope scope;
    for (int i = 0; i < 3; ++i) {
      scope.go("caller", [&] {
        const auto result = session.call<int>("/count", 1);
        (result.error().code() == Code::resource_exhausted ? refused : unsent) += 1;
      });
    }
    wait_until([&] { return refused == static_cast<int>(3 - most); });
    session.close();
    scope.join();
    EXPECT_EQ(unsent, static_cast<int>(most));
  }
}

PARLEY_PEER_TEST(Redial, health_tells_that_it_is_dialled_again_and_what_was_tried) {
  Street street;
  const Session session = street.dial();
  EXPECT_TRUE(session.health().is_ok());
  street.fall();
  wait_until([&] { return session.health().message().find("attempts)") != std::string::npos; });
  const Status health = session.health();
  EXPECT_EQ(health.code(), Code::unavailable);
  EXPECT_NE(health.message().find("is being dialled again"), std::string::npos);
  EXPECT_FALSE(health.cause().empty());
  EXPECT_TRUE(session.is_open());
  EXPECT_TRUE(street.client->session(session.id()));
  street.rise();
  wait_until([&] { return session.health().is_ok(); });
}

PARLEY_PEER_TEST(Redial, streams_end_at_the_cut_and_new_ones_go_on) {
  Street street;
  const Session session = street.dial();
  auto stream = session.open<int, int>("/echo");
  EXPECT_TRUE(stream->send(1).is_ok());
  EXPECT_EQ(**stream->receive(), 1);
  street.cut();
  EXPECT_EQ(stream->receive().error().code(), Code::outcome_unknown);
  auto next = session.open<int, int>("/echo");
  EXPECT_TRUE(next->send(2).is_ok());
  EXPECT_EQ(**next->receive(), 2);
}

PARLEY_PEER_TEST(Redial, on_redial_logs_in_before_waiting_calls_go) {
  Street street;
  const Session session = street.dial(soon, [&](const Session& again, const RedialAttempt& a) {
    if (!a.outcome.is_ok()) return Status();
    Status status = again.call("/log_in", "ann").error();
    street.said.add("logged in");
    return status;
  });
  EXPECT_TRUE(session.call("/log_in", "ann"));
  for (int round = 1; round <= 3; ++round) {
    street.fall(session);
    rt::Scope scope;
    for (int i = 0; i < 5; ++i) {
      scope.go("caller", [&] { EXPECT_EQ(session.call("/say", "after").error(), Status()); });
    }
    for (int i = 0; i < 10; ++i) rt::yield();
    EXPECT_FALSE(street.said.has("after"));
    street.rise();
    scope.join();
    EXPECT_TRUE(street.said.has("log in\nlogged in\nafter\nafter\nafter\nafter\nafter\n"));
    EXPECT_TRUE(street.server->session("ann"));
    (void)street.said.take();
  }
  EXPECT_EQ(street.log_ins, 4);
}

PARLEY_PEER_TEST(Redial, a_connection_that_on_redial_refuses_counts_as_an_attempt) {
  Street street;
  RedialOptions three = soon;
  three.count = 3;
  const Session session = street.dial(three, [](const Session& again, const RedialAttempt& a) {
    return a.outcome.is_ok() ? again.call("/log_in", "ann").error() : Status();
  });
  street.refuses = true;
  street.cut();
  const Status reason = session.wait_closed();
  EXPECT_EQ(reason.code(), Code::unavailable);
  EXPECT_NE(reason.cause().find("you again"), std::string::npos) << reason;
  EXPECT_EQ(street.log_ins, 3);
  EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(Redial, what_on_redial_throws_refuses_and_failed_attempts_are_told) {
  Street street;
  rt::Channel<std::string> told(100);
  rt::Event risen;
  RedialOptions two = soon;
  two.count = 2;
  const Session session = street.dial(two, [&](const Session& again, const RedialAttempt& a) {
    EXPECT_FALSE(a.cut.is_ok());
    if (a.outcome.is_ok()) throw std::runtime_error("no key");
    // There is nobody who would dial while this waits.
    EXPECT_EQ(again.call<int>("/count", 1).error().code(), Code::not_sent);
    EXPECT_TRUE(told.send(std::to_string(a.number)).is_ok());
    return risen.wait();
  });
  street.fall();
  EXPECT_EQ(told.receive().value(), "1");
  street.rise();
  risen.set();
  const Status reason = session.wait_closed();
  EXPECT_NE(reason.cause().find("no key"), std::string::npos) << reason;
}

PARLEY_PEER_TEST(Redial, a_connection_cut_while_it_is_logged_in_on_is_dialled_again) {
  Street street;
  std::atomic<int> attempts = 0;
  const Session session = street.dial(soon, [&](const Session& again, const RedialAttempt& a) {
    if (!a.outcome.is_ok()) return Status();
    if (++attempts < 4) {
      EXPECT_EQ(again.call("/say", "hello").error(), Status());
      street.cut();
      return again.call("/say", "lost").error();
    }
    return again.call("/log_in", "ann").error();
  });
  street.cut();
  EXPECT_EQ(session.call<int>("/count", 5).value(), 5);
  EXPECT_EQ(attempts, 4);
  EXPECT_TRUE(street.server->session("ann"));
}

PARLEY_PEER_TEST(Redial, both_ends_call_over_the_new_connection) {
  Street street;
  street.client->handle("/confirm", [](Context& context, int n) {
    // The handle of the handler is as good as any.
    return context.session().call<int>("/count", n).value() + 1;
  });
  const Session session = street.dial(soon, [](const Session& again, const RedialAttempt& a) {
    return a.outcome.is_ok() ? again.call<int>("/ask", 1).error() : Status();
  });
  const auto ask = [](Context& context, int n) {
    return context.session().call<int>("/confirm", n).value();
  };
  street.server->handle("/ask", ask);
  EXPECT_EQ(session.call<int>("/ask", 1).value(), 2);
  street.cut();
  EXPECT_EQ(session.call<int>("/ask", 2).value(), 3);
  EXPECT_EQ(street.runs, 3);
}

PARLEY_PEER_TEST(Redial, the_end_is_told_once_with_its_reason) {
  Street street;
  rt::Channel<std::string> told(10);
  RedialOptions few = soon;
  few.count = 2;
  const Session session = street.dial(few);
  EXPECT_TRUE(
      session.on_closed([&](const Status& why) { EXPECT_TRUE(told.send(why.message()).is_ok()); })
          .is_ok());
  street.cut();
  EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
  street.fall();
  const Status reason = session.wait_closed();
  EXPECT_NE(reason.message().find("dialled again in vain, 2 times"), std::string::npos) << reason;
  EXPECT_EQ(told.receive().value(), reason.message());
  session.close();
  EXPECT_FALSE(told.try_receive());
  EXPECT_EQ(session.on_closed([](const Status&) {}).code(), Code::failed_precondition);
  EXPECT_FALSE(session.is_open());
  EXPECT_EQ(session.health().code(), Code::unavailable);
  wait_until([&] { return street.client->session_count() == 0; });
  EXPECT_FALSE(session.remote_address().empty());
}

PARLEY_PEER_TEST(Redial, closing_ends_it_at_once_whatever_it_is_doing) {
  for (const bool is_logging_in : {false, true}) {
    Street street;
    rt::Event is_waiting;
    const Session session = street.dial(soon, [&](const Session&, const RedialAttempt& a) {
      if (!a.outcome.is_ok()) return Status();
      is_waiting.set();
      return rt::Context::current().wait_done();
    });
    rt::Channel<Status> told(1);
    EXPECT_TRUE(session.on_closed([&](const Status& why) { (void)told.send(why); }).is_ok());
    if (is_logging_in) {
      street.cut();
      EXPECT_TRUE(is_waiting.wait().is_ok());
    } else {
      street.fall(session);
    }
    rt::Scope scope;
    scope.go("caller",
             [&] { EXPECT_EQ(session.call<int>("/count", 1).error().code(), Code::not_sent); });
    for (int i = 0; i < 10; ++i) rt::yield();
    const Instant begin = rt::now();
    session.close();
    EXPECT_LT(rt::now() - begin, 4s);  // no limit of an orderly end was waited for
    scope.join();
    EXPECT_EQ(told.try_receive()->code(), Code::cancelled);
    EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
    session.close();
  }
}

PARLEY_PEER_TEST(Redial, a_peer_that_is_closed_dials_no_more) {
  Street street;
  std::vector<Session> sessions;
  for (int i = 0; i < 10; ++i) sessions.push_back(street.dial());
  street.fall();
  wait_until([&] {
    return std::ranges::none_of(sessions, [](const Session& s) { return s.health().is_ok(); });
  });
  street.client->close();
  for (const Session& session : sessions) {
    EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
  }
  EXPECT_EQ(street.client->session_count(), 0U);
}

PARLEY_PEER_TEST(Redial, callbacks_and_handlers_may_close_it) {
  Street street;
  street.client->handle("/go", [](Context& context) { context.session().close(); });
  const Session by_callback = street.dial();
  EXPECT_TRUE(
      by_callback.call_then<int>([&](const Result<int>&) { by_callback.close(); }, "/count", 1)
          .is_ok());
  EXPECT_EQ(by_callback.wait_closed().code(), Code::cancelled);
  const Session by_handler = street.dial();
  street.server->handle("/send_away",
                        [](Context& context) { return context.session().push("/go"); });
  (void)by_handler.call("/send_away");
  EXPECT_EQ(by_handler.wait_closed().code(), Code::cancelled);
  const Session by_log_in = street.dial(soon, [](const Session& again, const RedialAttempt&) {
    again.close();
    return Status();
  });
  street.cut();
  EXPECT_EQ(by_log_in.wait_closed().code(), Code::cancelled);
}

PARLEY_PEER_TEST(Redial, taking_over_its_id_ends_a_session_that_is_dialled_again) {
  Street street;
  const Session first = street.dial();
  EXPECT_TRUE(first.set_id("ann").is_ok());
  street.fall();
  wait_until([&] { return !first.health().is_ok(); });
  street.rise();
  const Session second = street.dial();
  EXPECT_TRUE(second.set_id("ann").is_ok());
  EXPECT_EQ(first.wait_closed().code(), Code::aborted);
  EXPECT_TRUE(second == *street.client->session("ann"));
  EXPECT_EQ(second.call<int>("/count", 3).value(), 3);
}

PARLEY_PEER_TEST(Redial, what_on_redial_and_handlers_refer_to_goes_with_the_peer) {
  const auto token = std::make_shared<int>(1);
  {
    Street street;
    const auto kept = std::make_shared<std::optional<Session>>();
    street.client->handle("/mine", [kept, token] {});
    *kept =
        street.dial(soon, [kept, token](const Session&, const RedialAttempt&) { return Status(); });
    street.cut();
    EXPECT_EQ((*kept)->call<int>("/count", 1).value(), 1);
    EXPECT_GT(token.use_count(), 1);
  }
  wait_until([&] { return token.use_count() == 1; });
}

PARLEY_PEER_TEST(Redial, after_close_says_whether_it_is_dialled_when_the_other_side_closed) {
  for (const bool again : {true, false}) {
    Street street;
    RedialOptions options = soon;
    options.after_close = again;
    const Session session = street.dial(options);
    EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
    street.server->sessions().at(0).close();
    if (again) {
      wait_until([&] { return session.call<int>("/count", 2).value_or(0) == 2; });
    } else {
      EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
    }
  }
}

PARLEY_PEER_TEST(Redial, after_go_away_says_whether_it_is_dialled_when_it_was_sent_away) {
  for (const bool again : {true, false}) {
    Street street;
    RedialOptions options = soon;
    options.after_go_away = again;
    const Session session = street.dial(options);
    EXPECT_TRUE(session.call("/log_in", "ann"));
    EXPECT_TRUE(street.dial({}).call("/log_in", "ann"));
    if (again) {
      wait_until([&] { return session.call<int>("/count", 2).value_or(0) == 2; });
      EXPECT_EQ(street.server->session_count(), 2U);
    } else {
      const Status reason = session.wait_closed();
      EXPECT_EQ(reason.code(), Code::unavailable);
      EXPECT_NE(reason.cause().find("has taken over the id"), std::string::npos) << reason;
    }
  }
}

PARLEY_PEER_TEST(Redial, options_that_make_no_sense_are_refused_by_dial) {
  Street street;
  const auto refused = [&](const RedialOptions& redial) {
    return street.client->dial(at_shop, {.redial = redial}).error().code();
  };
  EXPECT_EQ(refused({.count = 1, .interval = 0ms}), Code::invalid_argument);
  EXPECT_EQ(refused({.count = 1, .interval = 2ms, .max_interval = 1ms}), Code::invalid_argument);
  EXPECT_EQ(refused({.count = 1, .jitter = 1.5}), Code::invalid_argument);
  EXPECT_EQ(refused({.count = 1, .jitter = -0.5}), Code::invalid_argument);
  EXPECT_EQ(refused({.count = 1, .jitter = 1}), Code::ok);
  Peer narrow(PeerOptions{.max_fibers = 1, .network = &street.world.node("till")});
  EXPECT_EQ(narrow.dial(at_shop, {.redial = soon}).error().code(), Code::failed_precondition);
  narrow.close();
}

PARLEY_PEER_TEST(Redial, a_single_attempt_is_told_as_one) {
  Street street;
  RedialOptions once = soon;
  once.count = 1;
  const Session session = street.dial(once);
  street.fall();
  const std::string reason = session.wait_closed().message();
  EXPECT_TRUE(reason.ends_with("dialled again in vain, 1 time")) << reason;
}

PARLEY_PEER_TEST(Redial, calls_nobody_waits_for_may_be_given_up_while_it_is_dialled) {
  Street street(PeerOptions{.part_bytes = in_one_frame});
  const Session session = street.dial();
  const std::string much(too_much, 'x');
  EXPECT_EQ(session.call<int>("/count", 1).value(), 1);
  street.world.block("till", "shop");
  AsyncCall<std::size_t> given_up = session.call_async<std::size_t>("/size", much);
  AsyncCall<std::size_t> late = session.call_async<std::size_t>({.timeout = 1s}, "/size", much);
  AsyncCall<std::size_t> in_line = session.call_async<std::size_t>("/size", much);
  AsyncCall<std::size_t> at_the_end = session.call_async<std::size_t>("/size", much);
  street.fall();
  street.world.cut("till", "shop");
  street.world.heal();
  wait_until([&] { return !session.health().is_ok(); });
  given_up.cancel();
  EXPECT_EQ(given_up.get().error().code(), Code::cancelled);
  EXPECT_EQ(late.get().error().code(), Code::not_sent);
  in_line.cancel();  // as the one whose time was over
  const Status unsent = in_line.get().error();
  EXPECT_EQ(unsent.code(), Code::cancelled);
  EXPECT_EQ(unsent.message(), "the call of /size was given up before it was sent");
  EXPECT_FALSE(at_the_end.has_ended());
  session.close();
  EXPECT_EQ(at_the_end.get().error().code(), Code::not_sent);
  EXPECT_EQ(street.runs, 1);
}

PARLEY_PEER_TEST(Redial, pushes_to_many_do_not_wait_for_it) {
  Street street;
  const Session session = street.dial();
  EXPECT_EQ(street.client->push_all({}, "/say", "one")->sent, 1U);
  street.fall(session);
  EXPECT_EQ(street.client->push_all({}, "/say", "two")->failed, 1U);
  street.rise();
  wait_until([&] { return session.health().is_ok(); });
  EXPECT_EQ(street.client->push_all({}, "/say", "three")->sent, 1U);
  street.said.wait_for("three");
  EXPECT_FALSE(street.said.has("two"));
}

PARLEY_PEER_TEST(Redial, a_server_that_listens_again_on_its_port_gets_its_callers_back) {
  Log log;
  const auto serve = [](Peer& peer, const std::string& address) {
    peer.handle("/count", [](int n) { return n; });
    auto listening = peer.listen(address);
    while (!listening) listening = peer.listen(address);
    return listening->to_string();
  };
  std::optional<Peer> server;
  const std::string address = serve(server.emplace(), "tcp://127.0.0.1:0");
  Peer client;
  const auto session = client.dial(address, {.redial = soon});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(session->call<int>("/count", i).value(), i);
    server.reset();
    (void)serve(server.emplace(), address);
    wait_until([&] { return session->call<int>("/count", i).value_or(-1) == i; });
  }
  client.close();
}

// --- Time

double in_ms(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// When each attempt of an outage comes after the one before, in milliseconds.
std::vector<double> waits_of(const RedialOptions& options, Duration step = 1ms) {
  std::vector<double> waits;
  rt::testing::in_virtual_time(
      [&] {
        Street street;
        Instant last;
        const Session session = street.dial(options, [&](const Session&, const RedialAttempt&) {
          waits.push_back(in_ms(rt::now() - last));
          last = rt::now();
          return Status();
        });
        street.fall();
        last = rt::now();
        EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
      },
      step);
  return waits;
}

TEST(RedialTime, intervals_grow_up_to_max_interval_and_count_ends_them) {
  const auto waits = waits_of({.count = 6, .interval = 100ms, .max_interval = 500ms, .jitter = 0});
  const std::vector<double> expected = {100, 200, 400, 500, 500, 500};
  ASSERT_EQ(waits.size(), expected.size());
  for (std::size_t i = 0; i < waits.size(); ++i) EXPECT_NEAR(waits[i], expected[i], 15);
  EXPECT_EQ(waits_of({.count = 2, .interval = 100ms, .max_interval = 100ms, .jitter = 0}).size(),
            2U);
}

TEST(RedialTime, jitter_makes_each_wait_shorter_by_up_to_its_part) {
  for (const double jitter : {0.5, 1.0}) {
    double least = 1000;
    double most = 0;
    const auto waits =
        waits_of({.count = 150, .interval = 1s, .max_interval = 1s, .jitter = jitter}, 10ms);
    for (const double wait : waits) {
      least = std::min(least, wait);
      most = std::max(most, wait);
    }
    EXPECT_GE(least, jitter == 0.5 ? 500 : 0);
    EXPECT_LE(least, jitter == 0.5 ? 600 : 200);
    EXPECT_GE(most, 900);
    EXPECT_LE(most, 1050);
  }
}

// A connection that is cut again and again is no reason to dial without a pause.
TEST(RedialTime, who_is_cut_again_soon_waits_on_where_it_left_off) {
  rt::testing::in_virtual_time(
      [&] {
        Street street;
        std::vector<double> waits;
        Instant cut;
        const Session session =
            street.dial({.count = 2, .interval = 100ms, .max_interval = 10s, .jitter = 0},
                        [&](const Session&, const RedialAttempt& a) {
                          EXPECT_EQ(a.number, 1U);
                          waits.push_back(in_ms(rt::now() - cut));
                          return Status();
                        });
        const auto outage = [&] {
          street.cut();
          cut = rt::now();
          wait_until([&] { return !session.health().is_ok(); });
          wait_until([&] { return session.health().is_ok(); });
        };
        for (int i = 0; i < 3; ++i) outage();
        EXPECT_TRUE(rt::sleep(11s).is_ok());
        outage();
        ASSERT_EQ(waits.size(), 4U);
        EXPECT_NEAR(waits[0], 100, 15);
        EXPECT_NEAR(waits[1], 200, 15);
        EXPECT_NEAR(waits[2], 400, 15);
        EXPECT_NEAR(waits[3], 100, 15);
      },
      1ms);
}

TEST(RedialTime, an_attempt_takes_no_longer_than_the_timeout_of_its_dial) {
  for (const Duration timeout : {1s, 3s}) {
    rt::testing::in_virtual_time(
        [&] {
          Street street;
          Duration took{};
          const auto session = street.client->dial(
              at_shop, {.timeout = timeout,
                        .redial = {.count = 1, .interval = 1ms, .max_interval = 1ms, .jitter = 0},
                        .on_redial = [&](const Session&, const RedialAttempt& a) {
                          EXPECT_EQ(a.outcome.code(), Code::deadline_exceeded);
                          return Status();
                        }});
          EXPECT_EQ(session->call<int>("/count", 1).value(), 1);
          street.cut();
          const Instant begin = rt::now();
          street.world.partition("till", "shop");
          EXPECT_EQ(session->wait_closed().code(), Code::unavailable);
          took = rt::now() - begin;
          EXPECT_GE(took, timeout);
          EXPECT_LT(took, timeout + 500ms);
          street.world.heal();
        },
        1ms);
  }
}

// --- Load

// Each number is called once, and its calls are counted where they run.
struct Count {
  static constexpr int numbers = 4'000;
  std::vector<std::atomic<int>> ran = std::vector<std::atomic<int>>(numbers);
};

PARLEY_PEER_TEST(Redial,
                 a_server_that_dies_fifty_times_under_load_loses_no_call_that_was_not_sent) {
  Count count;
  Street street;
  const auto serve = [&] {
    street.server->handle("/once", [&](int n) {
      count.ran[static_cast<std::size_t>(n)] += 1;
      return n;
    });
  };
  serve();
  const Session session = street.dial();
  std::atomic<int> next = 0;
  std::atomic<bool> is_over = false;
  std::atomic<int> answered = 0;
  std::atomic<int> unknown = 0;
  std::atomic<int> ended = 0;
  const auto judge = [&](int n, const Result<int>& result) {
    ++ended;
    if (result) {
      ++answered;
      EXPECT_EQ(*result, n);
      EXPECT_EQ(count.ran[static_cast<std::size_t>(n)], 1);
    } else if (result.error().code() == Code::not_found) {
      ++answered;  // it came before the method was there
    } else {
      EXPECT_EQ(result.error().code(), Code::outcome_unknown) << result.error();
      ++unknown;
    }
  };
  rt::Scope callers;
  for (int i = 0; i < 16; ++i) {
    callers.go("caller", [&, i] {
      while (!is_over) {
        const int n = next++;
        if (n >= Count::numbers) return;
        if (i % 2 == 0) {
          judge(n, session.call<int>({.timeout = 60s}, "/once", n));
        } else {
          judge(n, session.call_async<int>({.timeout = 60s}, "/once", n).get());
        }
        EXPECT_TRUE(rt::sleep(1ms).is_ok());
      }
    });
  }
  for (int death = 0; death < 50; ++death) {
    const int before = answered;
    wait_until([&] { return answered > before || next >= Count::numbers; });
    street.fall();
    street.rise();
    serve();
  }
  is_over = true;
  callers.join();
  EXPECT_EQ(ended, std::min(next.load(), Count::numbers));
  EXPECT_EQ(answered + unknown, ended);
  EXPECT_GT(answered, 49);
  for (const auto& ran : count.ran) EXPECT_LE(ran, 1);
  session.close();
  wait_until([&] { return street.client->session_count() == 0; });
}

TEST(RedialTime, a_wait_that_is_longer_than_the_clock_can_tell_is_never_over) {
  for (const double jitter : {0.0, 1.0}) {
    rt::testing::in_virtual_time(
        [&] {
          Street street;
          std::atomic<int> attempts = 0;
          const auto session =
              street.client->dial(at_shop, {.redial = {.count = 5,
                                                       .interval = Duration::max(),
                                                       .max_interval = Duration::max(),
                                                       .jitter = jitter},
                                            .on_redial = [&](const Session&, const RedialAttempt&) {
                                              ++attempts;
                                              return Status();
                                            }});
          ASSERT_TRUE(session) << session.error();
          EXPECT_EQ(session->call<int>("/count", 1).value(), 1);
          street.cut();
          EXPECT_TRUE(rt::sleep(10s).is_ok());
          EXPECT_EQ(attempts, 0);
          EXPECT_TRUE(session->is_open());
        },
        10ms);
  }
}

}  // namespace
}  // namespace parley
