// The server with somebody else's clients: curl, and Python's own.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "parley/base/testing/witness.h"
#include "parley/http/server.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using parley::testing::Witness;

// What `command` prints; ADDRESS in it is that of a server which answers with method, target and
// body, in chunks for /chunks.
std::string said_to_our_server(const Witness& witness, std::string command) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server(*listener, [](ServerExchange& exchange) -> Status {
    const auto body = exchange.read_all();
    if (!body) return body.error();
    const Request& request = exchange.request();
    const std::string text = std::string(request.method_name()) + " " + request.target + " " +
                             (body->size() > 100 ? std::to_string(body->size()) : *body) + "\n";
    if (request.target != "/chunks") return exchange.answer(200, text);
    if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
    return exchange.write(text);
  });
  rt::Scope scope;
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  const std::string address = listener->address().to_string();
  for (std::size_t at = 0; (at = command.find("ADDRESS")) != std::string::npos;) {
    command.replace(at, 7, address.substr(address.find("//") + 2));
  }
  std::string said = rt::blocking([&] { return witness.output_of(command); });
  EXPECT_TRUE(server.shutdown().is_ok());
  return said;
}

bool runs(const Witness& witness, const std::string& command) {
  return rt::blocking([&] { return witness.ask(command).code; }) == 0;
}

PARLEY_FIBER_TEST(HttpServerForeign, curl_keeps_its_connection_sends_chunks_and_waits_for_100) {
  const Witness witness;
  if (!runs(witness, "curl --version")) GTEST_SKIP() << "curl does not run here";
  EXPECT_EQ(said_to_our_server(witness,
                               "curl -s -w '%{num_connects}\n' -d tea -H 'Expect: 100-continue' "
                               "http://ADDRESS/a -H 'Transfer-Encoding: chunked' "
                               "http://ADDRESS/chunks"),
            "POST /a tea\n1\nPOST /chunks tea\n0\n");
}

PARLEY_FIBER_TEST(HttpServerForeign, python_asks_several_times_over_one_connection) {
  const Witness witness;
  if (!runs(witness, "python3 -c 'import http.client'")) GTEST_SKIP() << "python3 does not run";
  EXPECT_EQ(
      said_to_our_server(witness,
                         "python3 -c 'import http.client as h; c = h.HTTPConnection(\"ADDRESS\")\n"
                         "for m, t, b in ((\"GET\", \"/a\", None), "
                         "(\"POST\", \"/chunks\", \"x\" * 100000)):\n"
                         "  c.request(m, t, b); print(c.getresponse().read().decode(), "
                         "end=\"\")'"),
      "GET /a \nPOST /chunks 100000\n");
}

}  // namespace
}  // namespace parley::http
