#include "parley/peer/impl/hub.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// Serves "/login", which gives the session an id.
void serve_login(Peer& peer) {
  peer.handle("/login",
              [](Context& context, const std::string& id) { return context.session().set_id(id); });
}

PARLEY_PEER_TEST(Hub, a_session_has_an_id_of_its_own_until_it_is_given_one) {
  Pair pair;
  serve_login(pair.server);
  const Session ann = pair.dial();
  const Session bob = pair.dial();
  EXPECT_NE(ann.id(), bob.id());
  EXPECT_EQ(pair.client.session(ann.id()), ann);
  EXPECT_EQ(pair.client.session(bob.id()), bob);
  const std::string own = bob.id();
  EXPECT_EQ(own, "#" + std::to_string(bob.number().value()));
  EXPECT_TRUE(bob.set_id("bob").is_ok());
  EXPECT_TRUE(bob.set_id("bob").is_ok());
  EXPECT_EQ(bob.id(), "bob");
  EXPECT_EQ(pair.client.session("bob"), bob);
  EXPECT_EQ(pair.client.session(own), std::nullopt);
  EXPECT_TRUE(bob.set_id("robert").is_ok());
  EXPECT_EQ(pair.client.session("bob"), std::nullopt);
  EXPECT_EQ(pair.client.session("robert"), bob);
  EXPECT_TRUE(ann.set_id("bob").is_ok());
  EXPECT_TRUE(bob.is_open());
  for (const char* none : {"", "#", "#0", "#x", "#007", "#99999999999999999999", "carol"}) {
    EXPECT_EQ(pair.client.session(none), std::nullopt) << none;
  }
  // The other side calls it as it likes.
  EXPECT_TRUE(ann.call("/login", "ann"));
  EXPECT_EQ(ann.id(), "bob");
  EXPECT_TRUE(pair.server.session("ann").has_value());
}

PARLEY_PEER_TEST(Hub, an_id_that_could_be_anothers_own_is_refused) {
  Pair pair;
  const Session session = pair.dial();
  for (const std::string& bad : {std::string(), std::string("#1"), std::string(256, 'x')}) {
    EXPECT_EQ(session.set_id(bad).code(), Code::invalid_argument) << bad;
  }
  EXPECT_TRUE(session.set_id(std::string(255, 'x')).is_ok());
}

PARLEY_PEER_TEST(Hub, taking_over_an_id_closes_who_had_it_and_says_why) {
  rt::Channel<std::string> closed(4);
  Pair pair;
  pair.server.handle("/login", [&](Context& context, const std::string& id) {
    const Session session = context.session();
    EXPECT_TRUE(session
                    .on_closed([&, session](const Status& reason) {
                      EXPECT_TRUE(closed.send(session.id() + ' ' + reason.to_string()).is_ok());
                    })
                    .is_ok());
    return session.set_id(id);
  });
  const Session old = pair.dial();
  EXPECT_TRUE(old.call("/login", "ann"));
  const Session holder = pair.server.session("ann").value();
  const Session other = pair.dial();
  EXPECT_TRUE(other.call("/login", "ann"));
  EXPECT_FALSE(holder.is_open());
  EXPECT_NE(pair.server.session("ann"), holder);
  EXPECT_EQ(holder.call("/x").error().code(), Code::not_sent);
  EXPECT_EQ(holder.set_id("ann").code(), Code::failed_precondition);
  EXPECT_EQ(holder.wait_closed().code(), Code::aborted);
  const std::string reason = closed.receive().value();
  EXPECT_NE(reason.find("another session has taken over the id ann"), std::string::npos);
  // Whoever logs off by the id does not log off the new one.
  EXPECT_EQ(reason.front(), '#');
  const Status told = old.wait_closed();
  EXPECT_EQ(told.code(), Code::unavailable);
  EXPECT_NE(told.cause().find("taken over the id ann"), std::string::npos) << told;
  EXPECT_TRUE(other.is_open());
  other.close();
  EXPECT_EQ(closed.receive()->substr(0, 4), "ann ");
  while (pair.server.session("ann")) rt::yield();
}

PARLEY_PEER_TEST(Hub, taking_over_an_id_closes_who_had_it_also_when_callbacks_hold_the_fibers) {
  rt::Event never;
  std::atomic<int> entered = 0;
  Pair pair(PeerOptions{}, PeerOptions{.drain_timeout = 1ms, .max_fibers = 2});
  pair.server.handle("/one", [] { return 1; });
  const Session old = pair.dial();
  EXPECT_TRUE(old.set_id("ann").is_ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(old.call_then<int>(
                       [&](const Result<int>&) {
                         ++entered;
                         (void)never.wait();
                       },
                       "/one")
                    .is_ok());
  }
  while (entered < 1) rt::yield();
  const Session other = pair.dial();
  EXPECT_TRUE(other.set_id("ann").is_ok());
  EXPECT_EQ(old.wait_closed().code(), Code::aborted);
  old.close();
  EXPECT_EQ(entered, 3);
  EXPECT_EQ(other.call<int>("/one").value(), 1);
}

PARLEY_PEER_TEST(Hub, of_what_the_other_side_says_of_its_going_the_beginning_is_kept) {
  Pair pair;
  testing::Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const Session session = pair.server.sessions().front();
  foreign.say({.type = wire::MessageType::go_away,
               .status = Status(Code::aborted, "tea " + std::string(10'000, 'x'))});
  foreign.finish();
  const std::string why(session.wait_closed().cause());
  EXPECT_EQ(why.find("tea xxx"), 0u) << why;
  EXPECT_LE(why.size(), 256u);
}

PARLEY_PEER_TEST(Hub, calls_under_way_of_a_session_that_loses_its_id_end_in_order) {
  rt::Event entered;
  rt::Event release;
  Pair pair;
  serve_login(pair.server);
  pair.server.handle("/slow", [&] {
    entered.set();
    EXPECT_TRUE(release.wait().is_ok());
    return 7;
  });
  const Session old = pair.dial();
  EXPECT_TRUE(old.call("/login", "ann"));
  auto slow = old.call_async<int>("/slow");
  EXPECT_TRUE(entered.wait().is_ok());
  EXPECT_TRUE(pair.dial().call("/login", "ann"));
  EXPECT_EQ(old.call<int>({.timeout = 5s}, "/slow").error().code(), Code::not_sent);
  release.set();
  EXPECT_EQ(slow.get().value(), 7);
  EXPECT_EQ(old.wait_closed().code(), Code::unavailable);
}

PARLEY_PEER_TEST(Hub, a_handler_may_have_its_own_session_closed_so) {
  Pair pair;
  serve_login(pair.server);
  pair.server.handle("/give", [&](const std::string& from, const std::string& id) {
    return pair.server.session(from).value().set_id(id);
  });
  const Session ann = pair.dial();
  const Session bob = pair.dial();
  EXPECT_TRUE(ann.call("/login", "ann"));
  EXPECT_TRUE(bob.call("/login", "bob"));
  EXPECT_TRUE(ann.call("/give", "bob", "ann"));
  EXPECT_EQ(ann.wait_closed().code(), Code::unavailable);
  EXPECT_TRUE(bob.is_open());
}

PARLEY_PEER_TEST(Hub, of_many_that_take_one_id_one_is_left) {
  Pair pair;
  serve_login(pair.server);
  std::vector<Session> sessions;
  for (int i = 0; i < 20; ++i) sessions.push_back(pair.dial());
  std::atomic<int> failed = 0;
  {
    rt::Scope scope;
    for (const Session& session : sessions) {
      scope.go("login", [&] {
        // Another one may be faster than the answer.
        const Status status = session.call("/login", "ann").error();
        if (!status.is_ok()) ++failed;
      });
    }
  }
  EXPECT_EQ(failed, 0);
  while (pair.client.session_count() > 1) rt::yield();
  while (pair.server.session_count() > 1) rt::yield();
  const auto left = std::find_if(sessions.begin(), sessions.end(),
                                 [](const Session& each) { return each.is_open(); });
  ASSERT_NE(left, sessions.end());
  EXPECT_EQ(pair.server.session("ann")->remote_address(), left->local_address());
}

PARLEY_PEER_TEST(Hub, one_that_is_closing_gets_no_id_and_is_not_found) {
  rt::Event entered;
  rt::Event release;
  Pair pair;
  pair.server.handle("/slow", [&] {
    entered.set();
    (void)release.wait();
  });
  const Session session = pair.dial();
  EXPECT_TRUE(session.set_id("ann").is_ok());
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_TRUE(session.call("/slow")); });
  EXPECT_TRUE(entered.wait().is_ok());
  scope.go("closer", [&] { session.close(); });
  while (session.is_open()) rt::yield();
  EXPECT_EQ(session.set_id("bob").code(), Code::failed_precondition);
  EXPECT_EQ(pair.client.session("ann"), std::nullopt);
  EXPECT_EQ(pair.client.random_session(), std::nullopt);
  // Its id is free.
  const Session next = pair.dial();
  EXPECT_TRUE(next.set_id("ann").is_ok());
  EXPECT_EQ(pair.client.session("ann"), next);
  EXPECT_EQ(pair.client.random_session(), next);
  release.set();
  scope.join();
  EXPECT_TRUE(next.is_open());
  EXPECT_EQ(pair.client.session("ann"), next);
}

PARLEY_PEER_TEST(Hub, sessions_are_visited_until_the_visitor_has_enough) {
  Pair pair;
  for (int i = 0; i < 5; ++i) (void)pair.dial();
  EXPECT_EQ(pair.client.session_count(), 5u);
  int visited = 0;
  pair.client.visit_sessions([&](const Session&) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
  // It may close them.
  visited = 0;
  pair.client.visit_sessions([&](const Session& session) {
    ++visited;
    session.close();
  });
  EXPECT_EQ(visited, 5);
  pair.client.visit_sessions([](const Session&) { ADD_FAILURE() << "none is open"; });
  while (pair.client.session_count() > 0) rt::yield();
}

PARLEY_PEER_TEST(Hub, a_random_session_is_any_of_those_that_are_open) {
  Pair pair;
  EXPECT_EQ(pair.client.random_session(), std::nullopt);
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(pair.dial());
  sessions[1].close();
  std::set<SessionNumber> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(pair.client.random_session()->number());
  EXPECT_EQ(seen, (std::set<SessionNumber>{sessions[0].number(), sessions[2].number(),
                                           sessions[3].number()}));
}

}  // namespace
}  // namespace parley
