// gRPC over connections of HTTP/2: many calls at once, and calls that are taken back.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/codec/reflect.h"
#include "parley/door/grpc.h"
#include "parley/door/grpc_head.h"
#include "parley/http/http2_connection.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {

struct Said {
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

std::unique_ptr<http::ClientExchange> begin(http::Http2Connection& connection, std::string path,
                                            std::string_view message) {
  http::Request request{.method = http::Method::post, .target = std::move(path)};
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  EXPECT_TRUE(request.headers.add("Content-Type", "application/grpc+json").is_ok());
  auto exchange = connection.begin(request, http::BodySize::unknown());
  EXPECT_TRUE(exchange) << exchange.error();
  std::string body;
  EXPECT_TRUE(put_grpc_message(body, message).is_ok());
  EXPECT_TRUE((*exchange)->write(body).is_ok());
  EXPECT_TRUE((*exchange)->end().is_ok());
  return *std::move(exchange);
}

// How it ended, and the bytes of the answer's body behind the prefix.
Status ended(http::ClientExchange& exchange, std::string& body) {
  const auto head = exchange.response(rt::Deadline::after(15s));
  if (!head) return head.error();
  auto all = exchange.read_all();
  if (!all) return all.error();
  body = all->size() < grpc_prefix_bytes ? std::string() : all->substr(grpc_prefix_bytes);
  Status status(Code::data_loss, "no grpc-status");
  if (!take_grpc_status(exchange.trailers(), status)) {
    (void)take_grpc_status((*head)->headers, status);
  }
  return status;
}

void call_often() {
  Peer peer;
  peer.handle("/say", [](const Said& said) {
    rt::yield();
    return said;
  });
  World world(peer);
  http::Http2Connection connection(world.dial(), "http");
  rt::Scope callers;
  for (std::size_t i = 0; i < 200; ++i) {
    callers.go("caller", [&connection, i] {
      const std::string message = R"({"text":")" + std::string(i * 100, 'x') + R"("})";
      const auto exchange = begin(connection, "/say", message);
      std::string body;
      const Status status = ended(*exchange, body);
      EXPECT_TRUE(status.is_ok()) << status;
      EXPECT_EQ(body, message);
    });
  }
  callers.join();
  EXPECT_TRUE(connection.is_usable());
}

PARLEY_FIBER_TEST(GrpcConnection, many_calls_go_over_one_connection) { call_often(); }

TEST(GrpcConnection, many_calls_go_over_one_connection_on_four_workers) {
  rt::testing::run_fiber_test([] { call_often(); }, {.workers = 4});
}

PARLEY_FIBER_TEST(GrpcConnection, a_call_that_is_taken_back_ends_its_handler) {
  Peer peer;
  rt::Event began;
  rt::Event over;
  Status why;
  peer.handle("/wait", [&]() -> Status {
    began.set();
    why = rt::Context::current().wait_done();
    over.set();
    return why;
  });
  World world(peer);
  http::Http2Connection connection(world.dial(), "http");
  const auto exchange = begin(connection, "/wait", "{}");
  ASSERT_TRUE(began.wait(rt::Deadline::after(15s)).is_ok());
  exchange->cancel();
  ASSERT_TRUE(over.wait(rt::Deadline::after(15s)).is_ok());
  EXPECT_EQ(why.code(), Code::cancelled) << why;
}

PARLEY_FIBER_TEST(GrpcConnection, a_peer_that_has_closed_is_unavailable) {
  Peer peer;
  peer.handle("/say", [](const Said& said) { return said; });
  World world(peer);
  http::Http2Connection connection(world.dial(), "http");
  std::string body;
  EXPECT_TRUE(ended(*begin(connection, "/say", "{}"), body).is_ok());
  peer.close();
  EXPECT_EQ(ended(*begin(connection, "/say", "{}"), body).code(), Code::unavailable);
}

}  // namespace
}  // namespace parley::door
