#include "parley/peer/session_values.h"

#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "parley/base/clock.h"
#include "parley/net/network.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

struct User {
  std::string name;
};

PARLEY_PEER_TEST(SessionValues, are_found_by_name_and_type) {
  Pair pair;
  const Session session = pair.dial();
  SessionValues& values = session.values();
  EXPECT_EQ(values.get<User>("user"), nullptr);
  EXPECT_TRUE(values.set("user", User{"ann"}).is_ok());
  EXPECT_TRUE(values.set("room", "kitchen").is_ok());
  EXPECT_EQ(values.get<User>("user")->name, "ann");
  EXPECT_EQ(*values.get<std::string>("room"), "kitchen");
  EXPECT_EQ(values.get<int>("user"), nullptr);
  EXPECT_EQ(values.swap("user", User{"bob"}).value()->name, "ann");
  EXPECT_EQ(values.swap("user", 7).value(), nullptr);
  EXPECT_EQ(*values.get<int>("user"), 7);
  EXPECT_TRUE(values.remove("user"));
  EXPECT_FALSE(values.remove("user"));
  EXPECT_EQ(values.get<int>("user"), nullptr);
}

PARLEY_PEER_TEST(SessionValues, belong_to_one_session_and_go_with_it) {
  rt::Event closed;
  auto shared = std::make_shared<int>(7);
  Pair pair;
  pair.server.handle("/login", [](Context& context, const std::string& name) {
    return context.session().values().set("user", User{name});
  });
  pair.server.handle("/who", [](Context& context) -> std::string {
    const auto user = context.session().values().get<User>("user");
    return user == nullptr ? "nobody" : user->name;
  });
  const Session ann = pair.dial();
  const Session other = pair.dial();
  EXPECT_TRUE(ann.call("/login", "ann"));
  EXPECT_EQ(ann.call<std::string>("/who").value(), "ann");
  EXPECT_EQ(other.call<std::string>("/who").value(), "nobody");
  EXPECT_TRUE(ann.values().set("shared", shared).is_ok());
  EXPECT_TRUE(ann.on_closed([&](const Status&) {
                   EXPECT_EQ(**ann.values().get<std::shared_ptr<int>>("shared"), 7);
                   closed.set();
                 })
                  .is_ok());
  ann.close();
  EXPECT_TRUE(closed.wait().is_ok());
  while (shared.use_count() > 1) rt::yield();
  EXPECT_EQ(ann.values().set("shared", shared).code(), Code::failed_precondition);
}

PARLEY_PEER_TEST(SessionValues, max_session_values_bounds_them) {
  for (const std::size_t most : {1, 2}) {
    Pair pair(PeerOptions{}, PeerOptions{.max_session_values = most});
    const Session session = pair.dial();
    EXPECT_TRUE(session.values().set("a", 1).is_ok());
    EXPECT_EQ(session.values().set("b", 1).is_ok(), most == 2);
    const Status status = session.values().set("c", 1);
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_NE(status.message().find("max_session_values"), std::string::npos);
    EXPECT_TRUE(session.values().set("a", 2).is_ok());
  }
}

PARLEY_PEER_TEST(SessionValues, of_many_fibers_each_swap_gets_what_another_left) {
  Pair pair;
  const Session session = pair.dial();
  EXPECT_TRUE(session.values().set("n", 0).is_ok());
  std::atomic<int> seen = 0;
  {
    rt::Scope scope;
    for (int i = 1; i <= 50; ++i) {
      scope.go("swap", [&, i] { seen += *session.values().swap("n", i).value(); });
    }
  }
  EXPECT_EQ(seen + *session.values().get<int>("n"), 50 * 51 / 2);
}

void know_since_when(std::size_t workers) {
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        rt::Event came;
        Pair pair;
        Instant sent = clock.now();
        pair.server.handle("/age", [&](Context& context) {
          EXPECT_EQ(context.came_at(), sent);
          EXPECT_EQ(context.age(), 0ms);
          clock.advance(2ms);
          EXPECT_EQ(context.age(), 2ms);
          EXPECT_GE(context.came_at(), context.session().since());
          came.set();
        });
        const Session session = pair.dial();
        EXPECT_EQ(session.since(), sent);
        EXPECT_EQ(session.age(), 0ms);
        sent += 1ms;
        clock.advance(1ms);
        EXPECT_TRUE(session.call("/age"));
        EXPECT_EQ(session.age(), 3ms);
        EXPECT_TRUE(came.wait().is_ok());
        came.reset();
        sent = clock.now();
        EXPECT_TRUE(session.push("/age").is_ok());
        EXPECT_TRUE(came.wait().is_ok());
        session.close();
        EXPECT_EQ(session.age(), 5ms);
      },
      {.workers = workers, .clock = &clock});
}

TEST(Session, knows_since_when_it_is_there_and_a_call_when_it_came) {
  know_since_when(1);
  know_since_when(4);
}

PARLEY_PEER_TEST(Session, real_ip_is_the_remote_address_until_it_is_set) {
  Pair pair;
  pair.server.handle("/ip", [](Context& context) { return context.real_ip(); });
  pair.server.handle("/set", [](Context& context, const std::string& ip) {
    return context.session().set_real_ip(ip);
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.real_ip(), "127.0.0.1");
  EXPECT_EQ(session.call<std::string>("/ip").value(), "127.0.0.1");
  CallOptions forged;
  forged.metadata.set("X-Real-IP", "192.0.2.9");
  EXPECT_EQ(session.call<std::string>(forged, "/ip").value(), "127.0.0.1");
  for (const std::string ip : {"", "tea", "192.0.2.7:80", "shop.example", "::1]:1", "[::1]"}) {
    EXPECT_EQ(session.call("/set", ip).error().code(), Code::invalid_argument) << ip;
  }
  EXPECT_TRUE(session.call("/set", "192.0.2.7"));
  EXPECT_EQ(session.call<std::string>("/ip").value(), "192.0.2.7");
  EXPECT_TRUE(session.call("/set", "2001:db8:0:0::1"));
  EXPECT_EQ(session.call<std::string>("/ip").value(), "2001:db8::1");
}

PARLEY_PEER_TEST(Session, health_tells_whether_a_call_would_be_sent_at_once) {
  Pair pair(PeerOptions{.framings = testing::raw_only()},
            PeerOptions{.drain_timeout = 1ms,
                        .flush_timeout = 1ms,
                        .max_outgoing_bytes = 100'000,
                        .framings = testing::raw_only()});
  const Session session = pair.dial();
  EXPECT_TRUE(session.health().is_ok());
  session.close();
  const Status closed = session.health();
  EXPECT_EQ(closed.code(), Code::unavailable);
  EXPECT_NE(closed.cause().find("the session was closed"), std::string::npos) << closed;

  // Somebody who takes nothing.
  net::TcpNetwork network;
  const auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0")).value();
  const Session stuck = pair.client.dial(listener->address().to_string()).value();
  const auto stream = listener->accept().value();
  for (int in_vain = 0; in_vain < 3;) {
    const auto sent = stuck.push(CallOptions{.timeout = 20ms}, "/x", std::string(500'000, 'x'));
    in_vain = sent.is_ok() ? 0 : in_vain + 1;
  }
  EXPECT_EQ(stuck.health().code(), Code::resource_exhausted);
}

PARLEY_PEER_TEST(Session, health_tells_of_max_calls) {
  rt::Event release;
  Pair pair(PeerOptions{}, PeerOptions{.max_calls = 1});
  pair.server.handle("/slow", [&] { (void)release.wait(); });
  const Session session = pair.dial();
  EXPECT_TRUE(session.health().is_ok());
  auto slow = session.call_async("/slow");
  const Status full = session.health();
  EXPECT_EQ(full.code(), Code::resource_exhausted);
  EXPECT_NE(full.message().find("max_calls"), std::string::npos) << full;
  release.set();
  EXPECT_TRUE(slow.get());
  EXPECT_TRUE(session.health().is_ok());
}

PARLEY_PEER_TEST(Session, health_of_who_has_said_nothing_yet) {
  Pair pair;
  net::TcpNetwork network;
  const auto silent = network.dial(*net::Address::parse(pair.address)).value();
  while (pair.server.session_count() == 0) rt::yield();
  EXPECT_EQ(pair.server.sessions().front().health().code(), Code::failed_precondition);
}

PARLEY_PEER_TEST(Session, on_closed_is_told_the_reason_once) {
  rt::Channel<std::string> told(8);
  Pair pair;
  pair.server.handle("/watch", [&](Context& context) {
    return context.session().on_closed([&](const Status& reason) {
      EXPECT_TRUE(told.send("there: " + std::string(name_of(reason.code()))).is_ok());
    });
  });
  const Session session = pair.dial();
  EXPECT_TRUE(session.call("/watch"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(session
                    .on_closed([&](const Status& reason) {
                      EXPECT_FALSE(session.is_open());
                      EXPECT_TRUE(
                          told.send("here: " + std::string(name_of(reason.code()))).is_ok());
                    })
                    .is_ok());
  }
  EXPECT_TRUE(session.on_closed([](const Status&) { throw std::runtime_error("no"); }).is_ok());
  session.close();
  std::multiset<std::string> all;
  for (int i = 0; i < 3; ++i) all.insert(told.receive().value());
  EXPECT_EQ(all, (std::multiset<std::string>{"here: cancelled", "here: cancelled",
                                             "there: unavailable"}));
  pair.client_log.wait_for("an on_closed callback failed");
  EXPECT_EQ(session.on_closed([](const Status&) {}).code(), Code::failed_precondition);
  pair.client.close();
  EXPECT_EQ(told.size(), 0u);
}

PARLEY_PEER_TEST(Session, max_on_closed_bounds_who_wants_to_be_told) {
  for (const std::size_t most : {1, 2}) {
    Pair pair(PeerOptions{}, PeerOptions{.max_on_closed = most});
    const Session session = pair.dial();
    for (std::size_t i = 0; i < most; ++i) {
      EXPECT_TRUE(session.on_closed([](const Status&) {}).is_ok());
    }
    EXPECT_EQ(session.on_closed([](const Status&) {}).code(), Code::resource_exhausted);
  }
}

}  // namespace
}  // namespace parley
