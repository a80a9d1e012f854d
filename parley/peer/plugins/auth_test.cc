#include "parley/peer/plugins/auth.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>

#include "parley/net/testing/memory_stream.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"

namespace parley {
namespace {

using testing::Foreign;
using testing::Pair;
using namespace std::chrono_literals;
using wire::MessageType;

// Lets those in who show "token of NAME".
Plugin checker(const EarlyOptions& options = {}) {
  return auth_checker(
      [](EarlySession& session, const Credentials& shown) -> Result<Credentials> {
        const std::string token = shown.body.to_string();
        if (token == "bomb") throw std::runtime_error("secret of the server");
        if (!token.starts_with("token of ")) {
          return Status(Code::unauthenticated, "no such token");
        }
        if (Status s = session.set_id(token.substr(9)); !s.is_ok()) return s;
        return Credentials{.body = Bytes::copy_of("welcome"), .metadata = {{"level", "3"}}};
      },
      options);
}
Plugin bearer(std::string_view token) { return auth_bearer({.body = Bytes::copy_of(token)}); }

PeerOptions with(Plugin plugin) { return {.plugins = {std::move(plugin)}}; }

PARLEY_PEER_TEST(Auth, who_shows_the_right_thing_is_let_in_in_each_framing) {
  const std::vector<std::shared_ptr<const wire::Framing>> all{
      std::make_shared<wire::ParleyFraming>(), std::make_shared<wire::RawFraming>(),
      std::make_shared<wire::JsonFraming>(), std::make_shared<wire::PbFraming>()};
  for (const auto& framing : all) {
    PeerOptions server = with(checker());
    server.framings = all;
    std::string answer;
    PeerOptions client = with(auth_bearer(
        [](EarlySession&) -> Result<Credentials> {
          return Credentials{.body = Bytes::copy_of("token of ann")};
        },
        [&](EarlySession& session, const Credentials& shown) {
          answer = shown.body.to_string() + " " + std::string(*shown.metadata.get("level"));
          return session.set_id("me");
        }));
    client.framings = {framing};
    Pair pair(server, client);
    pair.server.handle("/who", [](Context& context) { return context.session().id(); });
    const Session session = pair.dial();
    EXPECT_EQ(answer, "welcome 3") << framing->name();
    EXPECT_EQ(session.id(), "me");
    EXPECT_EQ(session.call<std::string>("/who").value(), "ann") << framing->name();
  }
}

PARLEY_PEER_TEST(Auth, who_shows_the_wrong_thing_is_told_so_and_closed) {
  for (const bool is_raw : {false, true}) {
    PeerOptions client = with(bearer("nonsense"));
    if (is_raw) client.framings = testing::raw_only();
    Pair pair(with(checker()), client);
    const Status status = pair.client.dial(pair.address).error();
    EXPECT_EQ(status.code(), Code::unauthenticated);
    EXPECT_EQ(status.message(), "plugin auth_bearer: no such token");
    pair.server_log.wait_for("no such token");
    EXPECT_EQ(pair.server.session_count(), 0U);
    EXPECT_EQ(pair.client.session_count(), 0U);
  }
}

PARLEY_PEER_TEST(Auth, a_check_that_throws_refuses_and_tells_only_its_own_side_why) {
  Pair pair(with(checker()), with(bearer("bomb")));
  const Status status = pair.client.dial(pair.address).error();
  EXPECT_EQ(status.code(), Code::internal);
  EXPECT_EQ(status.to_string().find("secret"), std::string::npos) << status;
  pair.server_log.wait_for("secret of the server");
}

PARLEY_PEER_TEST(Auth, what_cannot_be_shown_is_the_error_of_dial) {
  Pair pair(with(checker()), with(auth_bearer([](EarlySession&) -> Result<Credentials> {
              return Status(Code::not_found, "no token file");
            })));
  EXPECT_EQ(pair.client.dial(pair.address).error().code(), Code::not_found);
}

PARLEY_PEER_TEST(Auth, who_calls_without_showing_anything_is_closed_and_nothing_runs) {
  Pair pair(with(checker()), {});
  std::atomic<int> served = 0;
  pair.server.handle("/x", [&] { ++served; });
  EXPECT_FALSE(pair.dial().call("/x"));
  pair.server_log.wait_for("the first message has to be of type auth_call, not call");
  EXPECT_EQ(served, 0);
}

PARLEY_PEER_TEST(Auth, there_is_one_exchange_only) {
  Pair pair(with(checker()), {});
  Foreign foreign(pair.address);
  foreign.say_hello();
  const wire::Message question{
      .seq = 1, .type = MessageType::auth_call, .body = Bytes::copy_of("token of eve")};
  foreign.say(question);
  EXPECT_EQ(foreign.hear().type, MessageType::hello);
  EXPECT_EQ(foreign.hear().type, MessageType::auth_reply);
  foreign.say(question);
  EXPECT_EQ(foreign.hear().type, MessageType::cancel);
  pair.server_log.wait_for("auth_call is not expected in a session");
}

PARLEY_PEER_TEST(Auth, who_shows_something_to_one_that_looks_at_nothing_is_told_what_to_try) {
  Pair pair({}, with(bearer("token of ann")));
  const Status status = pair.client.dial(pair.address).error();
  EXPECT_EQ(status.code(), Code::unavailable);
  EXPECT_NE(status.message().find("does its peer have an auth_checker?"), std::string::npos);
}

PARLEY_PEER_TEST(Auth, the_second_who_shows_the_same_takes_the_place_of_the_first) {
  Pair pair(with(checker()), with(bearer("token of ann")));
  const Session first = pair.dial();
  EXPECT_TRUE(first.is_open());
  const Session second = pair.dial();
  EXPECT_EQ(first.wait_closed(rt::Deadline::after(10s)).code(), Code::unavailable);
  EXPECT_TRUE(second.is_open());
}

TEST(Auth, who_says_nothing_is_closed_in_time_and_the_time_may_be_chosen) {
  for (const Duration timeout : {Duration(1s), Duration(4s)}) {
    rt::testing::in_virtual_time(
        [&] {
          Peer peer(with(checker({.timeout = timeout})));
          auto [mine, theirs] = net::testing::memory_streams();
          const Instant start = rt::now();
          EXPECT_EQ(peer.serve(std::move(mine)).error().code(), Code::deadline_exceeded);
          EXPECT_GE(rt::now() - start, timeout);
          EXPECT_LT(rt::now() - start, timeout + 1s);
          Peer client(
              with(auth_bearer([](EarlySession&) -> Result<Credentials> { return Credentials(); },
                               {}, {.timeout = timeout})));
          auto [here, there] = net::testing::memory_streams();
          EXPECT_EQ(client.serve(std::move(here), Side::dialled).error().code(),
                    Code::deadline_exceeded);
          EXPECT_GE(rt::now() - start, 2 * timeout);
          EXPECT_LT(rt::now() - start, 2 * timeout + 1s);
        },
        10ms);
  }
}

PARLEY_PEER_TEST(Auth, what_is_too_long_is_closed_and_how_long_may_be_chosen) {
  for (const std::size_t most : {std::size_t{100}, std::size_t{10'000}}) {
    Pair pair(with(checker({.max_bytes = most})),
              with(bearer("token of " + std::string(200, 'x'))));
    EXPECT_EQ(pair.client.dial(pair.address).has_value(), most > 200);
  }
}

PARLEY_PEER_TEST(Auth, many_come_at_once) {
  Pair pair(with(checker()), {});
  pair.server.handle("/who", [](Context& context) { return context.session().id(); });
  rt::Scope scope;
  for (int i = 0; i < 30; ++i) {
    scope.go("client", [&, i] {
      const std::string name = "user " + std::to_string(i);
      Peer client(with(bearer(i % 3 == 0 ? "nonsense" : "token of " + name)));
      const auto session = client.dial(pair.address);
      EXPECT_EQ(session.has_value(), i % 3 != 0);
      if (session) EXPECT_EQ(session->call<std::string>("/who").value(), name);
    });
  }
}

}  // namespace
}  // namespace parley
