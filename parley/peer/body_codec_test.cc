// Bodies in any codec of a registry, on every kind of call, both ways.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/codec/codec.h"
#include "parley/codec/json.h"
#include "parley/codec/testing/small_stack.h"
#include "parley/peer/batch.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/runtime.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::body_codec {
namespace {

using testing::Foreign;
using testing::Pair;
using wire::BodyCodec;

struct Order {
  std::string sku;
  int quantity = 0;
  std::vector<int> sizes;
};
struct Price {
  std::string sku;
  int pence = 0;
  friend bool operator==(const Price&, const Price&) = default;
};

constexpr BodyCodec all[] = {BodyCodec::json, BodyCodec::protobuf, BodyCodec::msgpack};

Price price_of(const Order& order) { return {order.sku, 100 * order.quantity}; }

std::string name(BodyCodec codec) { return std::string(name_of(codec)); }

// What it came in, what it goes back in.
std::string told(Context& context) {
  return name(context.body_codec()) + " to " + name(context.reply_codec());
}

void serve(Peer& peer) {
  peer.handle("/price", price_of);
  peer.handle("/add", [](int a, int b) { return a + b; });
  peer.handle<"order", "note">("/note", [](const Order& order, const std::string& note) {
    return order.sku + " " + note + " " + std::to_string(order.sizes.size());
  });
  peer.handle("/told", [](Context& context, const Order&) { return told(context); });
  peer.handle("/nothing", [](Context& context) { return told(context); });
}

PARLEY_PEER_TEST(BodyCodec, arguments_and_results_of_every_kind_of_call_travel_in_each) {
  Pair pair;
  serve(pair.server);
  rt::Channel<std::string> pushed(4);
  pair.server.handle("/pushed", [&](Context& context, const Order& order) {
    (void)pushed.send(order.sku + " in " + name(context.body_codec()));
  });
  const Session session = pair.dial();
  const Order order{"tea", 3, {1, 2}};
  const Price price{"tea", 300};
  for (const BodyCodec codec : all) {
    const CallOptions options{.body_codec = codec};
    EXPECT_EQ(session.call<Price>(options, "/price", order).value(), price) << name(codec);
    EXPECT_EQ(session.call<int>(options, "/add", 1, 2).value(), 3) << name(codec);
    EXPECT_EQ(session.call<std::string>(options, "/note", order, "now").value(), "tea now 2");
    EXPECT_EQ(session.call<std::string>(options, "/told", order).value(),
              name(codec) + " to " + name(codec));
    EXPECT_EQ(session.call_async<Price>(options, "/price", order).get().value(), price);
    const auto answers = std::make_shared<rt::Channel<Result<Price>>>(1);
    ASSERT_TRUE(session.call_into<Price>(answers, options, "/price", order).is_ok());
    EXPECT_EQ(answers->receive()->value(), price);
    Batch<std::string> batch(session, {.body_codec = codec});
    batch.add("/told", order);
    batch.add("/note", order, "now");
    const auto texts = batch.call();
    EXPECT_EQ(texts[0].value(), name(codec) + " to " + name(codec));
    EXPECT_EQ(texts[1].value(), "tea now 2");
    ASSERT_TRUE(session.push(options, "/pushed", order).is_ok());
    const Session many[] = {session, session};
    EXPECT_EQ(push_to(many, {.body_codec = codec}, "/pushed", order).value().sent, 2U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pushed.receive().value(), "tea in " + name(codec));
  }
}

PARLEY_PEER_TEST(BodyCodec, forms_and_plain_text_hold_what_they_can) {
  Pair pair;
  serve(pair.server);
  pair.server.handle("/half", [](double number) { return number / 2; });
  const Session session = pair.dial();
  const CallOptions form{.body_codec = BodyCodec::form};
  EXPECT_EQ(session.call<Price>(form, "/price", Order{"green tea", 2, {4, 5}}).value(),
            (Price{"green tea", 200}));
  const auto raw =
      session.call_raw({}, "/price", BodyCodec::form, Bytes::copy_of("quantity=2&sku=green+tea"));
  EXPECT_EQ(raw.value(), "sku=green+tea&pence=200");
  const auto by_name =
      session.call_raw({.accept_body_codec = BodyCodec::plain}, "/note", BodyCodec::form,
                       Bytes::copy_of("note=now&order.sku=tea&order.sizes=1"));
  EXPECT_EQ(by_name.value(), "tea now 1");
  const CallOptions plain{.body_codec = BodyCodec::plain};
  EXPECT_EQ(session.call<double>(plain, "/half", 5).value(), 2.5);
  // What it has no form for fails where it is written.
  EXPECT_EQ(session.call<int>(plain, "/add", 1, 2).error().code(), Code::invalid_argument);
  const Status result =
      session.call<Price>({.accept_body_codec = BodyCodec::plain}, "/price", Order{"tea", 1, {}})
          .error();
  EXPECT_EQ(result.code(), Code::internal);
  EXPECT_TRUE(result.message().starts_with("the result cannot be written")) << result;
}

PARLEY_PEER_TEST(BodyCodec, what_a_call_does_not_say_is_written_in_the_peers_own) {
  for (const BodyCodec own : {BodyCodec::json, BodyCodec::msgpack}) {
    Pair pair(PeerOptions{}, PeerOptions{.body_codec = own});
    serve(pair.server);
    rt::Channel<std::string> pushed(1);
    pair.server.handle("/pushed", [&](Context& context, int) { (void)pushed.send(told(context)); });
    const Session session = pair.dial();
    const std::string both = name(own) + " to " + name(own);
    EXPECT_EQ(session.call<std::string>("/told", Order()).value(), both);
    EXPECT_EQ(session.call<int>("/add", 40, 2).value(), 42);
    Batch<std::string> batch(session);
    batch.add("/told", Order());
    EXPECT_EQ(batch.call()[0].value(), both);
    ASSERT_TRUE(session.push("/pushed", 1).is_ok());
    EXPECT_EQ(pushed.receive().value(), both);
    ASSERT_TRUE(pair.client.push_all({}, "/pushed", 1));
    EXPECT_EQ(pushed.receive().value(), both);
    EXPECT_EQ(
        session.call<std::string>({.body_codec = BodyCodec::protobuf}, "/told", Order()).value(),
        "protobuf to protobuf");
  }
}

PARLEY_PEER_TEST(BodyCodec, who_writes_nothing_is_answered_in_what_it_writes_else) {
  for (const BodyCodec own : {BodyCodec::json, BodyCodec::protobuf}) {
    Pair pair(PeerOptions{.body_codec = own}, PeerOptions{});
    serve(pair.server);
    const Session session = pair.dial();
    EXPECT_EQ(session.call<std::string>({.body_codec = BodyCodec::msgpack}, "/nothing").value(),
              "msgpack to msgpack");
    // JSON is not said: who serves decides.
    EXPECT_EQ(session.call<std::string>("/nothing").value(), "none to " + name(own));
  }
}

PARLEY_PEER_TEST(BodyCodec, a_result_comes_in_what_the_caller_would_take_if_it_is_known) {
  Pair pair;
  serve(pair.server);
  const Session session = pair.dial();
  const auto told_with = [&](BodyCodec accepted) {
    const CallOptions options{.accept_body_codec = accepted};
    const auto told = session.call<std::string>(options, "/told", Order());
    const auto again = session.call_async<std::string>(options, "/told", Order()).get();
    EXPECT_EQ(told.value(), again.value());
    return told.value();
  };
  EXPECT_EQ(told_with(BodyCodec::msgpack), "json to msgpack");
  EXPECT_EQ(told_with(BodyCodec::thrift), "json to json") << "it is not known there";
  // Small values that are written quickly go the same way.
  EXPECT_EQ(session.call<int>({.accept_body_codec = BodyCodec::protobuf}, "/add", 1, 2).value(), 3);
  EXPECT_EQ(session
                .call_raw({.accept_body_codec = BodyCodec::protobuf}, "/add", BodyCodec::json,
                          Bytes::copy_of("[1,2]"))
                .value(),
            "\x08\x03");
  for (const char* garbage : {"", "x", "109x", "-1", "0", "256"}) {
    const CallOptions options{.metadata = {{"X-Accept-Body-Codec", garbage}}};
    EXPECT_EQ(session.call<std::string>(options, "/told", Order()).value(), "json to json");
  }
}

PARLEY_PEER_TEST(BodyCodec, the_wish_for_a_codec_travels_as_teleports_does) {
  Pair pair;
  serve(pair.server);
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  foreign.say({.seq = 1,
               .method = "/add",
               .metadata = {{"X-Accept-Body-Codec", "109"}},
               .body_codec = BodyCodec::json,
               .body = Bytes::copy_of("[1,2]")});
  const wire::Message answer = foreign.hear();
  EXPECT_EQ(answer.body_codec, BodyCodec::msgpack);
  EXPECT_EQ(answer.body, "\x03");
}

PARLEY_PEER_TEST(BodyCodec, an_unknown_one_is_told_with_those_there_are_and_the_session_goes_on) {
  Pair pair;
  serve(pair.server);
  const Session session = pair.dial();
  const Status here = session.call<int>({.body_codec = BodyCodec::thrift}, "/add", 1, 2).error();
  EXPECT_EQ(here.code(), Code::invalid_argument);
  const Status there = session.call_raw({}, "/price", BodyCodec{'q'}, Bytes::copy_of("?")).error();
  EXPECT_EQ(there.code(), Code::invalid_argument);
  for (const Status& status : {here, there}) {
    EXPECT_NE(status.message().find("there are json ('j'), protobuf ('p'), msgpack ('m')"),
              std::string::npos)
        << status;
  }
  EXPECT_TRUE(there.message().starts_with("/price: no codec has the id 'q'")) << there;
  EXPECT_EQ(session.call<int>("/add", 1, 2).value(), 3);
}

// JSON the other way round.
Status reversed(std::string& out, const codec::Type& type, const void* object,
                const codec::Limits& limits) {
  std::string text;
  Status status = codec::encode_json_as(text, type, object, limits);
  out.append(text.rbegin(), text.rend());
  return status;
}

std::shared_ptr<const codec::CodecRegistry> with_reversed() {
  auto codecs = std::make_shared<codec::CodecRegistry>();
  const Status added =
      codecs->add({.id = 'q',
                   .name = "reversed",
                   .encode = reversed,
                   .decode = [](std::string_view bytes, const codec::Type& type, void* object,
                                const codec::Limits& limits, const codec::DecodeOptions&) {
                     return codec::decode_json_as(std::string(bytes.rbegin(), bytes.rend()), type,
                                                  object, limits);
                   }});
  EXPECT_TRUE(added.is_ok()) << added;
  return codecs;
}

PARLEY_PEER_TEST(BodyCodec, ones_own_joins_the_registry_of_a_peer) {
  constexpr BodyCodec own{'q'};
  Pair pair(PeerOptions{.codecs = with_reversed()}, PeerOptions{.codecs = with_reversed()});
  serve(pair.server);
  const Session session = pair.dial();
  EXPECT_EQ(session.call<Price>({.body_codec = own}, "/price", Order{"tea", 1, {}}).value().pence,
            100);
  EXPECT_EQ(
      session.call<std::string>({.body_codec = own}, "/note", Order{"tea", 1, {}}, "now").value(),
      "tea now 0");
  // A caller that lacks it.
  Peer other;
  const Session poor = other.dial(pair.address).value();
  EXPECT_EQ(poor.call<int>({.body_codec = own}, "/add", 1, 2).error().code(),
            Code::invalid_argument);
  const Status answer = poor.call<Price>({.accept_body_codec = own}, "/price", Order()).error();
  EXPECT_TRUE(answer.message().starts_with("the answer of /price: no codec has the id 'q'"))
      << answer;
}

PARLEY_PEER_TEST(BodyCodec, bytes_pass_in_every_one_and_a_handler_says_what_its_own_are) {
  Pair pair;
  pair.server.handle("/same", [](Bytes body) { return body; });
  pair.server.handle("/packed", [](Context& context, const Bytes&) {
    context.set_reply_codec(BodyCodec::msgpack);
    return Bytes::copy_of("\x03");
  });
  pair.server.handle("/chosen", [](Context& context, int number) {
    context.set_reply_codec(BodyCodec::protobuf);
    return number;
  });
  const Session session = pair.dial();
  const Bytes body = Bytes::copy_of(std::string("\0\xff \"", 4));
  for (const BodyCodec codec : all) {
    EXPECT_EQ(session.call<Bytes>({.body_codec = codec}, "/same", body).value(), body);
  }
  EXPECT_EQ(session.call<Bytes>({.body_codec = BodyCodec::thrift}, "/same", 1).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(session.call_raw({}, "/same", BodyCodec::thrift, body).value(), body);
  EXPECT_EQ(session.call<int>("/packed", 1).value(), 3);
  EXPECT_EQ(session.call_raw({}, "/chosen", BodyCodec::json, Bytes::copy_of("5")).value(),
            "\x08\x05");
}

PARLEY_PEER_TEST(BodyCodec, a_stream_is_in_that_of_its_opening_both_ways) {
  Pair pair;
  rt::Channel<BodyCodec> seen(8);
  pair.server.handle_stream("/prices",
                            [&](Context& context, Stream<Order, Price>& stream) -> Status {
                              (void)seen.send(context.body_codec());
                              while (true) {
                                auto order = stream.receive();
                                if (!order) return order.error();
                                if (!*order) return {};
                                if (Status s = stream.send(price_of(**order)); !s.is_ok()) return s;
                              }
                            });
  pair.server.handle_stream("/raw", [](Stream<Bytes, Bytes>& stream) -> Status {
    auto message = stream.receive();
    return message && *message ? stream.send(**message) : message.error();
  });
  const Session session = pair.dial();
  for (const BodyCodec codec : all) {
    auto stream = session.open<Price, Order>({.body_codec = codec}, "/prices");
    ASSERT_TRUE(stream);
    for (int i = 1; i <= 3; ++i) {
      ASSERT_TRUE(stream->send({"tea", i, {i}}).is_ok());
      EXPECT_EQ(stream->receive().value(), (Price{"tea", 100 * i}));
    }
    ASSERT_TRUE(stream->finish().is_ok());
    EXPECT_EQ(stream->receive().value(), std::nullopt);
    EXPECT_EQ(seen.receive().value(), codec);
    auto raw = session.open<Bytes, Bytes>({.body_codec = codec}, "/raw");
    ASSERT_TRUE(raw && raw->send(Bytes::copy_of("\xff\"")).is_ok());
    EXPECT_EQ(raw->receive().value(), Bytes::copy_of("\xff\""));
  }
  // One that is not known is refused before the handler runs.
  auto unknown = session.open_raw({}, "/prices", BodyCodec{'q'});
  ASSERT_TRUE(unknown);
  const Status refused = unknown->receive().error();
  EXPECT_EQ(refused.code(), Code::invalid_argument);
  EXPECT_NE(refused.message().find("no codec has the id 'q'"), std::string::npos) << refused;
  EXPECT_EQ(seen.size(), 0U);
}

// Lists in each other, so deep.
struct Tree {
  std::vector<Tree> kids;
};

Tree tree_of(int depth) {
  Tree tree;
  for (int i = 1; i < depth; ++i) {
    Tree outer;
    outer.kids.push_back(std::move(tree));
    tree = std::move(outer);
  }
  return tree;
}

int depth_of(const Tree& tree) {
  int depth = 1;
  const Tree* at = &tree;
  for (; !at->kids.empty(); at = &at->kids.front()) ++depth;
  return depth;
}

PARLEY_PEER_TEST(BodyCodec, limits_of_reading_are_the_peers) {
  struct Case {
    const char* limit;
    codec::Limits tight;
    const char* method;
    std::string body;
  };
  const std::string text = '"' + std::string(100, 'x') + '"';
  const Case cases[] = {
      {"max_depth", {.max_depth = 3}, "/lists", "[[[[1]]]]"},
      {"max_elements", {.max_elements = 3}, "/lists", "[[[[1,2,3,4]]]]"},
      {"max_bytes", {.max_bytes = 100}, "/text", text},
      {"max_string_bytes", {.max_string_bytes = 99}, "/text", text},
  };
  for (const Case& each : cases) {
    for (const bool is_tight : {false, true}) {
      Pair pair(PeerOptions{.codec_limits = is_tight ? each.tight : codec::Limits()},
                PeerOptions{});
      using Lists = std::vector<std::vector<std::vector<std::vector<int>>>>;
      pair.server.handle("/lists", [](const Lists& lists) { return lists.size(); });
      pair.server.handle("/text", [](const std::string& text) { return text.size(); });
      const auto answer =
          pair.dial().call_raw({}, each.method, BodyCodec::json, Bytes::copy_of(each.body));
      EXPECT_EQ(answer.error().code(), is_tight ? Code::invalid_argument : Code::ok)
          << answer.error();
      EXPECT_EQ(answer.error().message().find(each.limit) != std::string::npos, is_tight)
          << answer.error();
    }
  }
}

// Two levels of depth for each of the tree.
void go_deep(std::size_t max_depth) {
  const int fits = static_cast<int>(max_depth / 2);
  Pair pair(PeerOptions{.codec_limits = {.max_depth = max_depth}});
  pair.server.handle("/depth", [](const Tree& tree) { return depth_of(tree); });
  pair.server.handle("/tree", [](int depth) { return tree_of(depth); });
  const Session session = pair.dial();
  for (const BodyCodec codec : all) {
    const CallOptions call{.body_codec = codec};
    EXPECT_EQ(session.call<int>(call, "/depth", tree_of(fits)).value(), fits) << name(codec);
    EXPECT_EQ(depth_of(session.call<Tree>(call, "/tree", fits).value()), fits) << name(codec);
  }
  std::string trees;
  for (int i = 0; i < 100'000; ++i) trees += R"({"kids":[)";
  const std::string lists(1'000'000, '[');
  const auto send = [&](const std::string& body) {
    return session.call_raw({}, "/depth", BodyCodec::json, Bytes::copy_of(body)).error().code();
  };
  EXPECT_EQ(send(trees), Code::invalid_argument);
  EXPECT_EQ(send(lists), Code::invalid_argument);
  EXPECT_EQ(session.call<Tree>("/tree", fits + 1).error().code(), Code::internal)
      << "it cannot be written";
}

TEST(BodyCodec, what_is_as_deep_as_it_may_be_fits_the_stack_of_a_handler) {
  const rt::RuntimeOptions usual;
  const std::size_t widened = codec::testing::frames_are_widened ? 4 : 1;
  rt::testing::run_fiber_test([] { go_deep(codec::Limits().max_depth); },
                              {.stack_size = widened * usual.stack_size / 2});
  rt::testing::run_fiber_test([] { go_deep(2 * codec::Limits().max_depth); },
                              {.stack_size = widened * usual.stack_size});
}

}  // namespace
}  // namespace parley::body_codec
