// Who waits when a session or a peer ends: hooks, callbacks, callers.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/peer/early_session.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/plugin.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/push.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/event.h"
#include "parley/rt/random.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Foreign;
using testing::Pair;
using testing::soon;
using testing::Street;
using testing::wait_until;
using wire::MessageType;

// Its hook waits until somebody ends that.
struct Hanging {
  rt::Event entered;
  Status why;

  Plugin plugin() {
    return {.name = "hanging", .on_disconnect = [this](const ClosedSession&) {
              entered.set();
              why = rt::Event().wait();
            }};
  }
};

PARLEY_PEER_TEST(Ending, hooks_have_no_more_time_than_the_limit) {
  for (const Duration limit : {Duration(0ms), Duration(20ms)}) {
    Hanging hook;
    Pair pair(PeerOptions{}, PeerOptions{.drain_timeout = 1h, .plugins = {hook.plugin()}});
    const Session session = pair.dial();
    EXPECT_TRUE(pair.client.shutdown({.limit = limit}).is_over);
    EXPECT_EQ(hook.why.code(), limit > 0ms ? Code::deadline_exceeded : hook.why.code());
    EXPECT_FALSE(hook.why.is_ok());
  }
}

PARLEY_PEER_TEST(Ending, a_shutdown_at_once_ends_hooks_that_are_being_waited_for) {
  Hanging hook;
  Pair pair(PeerOptions{}, PeerOptions{.drain_timeout = 1h, .plugins = {hook.plugin()}});
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("patient", [&] { EXPECT_TRUE(pair.client.shutdown({.limit = 1h}).is_over); });
  ASSERT_TRUE(hook.entered.wait().is_ok());
  EXPECT_TRUE(pair.client.shutdown({.limit = 0ms}).is_over);
  EXPECT_EQ(hook.why.code(), Code::cancelled);
}

PARLEY_PEER_TEST(Ending, a_shutdown_at_once_ends_callbacks_that_are_being_waited_for) {
  Pair pair(PeerOptions{}, PeerOptions{.drain_timeout = 1h});
  const Session session = pair.dial();
  rt::Event entered;
  Status why;
  ASSERT_TRUE(session
                  .on_closed([&](const Status&) {
                    entered.set();
                    why = rt::Event().wait();
                  })
                  .is_ok());
  rt::Scope scope;
  scope.go("patient", [&] { EXPECT_TRUE(pair.client.shutdown({.limit = 1h}).is_over); });
  ASSERT_TRUE(entered.wait().is_ok());
  EXPECT_TRUE(pair.client.shutdown({.limit = 0ms}).is_over);
  EXPECT_EQ(why.code(), Code::cancelled);
}

PARLEY_PEER_TEST(Ending, so_it_does_of_a_session_that_is_dialled_again) {
  for (const bool in_hook : {true, false}) {
    Hanging hook;
    PeerOptions options{.drain_timeout = 1h};
    if (in_hook) options.plugins = {hook.plugin()};
    Street street(options);
    const Session session = street.dial();
    if (!in_hook) {
      ASSERT_TRUE(session
                      .on_closed([&](const Status&) {
                        hook.entered.set();
                        hook.why = rt::Event().wait();
                      })
                      .is_ok());
    }
    rt::Scope scope;
    scope.go("patient", [&] { EXPECT_TRUE(street.client->shutdown({.limit = 1h}).is_over); });
    ASSERT_TRUE(hook.entered.wait().is_ok());
    EXPECT_TRUE(street.client->shutdown({.limit = 0ms}).is_over);
    EXPECT_EQ(hook.why.code(), Code::cancelled);
  }
}

PARLEY_PEER_TEST(Ending, a_shutdown_at_once_waits_for_no_hook_of_a_session_that_has_not_begun) {
  Hanging hook;
  rt::Event begun;
  Plugin first = hook.plugin();
  first.after_accept = [](EarlySession&) { return Status(); };
  Pair pair(PeerOptions{.drain_timeout = 1h,
                        .plugins = {first,
                                    {.name = "slow",
                                     .after_accept =
                                         [&](EarlySession& session) {
                                           begun.set();
                                           return session.receive({.timeout = 1h}).error();
                                         }}}},
            PeerOptions{});
  const Session session = pair.dial();
  ASSERT_TRUE(begun.wait().is_ok());
  EXPECT_TRUE(pair.server.shutdown({.limit = 0ms}).is_over);
  EXPECT_FALSE(hook.why.is_ok());
}

// --- Hooks that ask for the end

PARLEY_PEER_TEST(Ending, a_hook_of_listen_or_dial_that_asks_for_it_does_not_wait) {
  Peer other;
  const std::string address = other.listen("tcp://127.0.0.1:0").value().to_string();
  for (const int which : {0, 1, 2, 3}) {
    Peer* asked = nullptr;
    int asked_for = 0;
    const auto ask = [&](int it) {
      if (it != which) return Status();
      ++asked_for;
      EXPECT_FALSE(asked->shutdown().is_over);
      return Status();
    };
    Peer peer(
        PeerOptions{.plugins = {{.name = "asking",
                                 .after_listen = [&](Peer&, const net::Address&) { return ask(0); },
                                 .before_dial = [&](const Dialling&) { return ask(1); },
                                 .after_dial = [&](EarlySession&) { return ask(2); },
                                 .on_session = [&](const Session&) { return ask(3); }}}});
    asked = &peer;
    if (which == 0) {
      EXPECT_EQ(peer.listen("tcp://127.0.0.1:0").error().code(), Code::failed_precondition);
    } else {
      (void)peer.dial(address);
    }
    EXPECT_EQ(asked_for, 1) << which;
    EXPECT_TRUE(peer.shutdown().is_over);
    EXPECT_EQ(peer.session_count(), 0U);
  }
}

// --- Those that wait for room

PARLEY_PEER_TEST(Ending, who_waits_for_room_is_told_when_the_other_side_goes) {
  Peer peer(PeerOptions{.call_timeout = 1h, .max_outgoing_bytes = 100'000});
  Foreign foreign(peer.listen("tcp://127.0.0.1:0").value().to_string());
  foreign.say_hello();
  while (peer.session_count() == 0) rt::yield();
  const Session session = peer.sessions().front();
  const std::string much(60'000, 'x');
  for (int in_vain = 0; in_vain < 3;) {
    const Status sent = session.push(CallOptions{.timeout = 20ms}, "/x", much);
    in_vain = sent.is_ok() ? 0 : in_vain + 1;
  }
  std::atomic<int> told = 0;
  rt::Scope scope;
  const auto is_told = [&](const Status& status) {
    EXPECT_EQ(status.code(), Code::not_sent) << status;
    ++told;
  };
  scope.go("call", [&] { is_told(session.call("/x").error()); });
  scope.go("push", [&] { is_told(session.push("/x", much)); });
  scope.go("stream", [&] { is_told(session.open<int, int>("/x").error()); });
  scope.go("later", [&] { is_told(session.call_async<int>("/x").get().error()); });
  for (int i = 0; i < 100; ++i) rt::yield();
  EXPECT_EQ(told, 0);
  foreign.say({.type = MessageType::go_away, .status = Status(Code::unavailable, "later")});
  scope.join();
  EXPECT_EQ(told, 4);
}

// It does not wait for what the message that was given would wait for, but for what it became.
TEST(Ending, a_push_that_plugins_made_larger_waits_for_the_hello_and_does_not_spin) {
  rt::testing::in_virtual_time(
      [] {
        Peer peer(PeerOptions{
            .plugins = {{.name = "larger", .call = [](CallStep& step, Next& next) {
                           step.options().metadata.add("much", std::string(20'000, 'x'));
                           return next();
                         }}}});
        auto [mine, theirs] = net::testing::memory_streams();
        const Session session = peer.serve(std::move(mine), Side::dialled).value();
        const Instant start = rt::now();
        const std::vector<Session> one = {session};
        const auto pushed =
            push_to(one, {.when_full = WhenFull::wait, .timeout = 1s}, "/x", "tea").value();
        EXPECT_EQ(pushed.dropped, 1U);
        EXPECT_GE(rt::now() - start, 1s);
        theirs->close();
      },
      1ms);
}

// --- Calls that nobody waits for, begun as the session ends

TEST(Ending, a_call_through_plugins_that_was_taken_has_its_callback_called) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    rt::simulate({.seed = seed, .interleave_one_in = 1, .slow_fibers = true}, [] {
      Street street(
          {.plugins = {{.name = "passing", .call = [](CallStep&, Next& next) { return next(); }}}});
      std::vector<Session> sessions;
      for (int i = 0; i < 8; ++i) {
        sessions.push_back(street.client->dial(testing::at_shop).value());
        EXPECT_TRUE(sessions.back().call<int>("/count", 1));
      }
      std::atomic<int> begun = 0;
      std::atomic<int> called = 0;
      rt::Scope scope;
      scope.go("cut", [&] {
        for (int i = 0; i < 20; ++i) rt::yield();
        street.cut();
      });
      for (const Session& session : sessions) {
        scope.go("caller", [&] {
          const auto then = [&](const Result<int>&) { ++called; };
          while (session.call_then<int>(then, "/count", 1).is_ok()) {
            ++begun;
            rt::yield();
          }
        });
      }
      scope.join();
      street.client->close();
      EXPECT_EQ(called, begun);
    });
  }
}

}  // namespace
}  // namespace parley
