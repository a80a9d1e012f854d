// How connections of a Server within TLS end that say no good-bye.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/server.h"
#include "parley/net/network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_network.h"
#include "parley/net/tls_server.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

class World {
 public:
  World()
      : server_(*listener_, [](ServerExchange& exchange) { return exchange.answer(200, "hello"); },
                {.on_error = [this](const net::Address&, const Status&) { ++told; }}) {
    scope_.go("server", [this] { (void)server_.serve(); });
  }
  ~World() { (void)server_.shutdown(); }

  // Says `bytes`, waits for `until`, and then ends what is below TLS, and nothing else.
  void say_and_cut(std::string_view bytes, std::string_view until) {
    auto below = net::SocketNetwork().dial(listener_->address());
    net::Stream* const cut = below->get();
    const auto stream = client_->connect(*std::move(below));
    ASSERT_TRUE(stream) << stream.error();
    ASSERT_TRUE((*stream)->write(bytes).is_ok());
    std::array<char, 4096> buffer{};
    for (std::string all; all.find(until) == std::string::npos;) {
      const auto size = (*stream)->read(buffer);
      ASSERT_TRUE(size && *size > 0) << all;
      all.append(buffer.data(), *size);
    }
    ASSERT_TRUE(cut->close_write().is_ok());
    ++dialled_;
    for (;;) {
      const ServerCounts counts = server_.counts();
      if (counts.accepted == dialled_ && counts.connections == 0) return;
      rt::yield();
    }
  }
  [[nodiscard]] std::uint64_t cut_at_rest() const { return server_.counts().cut_at_rest; }
  std::atomic<int> told = 0;

 private:
  std::uint64_t dialled_ = 0;
  const net::testing::TestAuthority authority_{"Tea CA"};
  const std::unique_ptr<net::TlsServer> tls_ =
      *net::TlsServer::create({.identities = {authority_.issue({.dns_names = {"shop"}})}});
  const std::unique_ptr<net::TlsClient> client_ =
      *net::TlsClient::create({.server_name = "shop", .ca_pem = authority_.pem()});
  net::SocketNetwork sockets_;
  net::TlsNetwork network_{{.below = &sockets_, .server = tls_.get()}};
  const std::unique_ptr<net::Listener> listener_ =
      *network_.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  Server server_;
  rt::Scope scope_;
};

PARLEY_FIBER_TEST(HttpTlsEnd, who_is_cut_at_rest_is_counted_and_who_is_cut_in_a_request_is_told) {
  World world;
  world.say_and_cut("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello");
  EXPECT_EQ(world.cut_at_rest(), 1U);
  world.say_and_cut("", "");
  EXPECT_EQ(world.cut_at_rest(), 2U) << "nothing was said at all";
  EXPECT_EQ(world.told, 0);
  world.say_and_cut("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT", "hello");
  EXPECT_EQ(world.cut_at_rest(), 2U);
  EXPECT_EQ(world.told, 1);
}

}  // namespace
}  // namespace parley::http
