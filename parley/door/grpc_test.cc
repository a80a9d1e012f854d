#include "parley/door/grpc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/reflect.h"
#include "parley/door/grpc_head.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/rt/context.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {

struct Order {
  std::string tea;
  int cups = 0;
};
struct Receipt {
  std::string text;
};

namespace {

using namespace std::chrono_literals;
using http::Method;
using http::Protocol;
using http::testing::MemoryExchange;

void fill(Peer& peer) {
  peer.handle("/shop.Orders/PlaceOrder", [](const Order& order) -> Result<Receipt> {
    if (order.cups == 0) return Status::business(1001, "no cups").with_cause("out of cups");
    return Receipt{order.tea + " x " + std::to_string(order.cups)};
  });
  peer.handle("/math/add", [](int a, int b) { return a + b; });
  peer.handle("/shop/v1/teas/list_all", [] { return Receipt{"by its whole name"}; });
  peer.handle("/teas/brew_one", [] { return Receipt{"without the package"}; });
  peer.handle("/nothing", [](Context& context) {
    context.reply_metadata().set("Seen", std::string(context.metadata().get("tea").value_or("-")));
    context.reply_metadata().set("raw-bin",
                                 std::string(context.metadata().get("raw-bin").value_or("-")));
  });
  peer.handle("/echo", [](const Receipt& receipt) { return receipt; });
  peer.handle("/wait", []() -> Status { return rt::Context::current().wait_done(); });
  peer.handle_stream("/chat", [](Stream<Receipt, Receipt>&) {});
}

std::string framed(std::string_view message, GrpcCoding coding = GrpcCoding::identity) {
  std::string out;
  EXPECT_TRUE(put_grpc_message(out, message, coding).is_ok());
  return out;
}
template <class T>
std::string message_of(const T& value) {
  return framed(*codec::encode_protobuf(value));
}
// The bytes of the only message.
std::string only_message(std::string_view body) {
  GrpcReader reader({.max_message = 1 << 24});
  GrpcMessage message;
  EXPECT_TRUE(reader.next(body, message).value_or(false));
  EXPECT_TRUE(body.empty());
  return take_message(std::move(message), GrpcCoding::gzip, 1 << 24).value_or("none");
}

struct Asked {
  Asked(std::string path, std::string body, std::string_view type = "application/grpc")
      : exchange(Method::post, std::move(path)) {
    exchange.speaks(Protocol::http_2).with("Content-Type", type).sends({std::move(body)});
  }
  // How it ended, by trailers or, without a body, the head.
  Status run(const http::Handler& handler) {
    const Status ran = exchange.run(handler);
    EXPECT_TRUE(ran.is_ok()) << ran;
    Status status(Code::data_loss, "no grpc-status");
    if (!take_grpc_status(exchange.sent_trailers(), status)) {
      (void)take_grpc_status(exchange.answered().headers, status);
    }
    return status;
  }
  template <class T>
  T result() {
    return codec::decode_protobuf<T>(only_message(exchange.body())).value_or(T{});
  }
  MemoryExchange exchange;
};

PARLEY_FIBER_TEST(Grpc, a_method_takes_and_gives_the_message_itself) {
  Peer peer;
  fill(peer);
  const http::Handler grpc = make_grpc(peer);
  for (const std::string_view type : {"application/grpc", "application/grpc+proto"}) {
    Asked order("/shop.Orders/PlaceOrder", message_of(Order{"green", 2}), type);
    EXPECT_TRUE(order.run(grpc).is_ok());
    EXPECT_EQ(order.result<Receipt>().text, "green x 2");
    EXPECT_EQ(order.exchange.field("Content-Type"), type);
    EXPECT_EQ(order.exchange.field("grpc-accept-encoding"), "identity,gzip");
  }
  Asked add("/math/add", framed("\x08\x02\x10\x28"));
  EXPECT_TRUE(add.run(grpc).is_ok());
  EXPECT_EQ(only_message(add.exchange.body()), "\x08\x2A") << "fields 1 and 2 to field 1";
  Asked nothing("/nothing", framed(""));
  EXPECT_TRUE(nothing.run(grpc).is_ok());
  EXPECT_EQ(only_message(nothing.exchange.body()), "");
}

PARLEY_FIBER_TEST(Grpc, messages_may_be_json_and_what_the_peer_knows) {
  Peer peer;
  fill(peer);
  const http::Handler grpc = make_grpc(peer);
  Asked order("/shop.Orders/PlaceOrder", framed(R"({"tea":"green","cups":2})"),
              "application/grpc+json");
  EXPECT_TRUE(order.run(grpc).is_ok());
  EXPECT_EQ(only_message(order.exchange.body()), R"({"text":"green x 2"})");
  EXPECT_EQ(order.exchange.field("Content-Type"), "application/grpc+json");
  Asked nothing("/nothing", framed("{}"), "application/grpc+json");
  EXPECT_TRUE(nothing.run(grpc).is_ok());
  EXPECT_EQ(only_message(nothing.exchange.body()), "{}");
  Asked packed("/math/add", framed("\x92\x02\x28"), "application/grpc+msgpack");
  EXPECT_TRUE(packed.run(grpc).is_ok());
  EXPECT_EQ(only_message(packed.exchange.body()), "\x2A");
}

PARLEY_FIBER_TEST(Grpc, a_path_is_a_name_or_what_the_mapper_makes_of_it) {
  Peer peer;
  fill(peer);
  const http::Handler grpc = make_grpc(peer);
  Asked whole("/shop.v1.Teas/ListAll", framed(""));
  EXPECT_TRUE(whole.run(grpc).is_ok());
  EXPECT_EQ(whole.result<Receipt>().text, "by its whole name");
  Asked part("/shop.v1.Teas/BrewOne", framed(""));
  EXPECT_TRUE(part.run(grpc).is_ok());
  EXPECT_EQ(part.result<Receipt>().text, "without the package");
  for (const char* const path : {"/shop.v1.Teas/Drink", "/", "/x", "/..", "/shop.Orders/Place"}) {
    EXPECT_EQ(Asked(path, framed("")).run(grpc).code(), Code::unimplemented) << path;
  }
}

PARLEY_FIBER_TEST(Grpc, what_no_method_is_there_for_goes_to_who_takes_the_rest) {
  Peer peer;
  peer.handle_unknown_calls([](Context& context, const Bytes& body) -> Result<Bytes> {
    return Bytes::from(std::string(context.method()) + body.to_string());
  });
  Asked any("/shop.v1.Teas/Drink", framed("tea"));
  EXPECT_TRUE(any.run(make_grpc(peer)).is_ok());
  EXPECT_EQ(only_message(any.exchange.body()), "/shop.v1.Teas/Drinktea");
}

PARLEY_FIBER_TEST(Grpc, an_error_is_a_head_with_its_details) {
  Peer peer;
  fill(peer);
  Asked order("/shop.Orders/PlaceOrder", framed(""));
  EXPECT_EQ(order.run(make_grpc(peer)),
            Status::business(1001, "no cups").with_cause("out of cups"));
  EXPECT_EQ(order.exchange.field("grpc-status"), "9");
  EXPECT_EQ(order.exchange.answered().status, 200);
  EXPECT_EQ(order.exchange.body(), "");
  Asked wrong("/shop.Orders/PlaceOrder", framed("\xFF"));
  EXPECT_EQ(wrong.run(make_grpc(peer)).code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Grpc, metadata_goes_before_and_behind_an_answer) {
  Peer peer;
  fill(peer);
  const auto ask = [&](const GrpcOptions& options) {
    Asked asked("/nothing", framed(""));
    asked.exchange.with("tea", "green").with("raw-bin", "AP8");
    EXPECT_TRUE(asked.run(make_grpc(peer, options)).is_ok());
    return asked.exchange.field("seen") + " " + asked.exchange.field("raw-bin") + " " +
           std::string(asked.exchange.sent_trailers().get("raw-bin").value_or("none"));
  };
  EXPECT_EQ(ask({}), "green AP8 none");
  EXPECT_EQ(ask({.trailing = {"Raw-Bin"}}), "green  AP8");
  Asked wrong("/nothing", framed(""));
  wrong.exchange.with("raw-bin", "!");
  EXPECT_EQ(wrong.run(make_grpc(peer)).code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Grpc, who_sends_gzip_is_answered_in_it) {
  Peer peer;
  fill(peer);
  const Receipt large{std::string(5000, 'x')};
  const auto size_of_answer = [&](std::string_view accepts, const GrpcOptions& options) {
    Asked asked("/echo", framed(*codec::encode_protobuf(large), GrpcCoding::gzip));
    asked.exchange.with("grpc-encoding", "gzip").with("grpc-accept-encoding", accepts);
    EXPECT_TRUE(asked.run(make_grpc(peer, options)).is_ok());
    EXPECT_EQ(asked.result<Receipt>().text, large.text);
    return asked.exchange.body().size();
  };
  EXPECT_LT(size_of_answer("identity, gzip", {}), 200U);
  EXPECT_GT(size_of_answer("identity, gzip", {.compress_from = 6000}), 5000U);
  EXPECT_GT(size_of_answer("identity", {}), 5000U);
  Asked other("/echo", framed(""));
  other.exchange.with("grpc-encoding", "snappy");
  EXPECT_EQ(other.run(make_grpc(peer)).code(), Code::unimplemented);
  EXPECT_EQ(other.exchange.field("grpc-accept-encoding"), "identity,gzip");
}

PARLEY_FIBER_TEST(Grpc, messages_have_a_limit_also_when_they_are_unpacked) {
  Peer peer;
  fill(peer);
  const Receipt receipt{std::string(998, 'x')};  // 1001 bytes
  const auto code_for = [&](std::size_t most, GrpcCoding coding) {
    Asked asked("/echo", framed(*codec::encode_protobuf(receipt), coding));
    asked.exchange.with("grpc-encoding", "gzip");
    return asked.run(make_grpc(peer, {.max_message = most})).code();
  };
  EXPECT_EQ(code_for(1001, GrpcCoding::identity), Code::ok);
  EXPECT_EQ(code_for(1000, GrpcCoding::identity), Code::resource_exhausted);
  EXPECT_EQ(code_for(1001, GrpcCoding::gzip), Code::ok);
  EXPECT_EQ(code_for(1000, GrpcCoding::gzip), Code::resource_exhausted);
}

PARLEY_FIBER_TEST(Grpc, a_unary_call_has_one_whole_message) {
  Peer peer;
  fill(peer);
  const http::Handler grpc = make_grpc(peer);
  EXPECT_EQ(Asked("/echo", "").run(grpc).code(), Code::unimplemented);
  EXPECT_EQ(Asked("/echo", framed("") + framed("")).run(grpc).code(), Code::unimplemented);
  EXPECT_EQ(Asked("/echo", framed("tea").substr(0, 6)).run(grpc).code(), Code::internal);
}

PARLEY_FIBER_TEST(Grpc, a_call_ends_when_its_caller_waits_no_longer) {
  Peer peer;
  fill(peer);
  EXPECT_EQ(Asked("/wait", framed("")).run(make_grpc(peer, {.timeout = 1ms})).code(),
            Code::deadline_exceeded);
  Asked said("/wait", framed(""));
  said.exchange.with("grpc-timeout", "2m");
  EXPECT_EQ(said.run(make_grpc(peer, {.timeout = 24h})).code(), Code::deadline_exceeded);
  Asked wrong("/wait", framed(""));
  wrong.exchange.with("grpc-timeout", "soon");
  EXPECT_EQ(wrong.run(make_grpc(peer)).code(), Code::internal);
}

PARLEY_FIBER_TEST(Grpc, what_is_no_gRPC_is_refused_in_HTTP) {
  Peer peer;
  fill(peer);
  const http::Handler grpc = make_grpc(peer);
  for (const std::string_view type : {"application/json", "application/grpcs", "application/grpc+",
                                      "application/grpc+cbor", ""}) {
    Asked asked("/echo", framed(""), type);
    (void)asked.run(grpc);
    EXPECT_EQ(asked.exchange.answered().status, 415) << type;
  }
  MemoryExchange get(Method::get, "/echo");
  EXPECT_TRUE(get.run(grpc).is_ok());
  EXPECT_EQ(get.answered().status, 405);
  Asked old("/echo", framed(""));
  old.exchange.speaks(Protocol::http_1_1);
  (void)old.run(grpc);
  EXPECT_EQ(old.exchange.answered().status, 505);
  EXPECT_TRUE(is_grpc(Asked("/", "", "Application/gRPC-web").exchange.request()));
  EXPECT_FALSE(is_grpc(Asked("/", "", "application/json").exchange.request()));
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc;a=b",
                           "application/grpc-web-text", "application/grpc-web+json"}) {
    EXPECT_TRUE(is_grpc_type(type)) << type;
  }
  for (const char* type : {"", "application/grp", "application/grpcfoo", "application/grpc-text",
                           "application/grpc-webs"}) {
    EXPECT_FALSE(is_grpc_type(type)) << type;
  }
}

// The messages of a body of gRPC-Web, trailers among them.
std::string web_messages(std::string_view body) {
  GrpcReader reader({.takes_trailers = true});
  std::string out;
  GrpcMessage message;
  while (!body.empty() && *reader.next(body, message)) out += message.bytes + "|";
  return out;
}

PARLEY_FIBER_TEST(Grpc, gRPC_Web_comes_over_any_version_of_HTTP) {
  Peer peer;
  fill(peer);
  const http::Handler grpc = make_grpc(peer);
  for (const Protocol protocol : {Protocol::http_1_1, Protocol::http_2}) {
    Asked json("/echo", framed(R"({"text":"tea"})"), "application/grpc-web+json");
    EXPECT_TRUE(json.exchange.speaks(protocol).run(grpc).is_ok());
    EXPECT_EQ(web_messages(json.exchange.body()), "{\"text\":\"tea\"}|grpc-status: 0\r\n|");
    EXPECT_EQ(json.exchange.field("Content-Type"), "application/grpc-web+json");
    EXPECT_TRUE(json.exchange.sent_trailers().empty());
  }
  Asked failed("/unknown", framed(""), "application/grpc-web");
  (void)failed.run(grpc);
  EXPECT_TRUE(web_messages(failed.exchange.body()).starts_with("grpc-status: 12\r\n"));
}

PARLEY_FIBER_TEST(Grpc, gRPC_Web_may_be_text) {
  Peer peer;
  fill(peer);
  const std::string message = framed(R"({"text":"tea"})");
  std::string body;
  append_base64(body, message.substr(0, 7));  // padded, and more behind it
  append_base64(body, message.substr(7));
  Asked text("/echo", body, "application/grpc-web-text+json");
  text.exchange.speaks(Protocol::http_1_1);
  (void)text.run(make_grpc(peer));
  std::string bytes;
  std::string_view left = text.exchange.body();
  for (std::size_t end = 0; !left.empty(); left.remove_prefix(end)) {
    end = left.find('=');
    end = end == std::string_view::npos ? left.size() : end / 4 * 4 + 4;
    std::string piece;
    EXPECT_TRUE(decode_base64(left.substr(0, end), piece));
    bytes += piece;
  }
  EXPECT_EQ(web_messages(bytes), "{\"text\":\"tea\"}|grpc-status: 0\r\n|");
  Asked wrong("/echo", "!", "application/grpc-web-text");
  (void)wrong.run(make_grpc(peer));
  EXPECT_NE(wrong.exchange.body(), "");
}

}  // namespace
}  // namespace parley::door
