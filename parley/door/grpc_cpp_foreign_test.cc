// gRPC with somebody else's client: the interop cases by gRPC C++
// (tests/foreign/grpc/interop_client.cc), which must be built; skipped, with the reason, where gRPC
// C++ is not installed.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/door/grpc.h"
#include "parley/door/testing/interop_service.h"
#include "parley/door/testing/interop_streams.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using parley::testing::Witness;

#ifdef PARLEY_GRPC_CPP_PROGRAMS
const std::string client = PARLEY_GRPC_CPP_PROGRAMS "/grpc_interop_client";
#else
const std::string client;
#endif

// Our side of the cases.
struct World {
  explicit World(const GrpcOptions& options = {.trailing = {testing::interop_trailing}})
      : grpc(make_grpc(peer, options)) {
    testing::add_interop_service(peer, ended);
    testing::add_interop_streams(peer, gave_up);
    service = *http::Service::make([this](http::ServerExchange& exchange) {
      const http::Headers& asked = exchange.request().headers;
      if (asked.get("grpc-encoding").value_or("identity") == "gzip") ++compressed;
      return grpc(exchange);
    });
    servants.go("server", [this] {
      net::Server server(*listener, [this](net::Stream& s) { return service->http2().serve(s); });
      (void)server.serve();
    });
  }
  ~World() {
    listener->close();
    servants.cancel();
    servants.join();
  }
  // That all of these go well.
  void make(const std::vector<std::string>& cases) const {
    std::string names;
    std::string expected;
    for (const std::string& name : cases) {
      names += " " + name;
      expected += name + " ok\n";
    }
    const std::string address = listener->address().to_string().substr(6);
    const std::string said =
        rt::blocking([&] { return Witness().output_of("'" + client + "' " + address + names); });
    EXPECT_EQ(said, expected);
  }
  Peer peer;
  http::Handler grpc;
  std::atomic<int> ended = 0;
  std::atomic<int> gave_up = 0;
  std::atomic<int> compressed = 0;  // calls whose messages came so
  std::unique_ptr<net::Listener> listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  std::shared_ptr<http::Service> service;
  rt::Scope servants;
};

const char* const none_here =
    "no grpc_interop_client: gRPC C++ (libgrpc++-dev, protobuf-compiler-grpc) was not there when "
    "this was configured, or a sanitizer is on";

PARLEY_FIBER_TEST(GrpcCppForeign, grpc_cpp_makes_the_unary_interop_cases) {
  if (client.empty()) GTEST_SKIP() << none_here;
  const World world;
  world.make({"empty_unary", "large_unary", "unimplemented_method", "unimplemented_service",
              "custom_metadata", "custom_metadata_of_streams"});
}

PARLEY_FIBER_TEST(GrpcCppForeign, grpc_cpp_makes_the_streaming_interop_cases) {
  if (client.empty()) GTEST_SKIP() << none_here;
  const World world;
  world.make({"client_streaming", "server_streaming", "ping_pong", "empty_stream"});
}

PARLEY_FIBER_TEST(GrpcCppForeign, statuses_of_the_interop_cases_reach_grpc_cpp) {
  if (client.empty()) GTEST_SKIP() << none_here;
  const World world;
  world.make({"status_code_and_message", "special_status_message"});
}

PARLEY_FIBER_TEST(GrpcCppForeign, messages_are_compressed_both_ways) {
  if (client.empty()) GTEST_SKIP() << none_here;
  const World world;
  world.make({"compressed_unary", "compressed_client_streaming", "compressed_server_streaming"});
  EXPECT_EQ(world.compressed, 3);
  world.make({"large_unary", "server_streaming"});
  EXPECT_EQ(world.compressed, 3) << "and not where nobody asked for it";
}

TEST(GrpcCppForeign, all_cases_go_well_on_four_workers) {
  if (client.empty()) GTEST_SKIP() << none_here;
  rt::testing::run_fiber_test(
      [] {
        const World world;
        world.make({"empty_unary", "large_unary", "compressed_unary", "client_streaming",
                    "server_streaming", "ping_pong", "empty_stream", "cancel_after_begin",
                    "cancel_after_first_response", "status_code_and_message", "custom_metadata"});
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(GrpcCppForeign, the_handler_ends_when_grpc_cpp_gives_up) {
  if (client.empty()) GTEST_SKIP() << none_here;
  const World world;
  world.make({"cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server",
              "empty_unary"});
  while (world.gave_up == 0) rt::yield();  // the test's own deadline bounds it
  EXPECT_GE(world.gave_up, 1) << "of the one that had its first answer";
}

}  // namespace
}  // namespace parley::door
