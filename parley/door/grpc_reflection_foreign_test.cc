// Reflection with somebody else's client: `buf curl`, which knows of our types what it is told.
// Skipped, with the reason, where it is not installed.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/grpc_health.h"
#include "parley/door/grpc_reflection.h"
#include "parley/door/testing/buf.h"
#include "parley/door/testing/house.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {

struct BufLine {
  std::string tea;
  int cups = 0;
};
struct BufOrder {
  std::vector<BufLine> lines;
  std::map<std::string, int> prices;
  std::chrono::system_clock::time_point until;
};
struct BufReceipt {
  int pence = 0;
  std::optional<std::string> note;
  std::chrono::system_clock::time_point until;
};

namespace {

using testing::Buf;

void fill(Peer& peer) {
  peer.handle("/shop/v1/orders/place", [](const BufOrder& order) {
    BufReceipt receipt{.pence = 0, .note = std::nullopt, .until = order.until};
    for (const auto& line : order.lines) receipt.pence += line.cups * order.prices.at(line.tea);
    if (order.lines.size() > 1) receipt.note = "many";
    return receipt;
  });
  peer.handle_stream("/shop/v1/orders/watch", [](Stream<BufLine, BufReceipt>& stream) -> Status {
    for (;;) {
      const auto line = stream.receive();
      if (!line) return line.error();
      if (!*line) return {};
      BufReceipt receipt;
      receipt.pence = (*line)->cups;
      if (Status s = stream.send(receipt); !s.is_ok()) return s;
    }
  });
  handle_grpc_reflection(peer);
}

PARLEY_FIBER_TEST(GrpcReflectionForeign, buf_lists_and_calls_what_it_was_never_told_of) {
  testing::House house;
  fill(house.peer);
  GrpcHealth health(house.peer);
  Buf buf(house);
  if (const std::string why = buf.look(); !why.empty()) GTEST_SKIP() << why;
  for (const std::string version : {"grpc-v1", "grpc-v1alpha"}) {
    EXPECT_EQ(buf.curl("--reflect-protocol " + version + " --list-methods"),
              "grpc.health.v1.Health/Check\n"
              "grpc.health.v1.Health/Watch\n"
              "grpc.reflection.v1.ServerReflection/ServerReflectionInfo\n"
              "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo\n"
              "math/add\n"
              "shop.v1.orders/place\n"
              "shop.v1.orders/watch\n");
    EXPECT_EQ(buf.curl("--reflect-protocol " + version + R"( -d '{"argument1":1,"argument2":2}')",
                       "/math/add"),
              "{\n  \"value\": 3\n}\n");
  }
  EXPECT_EQ(buf.curl("-d '{}'", "/grpc.health.v1.Health/Check"),
            "{\n  \"status\": \"SERVING\"\n}\n");
  EXPECT_EQ(buf.curl(R"(-d '{"lines":[{"tea":"assam","cups":2},{"tea":"oolong","cups":1}],)"
                     R"("prices":{"assam":150,"oolong":200},"until":"2030-01-01T00:00:00Z"}')",
                     "/shop.v1.orders/place"),
            "{\n  \"pence\": 500,\n  \"note\": \"many\",\n"
            "  \"until\": \"2030-01-01T00:00:00Z\"\n}\n");
}

PARLEY_FIBER_TEST(GrpcReflectionForeign, buf_comes_within_TLS) {
  const net::testing::TestAuthority authority("Tea CA");
  DoorOptions options;
  options.tls = *net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"localhost"}})}, .alpn = {"h2", "http/1.1"}});
  options.plain = false;
  testing::House house(std::move(options));
  fill(house.peer);
  Buf buf(house, authority.pem());
  if (const std::string why = buf.look(); !why.empty()) GTEST_SKIP() << why;
  EXPECT_EQ(buf.curl(R"(-d '{"argument1":1,"argument2":2}')", "/math/add"),
            "{\n  \"value\": 3\n}\n");
}

PARLEY_FIBER_TEST(GrpcReflectionForeign, buf_speaks_with_a_stream) {
  testing::House house;
  fill(house.peer);
  Buf buf(house);
  if (const std::string why = buf.look(); !why.empty()) GTEST_SKIP() << why;
  const std::string said = buf.curl(R"(-d '{"tea":"assam","cups":2} {"tea":"oolong","cups":3}')",
                                    "/shop.v1.orders/watch");
  const std::size_t two = said.find("\"pence\": 2");
  EXPECT_NE(two, std::string::npos) << said;
  EXPECT_NE(said.find("\"pence\": 3", two), std::string::npos) << said;
}

}  // namespace
}  // namespace parley::door
