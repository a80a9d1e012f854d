// The client with somebody else's server: gRPC's interop cases against @grpc/grpc-js and gRPC C++
// (tests/foreign/grpc/interop_server.js and .cc). Skipped, with the reason, where they are not
// here.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/codec/reflect.h"
#include "parley/door/grpc_client.h"
#include "parley/door/grpc_details.h"
#include "parley/door/grpc_framing.h"
#include "parley/http/http2_connection.h"
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
struct BoolValue {
  bool value = false;
};
struct SimpleRequest {
  int response_type = 0;
  int response_size = 0;
  Payload payload{};
  int none4 = 0;
  int none5 = 0;
  std::optional<BoolValue> response_compressed{};
  EchoStatus response_status{};
  std::optional<BoolValue> expect_compressed{};
};
struct StreamingInputCallRequest {
  Payload payload{};
  std::optional<BoolValue> expect_compressed{};
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
  std::optional<BoolValue> compressed{};
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

// Of status.proto.
struct Wait {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
};
struct RetryInfo {
  Wait retry_delay{};
};

const std::vector<int> sizes_there = {27182, 8, 1828, 45904};
const std::vector<int> sizes_back = {31415, 9, 2653, 58979};
const std::string service = "/grpc.testing.TestService/";

std::string zeros(int size) { return std::string(static_cast<std::size_t>(size), '\0'); }

Payload of_size(int size) { return {.body = zeros(size)}; }

StreamingOutputCallRequest asking(int size_there, int size_back) {
  return {.response_parameters = {{.size = size_back}}, .payload = of_size(size_there)};
}

#ifdef PARLEY_GRPC_CPP_PROGRAMS
const std::string cpp_server = PARLEY_GRPC_CPP_PROGRAMS "/grpc_interop_server";
#else
const std::string cpp_server;
#endif

// A server of theirs, which is killed in the end, and a channel to it; none where it is not here.
struct World {
  explicit World(const std::string& server) {
    if (server.empty()) return;
    const std::string start = "{ " + server +
                              " >log 2>&1 & echo $! >pid; for i in $(seq 300); do [ -s port ] && "
                              "exit 0; sleep 0.1; done; exit 1; }";
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
  mutable net::SocketNetwork network;
  std::unique_ptr<GrpcChannel> channel;
};

// Runs cases against the servers of each.
void with_node(void (*cases)(const World& world), const std::string& coding = "") {
  const Witness witness;
  const bool has_node = rt::blocking([&] {
    return witness.node_with("@grpc/grpc-js") == "node" &&
           witness.node_with("@grpc/proto-loader") == "node";
  });
  if (!has_node) {
    GTEST_SKIP() << "node with @grpc/grpc-js and @grpc/proto-loader does not run here";
  }
  const World world("node '" + std::string(PARLEY_SOURCE_DIR) +
                    "/tests/foreign/grpc/interop_server.js' port " + coding);
  ASSERT_NE(world.channel, nullptr) << world.witness.read("log");
  cases(world);
}

void with_cpp(void (*cases)(const World& world)) {
  if (cpp_server.empty()) {
    GTEST_SKIP() << "no grpc_interop_server: gRPC C++ (libgrpc++-dev, protobuf-compiler-grpc) was "
                    "not there when this was configured, or a sanitizer is on";
  }
  const World world("'" + cpp_server + "' port");
  ASSERT_NE(world.channel, nullptr) << world.witness.read("log");
  cases(world);
}

void large_unary(GrpcChannel& channel, GrpcCoding coding) {
  const auto large = channel.call<SimpleResponse>(
      service + "UnaryCall", SimpleRequest{.response_size = 314159, .payload = of_size(271828)},
      {.timeout = 30s, .coding = coding});
  ASSERT_TRUE(large.has_value()) << large.error();
  EXPECT_EQ(large->payload.body, zeros(314159));
}

void unary_calls(const World& world) {
  const auto empty = world.channel->call<Empty>(service + "EmptyCall", Empty());
  EXPECT_TRUE(empty.has_value()) << empty.error();
  large_unary(*world.channel, GrpcCoding::identity);
  for (const std::string& method :
       {service + "UnimplementedCall", std::string("/grpc.testing.UnimplementedService/Call")}) {
    EXPECT_EQ(world.channel->call<Empty>(method, Empty()).error().code(), Code::unimplemented);
  }
  EXPECT_EQ(world.channel->dialled(), 1U);
}

void compressed_unary_calls(const World& world) {
  large_unary(*world.channel, GrpcCoding::gzip);
  large_unary(*world.channel, GrpcCoding::identity);
}

void streams(const World& world) {
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

void cancels_and_deadlines(const World& world) {
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

void statuses_and_metadata(const World& world) {
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

std::int64_t seconds_in(const wire::Metadata& trailing) {
  const auto retry = find_grpc_detail<RetryInfo>(grpc_details_of(trailing), "google.rpc.RetryInfo");
  if (!retry || !retry->has_value()) return -1;
  return (*retry)->retry_delay.seconds;
}

void details_of_errors(const World& world) {
  const EchoStatus status{.code = 14, .message = "details"};
  GrpcAnswerMetadata beside;
  const auto unary = world.channel->call<SimpleResponse>(
      service + "UnaryCall", SimpleRequest{.response_status = status}, {}, &beside);
  EXPECT_EQ(unary.error(), Status(Code::unavailable, "details"));
  EXPECT_EQ(seconds_in(beside.trailing), 3);
  auto chat = world.chat();
  ASSERT_TRUE(chat->write({.response_status = status}).is_ok());
  (void)chat->done_writing();
  EXPECT_EQ(chat->finish(), Status(Code::unavailable, "details"));
  EXPECT_EQ(seconds_in(chat->raw().trailing_metadata()), 3);
}

// What only a server that looks at it can say: that messages came compressed, or did not.
void compressed_messages_are_seen(const World& world) {
  const auto call = [&](GrpcCoding coding, bool expects) {
    SimpleRequest request{.response_size = 314159, .payload = of_size(271828)};
    request.response_compressed = BoolValue{.value = true};
    request.expect_compressed = BoolValue{.value = expects};
    return world.channel->call<SimpleResponse>(service + "UnaryCall", request, {.coding = coding});
  };
  for (const GrpcCoding coding : {GrpcCoding::identity, GrpcCoding::gzip}) {
    const bool is_gzip = coding == GrpcCoding::gzip;
    const auto good = call(coding, is_gzip);
    ASSERT_TRUE(good.has_value()) << good.error();
    EXPECT_EQ(good->payload.body, zeros(314159));
    EXPECT_EQ(call(coding, !is_gzip).error().code(), Code::invalid_argument);

    auto there = world.channel->open<StreamingInputCallRequest, StreamingInputCallResponse>(
        service + "StreamingInputCall", {.coding = coding});
    for (const int size : sizes_there) {
      StreamingInputCallRequest request{.payload = of_size(size)};
      // What gzip would make longer goes as it is.
      request.expect_compressed = BoolValue{.value = is_gzip && size > 8};
      EXPECT_TRUE(there->write(request).is_ok());
    }
    EXPECT_TRUE(there->done_writing().is_ok());
    EXPECT_EQ(there->read_only().value().aggregated_payload_size, 74922);
  }
  auto back = world.channel->open<StreamingOutputCallRequest, SimpleResponse>(
      service + "StreamingOutputCall");
  StreamingOutputCallRequest all;
  for (const int size : sizes_back) {
    all.response_parameters.push_back({.size = size, .compressed = BoolValue{.value = size > 9}});
  }
  EXPECT_TRUE(back->write(all).is_ok() && back->done_writing().is_ok());
  for (const int size : sizes_back) EXPECT_EQ((*back->read().value()).payload.body, zeros(size));
  EXPECT_FALSE(back->read().value().has_value());
}

// Their answer as it travels: compressed where it was asked for, so that the cases above show
// something.
void answers_are_compressed(const World& world) {
  auto stream =
      world.network.dial(*net::Address::parse("tcp://127.0.0.1:" + world.witness.read("port")),
                         rt::Deadline::after(15s));
  ASSERT_TRUE(stream.has_value()) << stream.error();
  http::Http2Connection connection(*std::move(stream), "http");
  for (const bool is_asked : {false, true}) {
    http::Request head{.method = http::Method::post, .target = service + "UnaryCall"};
    for (const auto& [name, value] : {std::pair("host", "tea"),
                                      {"te", "trailers"},
                                      {"content-type", "application/grpc"},
                                      {"grpc-accept-encoding", "identity,gzip"}}) {
      ASSERT_TRUE(head.headers.add(name, value).is_ok());
    }
    SimpleRequest request{.response_size = 314159};
    request.response_compressed = BoolValue{.value = is_asked};
    std::string message;
    ASSERT_TRUE(impl::encode_message(message, request).is_ok());
    std::string body;
    ASSERT_TRUE(put_grpc_message(body, message).is_ok());
    auto exchange = connection.begin(head, http::BodySize::of(body.size()));
    ASSERT_TRUE(exchange.has_value()) << exchange.error();
    ASSERT_TRUE((*exchange)->write(body).is_ok() && (*exchange)->end().is_ok());
    const auto answer = (*exchange)->read_all();
    ASSERT_TRUE(answer.has_value()) << answer.error();
    EXPECT_EQ(answer->at(0) == 1, is_asked);
    EXPECT_EQ(answer->size() < 10'000, is_asked);
  }
}

PARLEY_FIBER_TEST(GrpcClientForeign, unary_calls_of_the_interop_cases) { with_node(unary_calls); }
PARLEY_FIBER_TEST(GrpcClientForeign, messages_are_compressed_both_ways) {
  with_node(compressed_unary_calls, "gzip");
}
PARLEY_FIBER_TEST(GrpcClientForeign, streams_of_the_interop_cases) { with_node(streams); }
PARLEY_FIBER_TEST(GrpcClientForeign, cancels_and_deadlines_of_the_interop_cases) {
  with_node(cancels_and_deadlines);
}
PARLEY_FIBER_TEST(GrpcClientForeign, statuses_and_metadata_of_the_interop_cases) {
  with_node(statuses_and_metadata);
}
PARLEY_FIBER_TEST(GrpcClientForeign, reads_the_details_of_an_error) {
  with_node(details_of_errors);
}
PARLEY_FIBER_TEST(GrpcClientCppForeign, reads_the_details_of_an_error) {
  with_cpp(details_of_errors);
}
PARLEY_FIBER_TEST(GrpcClientCppForeign, unary_calls_of_the_interop_cases) { with_cpp(unary_calls); }
PARLEY_FIBER_TEST(GrpcClientCppForeign, streams_of_the_interop_cases) { with_cpp(streams); }
PARLEY_FIBER_TEST(GrpcClientCppForeign, cancels_and_deadlines_of_the_interop_cases) {
  with_cpp(cancels_and_deadlines);
}
PARLEY_FIBER_TEST(GrpcClientCppForeign, statuses_and_metadata_of_the_interop_cases) {
  with_cpp(statuses_and_metadata);
}
PARLEY_FIBER_TEST(GrpcClientCppForeign, compressed_messages_are_seen_as_such) {
  with_cpp(compressed_messages_are_seen);
}
PARLEY_FIBER_TEST(GrpcClientCppForeign, answers_are_compressed_where_that_was_asked_for) {
  with_cpp(answers_are_compressed);
}

}  // namespace
}  // namespace parley::door
