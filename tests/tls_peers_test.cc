// Two peers whose network is TLS, as docs/tour/calls.md shows it.
#include <gtest/gtest.h>

#include <string>

#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_network.h"
#include "parley/peer/peer.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley {
namespace {

PARLEY_FIBER_TEST(TlsPeers, call_each_other_by_the_name_localhost) {
  const net::testing::TestAuthority authority("Tea CA");
  const auto server =
      *net::TlsServer::create({.identities = {authority.issue({.dns_names = {"localhost"}})}});
  const auto client = *net::TlsClient::create({.ca_pem = authority.pem()});
  net::SocketNetwork sockets;
  net::TlsNetwork tls({.below = &sockets, .server = server.get(), .client = client.get()});

  Peer shop({.network = &tls});
  shop.handle("/twice", [](Context& context, int n) -> Result<int> {
    return context.session().call<int>("/once", 2 * n);
  });
  const auto address = shop.listen("tcp://localhost:0");
  ASSERT_TRUE(address) << address.error();
  const std::string port = std::to_string(address->port);

  Peer till({.network = &tls});
  till.handle("/once", [](int n) { return n; });
  const auto session = till.dial("tcp://localhost:" + port);
  ASSERT_TRUE(session) << session.error();
  EXPECT_EQ(session->call<int>("/twice", 21).value(), 42);

  const auto stranger = till.dial("tcp://127.0.0.1:" + port);
  EXPECT_EQ(stranger.error().code(), Code::not_sent) << stranger.error();
}

}  // namespace
}  // namespace parley
