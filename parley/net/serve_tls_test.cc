// A Server whose connections are TLS: what came may wait in OpenSSL instead of the kernel.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_server.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"

namespace parley::net {
namespace {

using rt::testing::wait_until;

// Reads `most` bytes a call and sends them back.
Result<Next> echo(Stream& stream, std::size_t most) {
  std::array<char, 4096> buffer{};
  const auto size = stream.try_read(std::span(buffer).first(most));
  if (!size) return size.error();
  if (!*size) return Next::rest;
  if (**size == 0) return Next::end;
  if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
  return Next::rest;
}

class SecureEcho {
 public:
  explicit SecureEcho(std::size_t most, TlsLimits limits = {})
      : tls_(*TlsServer::create({.identities = {authority_.issue({.dns_names = {"shop"}})}})),
        client_(*TlsClient::create(
            {.server_name = "shop", .ca_pem = authority_.pem(), .limits = limits})),
        listener_(*network_.listen(*Address::parse("tcp://127.0.0.1:0"))),
        server_(*listener_, [most](Stream& stream) { return echo(stream, most); }, options()) {
    scope_.go("serve", [this] { (void)server_.serve(); });
  }
  ~SecureEcho() {
    scope_.cancel();
    scope_.join();
  }

  std::unique_ptr<Stream> dial_plain() { return *network_.dial(listener_->address()); }
  std::unique_ptr<Stream> dial() { return *client_->connect(dial_plain()); }
  Server& server() { return server_; }
  void wait_until_at_rest() {
    wait_until([this] { return server_.counts().handlers == 0; });
  }

  std::atomic<int> errors = 0;
  Status error;
  std::string remote;

 private:
  ServeOptions options() {
    ServeOptions options;
    options.open = [this](std::unique_ptr<Stream> stream) -> Result<std::unique_ptr<Stream>> {
      auto secure = tls_->accept(std::move(stream));
      if (!secure) return secure.error();
      return std::unique_ptr<Stream>(*std::move(secure));
    };
    options.on_error = [this](const Address& from, const Status& why) {
      remote = from.to_string();
      error = why;
      ++errors;
    };
    return options;
  }

  testing::TestAuthority authority_{"Tea CA"};
  std::unique_ptr<TlsServer> tls_;
  std::unique_ptr<TlsClient> client_;
  SocketNetwork network_;
  std::unique_ptr<Listener> listener_;
  Server server_;
  rt::Scope scope_;
};

void ask(Stream& stream, const std::string& text) {
  rt::Scope scope;
  scope.go("write", [&] { ASSERT_TRUE(stream.write(text).is_ok()); });
  std::string answer(text.size(), ' ');
  for (std::size_t have = 0; have < text.size();) {
    const auto size = stream.read(std::span(answer).subspan(have));
    ASSERT_TRUE(size && *size > 0) << size.error();
    have += *size;
  }
  EXPECT_EQ(answer, text);
}

PARLEY_FIBER_TEST(ServeTls, a_tls_connection_is_answered_and_rests_without_a_fiber) {
  SecureEcho secure(4096);
  const auto client = secure.dial();
  for (const std::size_t size : {1U, 20U, 4096U, 200'000U}) {
    ask(*client, std::string(size, 't'));
    secure.wait_until_at_rest();
  }
  EXPECT_EQ(secure.server().counts().connections, 1u);
  ASSERT_TRUE(client->close_write().is_ok());
  wait_until([&] { return secure.server().counts().connections == 0; });
  EXPECT_EQ(secure.errors, 0);
}

// One record, which the kernel gave whole, and a handler that takes it byte by byte.
PARLEY_FIBER_TEST(ServeTls, what_tls_has_decrypted_is_not_forgotten) {
  SecureEcho secure(1);
  const auto client = secure.dial();
  ask(*client, std::string(1000, 'r'));
  ask(*client, "and more");
}

PARLEY_FIBER_TEST(ServeTls, a_failed_handshake_holds_up_nobody_and_is_told) {
  SecureEcho secure(4096);
  const auto silent = secure.dial_plain();
  const auto client = secure.dial();
  ask(*client, "while another says nothing");
  const auto plain = secure.dial_plain();
  ASSERT_TRUE(plain->write("GET / HTTP/1.1\r\n\r\n").is_ok());
  wait_until([&] { return secure.errors == 1; });
  EXPECT_EQ(secure.error.code(), Code::failed_precondition) << secure.error;
  EXPECT_EQ(secure.remote, plain->local_address().to_string());
}

TEST(ServeTls, no_edge_is_lost_on_many_workers_while_keys_change) {
  rt::testing::run_fiber_test(
      [] {
        SecureEcho secure(4096, {.records_per_key = 3});
        rt::Scope scope;
        for (int i = 0; i < 6; ++i) {
          scope.go("client", [&secure] {
            const auto client = secure.dial();
            for (int round = 0; round < 100; ++round) ask(*client, "q");
            for (int round = 0; round < 3; ++round) ask(*client, std::string(50'000, 'm'));
          });
        }
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::net
