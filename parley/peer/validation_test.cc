// Rules beside a type hold for what comes from elsewhere, before a handler runs.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/fields.h"
#include "parley/codec/validate.h"
#include "parley/peer/batch.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"

namespace parley::validation {

struct Order {
  std::string sku;
  int quantity = 1;
};
struct Basket {
  std::string owner;
  std::vector<Order> orders;
};
struct Login {
  std::string name;
  std::string token;  // from the metadata
};
// From wherever there is one.
struct Asked {
  int page = 1;
  std::string user = "nobody";
  long visits = 0;
  std::vector<std::string> tags;
  std::string note;
};
struct Coded {
  std::string code;
};

}  // namespace parley::validation

template <>
inline constexpr auto parley::fields<parley::validation::Order> =
    parley::codec::field_rules<parley::validation::Order>(
        parley::codec::field<&parley::validation::Order::sku>().characters(1, 8).otherwise(
            1001, "there is no such article"),
        parley::codec::field<&parley::validation::Order::quantity>().range(1, 100));

template <>
inline constexpr auto parley::fields<parley::validation::Login> =
    parley::codec::field_rules<parley::validation::Login>(
        parley::codec::field<&parley::validation::Login::token>()
            .from_metadata("X-Token")
            .required()
            .non_zero()
            .secret()
            .otherwise(parley::Code::unauthenticated, "log in first"));

template <>
inline constexpr auto parley::fields<parley::validation::Asked> =
    parley::codec::field_rules<parley::validation::Asked>(
        parley::codec::field<&parley::validation::Asked::page>().from_query().range(1, 9),
        parley::codec::field<&parley::validation::Asked::user>().from_session(),
        parley::codec::field<&parley::validation::Asked::visits>().from_session(),
        parley::codec::field<&parley::validation::Asked::tags>().from_metadata("tag").from_query(
            "tag"));

template <>
inline constexpr auto parley::fields<parley::validation::Coded> =
    parley::codec::field_rules<parley::validation::Coded>(
        parley::codec::field<&parley::validation::Coded::code>().matches("^[a-z]+$"));

namespace parley::validation {
namespace {

using testing::Pair;
using wire::BodyCodec;

struct Shop {
  explicit Shop(Peer& peer) {
    peer.handle("/place", [this](const Order& order) {
      ++run;
      return order.quantity;
    });
    peer.handle<"basket", "note">("/send", [this](const Basket&, const std::string&) { ++run; });
  }
  std::atomic<int> run = 0;
};

PARLEY_PEER_TEST(Validation, a_broken_rule_is_told_and_the_handler_not_run) {
  Pair pair;
  const Shop shop(pair.server);
  const Session session = pair.dial();
  for (const BodyCodec codec : {BodyCodec::json, BodyCodec::protobuf, BodyCodec::msgpack}) {
    const CallOptions options{.body_codec = codec};
    const Status range = session.call<int>(options, "/place", Order{"tea", 101}).error();
    EXPECT_EQ(range.code(), Code::invalid_argument);
    EXPECT_EQ(range.message(), "/place: $.quantity: 101 is bigger than 100");
    const Status deep =
        session.call<void>(options, "/send", Basket{"ann", {{"tea", 1}, {"tea", 0}}}, "now")
            .error();
    EXPECT_TRUE(deep.message().ends_with("orders[1].quantity: 0 is smaller than 1")) << deep;
    // In the rule's own words, with what is broken as their cause.
    const Status own = session.call<int>(options, "/place", Order{"", 1}).error();
    EXPECT_EQ(own.message(), "there is no such article");
    EXPECT_EQ(own.business_code(), 1001);
    EXPECT_TRUE(own.cause().starts_with("$.sku: ")) << own.cause();
  }
  EXPECT_EQ(shop.run, 0);
  EXPECT_EQ(session.call<int>("/place", Order{"tea", 100}).value(), 100);
  EXPECT_EQ(shop.run, 1);
}

PARLEY_PEER_TEST(Validation, holds_for_calls_of_every_kind_and_for_pushes) {
  Pair pair;
  const Shop shop(pair.server);
  const Session session = pair.dial();
  const Order bad{"tea", 0};
  EXPECT_EQ(session.call_async<int>("/place", bad).get().error().code(), Code::invalid_argument);
  Batch<int> batch(session);
  batch.add("/place", bad);
  batch.add("/place", Order{"tea", 7});
  const auto results = batch.call();
  EXPECT_EQ(results[0].error().code(), Code::invalid_argument);
  EXPECT_EQ(results[1].value(), 7);
  ASSERT_TRUE(session.push("/place", bad).is_ok());
  pair.server_log.wait_for(
      "PUSH /place failed: invalid_argument: /place: $.quantity: 0 is smaller than 1");
  EXPECT_EQ(shop.run, 1);
}

PARLEY_PEER_TEST(Validation, can_be_switched_off) {
  for (const bool is_on : {true, false}) {
    Pair pair(PeerOptions{.validate = is_on}, PeerOptions{});
    const Shop shop(pair.server);
    const auto answer = pair.dial().call<int>("/place", Order{"tea", 1000});
    EXPECT_EQ(answer.error().code(), is_on ? Code::invalid_argument : Code::ok);
    EXPECT_EQ(shop.run, is_on ? 0 : 1);
  }
}

PARLEY_PEER_TEST(Validation, holds_for_every_message_of_a_stream_that_is_served) {
  Pair pair;
  pair.server.handle_stream("/orders", [](Stream<Order, std::string>& stream) -> Status {
    while (true) {
      auto order = stream.receive();
      // What is broken is gone, the stream goes on.
      const Status told = order ? Status() : order.error();
      if (order && !*order) return {};
      if (Status s = stream.send(told.is_ok() ? "ok" : told.message()); !s.is_ok()) return s;
    }
  });
  // On the side that opened it no rule holds: they are those of who serves.
  pair.server.handle_stream(
      "/samples", [](Stream<int, Order>& stream) -> Status { return stream.send({"", 1000}); });
  const Session session = pair.dial();
  for (const BodyCodec codec : {BodyCodec::json, BodyCodec::msgpack}) {
    auto stream = session.open<std::string, Order>({.body_codec = codec}, "/orders");
    ASSERT_TRUE(stream);
    for (const int quantity : {5, 0, 7}) {
      ASSERT_TRUE(stream->send({"tea", quantity}).is_ok());
      EXPECT_EQ(stream->receive().value(),
                quantity == 0 ? "/orders: $.quantity: 0 is smaller than 1" : "ok");
    }
  }
  auto samples = session.open<Order, int>("/samples");
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->receive().value()->quantity, 1000);
}

PARLEY_PEER_TEST(Validation, a_bound_field_comes_from_metadata_and_never_from_the_body) {
  // Whatever is switched off.
  for (const bool validates : {true, false}) {
    Pair pair(PeerOptions{.validate = validates}, PeerOptions{});
    pair.server.handle("/login", [](const Login& login) { return login.name + ":" + login.token; });
    rt::Channel<std::string> seen(4);
    pair.server.handle_stream("/logins", [&](Stream<Login, int>& stream) -> Status {
      auto login = stream.receive();
      if (login && *login) (void)seen.send((*login)->token);
      return {};
    });
    const Session session = pair.dial();
    const Login forged{"ann", "forged"};
    const CallOptions with_token{.metadata = {{"X-Token", "real"}}};
    EXPECT_EQ(session.call<std::string>(with_token, "/login", forged).value(), "ann:real");
    const Status without = session.call<std::string>("/login", forged).error();
    EXPECT_EQ(without.code(), Code::unauthenticated);
    EXPECT_EQ(without.message(), "log in first");
    // The messages of a stream have the metadata it was opened with.
    auto stream = session.open<int, Login>(with_token, "/logins");
    ASSERT_TRUE(stream && stream->send(forged).is_ok());
    EXPECT_EQ(seen.receive().value(), "real");
  }
}

PARLEY_PEER_TEST(Validation,
                 fields_are_bound_to_the_query_of_the_method_and_values_of_the_session) {
  Pair pair;
  pair.server.handle("/asked", [](Context& context, const Asked& asked) {
    std::string text = std::string(context.method()) + " " + std::to_string(asked.page) + " " +
                       asked.user + " " + std::to_string(asked.visits) + " " + asked.note;
    for (const std::string& tag : asked.tags) text += " " + tag;
    return text;
  });
  const Session session = pair.dial();
  const auto ask = [&](const std::string& method, const wire::Metadata& metadata = {}) {
    Asked asked;
    asked.page = 7;
    asked.user = "forged";
    asked.note = "n";
    const auto answer = session.call<std::string>({.metadata = metadata}, method, asked);
    return answer ? *answer : answer.error().message();
  };
  EXPECT_EQ(ask("/asked"), "/asked 1 nobody 0 n");
  EXPECT_EQ(ask("/asked?page=3&tag=a%20b&tag=c"), "/asked 3 nobody 0 n a b c");
  EXPECT_EQ(ask("/asked?tag=c", {{"tag", "m"}}), "/asked 1 nobody 0 n m");
  EXPECT_EQ(ask("/asked?page=10"), "/asked: $.page: 10 is bigger than 9");
  EXPECT_TRUE(ask("/asked?page=x").starts_with("/asked: $.page: ")) << ask("/asked?page=x");
  EXPECT_NE(ask("/asked?page=%1").find("malformed percent escape"), std::string::npos);
  EXPECT_TRUE(ask("/aske?page=1").starts_with("no method \"/aske?page=1\" here"));
  const Session served = pair.server.sessions().front();
  ASSERT_TRUE(served.values().set("user", "ann").is_ok());
  ASSERT_TRUE(served.values().set("visits", 41L).is_ok());
  EXPECT_EQ(ask("/asked"), "/asked 1 ann 41 n");
}

PARLEY_PEER_TEST(Validation, a_query_belongs_to_the_method_that_is_found_without_it) {
  Pair pair;
  const auto told = [](Context& context) {
    return std::string(context.method()) + "|" + std::string(context.query());
  };
  pair.server.handle("/a", told);
  pair.server.handle("/a?b", told);
  pair.server.handle_unknown_calls(
      [told](Context& context, const Bytes&) { return told(context); });
  rt::Channel<std::string> seen(1);
  pair.server.handle_stream("/s", [&](Context& context, Stream<int, int>&) {
    (void)seen.send(std::string(context.query()));
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/a").value(), "/a|");
  EXPECT_EQ(session.call<std::string>("/a?c=1?2").value(), "/a|c=1?2");
  EXPECT_EQ(session.call<std::string>("/a?").value(), "/a|");
  EXPECT_EQ(session.call<std::string>("/a?b").value(), "/a?b|") << "that is its name";
  EXPECT_EQ(session.call<std::string>("/x?y", 1).value(), "/x?y|") << "nobody's is whole";
  auto stream = session.open<int, int>("/s?id=1");
  ASSERT_TRUE(stream);
  EXPECT_EQ(seen.receive().value(), "id=1");
}

// Of one pattern, and only whole.
class Letters final : public codec::PatternMatcher {
 public:
  [[nodiscard]] Result<bool> matches(std::string_view, std::string_view text) const override {
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
  }
};

PARLEY_PEER_TEST(Validation, patterns_need_somebody_who_knows_them) {
  for (const bool is_known : {true, false}) {
    PeerOptions options;
    if (is_known) options.patterns = std::make_shared<Letters>();
    Pair pair(options, PeerOptions{});
    pair.server.handle("/code", [](const Coded& coded) { return coded.code; });
    EXPECT_EQ(pair.server_log.has("/code will fail: failed_precondition"), !is_known);
    const Session session = pair.dial();
    const auto good = session.call<std::string>("/code", Coded{"tea"});
    EXPECT_EQ(good.error().code(), is_known ? Code::ok : Code::failed_precondition);
    const auto bad = session.call<std::string>("/code", Coded{"Tea"});
    EXPECT_EQ(bad.error().code(), is_known ? Code::invalid_argument : Code::failed_precondition);
  }
}

}  // namespace
}  // namespace parley::validation
