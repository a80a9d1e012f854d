// One server for HTTP/1 and HTTP/2 with curl: ALPN over TLS, h2c and prior knowledge.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/base/testing/witness.h"
#include "parley/http/server.h"
#include "parley/net/network.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using parley::testing::Witness;

Status tell(ServerExchange& exchange) {
  const auto body = exchange.read_all();
  if (!body) return body.error();
  return exchange.answer(200, std::string(name_of(exchange.protocol())) +
                                  (exchange.is_secure() ? " secure " : " plain ") + *body + "\n");
}

bool has_curl(const Witness& witness) {
  return rt::blocking([&] { return witness.ask("curl --version | grep -q HTTP2").code; }) == 0;
}

const std::string curl = "curl -sS --noproxy '*' --max-time 60 ";

PARLEY_FIBER_TEST(HttpVersionsForeign, curl_speaks_what_alpn_chose_over_tls) {
  const Witness witness;
  if (!has_curl(witness)) GTEST_SKIP() << "there is no curl with HTTP/2";
  const net::testing::TestAuthority authority("Tea");
  const auto tls = *net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"localhost"}})}, .alpn = {"h2", "http/1.1"}});
  witness.write("ca.pem", authority.pem());
  net::SocketNetwork sockets;
  net::TlsNetwork network({.below = &sockets, .server = tls.get()});
  const auto listener = std::move(*network.listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server(*listener, tell);
  rt::Scope scope;
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const std::string address = listener->address().to_string();
  const std::string url = "https://localhost" + address.substr(address.rfind(':'));
  const std::string with = curl + "--cacert ca.pem -d tea ";
  const std::string said = rt::blocking([&] {
    return witness.output_of(with + "--http2 " + url + " && " + with + "--http1.1 " + url + " && " +
                             with + "--http2 --no-alpn " + url);
  });
  EXPECT_TRUE(server.shutdown().is_ok());
  EXPECT_EQ(said, "HTTP/2 secure tea\nHTTP/1.1 secure tea\nHTTP/1.1 secure tea\n");
}

PARLEY_FIBER_TEST(HttpVersionsForeign, curl_asks_for_h2c_or_knows_beforehand) {
  const Witness witness;
  if (!has_curl(witness)) GTEST_SKIP() << "there is no curl with HTTP/2";
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server(*listener, tell);
  rt::Scope scope;
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const std::string address = listener->address().to_string();
  const std::string url = "http" + address.substr(3);
  const std::string said = rt::blocking([&] {
    return witness.output_of(curl + "--http2 " + url + " && " + curl +
                             "--http2-prior-knowledge -d tea " + url + " && " + curl +
                             "--http2 -d tea " + url);
  });
  EXPECT_TRUE(server.shutdown().is_ok());
  EXPECT_EQ(said, "HTTP/2 plain \nHTTP/2 plain tea\nHTTP/1.1 plain tea\n");
}

PARLEY_FIBER_TEST(HttpVersionsForeign, curl_has_the_answer_that_comes_before_its_body_was_read) {
  const Witness witness;
  if (!has_curl(witness)) GTEST_SKIP() << "there is no curl with HTTP/2";
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server(*listener,
                [](ServerExchange& exchange) { return exchange.answer(404, "not here\n"); });
  rt::Scope scope;
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const std::string address = listener->address().to_string();
  witness.write("large", std::string(1024 * 1024, 'x'));
  const std::string asks = curl + "--data-binary @large http" + address.substr(3) + " ";
  const std::string said = rt::blocking([&] {
    return witness.output_of("for i in 1 2 3 4 5; do " + asks + "--http2-prior-knowledge && " +
                             asks + "--http1.1 || exit 1; done");
  });
  EXPECT_TRUE(server.shutdown(rt::Deadline::after(std::chrono::seconds(30))).is_ok());
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += "not here\n";
  EXPECT_EQ(said, expected);
}

}  // namespace
}  // namespace parley::http
