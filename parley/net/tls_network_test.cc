#include "parley/net/tls_network.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/testing/tls_pair.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using rt::testing::wait_until;

struct Town {
  explicit Town(std::size_t max_pending = 16, const std::string& server_name = "shop.example",
                std::chrono::milliseconds handshake_timeout = 10s, Network* below = nullptr)
      : server(*TlsServer::create({.identities = {authority.issue({.dns_names = {"shop.example"},
                                                                   .ip_addresses = {"127.0.0.1"}})},
                                   .limits = {.handshake_timeout = handshake_timeout}})),
        client(*TlsClient::create({.ca_pem = authority.pem()})),
        network({.below = below == nullptr ? &sockets : below,
                 .server = server.get(),
                 .client = client.get(),
                 .server_name = server_name,
                 .max_pending = max_pending,
                 .on_refused = [this](const Address&, const Status& why) {
                   last_refusal = why;
                   ++refused;
                 }}) {}

  std::unique_ptr<Listener> listen() {
    return *network.listen(*Address::parse("tcp://127.0.0.1:0"));
  }

  testing::TestAuthority authority{"Tea CA"};
  SocketNetwork sockets;
  std::unique_ptr<TlsServer> server;
  std::unique_ptr<TlsClient> client;
  std::atomic<int> refused = 0;
  Status last_refusal;
  TlsNetwork network;
};

std::string said_over(Listener& listener, Network& network) {
  std::unique_ptr<Stream> dialled;
  rt::Scope scope;
  scope.go("client", [&] {
    auto stream = network.dial(listener.address());
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_TRUE((*stream)->write("tea").is_ok());
    EXPECT_TRUE((*stream)->close_write().is_ok());
    dialled = *std::move(stream);
  });
  const auto stream = listener.accept();
  EXPECT_TRUE(stream) << stream.error();
  EXPECT_NE(dynamic_cast<TlsStream*>(stream->get()), nullptr);
  Status how;
  std::string text = testing::read_to_end(**stream, how);
  EXPECT_TRUE(how.is_ok()) << how;
  return text;
}

PARLEY_FIBER_TEST(TlsNetwork, dials_and_accepts_over_tls) {
  Town town;
  const auto listener = town.listen();
  EXPECT_EQ(said_over(*listener, town.network), "tea");
  EXPECT_EQ(listener->counts().accepted, 1U);
}

PARLEY_FIBER_TEST(TlsNetwork,
                  the_host_of_the_address_is_who_a_server_must_be_unless_a_name_is_set) {
  Town by_host(16, "");
  EXPECT_EQ(said_over(*by_host.listen(), by_host.network), "tea");

  Town wrong(16, "bank.example");
  const auto listener = wrong.listen();
  const auto stream = wrong.network.dial(listener->address());
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code(), Code::unauthenticated) << stream.error();
  wait_until([&] { return wrong.refused == 1; });
}

PARLEY_FIBER_TEST(TlsNetwork, a_server_at_localhost_has_to_be_localhost) {
  const testing::TestAuthority authority("Tea CA");
  SocketNetwork sockets;
  const auto server =
      *TlsServer::create({.identities = {authority.issue({.dns_names = {"localhost"}})}});
  const auto client = *TlsClient::create({.ca_pem = authority.pem()});
  TlsNetwork network({.below = &sockets, .server = server.get(), .client = client.get()});
  const auto listener = *network.listen(*Address::parse("tcp://localhost:0"));
  const std::string port = std::to_string(listener->address().port);
  EXPECT_EQ(listener->address().to_string(), "tcp://127.0.0.1:" + port);
  const auto stream = network.dial(*Address::parse("tcp://localhost:" + port));
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_EQ((*stream)->remote_address(), listener->address());
  EXPECT_TRUE(listener->accept());
  const auto by_number = network.dial(listener->address());
  EXPECT_EQ(by_number.error().code(), Code::unauthenticated) << by_number.error();
}

PARLEY_FIBER_TEST(TlsNetwork, who_is_slow_or_speaks_no_tls_holds_up_nobody_and_is_told_of) {
  Town town(16, "shop.example", 1s);
  const auto listener = town.listen();
  const auto silent = *town.sockets.dial(listener->address());
  const auto plain = *town.sockets.dial(listener->address());
  EXPECT_TRUE(plain->write("GET / HTTP/1.1\r\n\r\n").is_ok());
  EXPECT_EQ(said_over(*listener, town.network), "tea");
  wait_until([&] { return town.refused == 2; });
  EXPECT_EQ(town.last_refusal.code(), Code::deadline_exceeded) << town.last_refusal;
}

TEST(TlsNetwork, no_more_than_max_pending_are_taken_before_accept_takes_them) {
  for (const std::size_t most : {1U, 3U}) {
    rt::testing::in_virtual_time([&] {
      SimWorld world;
      Town town(most, "shop.example", 10s, &world.node("shop"));
      const auto listener = *town.network.listen(*Address::parse("tcp://0.0.0.0:80"));
      std::atomic<std::size_t> dialled = 0;
      rt::Scope scope(rt::OnExit::cancel);
      for (int i = 0; i < 5; ++i) {
        scope.go("client", [&] {
          if (town.network.dial(*Address::parse("tcp://shop:80"))) ++dialled;
        });
      }
      wait_until([&] { return dialled == most; });
      // Time enough for the others, whose silence it is that counts: it passes when nobody has
      // anything left to do.
      EXPECT_TRUE(rt::sleep(100ms).is_ok());
      EXPECT_EQ(dialled, most);
      // Those behind have a connection of the network below and no handshake.
      for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(listener->accept());
      wait_until([&] { return dialled == 5; });
    });
  }
}

PARLEY_FIBER_TEST(TlsNetwork, close_ends_accept_and_handshakes_and_refuses_who_was_not_accepted) {
  Town town;
  const auto listener = town.listen();
  const auto silent = *town.sockets.dial(listener->address());
  auto waiting = town.network.dial(listener->address());
  ASSERT_TRUE(waiting) << waiting.error();
  // It has shaken hands; nobody accepts it.
  rt::Scope scope;
  listener->close();
  listener->close();
  const auto none = listener->accept();
  EXPECT_EQ(none.error().code(), Code::unavailable) << none.error();
  std::string buffer(16, '\0');
  const auto nothing = (*waiting)->read(buffer);
  EXPECT_TRUE(!nothing || *nothing == 0U);
  EXPECT_EQ(silent->read(buffer).value_or(0), 0U);
  EXPECT_EQ(town.sockets.dial(listener->address()).error().code(), Code::unavailable);
}

PARLEY_FIBER_TEST(TlsNetwork, accept_ends_with_its_deadline_and_goes_on_later) {
  Town town;
  const auto listener = town.listen();
  EXPECT_EQ(listener->accept(rt::Deadline::after(1ms)).error().code(), Code::deadline_exceeded);
  EXPECT_EQ(said_over(*listener, town.network), "tea");
}

PARLEY_FIBER_TEST(TlsNetwork, without_a_server_it_does_not_listen_and_without_a_client_not_dial) {
  SocketNetwork sockets;
  TlsNetwork network({.below = &sockets});
  const Address address = *Address::parse("tcp://127.0.0.1:0");
  EXPECT_EQ(network.listen(address).error().code(), Code::failed_precondition);
  EXPECT_EQ(network.dial(address).error().code(), Code::failed_precondition);
  Town town;
  const auto listener = town.listen();
  EXPECT_EQ(town.network.listen(listener->address()).error().code(), Code::already_exists);
}

}  // namespace
}  // namespace parley::net
