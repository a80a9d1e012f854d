// The end of a peer: what is finished, what is refused, what is cut, and what it tells of that.
#include "parley/peer/shutdown.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "parley/net/testing/memory_stream.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Foreign;
using testing::Pair;
using wire::MessageType;
using Texts = Stream<std::string, std::string>;

// A method that runs until it is let go, or its context ends.
struct Gate {
  rt::Event entered;
  rt::Event release;
  rt::Event ended;
  std::atomic<int> entries = 0;

  int pass() {
    ++entries;
    entered.set();
    const Status status = release.wait();
    ended.set();
    return status.is_ok() ? 7 : 0;
  }
};

// Has learnt that the other side takes no calls.
void wait_until_told(const Session& session) {
  while (session.is_open()) rt::yield();
}

PARLEY_PEER_TEST(Shutdown, finishes_what_is_under_way_and_takes_nothing_new) {
  Gate there;
  Gate here;
  std::atomic<int> counted = 0;
  Pair pair;
  pair.server.handle("/gate", [&] { return there.pass(); });
  pair.server.handle("/count", [&] { ++counted; });
  pair.server.handle_stream("/echo", [](Texts& texts) {
    while (auto text = texts.receive().value_or(std::nullopt)) (void)texts.send(*text);
  });
  pair.client.handle("/gate", [&] { return here.pass(); });
  const Session session = pair.dial();
  Texts stream = session.open<std::string, std::string>("/echo").value();
  ASSERT_TRUE(stream.send("one").is_ok());
  EXPECT_EQ(stream.receive().value(), "one");
  auto asked = session.call_async<int>("/gate");
  auto asked_back = pair.server.sessions().front().call_async<int>("/gate");
  ASSERT_TRUE(there.entered.wait().is_ok());
  ASSERT_TRUE(here.entered.wait().is_ok());

  ShutdownReport report;
  rt::Scope scope;
  scope.go("shutdown", [&] { report = pair.server.shutdown({.limit = 1h, .reason = "tea time"}); });
  wait_until_told(session);
  EXPECT_EQ(session.call("/count").error().code(), Code::not_sent);
  EXPECT_EQ(session.push("/count").code(), Code::not_sent);
  EXPECT_EQ((session.open<std::string, std::string>("/echo").error().code()), Code::not_sent);
  EXPECT_EQ(session.health().code(), Code::unavailable);
  EXPECT_NE(session.health().cause().find("closed the session"), std::string::npos);
  EXPECT_EQ(pair.client.dial(pair.address).error().code(), Code::not_sent);
  EXPECT_EQ(pair.server.listen("tcp://127.0.0.1:0").error().code(), Code::failed_precondition);

  ASSERT_TRUE(stream.send("two").is_ok());
  EXPECT_EQ(stream.receive().value(), "two") << "what is under way goes on";
  there.release.set();
  here.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  EXPECT_EQ(asked_back.get().value(), 7);
  ASSERT_TRUE(stream.finish().is_ok());
  EXPECT_EQ(stream.receive().value(), std::nullopt);
  scope.join();
  EXPECT_EQ(report.sessions, 1u);
  EXPECT_EQ(report.finished, (WorkCount{.handlers = 1, .calls = 1, .streams = 1}));
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_EQ(counted, 0);
  EXPECT_NE(session.wait_closed().cause().find("tea time"), std::string::npos);
  EXPECT_TRUE(pair.server_log.has("tea time: ends within 3600000 ms; sessions: 1; under way: "));
  EXPECT_TRUE(pair.server_log.has("finished 1 handler, 1 call, 1 stream; nothing was cut"));
}

PARLEY_PEER_TEST(Shutdown, what_is_left_after_the_limit_is_cut) {
  Gate gate;
  Pair pair(PeerOptions{.drain_timeout = 1h}, PeerOptions{.drain_timeout = 1ms});
  pair.server.handle("/gate", [&] { return gate.pass(); });
  pair.client.handle("/never", [] { (void)rt::Event().wait(); });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  auto asked_back = pair.server.sessions().front().call_async("/never");
  const ShutdownReport report = pair.server.shutdown({.limit = 20ms});
  EXPECT_TRUE(gate.ended.is_set()) << "its context has ended";
  EXPECT_EQ(asked.get().error().code(), Code::outcome_unknown);
  EXPECT_EQ(asked_back.get().error().code(), Code::outcome_unknown);
  EXPECT_EQ(report.cut, (WorkCount{.handlers = 1, .calls = 1}));
  EXPECT_EQ(report.finished, WorkCount());
  EXPECT_EQ(report.sessions_cut, 1u);
  EXPECT_FALSE(report.is_clean());
  EXPECT_TRUE(pair.server_log.has("cut 1 handler, 1 call, 0 streams of 1 session"));
}

PARLEY_PEER_TEST(Shutdown, without_a_limit_of_its_own_it_has_that_of_the_peer) {
  Gate gate;
  Pair pair(PeerOptions{.drain_timeout = 10ms});
  pair.server.handle("/gate", [&] { return gate.pass(); });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  EXPECT_EQ(pair.server.shutdown().cut.handlers, 1u);
  EXPECT_EQ(asked.get().error().code(), Code::outcome_unknown);
}

// Peers that would wait for an hour, with a handler under way.
struct Patient {
  Patient() : session(serve()), asked(session.call_async<int>("/gate")) {
    EXPECT_TRUE(gate.entered.wait().is_ok());
  }
  Session serve() {
    pair.server.handle("/gate", [this] { return gate.pass(); });
    return pair.dial();
  }

  Gate gate;
  Pair pair{PeerOptions{.drain_timeout = 1h, .flush_timeout = 1h, .close_timeout = 1h}};
  Session session;
  AsyncCall<int> asked;
};

PARLEY_PEER_TEST(Shutdown, a_limit_of_zero_waits_for_nobody) {
  Patient patient;
  auto& [gate, pair, session, asked] = patient;
  Foreign silent(pair.address);
  while (pair.server.session_count() < 2) rt::yield();
  const ShutdownReport report = pair.server.shutdown({.limit = Duration::zero()});
  EXPECT_EQ(report.sessions, 2u);
  EXPECT_EQ(report.cut, (WorkCount{.handlers = 1}));
  EXPECT_EQ(asked.get().error().code(), Code::outcome_unknown);
}

PARLEY_PEER_TEST(Shutdown, a_shorter_limit_ends_what_was_to_take_longer) {
  Patient patient;
  auto& [gate, pair, session, asked] = patient;
  ShutdownReport first;
  rt::Scope scope;
  scope.go("patient", [&] { first = pair.server.shutdown({.limit = 1h}); });
  scope.go("close", [&] { pair.server.close(); });
  wait_until_told(session);
  EXPECT_FALSE(gate.ended.is_set());
  const ShutdownReport second = pair.server.shutdown({.limit = Duration::zero(), .reason = "now"});
  scope.join();
  EXPECT_TRUE(gate.ended.is_set());
  EXPECT_EQ(first.cut, (WorkCount{.handlers = 1}));
  EXPECT_EQ(second.cut, first.cut) << "all get the same report";
  EXPECT_EQ(asked.get().error().code(), Code::outcome_unknown);
  EXPECT_TRUE(pair.server_log.has("now: ends at once"));
  EXPECT_EQ(pair.server.shutdown().cut, first.cut) << "also later";
}

PARLEY_PEER_TEST(Shutdown, a_longer_limit_does_not_make_it_longer) {
  Gate gate;
  Pair pair;
  pair.server.handle("/gate", [&] { return gate.pass(); });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  rt::Scope scope;
  scope.go("brief", [&] { (void)pair.server.shutdown({.limit = 50ms}); });
  wait_until_told(session);
  EXPECT_EQ(pair.server.shutdown({.limit = 1h}).cut.handlers, 1u);
  scope.join();
  EXPECT_EQ(asked.get().error().code(), Code::outcome_unknown);
}

PARLEY_PEER_TEST(Shutdown, asked_for_by_many_at_once_it_ends_once) {
  Gate gate;
  Pair pair;
  pair.server.handle("/gate", [&] { return gate.pass(); });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  std::atomic<int> finished = 0;
  {
    rt::Scope scope;
    for (int i = 0; i < 8; ++i) {
      scope.go("shutdown", [&] {
        const ShutdownReport report = pair.server.shutdown();
        finished += static_cast<int>(report.finished.handlers);
      });
      scope.go("close", [&] { pair.server.close(); });
      scope.go("close session",
               [&] { pair.server.visit_sessions([](const Session& each) { each.close(); }); });
    }
    wait_until_told(session);
    gate.release.set();
  }
  EXPECT_EQ(finished, 8);
  EXPECT_EQ(asked.get().value(), 7);
}

PARLEY_PEER_TEST(Shutdown, a_handler_that_asks_for_it_does_not_wait_and_is_answered) {
  Pair pair;
  Gate gate;
  pair.server.handle("/gate", [&] { return gate.pass(); });
  pair.server.handle("/stop", [&] { return pair.server.shutdown({.limit = 1h}).is_over; });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  EXPECT_EQ(session.call<bool>("/stop").value(), false);
  wait_until_told(session);
  EXPECT_EQ(pair.client.dial(pair.address).error().code(), Code::not_sent);
  gate.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  EXPECT_EQ(session.wait_closed().code(), Code::unavailable) << "it ends by itself";
  const ShutdownReport report = pair.server.shutdown();
  EXPECT_EQ(report.finished, (WorkCount{.handlers = 2}));
  EXPECT_TRUE(report.is_clean());
}

PARLEY_PEER_TEST(Shutdown, a_handler_may_ask_for_the_end_at_once) {
  Pair pair;
  rt::Event asked;
  pair.server.handle("/stop", [&] {
    EXPECT_FALSE(pair.server.shutdown({.limit = Duration::zero()}).is_over);
    EXPECT_FALSE(rt::Event().wait().is_ok()) << "its own context ends, too";
    asked.set();
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call("/stop").error().code(), Code::outcome_unknown);
  EXPECT_TRUE(asked.wait().is_ok());
  EXPECT_EQ(pair.server.shutdown().cut, (WorkCount{.handlers = 1}));
}

// They are told of the end, and may not mind it for as long as the end may take.
PARLEY_PEER_TEST(Shutdown, callbacks_have_no_more_time_than_the_limit) {
  Pair pair(PeerOptions{}, PeerOptions{.drain_timeout = 1h});
  const Session session = pair.dial();
  Status why;
  ASSERT_TRUE(session.on_closed([&](const Status&) { why = rt::Event().wait(); }).is_ok());
  EXPECT_TRUE(pair.client.shutdown({.limit = 20ms}).is_over);
  EXPECT_EQ(why.code(), Code::cancelled);
}

PARLEY_PEER_TEST(Shutdown, a_callback_that_asks_for_it_does_not_wait) {
  Pair pair;
  pair.server.handle("/one", [] { return 1; });
  rt::Event asked;
  const Session session = pair.dial();
  ASSERT_TRUE(session
                  .call_then<int>(
                      [&](const Result<int>&) {
                        EXPECT_FALSE(pair.client.shutdown().is_over);
                        asked.set();
                      },
                      "/one")
                  .is_ok());
  ASSERT_TRUE(asked.wait().is_ok());
  EXPECT_TRUE(pair.client.shutdown().is_clean());
}

PARLEY_PEER_TEST(Shutdown, sessions_that_begin_meanwhile_are_refused) {
  Gate gate;
  Pair pair;
  Peer other;
  pair.server.handle("/gate", [&] { return gate.pass(); });
  const auto elsewhere = other.listen("tcp://127.0.0.1:0").value().to_string();
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  rt::Scope scope;
  scope.go("shutdown", [&] { (void)pair.server.shutdown({.limit = 1h}); });
  wait_until_told(session);
  EXPECT_EQ(pair.server.dial(elsewhere).error().code(), Code::not_sent);
  auto [ours, theirs] = net::testing::memory_streams();
  EXPECT_EQ(pair.server.serve(std::move(theirs)).error().code(), Code::not_sent);
  EXPECT_EQ(pair.client.dial(pair.address).error().code(), Code::not_sent);
  gate.release.set();
  scope.join();
  EXPECT_EQ(pair.server.session_count(), 0u);
}

PARLEY_PEER_TEST(Shutdown, both_sides_may_say_it_at_once) {
  Gate there;
  Gate here;
  Pair pair;
  pair.server.handle("/gate", [&] { return there.pass(); });
  pair.client.handle("/gate", [&] { return here.pass(); });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(there.entered.wait().is_ok());
  auto asked_back = pair.server.sessions().front().call_async<int>("/gate");
  ASSERT_TRUE(here.entered.wait().is_ok());
  ShutdownReport server;
  ShutdownReport client;
  rt::Scope scope;
  scope.go("server", [&] { server = pair.server.shutdown({.limit = 1h}); });
  scope.go("client", [&] { client = pair.client.shutdown({.limit = 1h}); });
  pair.server_log.wait_for("ends within");
  pair.client_log.wait_for("ends within");
  there.release.set();
  here.release.set();
  scope.join();
  EXPECT_EQ(asked.get().value(), 7);
  EXPECT_EQ(asked_back.get().value(), 7);
  const WorkCount all{.handlers = 1, .calls = 1};
  EXPECT_EQ(server.finished, all) << server.to_string();
  EXPECT_EQ(client.finished, all) << client.to_string();
}

// The call may come with the other side's end: nobody reads the GO_AWAY that is lost in a reset.
PARLEY_PEER_TEST(Shutdown, calls_at_a_session_that_is_cut_untold_end_as_outcome_unknown) {
  Gate gate;
  Pair pair;
  pair.server.handle("/gate", [&] { return gate.pass(); });
  std::vector<AsyncCall<int>> asked;
  const Session session = pair.dial();
  for (int i = 0; i < 10; ++i) asked.push_back(session.call_async<int>("/gate"));
  while (gate.entries < 10) rt::yield();
  rt::Scope scope;
  scope.go("server", [&] { (void)pair.server.shutdown({.limit = 1h}); });
  pair.server_log.wait_for("ends within");
  EXPECT_EQ(pair.server.shutdown({.limit = Duration::zero()}).cut.handlers, 10u);
  for (AsyncCall<int>& each : asked) EXPECT_EQ(each.get().error().code(), Code::outcome_unknown);
  EXPECT_EQ(session.call("/gate").error().code(), Code::not_sent);
}

// --- Frames by hand

// The server shuts down while the foreign side's first call runs.
struct Siege {
  explicit Siege(const PeerOptions& options = {}) : pair(options) {
    pair.server.handle("/gate", [this] { return gate.pass(); });
    pair.server.handle("/count", [this] { ++counted; });
    pair.server.handle_stream("/texts", [this](Texts&) { ++counted; });
    foreign.say_hello();
    EXPECT_EQ(foreign.hear().type, MessageType::hello);
  }
  void begin(Duration limit) {
    scope.go("shutdown", [this, limit] {
      report = pair.server.shutdown({.limit = limit, .reason = "tea time"});
    });
  }

  Gate gate;
  std::atomic<int> counted = 0;
  Pair pair;
  Foreign foreign{pair.address};
  ShutdownReport report;
  rt::Scope scope;
};

PARLEY_PEER_TEST(Shutdown, what_comes_after_go_away_is_answered_not_sent_and_never_run) {
  Siege siege;
  Foreign& foreign = siege.foreign;
  foreign.say({.seq = 1, .type = MessageType::call, .method = "/gate"});
  ASSERT_TRUE(siege.gate.entered.wait().is_ok());
  siege.begin(1h);
  const wire::Message going = foreign.hear();
  EXPECT_EQ(going.type, MessageType::go_away);
  EXPECT_EQ(going.status, Status(Code::unavailable, "tea time"));
  EXPECT_LE(going.value, 3'600'000u);
  EXPECT_GT(going.value, 3'000'000u);
  const wire::Message ping = foreign.hear();
  EXPECT_EQ(ping.type, MessageType::ping);
  foreign.say_at_once({{.seq = 2, .type = MessageType::call, .method = "/count"},
                       {.type = MessageType::push, .method = "/count"},
                       {.seq = 3, .type = MessageType::open, .method = "/texts"},
                       {.type = MessageType::pong, .value = ping.value}});
  const wire::Message refused = foreign.hear();
  EXPECT_EQ(refused.type, MessageType::reply);
  EXPECT_EQ(refused.seq, 2);
  EXPECT_EQ(refused.status.code(), Code::not_sent);
  const wire::Message ended = foreign.hear();
  EXPECT_EQ(ended.type, MessageType::end);
  EXPECT_EQ(ended.seq, 3);
  EXPECT_EQ(ended.status.code(), Code::not_sent);
  EXPECT_TRUE(siege.pair.server_log.has("PUSH /count dropped: not_sent"));
  siege.gate.release.set();
  const wire::Message answer = foreign.hear();
  EXPECT_EQ(answer.seq, 1);
  EXPECT_TRUE(answer.status.is_ok());
  EXPECT_EQ(foreign.hear().type, MessageType::cancel) << "it has closed";
  foreign.finish();
  siege.scope.join();
  EXPECT_EQ(siege.counted, 0);
  EXPECT_EQ(siege.report.finished, (WorkCount{.handlers = 1}));
}

// Nothing is under way, and yet a call may be on its way from who has not read GO_AWAY.
PARLEY_PEER_TEST(Shutdown, a_call_that_crosses_go_away_is_told_that_it_was_not_run) {
  Siege siege(PeerOptions{.close_timeout = 1h});
  Foreign& foreign = siege.foreign;
  siege.begin(1h);
  EXPECT_EQ(foreign.hear().type, MessageType::go_away);
  const wire::Message ping = foreign.hear();
  foreign.say({.seq = 1, .type = MessageType::call, .method = "/count"});
  EXPECT_EQ(foreign.hear().status.code(), Code::not_sent);
  foreign.say({.type = MessageType::pong, .value = ping.value + 1});  // another one
  foreign.say({.seq = 2, .type = MessageType::call, .method = "/count"});
  EXPECT_EQ(foreign.hear().status.code(), Code::not_sent);
  foreign.say({.type = MessageType::pong, .value = ping.value});
  EXPECT_EQ(foreign.hear().type, MessageType::cancel) << "it has closed";
  foreign.finish();
  siege.scope.join();
  EXPECT_EQ(siege.counted, 0);
}

// Whoever was accepted has not said what it speaks: it hears of the end as soon as it does.
PARLEY_PEER_TEST(Shutdown, who_has_just_dialled_is_told_as_well) {
  Pair pair(PeerOptions{.close_timeout = 1h});
  Foreign foreign(pair.address);
  while (pair.server.session_count() == 0) rt::yield();
  ShutdownReport report;
  rt::Scope scope;
  scope.go("shutdown", [&] { report = pair.server.shutdown({.limit = 1h, .reason = "tea time"}); });
  pair.server_log.wait_for("ends within");
  foreign.say_hello();
  foreign.say({.seq = 1, .type = MessageType::call, .method = "/any"});
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  EXPECT_EQ(foreign.hear().status, Status(Code::unavailable, "tea time"));
  const wire::Message ping = foreign.hear();
  EXPECT_EQ(ping.type, MessageType::ping);
  EXPECT_EQ(foreign.hear().status.code(), Code::not_sent);
  foreign.say({.type = MessageType::pong, .value = ping.value});
  EXPECT_EQ(foreign.hear().type, MessageType::cancel) << "it has closed";
  foreign.finish();
  scope.join();
  EXPECT_TRUE(report.is_clean());
}

PARLEY_PEER_TEST(Shutdown, who_never_answers_is_waited_for_no_longer_than_close_timeout) {
  Siege siege(PeerOptions{.close_timeout = 10ms});
  siege.begin(1h);
  siege.scope.join();
  EXPECT_TRUE(siege.report.is_clean());
}

PARLEY_PEER_TEST(Shutdown, who_never_stops_calling_does_not_hold_it_up) {
  Siege siege(PeerOptions{.close_timeout = 10ms});
  Foreign& foreign = siege.foreign;
  foreign.say({.seq = 1, .type = MessageType::call, .method = "/gate"});
  ASSERT_TRUE(siege.gate.entered.wait().is_ok());
  siege.begin(50ms);
  std::atomic<bool> is_over = false;
  rt::Scope scope;
  scope.go("end", [&] {
    siege.scope.join();
    is_over = true;
  });
  EXPECT_EQ(foreign.hear().type, MessageType::go_away);
  std::size_t refused = 0;
  for (std::int32_t seq = 2; !is_over; ++seq) {
    // The connection is cut in the end.
    if (!foreign.try_say({.seq = seq, .type = MessageType::call, .method = "/count"})) break;
    if (seq % 100 == 0) rt::yield();
    ++refused;
  }
  scope.join();
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(siege.counted, 0);
  EXPECT_EQ(siege.report.cut, (WorkCount{.handlers = 1}));
}

PARLEY_PEER_TEST(Shutdown, of_a_side_that_goes_away_calls_under_way_end_and_new_ones_are_not_sent) {
  Pair pair;
  pair.server.handle("/one", [] { return 1; });
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  const Session session = pair.server.sessions().front();
  auto asked = session.call_async<int>("/slow");
  const std::int32_t seq = foreign.hear().seq;
  const wire::Message going{.type = MessageType::go_away,
                            .status = Status(Code::unavailable, "lunch")};
  foreign.say(going);
  wait_until_told(session);
  EXPECT_EQ(session.call("/slow").error().code(), Code::not_sent);
  EXPECT_EQ(pair.server.random_session(), std::nullopt);
  foreign.say(going);  // once more changes nothing
  // It may still ask, and be answered.
  foreign.say({.seq = 9, .type = MessageType::call, .method = "/one"});
  EXPECT_EQ(foreign.hear().seq, 9);
  foreign.say({.seq = seq,
               .type = MessageType::reply,
               .body_codec = wire::BodyCodec::json,
               .body = Bytes::copy_of("7")});
  EXPECT_EQ(asked.get().value(), 7);
  foreign.finish();
  EXPECT_EQ(session.wait_closed().cause(), "lunch");
}

// What it says of a call it refused is believed, and nothing else may be taken for that.
PARLEY_PEER_TEST(Shutdown, a_refused_call_is_not_sent_to_its_caller) {
  Pair pair;
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  const Session session = pair.server.sessions().front();
  auto first = session.call_async("/slow");
  auto second = session.call_async("/slow");
  const std::int32_t seq = foreign.hear().seq;
  foreign.say({.seq = seq, .type = MessageType::reply, .status = Status(Code::not_sent, "no")});
  foreign.say({.seq = foreign.hear().seq,
               .type = MessageType::reply,
               .status = Status(Code::outcome_unknown, "who knows")});
  EXPECT_EQ(first.get().error().code(), Code::not_sent);
  EXPECT_EQ(second.get().error().code(), Code::unknown);
  Texts stream = session.open<std::string, std::string>("/texts").value();
  foreign.say({.seq = foreign.hear().seq,
               .type = MessageType::end,
               .status = Status(Code::not_sent, "no")});
  EXPECT_EQ(stream.receive().error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(Shutdown, a_framing_without_go_away_refuses_calls_with_a_status) {
  Gate gate;
  std::atomic<int> counted = 0;
  Pair pair(PeerOptions{.framings = testing::raw_only()});
  pair.server.handle("/gate", [&] { return gate.pass(); });
  pair.server.handle("/count", [&] { ++counted; });
  const Session session = pair.dial();
  auto asked = session.call_async<int>("/gate");
  ASSERT_TRUE(gate.entered.wait().is_ok());
  rt::Scope scope;
  ShutdownReport report;
  scope.go("shutdown", [&] { report = pair.server.shutdown({.limit = 1h}); });
  pair.server_log.wait_for("ends within");
  EXPECT_TRUE(session.is_open()) << "nobody has told it";
  EXPECT_EQ(session.call("/count").error().code(), Code::unavailable);
  EXPECT_TRUE(session.push("/count").is_ok());
  gate.release.set();
  EXPECT_EQ(asked.get().value(), 7);
  scope.join();
  EXPECT_EQ(counted, 0);
  EXPECT_TRUE(report.is_clean());
}

// One after the other they would take a hundred seconds.
PARLEY_PEER_TEST(Shutdown, a_thousand_sessions_end_at_the_same_time) {
  constexpr int sessions = 1'000;
  rt::WaitGroup started;
  started.add(sessions);
  Peer server(PeerOptions{.close_timeout = 100ms});
  Peer client;
  server.handle("/never", [&] {
    started.done();
    (void)rt::Event().wait();
  });
  std::vector<AsyncCall<>> asked;
  for (int i = 0; i < sessions; ++i) {
    auto [ours, theirs] = net::testing::memory_streams();
    ASSERT_TRUE(server.serve(std::move(theirs)));
    asked.push_back(client.serve(std::move(ours), Side::dialled)->call_async("/never"));
  }
  ASSERT_TRUE(started.wait().is_ok());
  const Instant start = rt::now();
  const ShutdownReport report = server.shutdown({.limit = 100ms});
  EXPECT_LT(rt::now() - start, 30s);
  EXPECT_EQ(report.sessions, static_cast<std::size_t>(sessions));
  EXPECT_EQ(report.cut.handlers, static_cast<std::size_t>(sessions));
  for (AsyncCall<>& each : asked) EXPECT_EQ(each.get().error().code(), Code::outcome_unknown);
}

TEST(Shutdown, says_what_it_did_in_words) {
  EXPECT_EQ((WorkCount{.handlers = 2, .calls = 1}).to_string(), "2 handlers, 1 call, 0 streams");
  ShutdownReport report{.sessions = 2, .finished = {.handlers = 3}, .took = 20ms};
  EXPECT_EQ(report.to_string(),
            "shut down within 20 ms: 2 sessions; finished 3 handlers, 0 calls, 0 streams; nothing "
            "was cut");
  report.cut.streams = 1;
  report.sessions_cut = 1;
  EXPECT_NE(report.to_string().find("; cut 0 handlers, 0 calls, 1 stream of 1 session"),
            std::string::npos);
  EXPECT_FALSE(report.is_clean());
  EXPECT_FALSE(ShutdownReport{.is_over = false}.is_clean());
}

}  // namespace
}  // namespace parley
