// gRPC-Web with somebody else's client, `buf curl`, against a Door. Skipped, with the reason, where
// it is not installed.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "parley/door/testing/buf.h"
#include "parley/door/testing/house.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_server.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using testing::Buf;
using testing::House;

constexpr std::string_view proto = R"(
syntax = "proto3";
message Terms { int32 a = 1; int32 b = 2; }
message Number { int32 value = 1; }
service math {
  rpc add(Terms) returns (Number);
  rpc count(Number) returns (stream Number);
  rpc missing(Number) returns (Number);
}
)";

const std::string by_web = "--protocol grpcweb --schema math.proto ";

void fill(Peer& peer) {
  peer.handle_stream("/math/count", [](Stream<int, int>& stream) -> Status {
    const auto most = stream.receive();
    if (!most) return most.error();
    for (int i = 1; *most && i <= **most; ++i) {
      if (Status s = stream.send(i); !s.is_ok()) return s;
    }
    return Status(Code::out_of_range, "no more numbers");
  });
}

void ask_in_each_way(Buf& buf, const std::string& by) {
  buf.witness.write("math.proto", proto);
  EXPECT_EQ(buf.ask(by + R"(-d '{"a":1,"b":2}')", "/math/add"), "{\n  \"value\": 3\n}\n");
  // Messages, and behind them a status in the body, where gRPC-Web has its trailers.
  const std::string counted = buf.ask(by + R"(-d '{"value":2}')", "/math/count");
  EXPECT_EQ(counted.rfind("{\n  \"value\": 1\n}\n{\n  \"value\": 2\n}\n", 0), 0U) << counted;
  EXPECT_NE(counted.find("out_of_range"), std::string::npos) << counted;
  EXPECT_NE(counted.find("no more numbers"), std::string::npos) << counted;
  EXPECT_NE(buf.ask(by + "-d '{}'", "/math/missing").find("unimplemented"), std::string::npos);
}

PARLEY_FIBER_TEST(GrpcWebForeign, buf_asks_a_door_over_http_1_and_http_2) {
  House house;
  fill(house.peer);
  Buf buf(house);
  if (const std::string why = buf.look(); !why.empty()) GTEST_SKIP() << why;
  ask_in_each_way(buf, by_web);
  EXPECT_GT(house.door.counts().of("http/1"), 0U);
  EXPECT_EQ(house.door.counts().of("http/2"), 0U);
  ask_in_each_way(buf, by_web + "--http2-prior-knowledge ");
  EXPECT_GT(house.door.counts().of("http/2"), 0U);
  EXPECT_EQ(house.told(), "");
}

PARLEY_FIBER_TEST(GrpcWebForeign, buf_comes_within_TLS) {
  const net::testing::TestAuthority authority("Tea CA");
  DoorOptions options;
  options.tls = *net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"localhost"}})}, .alpn = {"h2", "http/1.1"}});
  options.plain = false;
  House house(std::move(options));
  fill(house.peer);
  Buf buf(house, authority.pem());
  if (const std::string why = buf.look(); !why.empty()) GTEST_SKIP() << why;
  ask_in_each_way(buf, by_web + "--cacert ca.pem ");
  EXPECT_GT(house.door.counts().of("http/2"), 0U) << "what ALPN chose";
}

}  // namespace
}  // namespace parley::door
