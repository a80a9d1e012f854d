// Who believes whom, and what the options do.
#include "parley/peer/plugins/secure.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/testing/memory_stream.h"
#include "parley/peer/plugins/auth.h"
#include "parley/peer/testing/middle.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/shared_key.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Middle;
using testing::Pair;
using testing::secured;
using testing::shared_key;
using testing::with_key;
using wire::Message;
using wire::MessageType;

void serve(Peer& peer) {
  peer.handle("/echo", [](const std::string& text) { return text; });
}

Status dial(Pair& pair) {
  serve(pair.server);
  auto session = pair.client.dial(pair.address);
  if (!session) return session.error();
  return session->call<std::string>("/echo", "x").error();
}

SecureOptions pinned(const crypto::SigningKey& own, std::vector<crypto::VerifyingKey> trusted) {
  return {.trusted = std::move(trusted), .own_key = own};
}

PARLEY_PEER_TEST(Secure, another_shared_key_is_refused_on_both_sides) {
  Pair pair(secured(with_key('a')), secured(with_key('b')));
  const Status status = dial(pair);
  EXPECT_EQ(status.code(), Code::unauthenticated);
  EXPECT_EQ(status.message(), "plugin secure: the other side has another pre-shared key");
  pair.server_log.wait_for("the other side has another pre-shared key");
  EXPECT_EQ(pair.server.session_count(), 0U);
  Pair same(secured(with_key('a')), secured(with_key('a')));
  EXPECT_TRUE(dial(same).is_ok());
}

PARLEY_PEER_TEST(Secure, who_has_no_shared_key_is_refused_and_so_is_who_has_one_too_many) {
  Pair without(secured(), secured({.trust_anybody = true}));
  EXPECT_EQ(dial(without).code(), Code::unauthenticated);
  Pair too_many(secured({.trust_anybody = true}), secured());
  EXPECT_EQ(dial(too_many).code(), Code::unauthenticated);
}

PARLEY_PEER_TEST(Secure, anybody_is_believed_only_where_that_was_asked_for_by_name) {
  Peer nobody(secured({}));
  EXPECT_EQ(nobody.dial("tcp://127.0.0.1:1").error().code(), Code::invalid_argument);
  EXPECT_EQ(nobody.listen("tcp://127.0.0.1:0").error().code(), Code::invalid_argument);
  Pair anybody(secured({.trust_anybody = true}), secured({.trust_anybody = true}));
  EXPECT_TRUE(dial(anybody).is_ok());
}

PARLEY_PEER_TEST(Secure, options_that_make_no_sense_are_the_error_of_dial) {
  SecureOptions both = with_key();
  both.trust_anybody = true;
  const SecureOptions short_key{
      .shared_key = std::make_shared<const crypto::Secret>(*crypto::Secret::copy_of("short"))};
  SecureOptions no_messages = with_key();
  no_messages.max_messages = 0;
  SecureOptions too_much = with_key();
  too_much.max_message_bytes = std::size_t{32} << 20U;
  for (const SecureOptions& wrong : {both, short_key, no_messages, too_much}) {
    Peer peer(secured(wrong));
    const Status status = peer.dial("tcp://127.0.0.1:1").error();
    EXPECT_EQ(status.code(), Code::invalid_argument) << status;
    EXPECT_NE(status.message().find("SecureOptions"), std::string::npos) << status;
  }
}

PARLEY_PEER_TEST(Secure, pinned_keys_let_in_their_owners_and_nobody_else) {
  const auto ann = crypto::SigningKey::generate().value();
  const auto shop = crypto::SigningKey::generate().value();
  const auto eve = crypto::SigningKey::generate().value();
  std::string seen;
  SecureOptions server = pinned(shop, {ann.public_key()});
  server.agreed = [&](EarlySession& session, const crypto::VerifyingKey* theirs) {
    seen = theirs == nullptr ? "nobody" : std::string(theirs->bytes());
    return session.set_id("ann");
  };
  Pair pair(secured(server), secured(pinned(ann, {shop.public_key()})));
  EXPECT_TRUE(dial(pair).is_ok());
  EXPECT_EQ(seen, ann.public_key().bytes());
  EXPECT_TRUE(pair.server.session("ann"));

  Pair not_known(secured(server), secured(pinned(eve, {shop.public_key()})));
  EXPECT_EQ(dial(not_known).code(), Code::unauthenticated);
  Pair not_the_shop(secured(server), secured(pinned(ann, {eve.public_key()})));
  EXPECT_EQ(dial(not_the_shop).code(), Code::unauthenticated);
  Pair shows_none(secured(server), secured({.trusted = {shop.public_key()}}));
  EXPECT_EQ(dial(shows_none).code(), Code::unauthenticated);
}

PARLEY_PEER_TEST(Secure, one_side_alone_may_be_asked_who_it_is) {
  const auto shop = crypto::SigningKey::generate().value();
  const crypto::VerifyingKey* seen = &shop.public_key();
  SecureOptions server{.trust_anybody = true, .own_key = shop};
  server.agreed = [&](EarlySession&, const crypto::VerifyingKey* theirs) {
    seen = theirs;
    return Status();
  };
  Pair pair(secured(server), secured({.trusted = {shop.public_key()}}));
  EXPECT_TRUE(dial(pair).is_ok());
  EXPECT_EQ(seen, nullptr);
}

PARLEY_PEER_TEST(Secure, agreed_may_refuse_or_throw_and_the_other_side_is_told_little) {
  SecureOptions refusing = with_key();
  refusing.agreed = [](EarlySession&, const crypto::VerifyingKey*) {
    return Status(Code::permission_denied, "not today");
  };
  Pair pair(secured(refusing), secured());
  EXPECT_EQ(dial(pair).message(), "plugin secure: not today");
  SecureOptions throwing = with_key();
  throwing.agreed = [](EarlySession&, const crypto::VerifyingKey*) -> Status {
    throw std::string("secret");
  };
  Pair other(secured(throwing), secured());
  EXPECT_EQ(dial(other).code(), Code::internal);
}

PARLEY_PEER_TEST(Secure, a_plain_peer_is_refused_by_one_that_asks_for_it) {
  Pair pair(secured(), {});
  serve(pair.server);
  auto session = pair.client.dial(pair.address);
  ASSERT_TRUE(session);
  const Status call = session->call<std::string>("/echo", "x").error();
  EXPECT_EQ(call.code(), Code::outcome_unknown);
  EXPECT_NE(call.cause().find("has to be of type auth_call"), std::string::npos) << call;
  const Status reason = session->wait_closed();
  EXPECT_NE(reason.to_string().find("has to be of type auth_call"), std::string::npos) << reason;
  pair.server_log.wait_for("the first message has to be of type auth_call");
}

PARLEY_PEER_TEST(Secure, a_peer_that_asks_for_it_does_not_talk_to_a_plain_one) {
  Pair pair({}, secured());
  const Status status = dial(pair);
  EXPECT_EQ(status.code(), Code::unavailable) << status;
  EXPECT_NE(status.message().find("does its peer have the secure plugin"), std::string::npos);
}

PARLEY_PEER_TEST(Secure, another_plugin_s_first_message_is_no_beginning) {
  Pair pair(secured(), {.plugins = {auth_bearer({.body = Bytes::copy_of("token")})}});
  const Status status = dial(pair);
  EXPECT_EQ(status.code(), Code::unauthenticated) << status;
}

PARLEY_PEER_TEST(Secure, both_algorithms_go_and_both_sides_have_the_same) {
  SecureOptions chacha = with_key();
  chacha.algorithm = crypto::AeadAlgorithm::chacha20_poly1305;
  Pair same(secured(chacha), secured(chacha));
  EXPECT_TRUE(dial(same).is_ok());
  Pair other(secured(chacha), secured());
  EXPECT_EQ(dial(other).code(), Code::failed_precondition);
  SecureOptions asked = with_key();
  asked.when = SecureWhen::asked;
  Pair when(secured(asked), secured());
  EXPECT_EQ(dial(when).code(), Code::failed_precondition);
  SecureOptions few = with_key();
  few.messages_per_key = 2;
  Pair per_key(secured(few), secured());
  EXPECT_EQ(dial(per_key).code(), Code::failed_precondition);
}

PARLEY_PEER_TEST(Secure, keys_change_after_as_many_messages_as_was_said) {
  for (const std::uint64_t per_key : {std::uint64_t{1}, std::uint64_t{7}}) {
    SecureOptions options = with_key();
    options.messages_per_key = per_key;
    Pair pair(secured(options));
    serve(pair.server);
    const Session session = pair.dial();
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(session.call<std::string>("/echo", std::to_string(i)).value(), std::to_string(i));
    }
  }
}

PARLEY_PEER_TEST(Secure, a_side_that_has_said_max_messages_says_no_more) {
  SecureOptions few = with_key();
  few.max_messages = 3;
  Pair pair(secured(few));
  serve(pair.server);
  const Session session = pair.dial();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call<std::string>("/echo", "x"));
  const Status status = session.call<std::string>("/echo", "x").error();
  EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
  EXPECT_NE(status.message().find("max_messages"), std::string::npos) << status;
}

PARLEY_PEER_TEST(Secure, a_message_beyond_max_message_bytes_is_not_sent) {
  SecureOptions small = with_key();
  small.max_message_bytes = 100;
  Pair pair(secured(small), secured());
  serve(pair.server);
  const Session session = pair.dial();
  EXPECT_TRUE(session.call<std::string>("/echo", std::string(50, 'x')));
  // There it is too long; here it would not be.
  EXPECT_EQ(session.call<std::string>("/echo", std::string(200, 'x')).error().code(),
            Code::resource_exhausted);
  Pair usual(secured());
  serve(usual.server);
  EXPECT_TRUE(usual.dial().call<std::string>("/echo", std::string(200, 'x')));
}

// The first CALL is kept back until others have passed.
Status call_that_is_overtaken(std::size_t window) {
  SecureOptions options = with_key();
  options.window = window;
  Pair pair(secured(options));
  serve(pair.server);
  std::vector<Message> kept;
  std::atomic<int> calls = 0;
  Middle middle(pair.address, [&](const Message& message, bool up) -> std::vector<Message> {
    if (!up || message.type != MessageType::call) return {message};
    if (++calls == 1) {
      kept.push_back(message);
      return {};
    }
    std::vector<Message> out{message};
    if (calls == 5) out.push_back(kept.front());
    return out;
  });
  auto session = pair.client.dial(middle.address());
  EXPECT_TRUE(session) << session.error();
  auto late = session->call_async<std::string>("/echo", "late");
  while (calls == 0) rt::yield();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(session->call<std::string>("/echo", "x"));
  return late.get().error();
}

TEST(Secure, a_message_may_be_overtaken_by_as_many_as_the_window_has_places) {
  rt::testing::run_fiber_test(
      +[] {
        EXPECT_TRUE(call_that_is_overtaken(100).is_ok());
        const Status status = call_that_is_overtaken(2);
        EXPECT_EQ(status.code(), Code::unauthenticated) << status;
        EXPECT_NE(status.cause().find("places late"), std::string::npos) << status;
      },
      {.workers = 1});
}

// How many of five calls are served when the three before them were forged.
int served_after_forgeries(std::uint64_t max_forged) {
  SecureOptions options = with_key();
  options.max_forged = max_forged;
  Pair pair(secured(options), secured());
  serve(pair.server);
  int calls = 0;
  Middle middle(pair.address, [&](const Message& message, bool up) -> std::vector<Message> {
    if (!up || message.type != MessageType::call || ++calls > 3) return {message};
    Message forged = message;
    std::string body = message.body.to_string();
    body.back() = static_cast<char>(~body.back());
    forged.body = Bytes::from(body);
    return {forged};
  });
  auto session = pair.client.dial(middle.address());
  EXPECT_TRUE(session) << session.error();
  int served = 0;
  for (int i = 0; i < 8; ++i) served += session->call<std::string>("/echo", "x") ? 1 : 0;
  return served;
}

PARLEY_PEER_TEST(Secure, after_max_forged_messages_nothing_is_believed_any_more) {
  EXPECT_EQ(served_after_forgeries(3), 0);
  EXPECT_EQ(served_after_forgeries(4), 5);
}

TEST(Secure, who_does_not_begin_in_time_is_let_go) {
  for (const Duration timeout : {Duration(1s), Duration(3s)}) {
    rt::testing::in_virtual_time([timeout] {
      SecureOptions options = with_key();
      options.early.timeout = timeout;
      testing::Log log;
      PeerOptions server = secured(options);
      server.log = [&log](std::string_view line) { log.add(line); };
      Peer peer(server);
      auto [here, there] = net::testing::memory_streams();
      const Instant start = rt::now();
      EXPECT_FALSE(peer.serve(std::move(there)));
      EXPECT_GE(rt::now() - start, timeout);
      EXPECT_LT(rt::now() - start, timeout + 1s);
    });
  }
}

PARLEY_PEER_TEST(Secure, what_later_plugins_exchange_is_sealed) {
  PeerOptions server = secured();
  server.plugins.push_back(
      auth_checker([](EarlySession&, const Credentials& shown) -> Result<Credentials> {
        if (shown.body.to_string() != "token of ann") {
          return Status(Code::unauthenticated, "no such token");
        }
        return Credentials{.body = Bytes::copy_of("welcome ann")};
      }));
  PeerOptions client = secured();
  std::string answer;
  client.plugins.push_back(auth_bearer(
      [](EarlySession&) -> Result<Credentials> {
        return Credentials{.body = Bytes::copy_of("token of ann")};
      },
      [&](EarlySession&, const Credentials& shown) {
        answer = shown.body.to_string();
        return Status();
      }));
  Pair pair(server, client);
  serve(pair.server);
  Middle middle(pair.address, [](const Message& message, bool) { return std::vector{message}; });
  auto session = pair.client.dial(middle.address());
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(answer, "welcome ann");
  EXPECT_EQ(session->call<std::string>("/echo", "tea").value(), "tea");
  EXPECT_EQ(middle.heard().find("ann"), std::string::npos);
}

}  // namespace
}  // namespace parley
