// A Door with TLS: what is spoken within it is told apart once more.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/http/websocket_client.h"
#include "parley/net/network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_client.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about

struct Certified {
  Certified()
      : client(*net::TlsClient::create({.server_name = "shop", .ca_pem = authority.pem()})) {
    options.tls =
        *net::TlsServer::create({.identities = {authority.issue({.dns_names = {"shop"}})}});
  }
  std::unique_ptr<net::Stream> dial(House& house) { return *client->connect(house.dial()); }

  const net::testing::TestAuthority authority{"Tea CA"};
  std::unique_ptr<net::TlsClient> client;
  DoorOptions options;
};

void call(std::unique_ptr<net::Stream> stream) {
  Peer client;
  client.handle("/once", [](int n) { return n; });
  const auto session = client.serve(std::move(stream), Side::dialled);
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(session->call<int>("/twice", 4).value(), 8);
}

PARLEY_FIBER_TEST(DoorTls, speaks_the_same_within_tls_and_without) {
  Certified by;
  House house(by.options);
  for (const bool secure : {true, false}) {
    const auto dial = [&] { return secure ? by.dial(house) : house.dial(); };
    const auto http1 = dial();
    ASSERT_TRUE(http1->write(add).is_ok());
    EXPECT_NE(read_until(*http1, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
    http::Http2Connection http2(dial(), secure ? "https" : "http");
    auto exchange = http2.begin(asking(http::Method::get, "/parley"), http::BodySize::none());
    ASSERT_TRUE(exchange) << exchange.error();
    EXPECT_EQ((*(*exchange)->response())->status, 405) << "a WebSocket here is a CONNECT";
    call(dial());
    auto socket = open_websocket(dial());
    ASSERT_NE(socket, nullptr);
    call(http::websocket_byte_stream(std::move(socket)));
  }
  const DoorCounts counts = house.door.counts();
  EXPECT_EQ(counts.accepted, 8U);
  EXPECT_EQ(counts.of("tls"), 4U);
  EXPECT_EQ(counts.of("http/1"), 4U);
  EXPECT_EQ(counts.of("http/2"), 2U);
  EXPECT_EQ(counts.of("parley"), 2U);
  EXPECT_EQ(house.told(), "");
}

// By connect_websocket(), several at once: over HTTP/2 they are streams of one connection.
PARLEY_FIBER_TEST(DoorTls, websockets_of_both_versions_carry_sessions_within_tls_and_without) {
  Certified by;
  by.options.tls = *net::TlsServer::create(
      {.identities = {by.authority.issue({.dns_names = {"shop"}})}, .alpn = {"h2", "http/1.1"}});
  House house(by.options);
  net::SocketNetwork network;
  for (const bool secure : {true, false}) {
    for (const http::Protocol protocol : {http::Protocol::http_1_1, http::Protocol::http_2}) {
      const bool is_2 = protocol == http::Protocol::http_2;
      http::Client client(network,
                          {.versions = is_2 ? http::Versions::http_2 : http::Versions::http_1,
                           .tls = by.client.get(),
                           .address_of = [&](const http::Url&) -> Result<net::Address> {
                             return *net::Address::parse(house.address());
                           }});
      std::vector<std::unique_ptr<http::WebSocket>> sockets;
      for (int i = 0; i < 3; ++i) {
        auto socket =
            http::connect_websocket(client, {.url = secure ? "wss://shop/parley" : "ws://a/parley"},
                                    {.subprotocols = {"parley"}, .protocol = protocol});
        ASSERT_TRUE(socket) << http::name_of(protocol) << socket.error();
        EXPECT_EQ((*socket)->subprotocol(), "parley");
        sockets.push_back(*std::move(socket));
      }
      EXPECT_EQ(client.counts().dialled, is_2 ? 1U : 3U);
      for (auto& socket : sockets) call(http::websocket_byte_stream(std::move(socket)));
    }
  }
  EXPECT_EQ(house.door.counts().websockets, 12U);
  EXPECT_EQ(house.door.counts().of("http/2"), 2U);
  EXPECT_EQ(house.door.counts().of("tls"), 4U);
}

PARLEY_FIBER_TEST(DoorTls, may_be_all_that_is_taken) {
  Certified by;
  by.options.plain = false;
  House house(by.options);
  EXPECT_EQ(house.ask(add), "");
  EXPECT_NE(house.told().find("(tls)"), std::string::npos) << house.told();
  call(by.dial(house));
}

PARLEY_FIBER_TEST(DoorTls, ends_in_order_within_tls) {
  Certified by;
  House house(by.options);
  const auto stream = by.dial(house);
  ASSERT_TRUE(stream->write(add).is_ok());
  EXPECT_NE(read_until(*stream, "\r\n\r\n3"), "");
  EXPECT_TRUE(house.door.shutdown().is_ok());
  EXPECT_EQ(read_until(*stream, ""), "");
  EXPECT_TRUE(house.end().is_ok());
  EXPECT_EQ(house.door.counts().connections, 0U);
}

// What a client that offers these agrees on with the door.
std::string agreed(std::vector<std::string> servers, DoorOptions options,
                   std::vector<std::string> offered) {
  const net::testing::TestAuthority authority("Tea CA");
  options.tls = *net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"shop"}})}, .alpn = std::move(servers)});
  House house(std::move(options));
  const auto client = *net::TlsClient::create(
      {.server_name = "shop", .ca_pem = authority.pem(), .alpn = std::move(offered)});
  const auto stream = client->connect(house.dial());
  EXPECT_TRUE(stream) << stream.error();
  return stream ? (*stream)->info().alpn : "refused";
}

PARLEY_FIBER_TEST(DoorTls, chooses_http2_by_alpn_where_nothing_else_was_said) {
  EXPECT_EQ(agreed({}, {}, {"http/1.1", "h2"}), "h2");
  EXPECT_EQ(agreed({}, {.http2 = false}, {"h2", "http/1.1"}), "http/1.1");
  EXPECT_EQ(agreed({}, {.http1 = false}, {"h2", "http/1.1"}), "h2");
  EXPECT_EQ(agreed({}, {}, {"parley"}), "") << "served all the same";
  EXPECT_EQ(agreed({}, {}, {}), "");
  EXPECT_EQ(agreed({"http/1.1"}, {}, {"h2", "http/1.1"}), "http/1.1");
}

void wait_for_no_connection(House& house) {
  while (house.door.counts().connections != 0) rt::yield();
}

PARLEY_FIBER_TEST(DoorTls, who_ends_without_close_notify_at_rest_is_counted_and_not_told) {
  Certified by;
  House house(by.options);
  const auto dial = [&](net::Stream*& below) {
    auto stream = house.dial();
    below = stream.get();
    return *by.client->connect(std::move(stream));
  };
  net::Stream* below = nullptr;
  const auto http1 = dial(below);
  ASSERT_TRUE(http1->write(add).is_ok());
  EXPECT_NE(read_until(*http1, "\r\n\r\n3"), "");
  ASSERT_TRUE(below->close_write().is_ok());
  wait_for_no_connection(house);
  EXPECT_EQ(house.door.counts().cut_at_rest, 1U);

  http::Http2Connection http2(dial(below), "https");
  auto exchange = http2.begin(asking(http::Method::get, "/math/add"), http::BodySize::none());
  ASSERT_TRUE(exchange) << exchange.error();
  EXPECT_EQ((*(*exchange)->response())->status, 405);
  EXPECT_TRUE((*exchange)->read_all(1000));
  ASSERT_TRUE(below->close_write().is_ok());
  wait_for_no_connection(house);
  EXPECT_EQ(house.door.counts().cut_at_rest, 2U);

  const auto silent = dial(below);
  ASSERT_TRUE(below->close_write().is_ok());
  wait_for_no_connection(house);
  EXPECT_EQ(house.door.counts().cut_at_rest, 3U);
  EXPECT_EQ(house.told(), "");

  const auto half = dial(below);
  ASSERT_TRUE(half->write("POST /math/add HTTP/1.1\r\nHost: a\r\n").is_ok());
  ASSERT_TRUE(below->close_write().is_ok());
  wait_for_no_connection(house);
  EXPECT_EQ(house.door.counts().cut_at_rest, 3U);
  EXPECT_NE(house.told().find("close_notify"), std::string::npos) << house.told();
}

}  // namespace
}  // namespace parley::door
