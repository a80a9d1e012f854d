// The client with somebody else's server: gRPC's interop cases against @grpc/grpc-js
// (tests/foreign/grpc/interop_server.js).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/codec/reflect.h"
#include "parley/door/grpc_client.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using parley::testing::Witness;

// Of interop.proto. A member that is only there for the numbers is never written.
struct Empty {};
struct Payload {
  int type = 0;
  std::string body{};
};
struct EchoStatus {
  int code = 0;
  std::string message{};
};
struct SimpleRequest {
  int response_type = 0;
  int response_size = 0;
  Payload payload{};
  int none4 = 0;
  int none5 = 0;
  int none6 = 0;
  EchoStatus response_status{};
};
struct SimpleResponse {
  Payload payload{};
};
struct StreamingInputCallResponse {
  int aggregated_payload_size = 0;
};
struct ResponseParameters {
  int size = 0;
  int interval_us = 0;
};
struct StreamingOutputCallRequest {
  int response_type = 0;
  std::vector<ResponseParameters> response_parameters{};
  Payload payload{};
  int none4 = 0;
  int none5 = 0;
  int none6 = 0;
  EchoStatus response_status{};
};

const std::vector<int> sizes_there = {27182, 8, 1828, 45904};
const std::vector<int> sizes_back = {31415, 9, 2653, 58979};
const std::string service = "/grpc.testing.TestService/";

std::string zeros(int size) { return std::string(static_cast<std::size_t>(size), '\0'); }

Payload of_size(int size) { return {.body = zeros(size)}; }

StreamingOutputCallRequest asking(int size_there, int size_back) {
  return {.response_parameters = {{.size = size_back}}, .payload = of_size(size_there)};
}

struct World {
  explicit World(const std::string& coding = "") {
    const std::string start =
        "node -e \"require('@grpc/grpc-js'); require('@grpc/proto-loader')\" && { node '" +
        std::string(PARLEY_SOURCE_DIR) + "/tests/foreign/grpc/interop_server.js' port " + coding +
        " >log 2>&1 & echo $! >pid; for i in $(seq 300); do [ -s port ] && exit 0; sleep 0.1; "
        "done; exit 1; }";
    if (rt::blocking([&] { return witness.ask(start).code; }) != 0) return;
    channel = std::make_unique<GrpcChannel>(
        network, *net::Address::parse("tcp://127.0.0.1:" + witness.read("port")));
  }
  ~World() {
    channel.reset();
    (void)rt::blocking([&] { return witness.ask("kill $(cat pid)").code; });
  }
  using Chat = GrpcStream<StreamingOutputCallRequest, SimpleResponse>;
  [[nodiscard]] Result<Chat> chat(const GrpcCallOptions& options = {}) const {
    return channel->open<StreamingOutputCallRequest, SimpleResponse>(service + "FullDuplexCall",
                                                                     options);
  }
  Witness witness;
  net::SocketNetwork network;
  std::unique_ptr<GrpcChannel> channel;
};

const char* const none_here =
    "node with @grpc/grpc-js and @grpc/proto-loader does not run here: no other gRPC server";

void large_unary(GrpcChannel& channel, GrpcCoding coding) {
  const auto large = channel.call<SimpleResponse>(
      service + "UnaryCall", SimpleRequest{.response_size = 314159, .payload = of_size(271828)},
      {.timeout = 30s, .coding = coding});
  ASSERT_TRUE(large.has_value()) << large.error();
  EXPECT_EQ(large->payload.body, zeros(314159));
}

PARLEY_FIBER_TEST(GrpcClientForeign, unary_calls_of_the_interop_cases) {
  const World world;
  if (world.channel == nullptr) GTEST_SKIP() << none_here;
  const auto empty = world.channel->call<Empty>(service + "EmptyCall", Empty());
  EXPECT_TRUE(empty.has_value()) << empty.error();
  large_unary(*world.channel, GrpcCoding::identity);
  for (const std::string& method :
       {service + "UnimplementedCall", std::string("/grpc.testing.UnimplementedService/Call")}) {
    EXPECT_EQ(world.channel->call<Empty>(method, Empty()).error().code(), Code::unimplemented);
  }
  EXPECT_EQ(world.channel->dialled(), 1U);
}

PARLEY_FIBER_TEST(GrpcClientForeign, messages_are_compressed_both_ways) {
  const World world("gzip");
  if (world.channel == nullptr) GTEST_SKIP() << none_here;
  large_unary(*world.channel, GrpcCoding::gzip);
  large_unary(*world.channel, GrpcCoding::identity);
}

PARLEY_FIBER_TEST(GrpcClientForeign, streams_of_the_interop_cases) {
  const World world;
  if (world.channel == nullptr) GTEST_SKIP() << none_here;
  auto there = world.channel->open<SimpleResponse, StreamingInputCallResponse>(
      service + "StreamingInputCall");
  ASSERT_TRUE(there.has_value()) << there.error();
  for (const int size : sizes_there) EXPECT_TRUE(there->write({of_size(size)}).is_ok());
  EXPECT_TRUE(there->done_writing().is_ok());
  EXPECT_EQ(there->read_only().value().aggregated_payload_size, 74922);

  auto back = world.channel->open<StreamingOutputCallRequest, SimpleResponse>(
      service + "StreamingOutputCall");
  StreamingOutputCallRequest all;
  for (const int size : sizes_back) all.response_parameters.push_back({.size = size});
  EXPECT_TRUE(back->write(all).is_ok() && back->done_writing().is_ok());
  for (const int size : sizes_back) EXPECT_EQ((*back->read().value()).payload.body, zeros(size));
  EXPECT_FALSE(back->read().value().has_value());

  auto chat = world.chat();
  for (std::size_t i = 0; i < sizes_there.size(); ++i) {
    ASSERT_TRUE(chat->write(asking(sizes_there[i], sizes_back[i])).is_ok());
    EXPECT_EQ((*chat->read().value()).payload.body, zeros(sizes_back[i]));
  }
  EXPECT_TRUE(chat->finish().is_ok());

  auto empty = world.chat();
  EXPECT_TRUE(empty->done_writing().is_ok());
  EXPECT_FALSE(empty->read().value().has_value());
}

PARLEY_FIBER_TEST(GrpcClientForeign, cancels_and_deadlines_of_the_interop_cases) {
  const World world;
  if (world.channel == nullptr) GTEST_SKIP() << none_here;
  auto at_once = world.channel->open(service + "StreamingInputCall");
  (*at_once)->cancel();
  EXPECT_EQ((*at_once)->finish().code(), Code::cancelled);

  auto later = world.chat();
  ASSERT_TRUE(later->write(asking(sizes_there[0], sizes_back[0])).is_ok());
  EXPECT_TRUE(later->read().value().has_value());
  later->cancel();
  EXPECT_EQ(later->finish().code(), Code::cancelled);

  auto sleeping = world.chat({.timeout = 1ms});
  if (sleeping) {
    (void)sleeping->write({.payload = of_size(27182)});
    EXPECT_EQ(sleeping->read().error().code(), Code::deadline_exceeded);
  } else {
    EXPECT_EQ(sleeping.error().code(), Code::deadline_exceeded);
  }
  large_unary(*world.channel, GrpcCoding::identity);
  EXPECT_EQ(world.witness.read("log"), "");
}

PARLEY_FIBER_TEST(GrpcClientForeign, statuses_and_metadata_of_the_interop_cases) {
  const World world;
  if (world.channel == nullptr) GTEST_SKIP() << none_here;
  const std::string special =
      "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and non-BMP \xf0\x9f\x98\x88\t\n";
  for (const std::string& message : {std::string("test status message"), special}) {
    const auto unary = world.channel->call<SimpleResponse>(
        service + "UnaryCall", SimpleRequest{.response_status = {.code = 2, .message = message}});
    EXPECT_EQ(unary.error(), Status(Code::unknown, message));
    auto chat = world.chat();
    ASSERT_TRUE(chat->write({.response_status = {.code = 2, .message = message}}).is_ok());
    (void)chat->done_writing();
    EXPECT_EQ(chat->finish(), Status(Code::unknown, message));
  }

  const std::string bytes = "\xab\xab\xab";
  const wire::Metadata metadata = {{"x-grpc-test-echo-initial", "test_initial_metadata_value"},
                                   {"x-grpc-test-echo-trailing-bin", bytes}};
  GrpcAnswerMetadata beside;
  EXPECT_TRUE(world.channel
                  ->call<SimpleResponse>(service + "UnaryCall", SimpleRequest{.response_size = 1},
                                         {.metadata = metadata}, &beside)
                  .has_value());
  EXPECT_EQ(beside.initial.get("x-grpc-test-echo-initial"), "test_initial_metadata_value");
  EXPECT_EQ(beside.trailing.get("x-grpc-test-echo-trailing-bin"), bytes);
  auto chat = world.chat({.metadata = metadata});
  EXPECT_TRUE(chat->write(asking(1, 1)).is_ok());
  EXPECT_TRUE(chat->finish().is_ok());
  EXPECT_EQ(chat->raw().initial_metadata().value()->get("x-grpc-test-echo-initial"),
            "test_initial_metadata_value");
  EXPECT_EQ(chat->raw().trailing_metadata().get("x-grpc-test-echo-trailing-bin"), bytes);
}

}  // namespace
}  // namespace parley::door
