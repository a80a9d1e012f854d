// A server of gRPC over HTTP/2, and calls of it by hand: messages in JSON, so that tests can read
// them. For tests; inside a fiber.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/door/grpc.h"
#include "parley/door/grpc_framing.h"
#include "parley/door/grpc_head.h"
#include "parley/http/http2_connection.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/peer/peer.h"
#include "parley/rt/scope.h"

namespace parley::door::testing {

// A server with the methods of `peer`.
struct GrpcWorld {
  explicit GrpcWorld(Peer& peer, GrpcOptions options = {})
      : service(*http::Service::make(make_grpc(peer, std::move(options)))) {
    servants.go("server", [this] {
      net::Server server(*listener, [this](net::Stream& s) { return service->http2().serve(s); });
      (void)server.serve();
    });
  }
  ~GrpcWorld() {
    listener->close();
    servants.cancel();
    servants.join();
  }
  std::unique_ptr<http::Http2Connection> dial() const {
    return std::make_unique<http::Http2Connection>(
        std::move(*net::SocketNetwork().dial(listener->address())), "http");
  }
  std::unique_ptr<net::Listener> listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  std::shared_ptr<http::Service> service;
  rt::Scope servants;
};

// A call, as its client sees it.
struct GrpcCaller {
  GrpcCaller(http::Http2Connection& connection, const std::string& path,
             const std::string& timeout = "",
             const std::vector<std::pair<std::string, std::string>>& more = {{"till", "seven"}}) {
    http::Request request{.method = http::Method::post, .target = path};
    std::vector<std::pair<std::string, std::string>> fields = {
        {"Host", "shop.example"}, {"Content-Type", "application/grpc+json"}, {"TE", "trailers"}};
    if (!timeout.empty()) fields.emplace_back("grpc-timeout", timeout);
    fields.insert(fields.end(), more.begin(), more.end());
    for (const auto& [name, value] : fields) {
      EXPECT_TRUE(request.headers.add(name, value).is_ok());
    }
    exchange = *connection.begin(request, http::BodySize::unknown());
  }
  Status send(std::string_view message, rt::Deadline deadline = {}) {
    std::string out;
    EXPECT_TRUE(put_grpc_message(out, message).is_ok());
    if (Status s = exchange->write(out, deadline); !s.is_ok()) return s;
    return exchange->flush();
  }
  // Nothing at the end, of which status() then tells.
  std::optional<std::string> receive() {
    GrpcMessage message;
    for (;;) {
      const auto there = reader.next(piece, message);
      EXPECT_TRUE(there);
      if (*there) return std::move(message.bytes);
      auto more = exchange->read();
      EXPECT_TRUE(more) << more.error();
      if (!more || more->empty()) return {};
      piece = *more;
    }
  }
  std::vector<std::string> receive_all() {
    std::vector<std::string> all;
    while (auto message = receive()) all.push_back(*std::move(message));
    return all;
  }
  Status status() {
    Status status;
    if (take_grpc_status(exchange->trailers(), status)) return status;
    EXPECT_TRUE(take_grpc_status((*exchange->response())->headers, status)) << "no grpc-status";
    return status;
  }
  std::unique_ptr<http::ClientExchange> exchange;
  GrpcReader reader;
  std::string_view piece;
};

}  // namespace parley::door::testing
