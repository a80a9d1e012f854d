#include "parley/peer/session_pool.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/net/sim_network.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/overloader.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using rt::testing::wait_until;
using testing::Pair;

// Calls of "/gate" wait until it is opened.
struct Gate {
  void handle_in(Peer& peer) {
    peer.handle("/gate", [this](Context& context) -> Status {
      ++inside;
      (void)context;
      return open.wait();
    });
  }
  std::atomic<int> inside = 0;
  rt::Event open;
};

PARLEY_PEER_TEST(SessionPool, dials_when_it_is_asked_and_uses_one_session_while_that_is_enough) {
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  SessionPool pool(pair.client, pair.address);
  EXPECT_EQ(pool.session_count(), 0U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pool.call<int>("/twice", i).value(), 2 * i);
  EXPECT_EQ(pool.session_count(), 1U);
  EXPECT_EQ(pair.client.session_count(), 1U);
}

PARLEY_PEER_TEST(SessionPool, dials_another_when_all_are_busy_up_to_max_sessions) {
  for (const std::size_t most : {2U, 3U}) {
    Gate gate;
    Pair pair;
    gate.handle_in(pair.server);
    SessionPool pool(pair.client, pair.address, {.max_sessions = most, .calls_per_session = 2});
    rt::Scope scope;
    for (int i = 0; i < 8; ++i) {
      scope.go("caller", [&] { EXPECT_TRUE(pool.call("/gate")); });
      wait_until([&] { return gate.inside == i + 1; });
      EXPECT_EQ(pool.session_count(), std::min<std::size_t>(most, 1 + i / 2)) << i;
    }
    gate.open.set();
  }
}

PARLEY_PEER_TEST(SessionPool, calls_per_session_says_when_a_session_is_busy) {
  for (const std::size_t calls : {1U, 4U}) {
    Gate gate;
    Pair pair;
    gate.handle_in(pair.server);
    SessionPool pool(pair.client, pair.address, {.calls_per_session = calls});
    rt::Scope scope;
    for (int i = 0; i < 4; ++i) {
      scope.go("caller", [&] { EXPECT_TRUE(pool.call("/gate")); });
      wait_until([&] { return gate.inside == i + 1; });
    }
    EXPECT_EQ(pool.session_count(), calls == 1 ? 4U : 1U);
    gate.open.set();
  }
}

PARLEY_PEER_TEST(SessionPool, gives_the_session_with_the_fewest_calls_under_way) {
  Pair pair;
  SessionPool pool(pair.client, pair.address, {.max_sessions = 2, .calls_per_session = 1});
  std::optional<SessionPool::Lease> first(pool.take().value());
  auto second = pool.take().value();
  const auto third = pool.take().value();
  EXPECT_NE(first->session(), second.session());
  const Session crowded = third.session();
  const Session other = crowded == first->session() ? second.session() : first->session();
  EXPECT_EQ(pool.take().value().session(), other);
  // What is given back counts no more.
  first.reset();
  second = pool.take().value();
  EXPECT_EQ(pool.session_count(), 2U);
}

PARLEY_PEER_TEST(SessionPool, a_session_that_has_ended_is_replaced) {
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  SessionPool pool(pair.client, pair.address);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(pool.call<int>("/twice", i).value(), 2 * i);
    pool.take().value().session().close();
    EXPECT_EQ(pool.session_count(), 0U);
  }
}

PARLEY_PEER_TEST(SessionPool, a_call_that_was_not_sent_is_tried_as_often_as_max_tries_says) {
  for (const std::size_t tries : {1U, 3U}) {
    std::atomic<std::size_t> tried = 0;
    const Plugin failing{.name = "failing", .call = [&](CallStep& step, Next& next) {
                           ++tried;
                           return step.method() == "/never" ? Status(Code::not_sent, "not now")
                                  : tried < 3               ? Status(Code::not_sent, "not yet")
                                                            : next();
                         }};
    Pair pair(PeerOptions{}, PeerOptions{.plugins = {failing}});
    pair.server.handle("/twice", [](int n) { return 2 * n; });
    SessionPool pool(pair.client, pair.address, {.max_tries = tries});
    EXPECT_EQ(pool.call("/never").error().code(), Code::not_sent);
    EXPECT_EQ(tried, tries);
    tried = 0;
    EXPECT_EQ(pool.call<int>("/twice", 4).has_value(), tries == 3);
    tried = 0;
    EXPECT_EQ(pool.push("/never").code(), Code::not_sent);
    EXPECT_EQ(tried, tries);
  }
}

PARLEY_PEER_TEST(SessionPool, when_no_other_can_be_dialled_the_busy_ones_are_shared) {
  Gate gate;
  Pair pair;
  gate.handle_in(pair.server);
  SessionPool pool(pair.client, pair.address, {.calls_per_session = 1});
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_TRUE(pool.call("/gate")); });
  wait_until([&] { return gate.inside == 1; });
  EXPECT_TRUE(pair.server.stop_listening(*net::Address::parse(pair.address)).is_ok());
  for (int i = 0; i < 3; ++i) scope.go("caller", [&] { EXPECT_TRUE(pool.call("/gate")); });
  wait_until([&] { return gate.inside == 4; });
  EXPECT_EQ(pool.session_count(), 1U);
  gate.open.set();
}

PARLEY_PEER_TEST(SessionPool, sessions_that_end_at_once_leave_nobody_without_an_answer) {
  const auto overload = std::make_shared<Overloader>(OverloaderOptions{.max_sessions = 0});
  Pair pair(PeerOptions{.plugins = {overloader(overload)}}, PeerOptions{});
  pair.server.handle("/any", [] {});
  SessionPool pool(pair.client, pair.address, {.max_sessions = 2, .calls_per_session = 1});
  rt::Scope scope;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i) {
    scope.go("caller", [&] {
      EXPECT_FALSE(pool.call(CallOptions{.timeout = 5s}, "/any"));
      ++answered;
    });
  }
  scope.join();
  EXPECT_EQ(answered, 8);
}

TEST(SessionPool, a_dial_ends_with_the_time_of_the_call_and_others_have_theirs) {
  rt::testing::in_virtual_time(
      [] {
        net::SimWorld world;
        (void)world.node("shop");
        net::SimNode& till = world.node("till");
        world.partition("till", "shop");
        Peer client(PeerOptions{.dial_timeout = 3s, .network = &till});
        SessionPool pool(client, "tcp://shop:80");
        rt::Scope scope;
        Status patient;
        const auto took = [&](Duration timeout, Status& status) {
          const Instant begin = rt::now();
          status = pool.call(CallOptions{.timeout = timeout}, "/any").error();
          return rt::now() - begin;
        };
        scope.go("patient", [&] {
          EXPECT_GE(took(1min, patient), 3s);
          EXPECT_EQ(patient.code(), Code::not_sent) << patient;
        });
        rt::yield();
        Status hasty;
        EXPECT_LT(took(500ms, hasty), 1s);
        EXPECT_EQ(hasty.code(), Code::deadline_exceeded) << hasty;
        scope.join();
        EXPECT_LT(took(500ms, hasty), 1s);
        EXPECT_EQ(hasty.code(), Code::deadline_exceeded) << hasty;
      },
      10ms);
}

TEST(SessionPool, without_an_idle_timeout_sessions_stay) {
  for (const Duration timeout : {Duration::zero(), Duration(1min)}) {
    rt::testing::in_virtual_time(
        [timeout] {
          net::SimWorld world;
          Peer server(PeerOptions{.network = &world.node("shop")});
          EXPECT_TRUE(server.listen("tcp://0.0.0.0:80"));
          Peer client(PeerOptions{.network = &world.node("till")});
          SessionPool pool(client, "tcp://shop:80",
                           {.calls_per_session = 1, .idle_timeout = timeout});
          {
            const auto first = pool.take();
            const auto second = pool.take();
          }
          EXPECT_EQ(pool.session_count(), 2U);
          EXPECT_TRUE(rt::sleep(10min).is_ok());
          EXPECT_EQ(pool.session_count(), timeout == Duration::zero() ? 2U : 1U);
        },
        100ms);
  }
}

PARLEY_PEER_TEST(SessionPool, who_cannot_be_dialled_is_told_to_all_who_wait) {
  Peer peer;
  SessionPool pool(peer, "tcp://127.0.0.1:1");
  rt::Scope scope;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 5; ++i) {
    scope.go("caller", [&] {
      if (pool.call("/any").error().code() == Code::not_sent) ++failed;
    });
  }
  scope.join();
  EXPECT_EQ(failed, 5);
  EXPECT_EQ(SessionPool(peer, "nowhere").call("/any").error().code(), Code::invalid_argument);
}

PARLEY_PEER_TEST(SessionPool, pushes_go_through_it_too) {
  std::atomic<int> heard = 0;
  Pair pair;
  pair.server.handle("/news", [&](const std::string&) { ++heard; });
  SessionPool pool(pair.client, pair.address);
  EXPECT_TRUE(pool.push("/news", "tea").is_ok());
  EXPECT_TRUE(pool.push({.timeout = 10s}, "/news", "tea").is_ok());
  wait_until([&] { return heard == 2; });
}

PARLEY_PEER_TEST(SessionPool, sessions_nobody_uses_are_closed_but_for_the_last) {
  for (const std::size_t least : {0U, 1U}) {
    Pair pair;
    SessionPool pool(
        pair.client, pair.address,
        {.max_sessions = 3, .calls_per_session = 1, .idle_timeout = 20ms, .min_sessions = least});
    std::vector<SessionPool::Lease> leases;
    for (int i = 0; i < 3; ++i) leases.push_back(pool.take().value());
    const Session used = leases.front().session();
    leases.erase(leases.begin() + 1, leases.end());
    // One that is used is not idle, however long.
    wait_until([&] { return pool.session_count() == 1; });
    EXPECT_TRUE(used.is_open());
    leases.clear();
    wait_until([&] { return pool.session_count() == least; });
    // It is out of the pool before it ends.
    wait_until([&] { return used.is_open() == (least == 1); });
  }
}

PARLEY_PEER_TEST(SessionPool, close_ends_its_sessions_and_lets_calls_under_way_end) {
  Gate gate;
  Pair pair;
  gate.handle_in(pair.server);
  SessionPool pool(pair.client, pair.address, {.calls_per_session = 1});
  rt::Scope scope;
  for (int i = 0; i < 2; ++i) scope.go("caller", [&] { EXPECT_TRUE(pool.call("/gate")); });
  wait_until([&] { return gate.inside == 2; });
  scope.go("close", [&] { pool.close(); });
  wait_until([&] { return pool.session_count() == 0; });
  EXPECT_EQ(pool.call("/gate").error().code(), Code::not_sent);
  gate.open.set();
  scope.join();
  wait_until([&] { return pair.client.session_count() == 0; });
}

PARLEY_PEER_TEST(SessionPool, the_time_of_a_call_is_for_all_tries_and_for_the_dial) {
  Peer peer(PeerOptions{.drain_timeout = 1ms, .flush_timeout = 1ms, .close_timeout = 1ms});
  net::SocketNetwork network;
  // Nobody accepts: a connection is made, and nothing is ever said on it.
  const auto listener = *network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  SessionPool pool(peer, listener->address().to_string());
  EXPECT_EQ(pool.call(CallOptions{.timeout = 20ms}, "/any").error().code(),
            Code::deadline_exceeded);
}

// For tests whose mistake would be a close() that waits for its own caller.
struct Bye {
  void close(SessionPool& pool) {
    pool.close();
    done.set();
  }
  rt::Event done;
};

PARLEY_PEER_TEST(SessionPool, a_callback_of_one_of_its_sessions_may_close_it) {
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  SessionPool pool(pair.client, pair.address, {.max_sessions = 2, .calls_per_session = 1});
  Bye bye;
  {
    const auto lease = pool.take();
    const auto other = pool.take();
    EXPECT_TRUE((*lease)
                    ->call_then<int>([&](const Result<int>&) { bye.close(pool); }, "/twice", 2)
                    .is_ok());
  }
  EXPECT_TRUE(bye.done.wait().is_ok());
  EXPECT_EQ(pool.call("/twice").error().code(), Code::not_sent);
  wait_until([&] { return pair.client.session_count() == 0; });
}

PARLEY_PEER_TEST(SessionPool, who_is_told_of_the_end_of_a_session_may_close_it) {
  Pair pair;
  SessionPool pool(pair.client, pair.address);
  Bye bye;
  EXPECT_TRUE(pool.take().value()->on_closed([&](const Status&) { bye.close(pool); }).is_ok());
  wait_until([&] { return pair.server.session_count() == 1; });
  for (const Session& each : pair.server.sessions()) each.close();
  EXPECT_TRUE(bye.done.wait().is_ok());
}

PARLEY_PEER_TEST(SessionPool, a_handler_of_one_of_its_sessions_may_close_it_and_is_not_waited_for) {
  // Far longer than a test may take.
  Pair pair(PeerOptions{.drain_timeout = 1h}, PeerOptions{.drain_timeout = 1h});
  SessionPool pool(pair.client, pair.address);
  Bye bye;
  pair.client.handle("/bye", [&] { bye.close(pool); });
  pair.server.handle("/go", [](Context& context) { return context.session().push("/bye"); });
  EXPECT_TRUE(pool.call("/go"));
  EXPECT_TRUE(bye.done.wait().is_ok());
}

PARLEY_PEER_TEST(SessionPool, a_callback_may_close_it_while_its_session_goes_for_being_idle) {
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  SessionPool pool(pair.client, pair.address, {.idle_timeout = 1ns, .min_sessions = 0});
  Bye bye;
  // Its lease ends with this line, and the pool begins to close it while the callback waits.
  EXPECT_TRUE(pool.take()
                  .value()
                  ->call_then<int>(
                      [&](const Result<int>&) {
                        wait_until([&] { return pool.session_count() == 0; });
                        bye.close(pool);
                      },
                      "/twice", 2)
                  .is_ok());
  EXPECT_TRUE(bye.done.wait().is_ok());
}

TEST(SessionPool, the_least_idle_timeout_leaves_others_the_worker) {
  rt::testing::in_virtual_time(
      [] {
        net::SimWorld world;
        Peer server(PeerOptions{.network = &world.node("shop")});
        EXPECT_TRUE(server.listen("tcp://0.0.0.0:80"));
        Peer client(PeerOptions{.network = &world.node("till")});
        SessionPool pool(client, "tcp://shop:80", {.idle_timeout = 1ns, .min_sessions = 0});
        EXPECT_TRUE(pool.take());
        // Time goes on only when no fiber wants to run.
        EXPECT_TRUE(rt::sleep(10ms).is_ok());
        EXPECT_EQ(pool.session_count(), 0U);
      },
      1ms);
}

}  // namespace
}  // namespace parley
