// What a unary call is answered with over HTTP/2: messages of all sizes behind their prefix, the
// head and the trailers, with metadata and without.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/codec/reflect.h"
#include "parley/door/grpc.h"
#include "parley/door/grpc_framing.h"
#include "parley/http/http2_connection.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {

struct Echoed {
  std::string text;
};

namespace {

using namespace std::chrono_literals;

struct World {
  explicit World(Peer& peer) : service(*http::Service::make(make_grpc(peer))) {
    servants.go("server", [this] {
      net::Server server(*listener, [this](net::Stream& s) { return service->http2().serve(s); });
      (void)server.serve();
    });
  }
  ~World() {
    listener->close();
    servants.cancel();
    servants.join();
  }
  std::unique_ptr<net::Stream> dial() {
    return std::move(*net::SocketNetwork().dial(listener->address(), rt::Deadline::after(15s)));
  }
  std::unique_ptr<net::Listener> listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  std::shared_ptr<http::Service> service;
  rt::Scope servants;
};

struct Answered {
  http::Headers head;
  std::string body;
  http::Headers trailers;
};

Answered ask(http::Http2Connection& connection, std::string type, std::string_view message) {
  http::Request request{.method = http::Method::post, .target = "/echo"};
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  EXPECT_TRUE(request.headers.add("Content-Type", std::move(type)).is_ok());
  auto begun = connection.begin(request, http::BodySize::unknown());
  EXPECT_TRUE(begun) << begun.error();
  http::ClientExchange& exchange = **begun;
  std::string body;
  EXPECT_TRUE(put_grpc_message(body, message).is_ok());
  EXPECT_TRUE(exchange.write(body).is_ok());
  EXPECT_TRUE(exchange.end().is_ok());
  Answered answered;
  const auto head = exchange.response(rt::Deadline::after(15s));
  EXPECT_TRUE(head) << head.error();
  answered.head = (*head)->headers;
  auto all = exchange.read_all();
  EXPECT_TRUE(all) << all.error();
  answered.body = *std::move(all);
  answered.trailers = exchange.trailers();
  return answered;
}

PARLEY_FIBER_TEST(GrpcAnswer, messages_of_all_sizes_come_back_behind_their_prefix) {
  Peer peer;
  peer.handle("/echo", [](const Echoed& asked) { return asked; });
  World world(peer);
  http::Http2Connection connection(world.dial(), "http");
  for (const std::size_t size : {0, 1, 494, 495, 496, 497, 498, 5000, 70000}) {
    const std::string message = R"({"text":")" + std::string(size, 'x') + R"("})";
    std::string expected;
    ASSERT_TRUE(put_grpc_message(expected, message).is_ok());
    EXPECT_EQ(ask(connection, "application/grpc+json", message).body, expected) << size;
  }
}

PARLEY_FIBER_TEST(GrpcAnswer, its_head_says_the_type_that_was_asked_and_its_trailers_ok) {
  Peer peer;
  peer.handle("/echo", [](const Echoed& asked) { return asked; });
  World world(peer);
  http::Http2Connection connection(world.dial(), "http");
  const std::string as_protobuf("\x0a\x02hi", 4);
  for (const std::string type : {"application/grpc", "application/grpc+proto"}) {
    const Answered answered = ask(connection, type, as_protobuf);
    EXPECT_EQ(answered.head.get("content-type"), type);
    EXPECT_EQ(answered.head.count("content-type"), 1U);
    EXPECT_EQ(answered.head.get("grpc-accept-encoding"), "identity,gzip");
    ASSERT_EQ(answered.trailers.size(), 1U);
    EXPECT_EQ(answered.trailers.get("grpc-status"), "0");
  }
}

PARLEY_FIBER_TEST(GrpcAnswer, metadata_of_one_answer_is_in_no_other) {
  Peer peer;
  peer.handle("/echo", [](Context& context, const Echoed& asked) {
    if (asked.text == "more") {
      context.reply_metadata().set("till", "seven");
      context.reply_metadata().set("sum", "12");
    }
    return asked;
  });
  World world(peer);
  http::Http2Connection connection(world.dial(), "http");
  for (const bool has_more : {true, false, true, false}) {
    const auto answered = ask(connection, "application/grpc+json",
                              has_more ? R"({"text":"more"})" : R"({"text":"less"})");
    EXPECT_EQ(answered.head.get("till").has_value(), has_more);
    EXPECT_EQ(answered.trailers.get("grpc-status"), "0");
  }
}

}  // namespace
}  // namespace parley::door
