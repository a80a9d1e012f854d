// gRPC and POST through a Door: who needs no handler of its own has both.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "parley/door/grpc_client.h"
#include "parley/door/testing/house.h"
#include "parley/net/network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_network.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using testing::add;
using testing::House;

using Two = std::tuple<int, int>;

net::Address address_of(const House& house) { return *net::Address::parse(house.address()); }

Code code_of(const House& house) {
  net::SocketNetwork network;
  GrpcChannel channel(network, address_of(house));
  const auto sum = channel.call<int>("/math/add", Two(1, 2));
  return sum ? Code::ok : sum.error().code();
}

PARLEY_FIBER_TEST(DoorGrpc, all_that_a_peer_speaks_comes_by_one_port) {
  House house;
  house.peer.handle_stream("/math/running", [](Stream<int, int>& stream) -> Status {
    for (int sum = 0;;) {
      const auto next = stream.receive();
      if (!next) return next.error();
      if (!*next) return {};
      sum += **next;
      if (Status s = stream.send(sum); !s.is_ok()) return s;
    }
  });
  net::SocketNetwork network;
  GrpcChannel channel(network, address_of(house));
  EXPECT_EQ(channel.call<int>("/math/add", Two(1, 2)).value(), 3);
  auto stream = channel.open<int, int>("/math/running");
  ASSERT_TRUE(stream) << stream.error();
  for (const auto& [given, sum] : {std::pair(1, 1), std::pair(2, 3)}) {
    ASSERT_TRUE(stream->write(given).is_ok());
    EXPECT_EQ(stream->read().value(), sum);
  }
  ASSERT_TRUE(stream->done_writing().is_ok());
  EXPECT_FALSE(stream->read()->has_value());
  EXPECT_NE(house.ask(add, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
  Peer client;
  const auto session = client.dial(house.address());
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(session->call<int>("/math/add", 1, 2).value(), 3);
  EXPECT_EQ(house.told(), "");
  const DoorCounts counts = house.door.counts();
  EXPECT_EQ(counts.of("http/2"), 1U);
  EXPECT_EQ(counts.of("http/1"), 1U);
  EXPECT_EQ(counts.of("parley"), 1U);
  channel.close();
}

PARLEY_FIBER_TEST(DoorGrpc, comes_within_TLS_where_that_agrees_on_h2) {
  const net::testing::TestAuthority authority("Tea CA");
  DoorOptions options;
  options.tls = *net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"shop"}})}, .alpn = {"h2", "http/1.1"}});
  options.plain = false;
  House house(std::move(options));
  net::SocketNetwork sockets;
  const auto client =
      *net::TlsClient::create({.server_name = "shop", .ca_pem = authority.pem(), .alpn = {"h2"}});
  net::TlsNetwork network({.below = &sockets, .client = client.get(), .server_name = "shop"});
  GrpcChannel channel(network, address_of(house));
  const auto sum = channel.call<int>("/math/add", Two(1, 2));
  ASSERT_TRUE(sum) << sum.error();
  EXPECT_EQ(*sum, 3);
  EXPECT_EQ(house.door.counts().of("tls"), 1U);
  EXPECT_NE(code_of(house), Code::ok) << "without TLS";
}

PARLEY_FIBER_TEST(DoorGrpc, either_may_be_turned_off) {
  {
    House house({.grpc = std::nullopt});
    EXPECT_EQ(code_of(house), Code::unknown) << "415 of who takes no such content";
    EXPECT_NE(house.ask(add, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
  }
  {
    House house({.post = std::nullopt});
    EXPECT_EQ(code_of(house), Code::ok);
    EXPECT_NE(house.ask(add, "\r\n\r\n").find("HTTP/1.1 404"), std::string::npos);
  }
}

PARLEY_FIBER_TEST(DoorGrpc, their_options_are_those_of_the_door) {
  House house({.grpc = GrpcOptions{.max_message = 1}, .post = PostOptions{.prefix = "/api"}});
  EXPECT_EQ(code_of(house), Code::resource_exhausted);
  EXPECT_NE(house.ask(add, "\r\n\r\n").find("HTTP/1.1 404"), std::string::npos);
}

PARLEY_FIBER_TEST(DoorGrpc, a_handler_of_ones_own_takes_the_place_of_both) {
  House house({}, {}, [](http::ServerExchange& exchange) { return exchange.answer(204); });
  EXPECT_NE(code_of(house), Code::ok);
  EXPECT_NE(house.ask(add, "\r\n\r\n").find("HTTP/1.1 204"), std::string::npos);
}

}  // namespace
}  // namespace parley::door
